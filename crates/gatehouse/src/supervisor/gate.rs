//! The running box: what is in force, and every way to change it.

use super::certificates::{self, Certificates};
use super::child::Child;
use super::journal::now;
use super::boot::{Boot, display};
use super::state::{Prepared, Running, State, Trial, policy};
use super::{BANS, Hub, change};
use anyhow::{Context as _, anyhow};
use config::Config;
use net::ListenError;
use service::{ConfigChange, Event};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep, sleep_until};

/// How long a change that could lock the operator out waits to be confirmed.
pub const TRIAL: Duration = Duration::from_mins(3);
/// How long a process may take to put a configuration to work before the operator is told.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long a start waits for ports that an earlier run still holds.
const PORT_PATIENCE: Duration = Duration::from_secs(6);

/// The running box. Clones are the same.
#[derive(Clone)]
pub struct Gate {
    pub(super) hub: Hub,
    pub(super) edge: Child,
    pub(super) admin: Child,
    pub(super) started: Instant,
    /// The file that `reload` reads.
    file: Arc<PathBuf>,
    state: Arc<Mutex<State>>,
}

/// What came of a change.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The generation in force now.
    pub generation: u32,
    /// Why it must be confirmed, and for how long that can be done.
    pub trial: Option<(Vec<&'static str>, Duration)>,
    /// Whether nothing had to be done.
    pub unchanged: bool,
}

impl Gate {
    /// Puts the first configuration to work.
    ///
    /// # Errors
    /// A port is taken, or the box's own CA can not be made.
    pub async fn open(
        file: PathBuf,
        state: &Path,
        mut store: Store,
        boot: Boot,
        hub: Hub,
        edge: Child,
        admin: Child,
    ) -> anyhow::Result<Self> {
        let certificates = Certificates::open(
            &mut store,
            &boot.config.system.hostname,
            certificates::places(&file, state),
            hub.journal.clone(),
        )?;
        let mut state = State {
            store,
            certificates,
            listeners: BTreeMap::new(),
            running: Running::new(boot.generation, boot.text, boot.config),
            trial: None,
        };
        let wanted = state.running.clone();
        let give_up = Instant::now() + PORT_PATIENCE;
        let prepared = loop {
            match state.prepare(&display(&file), wanted.clone(), true) {
                Err(error) if in_use(&error) && Instant::now() < give_up => {
                    sleep(Duration::from_millis(100)).await;
                }
                other => break other?,
            }
        };
        let gate = Self {
            hub,
            edge,
            admin,
            started: Instant::now(),
            file: Arc::new(file),
            state: Arc::new(Mutex::new(state)),
        };
        gate.put_to_work(&mut *gate.state.lock().await, prepared);
        gate.hub.journal.record(Event::Config {
            generation: boot.generation,
            change: ConfigChange::Applied,
        });
        Ok(gate)
    }

    /// Reads the file anew and applies it.
    ///
    /// # Errors
    /// What is wrong with it; the configuration in force stays.
    pub async fn reload(&self) -> anyhow::Result<Outcome> {
        let name = display(&self.file);
        let read = std::fs::read_to_string(&*self.file)
            .with_context(|| format!("can not read the configuration {name}"));
        match read {
            Ok(text) => self.apply(&text, &name, "reload").await,
            Err(error) => Err(self.refused(&error).await),
        }
    }

    /// Gives up a trial, or puts an earlier generation into force.
    ///
    /// # Errors
    /// There is none, or it can not be put to work any more.
    pub async fn rollback(&self, to: Option<u32>) -> anyhow::Result<Outcome> {
        let number = {
            let mut state = self.state.lock().await;
            match (to, &state.trial) {
                (None, Some(_)) => {
                    let generation = self.revert(&mut state, "given up by the operator")?;
                    return Ok(Outcome::done(generation));
                }
                (Some(number), _) => number,
                (None, None) => state.earlier().context(
                    "there is no earlier generation; see `gatehouse generations`",
                )?,
            }
        };
        let text = self.state.lock().await.store.text(number)?;
        let name = format!("generation {number}");
        self.apply(&text, &name, &format!("rollback to {number}")).await
    }

    /// Keeps the configuration that waits to be confirmed.
    ///
    /// # Errors
    /// None waits.
    pub async fn confirm(&self) -> anyhow::Result<u32> {
        let mut state = self.state.lock().await;
        let generation = state.store.confirm()?.number;
        state.trial = None;
        self.hub.journal.record(Event::Config {
            generation,
            change: ConfigChange::Confirmed,
        });
        Ok(generation)
    }

    /// Runs `look` on what is in force.
    pub(super) async fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut *self.state.lock().await)
    }

    /// Keeps the ban list over a restart.
    pub async fn keep_bans(self, saved: guard::Saved) {
        let written = serde_json::to_vec(&saved).map_err(anyhow::Error::from);
        let mut state = self.state.lock().await;
        let written = written.and_then(|bytes| Ok(state.store.set_blob(BANS, &bytes)?));
        if let Err(error) = written {
            let text = format!("the ban list was not kept: {error:#}");
            self.hub.journal.notice("guard", text);
        }
    }

    async fn apply(&self, text: &str, name: &str, origin: &str) -> anyhow::Result<Outcome> {
        let mut state = self.state.lock().await;
        if state.running.text == text && state.running.missing.is_empty() {
            return Ok(Outcome {
                unchanged: true,
                ..Outcome::done(state.running.generation)
            });
        }
        let outcome = self.try_apply(&mut state, text, name, origin).await;
        drop(state);
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.refused(&error).await),
        }
    }

    async fn try_apply(
        &self,
        state: &mut State,
        text: &str,
        name: &str,
        origin: &str,
    ) -> anyhow::Result<Outcome> {
        let known = state.known()?;
        let checked = config::check_with(text, name, &known).map_err(|faults| anyhow!("{faults}"))?;
        // One trial after another: the way back leads to what was confirmed, so that is what counts.
        let base = state.trial.as_ref().map_or(&state.running.config, |trial| &trial.base);
        let reasons = change::locks_out(base, &checked.config);
        let base = Arc::clone(base);
        let wanted = Running::new(0, text.to_owned(), checked.config);
        let mut prepared = state.prepare(name, wanted, false)?;
        let generation = state.store.add(text, origin, !reasons.is_empty(), now().0)?.number;
        prepared.number(generation);
        self.put_to_work(state, prepared);
        let trial = (!reasons.is_empty()).then(|| self.begin_trial(state, generation, base));
        let change = match trial {
            Some(left) => ConfigChange::Trial { seconds: left.as_secs() },
            None => ConfigChange::Applied,
        };
        self.hub.journal.record(Event::Config { generation, change });
        for child in [&self.edge, &self.admin] {
            if let Err(reason) = child.serving(generation, PATIENCE).await {
                self.hub.journal.notice(child.name, reason);
            }
        }
        Ok(Outcome {
            trial: trial.map(|left| (reasons, left)),
            ..Outcome::done(generation)
        })
    }

    fn begin_trial(&self, state: &mut State, generation: u32, base: Arc<Config>) -> Duration {
        let until = Instant::now() + TRIAL;
        state.trial = Some(Trial {
            generation,
            until,
            base,
        });
        let gate = self.clone();
        tokio::spawn(async move {
            sleep_until(until).await;
            let mut state = gate.state.lock().await;
            let trial = state.trial.as_ref();
            let waits = trial.is_some_and(|trial| trial.generation == generation);
            if waits && let Err(error) = gate.revert(&mut state, "not confirmed in time") {
                gate.hub.journal.notice("config", format!("could not roll back: {error:#}"));
            }
        });
        TRIAL
    }

    /// Gives up `trial` for the newest confirmed generation, whose number it returns.
    fn revert(&self, state: &mut State, reason: &str) -> anyhow::Result<u32> {
        let confirmed = state.store.confirmed().context("no generation is confirmed")?;
        let generation = confirmed.number;
        let text = state.store.text(generation)?;
        let name = format!("generation {generation}");
        let config = config::check(&text, &name).map_err(|faults| anyhow!("{faults}"))?.config;
        let wanted = Running::new(generation, text, config);
        let prepared = state.prepare(&name, wanted, true)?;
        state.store.revert(reason)?;
        let given_up = state.trial.take().map_or(0, |trial| trial.generation);
        self.put_to_work(state, prepared);
        self.hub.journal.record(Event::Config {
            generation,
            change: ConfigChange::RolledBack {
                reason: format!("generation {given_up} was {reason}"),
            },
        });
        Ok(generation)
    }

    /// Nothing in here fails: what could was done in [`State::prepare`].
    fn put_to_work(&self, state: &mut State, prepared: Prepared) {
        state.listeners = prepared
            .edge
            .listeners
            .iter()
            .chain(&prepared.admin.listeners)
            .map(|listener| (listener.key.clone(), listener.clone()))
            .collect();
        self.hub.warden.set_policy(policy(&prepared.running.config));
        for (_, text) in &prepared.running.missing {
            self.hub.journal.notice("supervisor", text.clone());
        }
        state.running = prepared.running;
        self.edge.want(prepared.edge);
        self.admin.want(prepared.admin);
    }

    async fn refused(&self, error: &anyhow::Error) -> anyhow::Error {
        let reason = format!("{error:#}");
        let generation = self.state.lock().await.running.generation;
        self.hub.journal.record(Event::Config {
            generation,
            change: ConfigChange::Refused {
                reason: reason.clone(),
            },
        });
        anyhow!(reason)
    }
}

impl Outcome {
    fn done(generation: u32) -> Self {
        Self {
            generation,
            trial: None,
            unchanged: false,
        }
    }
}

fn in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ListenError::InUse(_)))
}
