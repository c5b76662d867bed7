//! The running box: what is in force, and every way to change it.

use super::boot::display;
use super::child::Child;
use super::journal::{Journal, now};
use super::state::{Mode, Prepared, Running, State, Trial, policy};
use super::{BANS, Hub, change};
use anyhow::{Context as _, anyhow};
use config::Config;
use service::{ConfigChange, Event};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a change that could lock the operator out waits to be confirmed.
pub const TRIAL: Duration = Duration::from_mins(3);
/// How long a process may take to put a configuration to work before the operator is told.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often a rollback is tried again.
const RETRY: Duration = Duration::from_secs(5);

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
    /// Why it must be confirmed; empty where it need not be.
    pub trial: Vec<&'static str>,
    /// Whether nothing had to be done.
    pub unchanged: bool,
    /// What else the operator should know.
    pub notes: Vec<String>,
}

impl Gate {
    /// The box with `state`, nothing of which is put to work yet.
    pub fn new(hub: Hub, edge: Child, admin: Child, file: PathBuf, state: State) -> Self {
        Self {
            hub,
            edge,
            admin,
            started: Instant::now(),
            file: Arc::new(file),
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// The log.
    pub fn journal(&self) -> &Journal {
        &self.hub.journal
    }

    /// What is in force, for as long as nobody else shall change it.
    pub(super) async fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().await
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
                    drop(state);
                    return Ok(self.served(Outcome::done(generation)).await);
                }
                (Some(number), _) => number,
                (None, None) => state
                    .earlier()
                    .context("there is no earlier generation; see `gatehouse generations`")?,
            }
        };
        let text = self.state.lock().await.store.text(number)?;
        let name = format!("generation {number}");
        self.apply(&text, &name, &format!("rollback to {number}"))
            .await
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
        let outcome = if state.running.text == text {
            self.apply_same(&mut state, Mode::Strict)
        } else {
            self.apply_new(&mut state, text, name, origin)
        };
        drop(state);
        match outcome {
            Ok(outcome) => Ok(self.served(outcome).await),
            Err(error) => Err(self.refused(&error).await),
        }
    }

    /// Looks again at what is in force: at listeners that could not be opened, certificates, files, names.
    pub async fn refresh(&self) {
        let mut state = self.state.lock().await;
        if let Err(error) = self.apply_same(&mut state, Mode::Lenient) {
            self.hub.journal.notice("config", format!("{error:#}"));
        }
    }

    /// The text is in force; what it refers to may have changed.
    fn apply_same(&self, state: &mut State, mode: Mode) -> anyhow::Result<Outcome> {
        let wanted = state.running.clone();
        let generation = wanted.generation;
        let name = state.told.as_ref().map(|(edge, _)| edge.file.clone());
        let prepared = state.prepare(&name.unwrap_or_default(), wanted, mode)?;
        let told = state.told.as_ref();
        let unchanged = told.is_some_and(|(edge, admin)| prepared.is_same(edge, admin));
        if !unchanged {
            self.put_to_work(state, prepared);
        }
        Ok(Outcome {
            unchanged,
            ..Outcome::done(generation)
        })
    }

    fn apply_new(
        &self,
        state: &mut State,
        text: &str,
        name: &str,
        origin: &str,
    ) -> anyhow::Result<Outcome> {
        let known = state.known()?;
        let checked =
            config::check_with(text, name, &known).map_err(|faults| anyhow!("{faults}"))?;
        // One trial after another: the way back leads to what was confirmed, so that is what counts.
        let trial = state.trial.as_ref();
        let base = Arc::clone(trial.map_or(&state.running.config, |trial| &trial.base));
        let reasons = change::locks_out(&base, &checked.config);
        let wanted = Running::new(0, text.to_owned(), checked.config);
        let mut prepared = state.prepare(name, wanted, Mode::Strict)?;
        let on_trial = !reasons.is_empty();
        let generation = state.store.add(text, origin, on_trial, now().0)?.number;
        prepared.number(generation);
        self.put_to_work(state, prepared);
        state.trial = None;
        let change = if on_trial {
            let left = self.begin_trial(state, generation, base);
            ConfigChange::Trial {
                seconds: left.as_secs(),
            }
        } else {
            ConfigChange::Applied
        };
        self.hub
            .journal
            .record(Event::Config { generation, change });
        Ok(Outcome {
            trial: reasons,
            ..Outcome::done(generation)
        })
    }

    /// Waits until the processes serve what came out, and adds what they have against it.
    async fn served(&self, mut outcome: Outcome) -> Outcome {
        let generation = outcome.generation;
        let (edge, admin) = tokio::join!(
            self.edge.serving(generation, PATIENCE),
            self.admin.serving(generation, PATIENCE)
        );
        for (name, served) in [(self.edge.name, edge), (self.admin.name, admin)] {
            if let Err(reason) = served {
                self.hub.journal.notice(name, reason.clone());
                outcome.notes.push(format!("{name}: {reason}"));
            }
        }
        outcome
    }

    /// Begins the time in which `generation` must be confirmed, and returns it; `base` is what was
    /// confirmed last.
    pub fn begin_trial(&self, state: &mut State, generation: u32, base: Arc<Config>) -> Duration {
        let until = Instant::now() + TRIAL;
        state.trial = Some(Trial {
            generation,
            until,
            base,
        });
        tokio::spawn(self.clone().end_trial(generation, until));
        TRIAL
    }

    async fn end_trial(self, generation: u32, until: Instant) {
        sleep_until(until).await;
        loop {
            let mut state = self.state.lock().await;
            let trial = state.trial.as_ref();
            if trial.is_none_or(|trial| trial.generation != generation) {
                return;
            }
            match self.revert(&mut state, "not confirmed in time") {
                Ok(_) => return,
                Err(error) => {
                    let text = format!("could not roll back, tries again: {error:#}");
                    self.hub.journal.notice("config", text);
                }
            }
            drop(state);
            sleep(RETRY).await;
        }
    }

    /// Gives up the trial for the newest confirmed generation, whose number it returns.
    fn revert(&self, state: &mut State, reason: &str) -> anyhow::Result<u32> {
        let confirmed = state.store.confirmed();
        let generation = confirmed.context("no generation is confirmed")?.number;
        let text = state.store.text(generation)?;
        let name = format!("generation {generation}");
        let config = config::check(&text, &name)
            .map_err(|faults| anyhow!("{faults}"))?
            .config;
        let wanted = Running::new(generation, text, config);
        let prepared = state.prepare(&name, wanted, Mode::Lenient)?;
        // The store counts it as given up even where the disk could not be told.
        if let Err(error) = state.store.revert(reason) {
            self.hub.journal.notice("store", error.to_string());
        }
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
    pub fn put_to_work(&self, state: &mut State, prepared: Prepared) {
        let open = prepared.edge.listeners.iter();
        state.listeners = open
            .chain(&prepared.admin.listeners)
            .map(|listener| (listener.key.clone(), listener.clone()))
            .collect();
        self.hub.warden.set_policy(policy(&prepared.running.config));
        for missing in &prepared.running.missing {
            if !state.running.missing.contains(missing) {
                self.hub.journal.notice("supervisor", missing.1.clone());
            }
        }
        state.running = prepared.running;
        state.told = Some((prepared.edge.load.clone(), prepared.admin.load.clone()));
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
            trial: Vec::new(),
            unchanged: false,
            notes: Vec::new(),
        }
    }
}
