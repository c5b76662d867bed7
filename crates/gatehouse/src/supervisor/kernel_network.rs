//! Keeps the kernel's network as the configuration in force wants it, where that is ours to do: on the box,
//! or where the operator has said so. Elsewhere another program sets up the network.

use super::journal::Journal;
use super::uplink::Uplink;
use config::Config;
use router::Wanted;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;

/// How often the kernel's tables are looked at: an interface may come late, or go and come back.
const LOOK: Duration = Duration::from_secs(5);

/// The least time between two looks: nothing that edge learns may keep the supervisor busy.
const PACE: Duration = Duration::from_millis(200);

/// The network of this machine. Clones are the same.
#[derive(Clone)]
pub struct KernelNetwork(Option<Ours>);

#[derive(Clone)]
struct Ours {
    aim: watch::Sender<Aim>,
    /// What is not as it should be.
    faults: watch::Receiver<Vec<String>>,
}

/// What the configuration says of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Aim {
    wanted: Wanted,
    hostname: String,
}

impl Aim {
    fn of(config: &Config) -> Self {
        Self {
            wanted: Wanted::of(config),
            hostname: config.system.hostname.clone(),
        }
    }
}

impl KernelNetwork {
    /// The network of a machine, `is_ours` to set up from now on, or somebody else's. Nothing is done before
    /// [`KernelNetwork::reach`].
    pub fn new(is_ours: bool, uplink: &Uplink, journal: &Journal) -> Self {
        Self(is_ours.then(|| {
            let (aim, aim_seen) = watch::channel(Aim::default());
            let (faults, faults_seen) = watch::channel(Vec::new());
            tokio::spawn(keep(aim_seen, uplink.clone(), faults, journal.clone()));
            Ours {
                aim,
                faults: faults_seen,
            }
        }))
    }

    /// Sets what `config` wants beside what is there, before listeners are opened on it; nothing is taken
    /// away until [`KernelNetwork::want`] says which of both it shall be.
    ///
    /// # Errors
    /// The kernel refused something of `config`.
    pub async fn reach(&self, config: &Config) -> anyhow::Result<()> {
        let Some(Ours { aim: sender, .. }) = &self.0 else {
            return Ok(());
        };
        let aim = Aim::of(config);
        sender.send_modify(|both| {
            both.wanted.join(&aim.wanted);
            both.hostname.clone_from(&aim.hostname);
        });
        router::reach(&aim.wanted).await?;
        Ok(())
    }

    /// What is not as the configuration wants it, one sentence each.
    pub fn faults(&self) -> Vec<String> {
        let ours = self.0.as_ref();
        ours.map(|ours| ours.faults.borrow().clone())
            .unwrap_or_default()
    }

    /// From now on what `config` wants, and no more of ours.
    pub fn want(&self, config: &Config) {
        if let Some(ours) = &self.0 {
            ours.aim.send_replace(Aim::of(config));
        }
    }
}

/// Sets up what is wanted and what was learned, again and again; each thing that is worth telling is told once.
async fn keep(
    mut aim: watch::Receiver<Aim>,
    uplink: Uplink,
    told: watch::Sender<Vec<String>>,
    journal: Journal,
) {
    let mut standings = uplink.standings();
    loop {
        tokio::select! {
            changed = aim.changed() => if changed.is_err() {
                return;
            },
            // The uplink that it comes from is ours.
            _ = standings.changed() => {}
            () = sleep(LOOK) => {}
        }
        standings.mark_unchanged();
        let now = aim.borrow_and_update().clone();
        if now == Aim::default() {
            continue;
        }
        let mut wanted = now.wanted;
        let unfit = uplink.teach(&mut wanted);
        let mut news: Vec<String> = match router::settle(&wanted).await {
            Ok(report) => {
                uplink.open(&wanted, &report.links, &now.hostname);
                let missing = report.missing.iter();
                let absent = |name| {
                    format!("network interface {name} is not there; it is set up when it comes")
                };
                let fault = report.fault.map(|fault| fault.to_string());
                missing.map(absent).chain(fault).collect()
            }
            Err(error) => vec![error.to_string()],
        };
        news.extend(unfit.iter().map(ToString::to_string));
        let before = told.send_replace(news.clone());
        for text in news.iter().filter(|text| !before.contains(*text)) {
            journal.notice("router", text.clone());
        }
        sleep(PACE).await;
    }
}
