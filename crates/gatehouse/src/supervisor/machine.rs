//! The machine as a whole: reboot, power off, factory reset, and the console on its serial line.

use super::child::Condition;
use super::init_link::InitLink;
use super::memory::Memory;
use super::terminal;
use control::{MachineOrder, MachineStatus, Refusal};
use nix::sys::statfs::{self, statfs};
use nix::time::{ClockId, clock_gettime};
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::watch;

/// The variable in which init says what it has given instead of the state on the disk, with which nothing could be started.
const FOOTING: &str = "GATEHOUSE_FOOTING";
/// File systems that forget everything at a restart.
const IN_MEMORY: [statfs::FsType; 2] = [statfs::TMPFS_MAGIC, RAMFS_MAGIC];
/// Of the first file system of the kernel (`linux/magic.h`).
const RAMFS_MAGIC: statfs::FsType = statfs::FsType(0x8584_58f6);

/// What the supervisor knows of the machine that it runs on. Clones are the same.
#[derive(Clone)]
pub struct Machine {
    init: Option<Arc<InitLink>>,
    end: watch::Sender<bool>,
    /// The configuration file lies in the state directory, and would be removed with it.
    file_is_kept_inside: bool,
    console: watch::Sender<Option<Condition>>,
    /// The state directory lies in memory.
    forgets: bool,
    /// What the box runs with instead of what is on its disk.
    instead: Option<Instead>,
    /// When the box served, since the kernel began.
    served: Arc<OnceLock<Duration>>,
}

/// What init gives where the state on the disk is no use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Instead {
    LastConfiguration,
    Factory,
}

impl Instead {
    fn of(word: Option<&str>) -> Option<Self> {
        match word? {
            "last" => Some(Self::LastConfiguration),
            _ => Some(Self::Factory),
        }
    }

    fn fault(self) -> String {
        let what = match self {
            Self::LastConfiguration => "the last configuration, without secrets and certificates",
            Self::Factory => "the factory configuration",
        };
        format!(
            "WHAT THE DISK KEEPS IS NOT USED: Gatehouse could not start with it; this is {what}, in memory; a restart of the box tries \
             the disk again, a factory reset empties it"
        )
    }
}

impl Machine {
    /// The machine, with `file` as the configuration and `state` as the state directory of this run.
    ///
    /// # Errors
    /// The link to init that was promised is none.
    pub fn new(file: &Path, state: &Path) -> anyhow::Result<Self> {
        let init = InitLink::from_environment()?.map(Arc::new);
        let inside = match (file.canonicalize(), state.canonicalize()) {
            (Ok(file), Ok(state)) => file.starts_with(state),
            _ => false,
        };
        Ok(Self {
            init,
            end: watch::Sender::new(false),
            file_is_kept_inside: inside,
            console: watch::Sender::new(None),
            forgets: statfs(state).is_ok_and(|held| IN_MEMORY.contains(&held.filesystem_type())),
            instead: Instead::of(std::env::var(FOOTING).ok().as_deref()),
            served: Arc::default(),
        })
    }

    /// Whether this is the firmware of a box: init has started it.
    pub fn is_box(&self) -> bool {
        self.init.is_some()
    }

    /// Says that the box serves from now on.
    pub fn serves(&self) {
        if let Ok(now) = clock_gettime(ClockId::CLOCK_BOOTTIME) {
            self.served.get_or_init(|| now.into());
        }
        if let Some(init) = &self.init {
            init.serves();
        }
    }

    /// How the machine is, where it is a box.
    pub fn status(&self) -> Option<MachineStatus> {
        self.is_box().then(|| {
            let memory = Memory::now();
            let served = self.served.get().map(Duration::as_millis);
            MachineStatus {
                memory: memory.whole,
                memory_used: memory.used,
                memory_ours: memory.ours,
                served_after_ms: served.and_then(|served| u64::try_from(served).ok()),
            }
        })
    }

    /// Whether init has given an empty state instead of the one on the disk.
    pub fn runs_without_its_state(&self) -> bool {
        self.instead.is_some()
    }

    /// What a box whose disk is lost or not used says of it.
    pub fn forgets(&self) -> Option<String> {
        if let Some(instead) = self.instead {
            return Some(instead.fault());
        }
        (self.is_box() && self.forgets).then(|| {
            "THE STATE IS NOT KEPT: its partition is lost or broken, everything is forgotten at the next restart".to_owned()
        })
    }

    /// Shows init that the supervisor lives, where there is one that wants to know.
    pub fn beat(&self) {
        if let Some(init) = self.init.clone() {
            tokio::spawn(async move { init.beat().await });
        }
    }

    /// Resolves once the supervisor shall end for something that is done at its next start.
    pub async fn ended(&self) {
        let mut end = self.end.subscribe();
        let _ = end.wait_for(|end| *end).await;
    }

    /// Whether `order` could be carried out; nothing is done yet.
    pub fn allows(&self, order: MachineOrder) -> Result<(), Refusal> {
        match order {
            MachineOrder::Reboot | MachineOrder::PowerOff if self.init.is_none() => {
                Err(Refusal::conflict(
                    "not running as a box's firmware, so that there is no machine to reboot or switch off; end Gatehouse \
                     with SIGTERM and start it again with `gatehouse run`",
                ))
            }
            MachineOrder::FactoryReset if self.file_is_kept_inside => Err(Refusal::conflict(
                "the configuration file lies in the state directory and would be removed, too; move it elsewhere and start \
                 Gatehouse with it",
            )),
            _ => Ok(()),
        }
    }

    /// Carries `order` out, or begins to; says what comes of it.
    ///
    /// # Errors
    /// Init does not listen.
    pub fn obey(&self, order: MachineOrder) -> Result<&'static str, Refusal> {
        let Some(init) = &self.init else {
            self.end.send_replace(true);
            return Ok(
                "Gatehouse ends now; its next start removes everything that it kept and takes the file of `gatehouse run`",
            );
        };
        let failed = |error| Refusal::failed(format!("init does not listen: {error}"));
        if order == MachineOrder::FactoryReset && self.instead.is_some() {
            init.ask_for_reset().map_err(failed)?;
        } else {
            init.ask(order).map_err(failed)?;
        }
        Ok(match order {
            MachineOrder::Reboot => "the box restarts now",
            MachineOrder::PowerOff => "the box switches itself off now",
            MachineOrder::FactoryReset => {
                "the box restarts now and begins with its factory configuration"
            }
        })
    }

    /// Keeps a console running on a terminal until `stop` is set.
    pub fn keep_console(&self, keeper: terminal::Keeper) -> tokio::task::JoinHandle<()> {
        tokio::spawn(keeper.run(self.console.clone()))
    }

    /// How the console is; `None`: there is none.
    pub fn console(&self) -> Option<Condition> {
        self.console.borrow().clone()
    }
}
