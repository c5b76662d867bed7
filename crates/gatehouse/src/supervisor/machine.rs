//! The machine as a whole: reboot, power off, factory reset, and the console on its serial line.

use super::child::Condition;
use super::init_link::InitLink;
use super::terminal;
use control::{MachineOrder, Refusal};
use std::path::Path;
use std::sync::Arc;
use tokio::sync::watch;

/// What the supervisor knows of the machine that it runs on. Clones are the same.
#[derive(Clone)]
pub struct Machine {
    init: Option<Arc<InitLink>>,
    end: watch::Sender<bool>,
    /// The configuration file lies in the state directory, and would be removed with it.
    file_is_kept_inside: bool,
    console: watch::Sender<Option<Condition>>,
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
        })
    }

    /// Whether this is the firmware of a box: init has started it.
    pub fn is_box(&self) -> bool {
        self.init.is_some()
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
        init.ask(order).map_err(failed)?;
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
