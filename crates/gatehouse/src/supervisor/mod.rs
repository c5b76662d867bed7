//! The supervisor: keeps the configuration, opens every listener, keeps the other processes running, and
//! answers the operator. Reads nothing that comes from the network.

mod backend;
mod boot;
mod certificates;
mod change;
mod child;
mod gate;
mod journal;
mod listens;
mod state;
mod warden;

use child::Child;
use gate::Gate;
use journal::Journal;
use std::path::PathBuf;
use std::time::Duration;
use store::Store;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use warden::Warden;

use crate::message::Start;

/// Where what is kept of the ban list lies in the store.
const BANS: &str = "bans.json";
/// How long sessions may go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// The users that processes become under root. Outside every range that Debian or systemd hand out.
const EDGE_UID: u32 = 64_770;
const ADMIN_UID: u32 = 64_771;

/// What the keepers of processes report to. Clones are the same.
#[derive(Clone)]
pub struct Hub {
    journal: Journal,
    warden: Warden,
    registry: service::Registry,
}

/// Runs Gatehouse with the configuration of `file` and the state directory `state` until SIGTERM.
///
/// # Errors
/// Nothing could be started: the configuration has faults and there is no earlier generation, the
/// state directory can not be used, or a port is taken.
pub fn run(file: PathBuf, state: PathBuf) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(supervise(file, state))
}

async fn supervise(file: PathBuf, state: PathBuf) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let opened = Store::open(&state)?;
    let journal = Journal::new();
    for note in &opened.notes {
        journal.notice("store", note.to_string());
    }
    let mut store = opened.store;
    let boot = boot::Boot::choose(&file, &mut store, &journal)?;
    let registry = service::Registry::default();
    let saved = store
        .blob(BANS)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let policy = state::policy(&boot.config);
    let warden = Warden::new(policy, &saved, journal.clone(), &registry);
    let hub = Hub {
        journal,
        warden,
        registry,
    };
    let (stop, stopping) = watch::channel(None);
    let (edge, edge_ended) = keep("edge", EDGE_UID, workers(), &hub, &stopping);
    let (admin, admin_ended) = keep("admin", ADMIN_UID, 1, &hub, &stopping);
    let gate = Gate::open(file, &state, store, boot, hub.clone(), edge, admin).await?;
    let saver = gate.clone();
    let save = move |saved| drop(tokio::spawn(saver.clone().keep_bans(saved)));
    tokio::spawn(hub.warden.clone().watch(save));
    let (end, ends) = tokio::sync::oneshot::channel::<()>();
    let socket = control::bind(&state.join(control::SOCKET_NAME))?;
    let control = tokio::spawn(control::serve(socket, gate.clone(), async {
        let _ = ends.await;
    }));
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hangup.recv() => {
                // What came of it is in the log.
                let _ = gate.reload().await;
            }
        }
    }
    let seconds = GRACE.as_secs();
    hub.journal.notice("supervisor", format!("ends; sessions have {seconds} s to finish"));
    stop.send_replace(Some(GRACE));
    let _ = tokio::join!(edge_ended, admin_ended);
    gate.keep_bans(hub.warden.saved()).await;
    drop(end);
    control.await??;
    Ok(())
}

/// How many threads edge has, and every listener of it sockets: one a core. They travel in one message, so
/// that there is an end to it.
fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(net::link::DESCRIPTOR_LIMIT)
}

fn keep(
    name: &'static str,
    uid: u32,
    workers: usize,
    hub: &Hub,
    stop: &watch::Receiver<Option<Duration>>,
) -> (Child, tokio::task::JoinHandle<()>) {
    let root = nix::unistd::geteuid().is_root();
    let start = Start {
        uid: root.then_some(uid),
        workers,
    };
    Child::keep(name, start, hub.clone(), hub.warden.bans(), stop.clone())
}
