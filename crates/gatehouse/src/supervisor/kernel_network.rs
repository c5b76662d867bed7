//! Keeps the kernel's network as the configuration in force wants it, where that is ours to do: on the box,
//! or where the operator has said so. Elsewhere another program sets up the network.

use super::journal::Journal;
use super::uplink::Uplink;
use config::Config;
use router::Wanted;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
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
    /// One at a time looks at the kernel's tables and changes them.
    at_work: Arc<Mutex<()>>,
    /// What is not as it should be.
    faults: watch::Receiver<Vec<String>>,
}

/// What the configuration says of the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Aim {
    wanted: Wanted,
    hostname: String,
    /// It is of two configurations, one of which is about to be in force: nothing is taken away meanwhile.
    joined: bool,
}

impl Aim {
    fn of(config: &Config) -> Self {
        Self {
            wanted: Wanted::of(config),
            hostname: config.system.hostname.clone(),
            joined: false,
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
            let at_work = Arc::new(Mutex::new(()));
            let keeper = Keeper {
                aim: aim_seen,
                at_work: Arc::clone(&at_work),
                uplink: uplink.clone(),
                faults,
                journal: journal.clone(),
            };
            tokio::spawn(keeper.keep());
            Ours {
                aim,
                at_work,
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
        let Some(Ours {
            aim: sender,
            at_work,
            ..
        }) = &self.0
        else {
            return Ok(());
        };
        let aim = Aim::of(config);
        sender.send_modify(|both| {
            both.wanted.join(&aim.wanted);
            both.hostname.clone_from(&aim.hostname);
            both.joined = true;
        });
        let _alone = at_work.lock().await;
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

/// Sets up what is wanted and what was learned, again and again.
struct Keeper {
    aim: watch::Receiver<Aim>,
    at_work: Arc<Mutex<()>>,
    uplink: Uplink,
    faults: watch::Sender<Vec<String>>,
    journal: Journal,
}

impl Keeper {
    async fn keep(mut self) {
        let mut standings = self.uplink.standings();
        loop {
            tokio::select! {
                changed = self.aim.changed() => if changed.is_err() {
                    return;
                },
                // The uplink that it comes from is ours.
                _ = standings.changed() => {}
                () = sleep(LOOK) => {}
            }
            standings.mark_unchanged();
            let alone = self.at_work.lock().await;
            let now = self.aim.borrow_and_update().clone();
            let faults = if now == Aim::default() {
                Vec::new()
            } else {
                self.settle(now).await
            };
            drop(alone);
            self.tell(&faults);
            sleep(PACE).await;
        }
    }

    /// Sets up what `aim` wants; returns what is not so then.
    async fn settle(&self, aim: Aim) -> Vec<String> {
        let mut wanted = aim.wanted;
        let unfit = self.uplink.teach(&mut wanted);
        let settled = if aim.joined {
            router::prepare(&wanted).await
        } else {
            router::settle(&wanted).await
        };
        let mut faults: Vec<String> = unfit.iter().map(ToString::to_string).collect();
        match settled {
            Ok(report) => {
                self.uplink.open(&wanted, &report.links, &aim.hostname);
                let missing = report.missing.iter();
                faults.extend(missing.map(|name| {
                    format!("network interface {name} is not there; it is set up when it comes")
                }));
                faults.extend(report.fault.map(|fault| fault.to_string()));
            }
            Err(error) => faults.push(error.to_string()),
        }
        faults
    }

    /// Tells each fault once.
    fn tell(&self, faults: &[String]) {
        let before = self.faults.send_replace(faults.to_owned());
        for text in faults.iter().filter(|text| !before.contains(*text)) {
            self.journal.notice("router", text.clone());
        }
    }
}
