//! The process that shows the box to its operator.

use super::host;
use crate::message::Load;
use admin::Admin;
use anyhow::{Context as _, anyhow};
use control::Line;
use net::Listener;
use std::os::unix::net::UnixStream;

/// Serves the admin pages, until the supervisor says stop.
///
/// # Errors
/// The process could not be shut in, or its link broke.
pub fn admin() -> anyhow::Result<()> {
    host::<Admin, _>(
        async |_, line| {
            let line = line.context("it was given no line to the control API")?;
            let line = Line::open(UnixStream::from(line)).await?;
            Ok(move |load: &Load, listeners| configure(load, listeners, &line))
        },
        None,
    )
}

fn configure(load: &Load, listeners: Vec<Listener>, line: &Line) -> anyhow::Result<admin::Config> {
    let checked = config::check(&load.text, &load.file).map_err(|faults| anyhow!("{faults}"))?;
    let (certificate, trusted) = load
        .certificates
        .split_first()
        .context("no certificate for the admin pages was handed over")?;
    Ok(admin::Config {
        hostname: checked.config.system.hostname,
        domain: checked.config.site.domain,
        listeners,
        certificate: certificate.clone(),
        trusted: trusted.to_vec(),
        from: checked.config.admin.from,
        line: line.clone(),
    })
}
