//! Keeps the kernel's network as the configuration in force wants it, where that is ours to do: on the box,
//! or where the operator has said so. Elsewhere another program sets up the network.

use super::journal::Journal;
use config::Config;
use router::Wanted;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::timeout;

/// How often the kernel's tables are looked at: an interface may come late, or go and come back.
const LOOK: Duration = Duration::from_secs(5);

/// The network of this machine. Clones are the same.
#[derive(Clone)]
pub struct KernelNetwork(Option<watch::Sender<Wanted>>);

impl KernelNetwork {
    /// The network of a machine, `is_ours` to set up from now on, or somebody else's. Nothing is done before
    /// [`KernelNetwork::reach`].
    pub fn new(is_ours: bool, journal: &Journal) -> Self {
        Self(is_ours.then(|| {
            let (sender, wanted) = watch::channel(Wanted::default());
            tokio::spawn(keep(wanted, journal.clone()));
            sender
        }))
    }

    /// Sets what `config` wants beside what is there, before listeners are opened on it; nothing is taken
    /// away until [`KernelNetwork::want`] says which of both it shall be.
    ///
    /// # Errors
    /// The kernel refused something of `config`.
    pub async fn reach(&self, config: &Config) -> anyhow::Result<()> {
        let Some(sender) = &self.0 else { return Ok(()) };
        let wanted = Wanted::of(config);
        sender.send_modify(|both| both.join(&wanted));
        router::reach(&wanted).await?;
        Ok(())
    }

    /// From now on what `config` wants, and no more of ours.
    pub fn want(&self, config: &Config) {
        if let Some(sender) = &self.0 {
            sender.send_replace(Wanted::of(config));
        }
    }
}

/// Sets up what is wanted, again and again; each thing that is worth telling is told once.
async fn keep(mut wanted: watch::Receiver<Wanted>, journal: Journal) {
    let mut told = Vec::new();
    loop {
        if let Ok(Err(_)) = timeout(LOOK, wanted.changed()).await {
            return;
        }
        let now = wanted.borrow_and_update().clone();
        if now == Wanted::default() {
            continue;
        }
        let news: Vec<String> = match router::settle(&now).await {
            Ok(report) => report
                .missing
                .iter()
                .map(|name| {
                    format!("network interface {name} is not there; it is set up when it comes")
                })
                .collect(),
            Err(error) => vec![error.to_string()],
        };
        for text in news.iter().filter(|text| !told.contains(*text)) {
            journal.notice("router", text.clone());
        }
        told = news;
    }
}
