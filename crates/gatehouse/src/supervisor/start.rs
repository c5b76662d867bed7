//! The first configuration that can be put to work, and what is looked after from then on.

use super::Hub;
use super::boot::{Boot, display};
use super::certificates::{self, Certificates};
use super::child::Child;
use super::gate::{Gate, TRIAL};
use super::journal::now;
use super::kernel_network::KernelNetwork;
use super::state::{Mode, Prepared, Running, State};
use super::{orders, uplink};
use anyhow::Context as _;
use net::ListenError;
use service::{ConfigChange, Event};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::time::{Instant, sleep};

/// How long a start waits for ports that an earlier run still holds.
const PORT_PATIENCE: Duration = Duration::from_secs(8);
/// How often is tried again what could not be opened.
const RETRY: Duration = Duration::from_secs(5);
/// How often certificates and names of this machine are looked at anew.
const REFRESH: Duration = Duration::from_hours(12);

/// What a start needs.
pub struct Parts {
    /// The file that `reload` reads.
    pub file: PathBuf,
    /// What survives.
    pub store: Store,
    /// What processes report to.
    pub hub: Hub,
    /// The process that talks to the world.
    pub edge: Child,
    /// The process that serves the admin pages.
    pub admin: Child,
    /// Threads of edge.
    pub workers: usize,
    /// What the kernel is told of addresses and routes.
    pub network: KernelNetwork,
}

/// Puts the best of `choices` to work that can be.
///
/// # Errors
/// None can, and none was confirmed before: why the first can not.
pub async fn start(parts: Parts, state: &Path, choices: Vec<Boot>) -> anyhow::Result<Gate> {
    let mut parts = parts;
    let best = choices.first().context("there is nothing to start with")?;
    let certificates = Certificates::open(
        &mut parts.store,
        &best.config.system.hostname,
        certificates::places(&parts.file, state),
        parts.hub.journal.clone(),
    )?;
    let name = display(&parts.file);
    let mut state = State {
        store: parts.store,
        certificates,
        workers: parts.workers,
        network: parts.network,
        listeners: BTreeMap::new(),
        running: running(best),
        told: None,
        trial: None,
    };
    let (prepared, on_trial) = match first_that_works(&mut state, &name, &choices, &parts.hub).await
    {
        Ok(found) => found,
        Err(error) => {
            // Some of what was good once is better than nothing.
            let Some(newest) = choices.iter().find(|boot| boot.generation.is_some()) else {
                return Err(error);
            };
            (state.prepare(&name, running(newest), Mode::Lenient)?, false)
        }
    };
    let gate = Gate::new(parts.hub, parts.edge, parts.admin, parts.file, state);
    let generation = prepared.running.generation;
    let mut state = gate.lock().await;
    gate.see_later(gate.put_to_work(&mut state, prepared));
    let confirmed = choices.iter().find(|boot| boot.generation.is_some());
    let change = match confirmed {
        Some(confirmed) if on_trial => {
            let base = Arc::new(confirmed.config.clone());
            gate.begin_trial(&mut state, generation, base, Instant::now() + TRIAL);
            ConfigChange::Trial {
                seconds: TRIAL.as_secs(),
            }
        }
        _ => ConfigChange::Applied,
    };
    drop(state);
    gate.journal().record(Event::Config { generation, change });
    tokio::spawn(look_after(gate.clone()));
    tokio::spawn(uplink::follow(gate.clone()));
    tokio::spawn(orders::keep(gate.clone()));
    Ok(gate)
}

async fn first_that_works(
    state: &mut State,
    name: &str,
    choices: &[Boot],
    hub: &Hub,
) -> anyhow::Result<(Prepared, bool)> {
    // An earlier run that was killed leaves an edge that still lets its sessions end.
    let ran_before = choices.iter().any(|boot| boot.generation.is_some());
    let give_up = Instant::now()
        + if ran_before {
            PORT_PATIENCE
        } else {
            Duration::ZERO
        };
    let mut reason = None;
    for boot in choices {
        if let Err(error) = state.network.reach(&boot.config).await {
            hub.journal.notice("router", error.to_string());
        }
        loop {
            match attempt(state, name, boot) {
                Ok(prepared) => return Ok((prepared, boot.on_trial)),
                Err(error) if reason.is_none() && in_use(&error) && Instant::now() < give_up => {
                    sleep(Duration::from_millis(100)).await;
                }
                Err(error) => {
                    let what = boot.generation.map_or_else(
                        || name.to_owned(),
                        |generation| format!("generation {generation}"),
                    );
                    let text = format!("{what} can not be put to work: {error:#}");
                    hub.journal.notice("config", text);
                    reason.get_or_insert(error);
                    break;
                }
            }
        }
    }
    Err(reason.context("there is nothing to start with")?)
}

/// A file that was never in force becomes a generation only once all that it wants is there.
fn attempt(state: &mut State, name: &str, boot: &Boot) -> anyhow::Result<Prepared> {
    let mode = if boot.generation.is_some() {
        Mode::Present
    } else {
        Mode::Listeners
    };
    let mut prepared = state.prepare(name, running(boot), mode)?;
    if boot.generation.is_none() {
        let kept = state
            .store
            .add(&boot.text, "file", boot.on_trial, now().0)?;
        prepared.running.generation = kept.number;
    }
    Ok(prepared)
}

fn running(boot: &Boot) -> Running {
    let generation = boot.generation.unwrap_or_default();
    Running::new(generation, boot.text.clone(), boot.config.clone())
}

fn in_use(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(ListenError::InUse(_)))
}

/// Tries again what could not be opened, opens anew what an interface took with it, and renews what comes to its end.
async fn look_after(gate: Gate) {
    let mut refreshed = Instant::now();
    loop {
        sleep(RETRY).await;
        let due = refreshed.elapsed() >= REFRESH;
        let wanting = |state: &mut State| !state.running.missing.is_empty() || state.is_deaf();
        if due || gate.with(wanting).await {
            refreshed = Instant::now();
            gate.refresh().await;
        }
    }
}
