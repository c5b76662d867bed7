//! The process that shows the box to its operator.

use super::host;
use crate::message::Load;
use admin::Admin;
use anyhow::{Context as _, anyhow};
use net::Listener;

/// Serves the admin pages, until the supervisor says stop.
///
/// # Errors
/// The process could not be shut in, or its link broke.
pub fn admin() -> anyhow::Result<()> {
    host::<Admin>(configure)
}

fn configure(load: &Load, listeners: Vec<Listener>) -> anyhow::Result<admin::Config> {
    let checked = config::check(&load.text, &load.file).map_err(|faults| anyhow!("{faults}"))?;
    let certificate = load.certificates.first().cloned();
    Ok(admin::Config {
        hostname: checked.config.system.hostname,
        listeners,
        certificate: certificate.context("no certificate for the admin pages was handed over")?,
        from: checked.config.admin.from,
    })
}
