//! The running box: what is in force, and every way to change it.

use super::boot::display;
use super::child::{Child, Unserved};
use super::journal::{Journal, now};
use super::state::{Mode, Prepared, Running, State, Told, Trial, policy};
use super::uplink::Leases;
use super::{BANS, Hub, LEASES, change};
#[cfg(test)]
mod tests;

use anyhow::{Context as _, anyhow, bail};
use config::{Config, ZoneAddress};
use control::{Actor, Refusal, Role, Rollback};
use net::ListenKey;
use service::{ConfigChange, Event};
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::sync::{Mutex, MutexGuard};
use tokio::time::{Instant, sleep, sleep_until};

/// How long a change that could lock the operator out waits to be confirmed.
pub const TRIAL: Duration = Duration::from_mins(3);
/// How long a process may take to put a configuration to work before the operator is told.
const PATIENCE: Duration = Duration::from_secs(5);
/// What a text that came over the control API is called in messages.
pub const DRAFT: &str = "gatehouse.toml";
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
    /// Who asks; the box itself is local.
    pub(super) actor: Actor,
}

/// What came of a change.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The generation in force now.
    pub generation: u32,
    /// Why it must be confirmed; empty where it need not be.
    pub trial: Vec<&'static str>,
    /// How long it waits to be confirmed, where it does.
    pub confirm_within: Option<Duration>,
    /// Whether nothing had to be done.
    pub unchanged: bool,
    /// What else the operator should know.
    pub notes: Vec<String>,
}

/// A configuration that is to be put into force.
struct Change<'a> {
    text: &'a str,
    /// What it is called in messages.
    name: &'a str,
    /// Where it comes from, for the list of generations.
    origin: &'a str,
    /// How long it shall wait to be confirmed; none: only where it must, and then as long as usual.
    trial: Option<Duration>,
}

/// A text was made from a generation that is not in force any more.
#[derive(Debug)]
pub struct Stale {
    base: u32,
    in_force: u32,
}

impl fmt::Display for Stale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { base, in_force } = self;
        write!(
            f,
            "this was made from generation {base}, but {in_force} is in force by now; look at `gatehouse diff {base}`, take \
             over what has changed, and apply it again"
        )
    }
}

impl std::error::Error for Stale {}

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
            actor: Actor::Local,
        }
    }

    /// The same box, asked by `actor`.
    pub(super) fn asked_by(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
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
            Ok(text) => {
                let change = Change {
                    text: &text,
                    name: &name,
                    origin: "reload",
                    trial: None,
                };
                self.apply(self.state.lock().await, change).await
            }
            Err(error) => Err(self.refused(error).await),
        }
    }

    /// Applies a text that was made from generation `base`, on trial for as long as `trial` says.
    ///
    /// # Errors
    /// [`Stale`], or what is wrong with it ([`config::Faults`] among others); the configuration in force stays.
    pub async fn apply_text(
        &self,
        text: &str,
        base: u32,
        trial: Option<Duration>,
    ) -> anyhow::Result<Outcome> {
        let state = self.state.lock().await;
        let in_force = state.running.generation;
        if in_force != base {
            return Err(Stale { base, in_force }.into());
        }
        let change = Change {
            text,
            name: DRAFT,
            origin: "apply",
            trial,
        };
        self.apply(state, change).await
    }

    /// Applies what is in force with another address for a zone.
    ///
    /// # Errors
    /// What is wrong with it; the configuration in force stays.
    pub async fn set_zone(
        &self,
        zone: &str,
        address: ZoneAddress,
        gateway: Option<IpAddr>,
    ) -> anyhow::Result<Outcome> {
        let state = self.state.lock().await;
        let text = config::edit_zone(&state.running.text, zone, address, gateway)?;
        let origin = format!("network set {zone} {address}");
        let change = Change {
            text: &text,
            name: "network settings",
            origin: &origin,
            trial: None,
        };
        self.apply(state, change).await
    }

    /// Decides that everything is removed at the next start.
    ///
    /// # Errors
    /// What `still` says, and the disk does not take it; nothing has changed.
    pub async fn forget_all(
        &self,
        still: impl FnOnce() -> Result<(), Refusal>,
    ) -> Result<(), Refusal> {
        self.with(|state| {
            still()?;
            let forgot = state.store.factory_reset();
            forgot.map_err(|error| Refusal::failed(error.to_string()))
        })
        .await?;
        let text = "factory reset: everything that is kept is removed at the next start";
        self.hub.journal.notice("store", text);
        Ok(())
    }

    /// Gives up a trial, or puts an earlier generation into force.
    ///
    /// # Errors
    /// There is none, it is not on trial any more (a [`Refusal`]), or it can not be put to work any more.
    pub async fn rollback(&self, way: Rollback) -> anyhow::Result<Outcome> {
        let number = {
            let mut state = self.state.lock().await;
            if let Rollback::GiveUp(number) = way {
                state.expect_trial(number)?;
            }
            match (way, &state.trial) {
                (Rollback::GiveUp(_), _) | (Rollback::Back, Some(_)) => {
                    self.still()?;
                    let (generation, asked) =
                        self.revert(&mut state, "given up by the operator")?;
                    drop(state);
                    let notes = self.see(asked).await;
                    return Ok(Outcome {
                        notes,
                        ..Outcome::done(generation)
                    });
                }
                (Rollback::To(number), _) => number,
                (Rollback::Back, None) => state
                    .earlier(state.running.generation)
                    .context("there is no earlier generation; see `gatehouse generations`")?,
            }
        };
        let text = self.state.lock().await.store.text(number)?;
        let name = format!("generation {number}");
        let change = Change {
            text: &text,
            name: &name,
            origin: &format!("rollback to {number}"),
            trial: None,
        };
        self.apply(self.state.lock().await, change).await
    }

    /// Keeps the configuration that waits to be confirmed; where `wanted` is given, only that one.
    ///
    /// # Errors
    /// None waits, another one does, or somebody else began it: then a [`Refusal`].
    pub async fn confirm(&self, wanted: Option<u32>) -> anyhow::Result<u32> {
        let mut state = self.state.lock().await;
        self.still()?;
        if let Some(number) = wanted {
            state.expect_trial(number)?;
        }
        if let Some(trial) = &state.trial
            && !self.actor.may_confirm(&trial.by)
        {
            return Err(not_yours(&trial.by).into());
        }
        let generation = state.store.confirm()?.number;
        state.trial = None;
        self.hub.journal.record(Event::Config {
            generation,
            change: ConfigChange::Confirmed,
        });
        Ok(generation)
    }

    /// Asked again at the moment at which something is put into force: who asks may have waited for long, and lost what he was.
    ///
    /// # Errors
    /// A [`Refusal`].
    pub(super) fn still(&self) -> Result<(), Refusal> {
        self.hub.porter.still(&self.actor, Role::Operator)
    }

    /// Runs `look` on what is in force.
    pub(super) async fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut *self.state.lock().await)
    }

    /// Keeps the ban list over a restart.
    pub async fn keep_bans(self, saved: guard::Saved) {
        if let Err(error) = self.keep(BANS, &saved).await {
            let text = format!("the ban list was not kept: {error:#}");
            self.hub.journal.notice("guard", text);
        }
    }

    /// Keeps what ports have by DHCP over a restart, so that they ask for the same again.
    pub async fn keep_leases(&self, leases: &Leases) {
        if let Err(error) = self.keep(LEASES, leases).await {
            let text = format!("the leases were not kept: {error:#}");
            self.hub.journal.notice("uplink", text);
        }
    }

    async fn keep(&self, name: &str, content: &impl serde::Serialize) -> anyhow::Result<()> {
        let bytes = serde_json::to_vec(content)?;
        let mut state = self.state.lock().await;
        Ok(state.store.set_blob(name, &bytes)?)
    }

    async fn apply(
        &self,
        mut state: MutexGuard<'_, State>,
        change: Change<'_>,
    ) -> anyhow::Result<Outcome> {
        let outcome = if let Err(refusal) = self.still() {
            Err(refusal.into())
        } else if state.running.text == change.text {
            self.apply_same(&mut state).await
        } else {
            let outcome = self.apply_new(&mut state, &change).await;
            if outcome.is_err() {
                state.network.want(&state.running.config);
            }
            outcome
        };
        drop(state);
        match outcome {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.refused(error).await),
        }
    }

    /// Looks again at what is in force: at listeners that could not be opened, certificates, files, names.
    pub async fn refresh(&self) {
        let mut state = self.state.lock().await;
        match same(&mut state, Mode::Lenient) {
            Ok(None) => {}
            Ok(Some(prepared)) => self.see_later(self.put_to_work(&mut state, prepared)),
            Err(error) => self.hub.journal.notice("config", format!("{error:#}")),
        }
    }

    /// The same, and waits until the edge serves it; returns why it does not.
    pub(super) async fn refresh_now(&self) -> Vec<String> {
        let mut state = self.state.lock().await;
        let asked = match same(&mut state, Mode::Lenient) {
            Ok(Some(prepared)) => Some(self.put_to_work(&mut state, prepared)),
            // It was asked for before, and may have been refused.
            Ok(None) => state.told.as_ref().map(|told| self.ask(told)),
            Err(error) => {
                let text = format!("{error:#}");
                self.hub.journal.notice("config", text.clone());
                return vec![text];
            }
        };
        drop(state);
        let Some(asked) = asked else {
            return Vec::new();
        };
        let mut notes = self.see(asked).await;
        notes.retain(|note| note.starts_with(self.edge.name));
        notes
    }

    /// The text is in force; what it refers to may have changed.
    async fn apply_same(&self, state: &mut State) -> anyhow::Result<Outcome> {
        let done = Outcome::done(state.running.generation);
        let Some(prepared) = same(state, Mode::Strict)? else {
            return Ok(Outcome {
                unchanged: true,
                ..done
            });
        };
        let notes = self.try_out(state, &prepared.told).await?;
        if let Err(refusal) = self.still() {
            self.take_back(state).await;
            return Err(refusal.into());
        }
        self.adopt(state, prepared);
        Ok(Outcome { notes, ..done })
    }

    async fn apply_new(&self, state: &mut State, change: &Change<'_>) -> anyhow::Result<Outcome> {
        let Change {
            text, name, origin, ..
        } = *change;
        let known = state.known()?;
        // A long text takes a while, and the box has only this thread for everything else.
        let (draft, called) = (text.to_owned(), name.to_owned());
        let check = move || config::check_with(&draft, &called, &known);
        let checked = tokio::task::spawn_blocking(check).await??;
        // One trial after another: the way back leads to what was confirmed, so that is what counts.
        let trial = state.trial.as_ref();
        let base = Arc::clone(trial.map_or(&state.running.config, |trial| &trial.base));
        let reasons = change::locks_out(&base, &checked.config);
        // What is on trial stays so, as long and by whom it was, where nothing changes: a comment confirms nothing.
        let same = |_: &&Trial| change::is_same(&state.running.config, &checked.config);
        let goes_on = trial.filter(same).cloned();
        state.network.reach(&checked.config).await?;
        let wanted = Running::new(0, text.to_owned(), checked.config);
        let mut prepared = state.prepare(name, wanted, Mode::Strict)?;
        let left = goes_on.as_ref().map(|trial| trial.until);
        let left = left.map(|until| until.saturating_duration_since(Instant::now()));
        let usual = (!reasons.is_empty()).then_some(TRIAL);
        let confirm_within = left.or(change.trial).or(usual);
        let notes = self.try_out(state, &prepared.told).await?;
        let keep = |store: &mut Store| -> anyhow::Result<u32> {
            self.still()?;
            let is_trial = confirm_within.is_some();
            Ok(store.add(text, origin, is_trial, now().0)?.number)
        };
        let generation = match keep(&mut state.store) {
            Ok(number) => number,
            Err(error) => {
                self.take_back(state).await;
                return Err(error);
            }
        };
        prepared.running.generation = generation;
        self.adopt(state, prepared);
        state.trial = None;
        let change = if let Some(time) = confirm_within {
            let (by, until) = goes_on.map_or_else(
                || (self.actor.clone(), Instant::now() + time),
                |trial| (trial.by, trial.until),
            );
            self.asked_by(by)
                .begin_trial(state, generation, base, until);
            ConfigChange::Trial {
                seconds: time.as_secs(),
            }
        } else {
            ConfigChange::Applied
        };
        self.hub
            .journal
            .record(Event::Config { generation, change });
        Ok(Outcome {
            trial: reasons,
            confirm_within,
            notes,
            ..Outcome::done(generation)
        })
    }

    /// Gives `told` to the processes and waits until they have taken it; returns what the operator should know.
    ///
    /// # Errors
    /// One of them refuses it. Then both have back what they had.
    async fn try_out(&self, state: &State, told: &Told) -> anyhow::Result<Vec<String>> {
        let mut notes = Vec::new();
        for (name, fault) in self.answers(self.ask(told)).await {
            if matches!(fault, Unserved::Refused(_)) {
                self.take_back(state).await;
                bail!("{name} {fault}");
            }
            // It is being started anew perhaps, and this may be what it needs.
            self.hub.journal.notice(name, fault.to_string());
            notes.push(format!("{name} {fault}"));
        }
        Ok(notes)
    }

    /// Gives the processes again what is in force.
    async fn take_back(&self, state: &State) {
        if let Some(told) = &state.told {
            self.see(self.ask(told)).await;
        }
    }

    /// Says what the processes have against what they were asked to serve.
    async fn see(&self, asked: Asked) -> Vec<String> {
        let mut notes = Vec::new();
        for (name, fault) in self.answers(asked).await {
            self.hub.journal.notice(name, fault.to_string());
            notes.push(format!("{name} {fault}"));
        }
        notes
    }

    /// The same in the log only, without waiting here.
    pub(super) fn see_later(&self, asked: Asked) {
        let gate = self.clone();
        tokio::spawn(async move { drop(gate.see(asked).await) });
    }

    fn ask(&self, told: &Told) -> Asked {
        Asked {
            edge: self.edge.want(told.edge.clone()),
            admin: self.admin.want(told.admin.clone()),
        }
    }

    async fn answers(&self, asked: Asked) -> Vec<(&'static str, Unserved)> {
        let (edge, admin) = tokio::join!(
            self.edge.serving(asked.edge, PATIENCE),
            self.admin.serving(asked.admin, PATIENCE)
        );
        [(self.edge.name, edge), (self.admin.name, admin)]
            .into_iter()
            .filter_map(|(name, served)| Some((name, served.err()?)))
            .collect()
    }

    /// Begins the time, up to `until`, in which `generation` must be confirmed; `base` is what was confirmed last.
    pub fn begin_trial(
        &self,
        state: &mut State,
        generation: u32,
        base: Arc<Config>,
        until: Instant,
    ) {
        state.trial = Some(Trial {
            generation,
            until,
            base,
            by: self.actor.clone(),
        });
        tokio::spawn(self.clone().end_trial(generation, until));
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
                Ok((_, asked)) => return self.see_later(asked),
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
    fn revert(&self, state: &mut State, reason: &str) -> anyhow::Result<(u32, Asked)> {
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
        let asked = self.put_to_work(state, prepared);
        self.hub.journal.record(Event::Config {
            generation,
            change: ConfigChange::RolledBack {
                reason: format!("generation {given_up} was {reason}"),
            },
        });
        Ok((generation, asked))
    }

    /// Puts into force what no process was asked about before. Nothing in here fails: what could was done in
    /// [`State::prepare`].
    pub fn put_to_work(&self, state: &mut State, prepared: Prepared) -> Asked {
        let asked = self.ask(&prepared.told);
        self.adopt(state, prepared);
        asked
    }

    /// Remembers that `prepared` is in force.
    fn adopt(&self, state: &mut State, prepared: Prepared) {
        let Prepared { running, told } = prepared;
        let open = told.edge.listeners.iter().chain(&told.admin.listeners);
        state.listeners = open
            .map(|listener| (listener.key.clone(), listener.clone()))
            .collect();
        self.hub.warden.set_policy(policy(&running.config));
        state.network.want(&running.config);
        for missing in &running.missing {
            if !state.running.missing.contains(missing) {
                self.hub.journal.notice("supervisor", missing.1.clone());
            }
        }
        for (key, _) in &state.running.missing {
            // By its text: an interface that is back is another one.
            let is_open = |open: &ListenKey| open.to_string() == key.to_string();
            if state.listeners.keys().any(is_open) {
                let text = format!("{key}: it is there now, and open");
                self.hub.journal.notice("supervisor", text);
            }
        }
        state.running = running;
        state.told = Some(told);
        state.certificates.look_again_at_clients();
        self.hub.orders.look_again();
    }

    /// Tells of `error`, and gives it back.
    async fn refused(&self, error: anyhow::Error) -> anyhow::Error {
        let reason = format!("{error:#}");
        let generation = self.state.lock().await.running.generation;
        self.hub.journal.record(Event::Config {
            generation,
            change: ConfigChange::Refused { reason },
        });
        error
    }
}

/// What the processes were asked to serve: the numbers that their answers have.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Asked {
    edge: u64,
    admin: u64,
}

/// What is in force, prepared anew; `None` where no process would notice a difference.
fn same(state: &mut State, mode: Mode) -> anyhow::Result<Option<Prepared>> {
    let name = state.told.as_ref().map(|told| told.edge.load.file.clone());
    let prepared = state.prepare(&name.unwrap_or_default(), state.running.clone(), mode)?;
    let told = state.told.as_ref();
    let unchanged = told.is_some_and(|told| told.is_same(&prepared.told));
    Ok((!unchanged).then_some(prepared))
}

fn not_yours(beginner: &Actor) -> Refusal {
    Refusal::forbidden(format!(
        "this change was begun by {beginner} in another session; it is confirmed there, by an admin, at the console or with \
         `gatehouse confirm`"
    ))
}

impl Outcome {
    fn done(generation: u32) -> Self {
        Self {
            generation,
            trial: Vec::new(),
            confirm_within: None,
            unchanged: false,
            notes: Vec::new(),
        }
    }
}
