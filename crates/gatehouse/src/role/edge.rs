//! The process that talks to the world.

use super::host;
use crate::message::Load;
use anyhow::anyhow;
use certs::Answers;
use net::Listener;
use proxy::Proxy;
use std::sync::Arc;

/// Serves what the configuration publishes, until the supervisor says stop.
///
/// # Errors
/// The process could not be shut in, or its link broke.
pub fn edge() -> anyhow::Result<()> {
    // What certificate authorities find here, whatever configuration is in force.
    let answers = Answers::default();
    let proofs = answers.clone();
    host::<Proxy, _>(
        async |_| Ok(move |load: &Load, listeners| configure(load, listeners, &answers)),
        Some(proofs),
    )
}

fn configure(
    load: &Load,
    listeners: Vec<Listener>,
    answers: &Answers,
) -> anyhow::Result<proxy::Config> {
    let checked = config::check(&load.text, &load.file).map_err(|faults| anyhow!("{faults}"))?;
    Ok(proxy::Config {
        config: Arc::new(checked.config),
        certificates: load.certificates.clone(),
        identity: load.identity.clone(),
        listeners,
        files: load.files.clone(),
        names: load.names.clone(),
        answers: answers.clone(),
        inside: proxy::Inside::default(),
    })
}
