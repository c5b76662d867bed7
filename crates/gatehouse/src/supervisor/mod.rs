//! The supervisor: keeps the configuration, opens every listener, keeps the other processes running, and
//! answers the operator. Reads nothing that comes from the network.

mod backend;
mod boot;
mod certificates;
mod change;
mod child;
mod draft;
pub mod entrance;
mod gate;
mod history;
mod hosts;
mod init_link;
mod journal;
mod kernel_network;
mod listens;
mod machine;
mod memory;
mod network;
mod operators;
mod orders;
mod pages;
mod shown;
mod start;
mod state;
mod terminal;
mod uplink;
mod warden;

use anyhow::Context as _;
use child::{Child, Feeds, Lines};
use config::Config;
use control::Peer;
use entrance::Steward;
use gate::Gate;
use history::History;
use journal::Journal;
use kernel_network::KernelNetwork;
use machine::Machine;
use net::sandbox::{connections_for, files_for};
use nix::sys::signal::{SigSet, Signal as NixSignal};
use operators::Porter;
use orders::Orders;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use store::Store;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use uplink::{OpenPorts, Uplink};
use warden::Warden;

use crate::message::Start;

/// Where what is kept of the ban list lies in the store.
const BANS: &str = "bans.json";
/// Where what ports have by DHCP lies in the store.
const LEASES: &str = "leases.json";
/// Where the users of the admin pages lie in the store.
const OPERATORS: &str = "operators.json";
/// The process that talks to the world.
const EDGE: &str = "edge";
/// How long sessions may go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(10);
/// How many lines of the admin process wait at most: one for each time it was started while nobody answered.
const LINES: usize = 16;
/// How long the end waits for a log reader that is slow.
const LAST_LINES: Duration = Duration::from_secs(1);
/// The users that processes become under root. Outside every range that Debian or systemd hand out.
const EDGE_UID: u32 = 64_770;
const ADMIN_UID: u32 = 64_771;

/// What the keepers of processes report to. Clones are the same.
#[derive(Clone)]
pub struct Hub {
    journal: Journal,
    warden: Warden,
    porter: Porter,
    steward: Steward,
    uplink: Uplink,
    orders: Orders,
    registry: service::Registry,
    machine: Machine,
    history: History,
    /// How many files a process may have open; what is started later has as many.
    files: u64,
}

impl Hub {
    /// What the operator should know where fewer connections can be served than `config` allows.
    fn few_files(&self, config: &Config) -> Option<String> {
        few_files(self.files, config.proxy.limits.connections)
    }
}

/// How the box is to run.
pub struct Order {
    /// The configuration.
    pub file: PathBuf,
    /// The directory of all that survives.
    pub state: PathBuf,
    /// A terminal that gets a console.
    pub console: Option<PathBuf>,
    /// Whether addresses and routes are ours to set; with init as our parent they always are.
    pub set_network: bool,
}

/// Runs Gatehouse until SIGTERM.
///
/// # Errors
/// Nothing could be started: the configuration has faults and there is no earlier generation, the
/// state directory can not be used, or a port is taken.
pub fn run(order: Order) -> anyhow::Result<()> {
    let ended = run_to_the_end(order);
    if let Err(error) = &ended {
        init_link::complain(&format!("{error:#}"));
    }
    ended
}

fn run_to_the_end(order: Order) -> anyhow::Result<()> {
    // What this process was given by whoever started it is not for edge and admin.
    net::sandbox::close_on_exec_above_stdio()?;
    // Whoever started this process may have blocked them for itself, which is inherited.
    OBEYED.into_iter().collect::<SigSet>().thread_unblock()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(supervise(order))
}

async fn supervise(order: Order) -> anyhow::Result<()> {
    let Order {
        file,
        state,
        console,
        set_network,
    } = order;
    let mut signals = Signals::new()?;
    let machine = Machine::new(&file, &state)?;
    machine.beat();
    let mut opened = Store::open(&state)?;
    let journal = Journal::new();
    for note in &opened.notes {
        journal.notice("store", note.to_string());
    }
    let choices = boot::Boot::choose(&file, machine.is_box(), &opened.store, &journal)?;
    let hub = hub(&mut opened.store, &choices, journal, machine)?;
    let (stop, stopping) = watch::channel(None);
    // The console runs in another directory.
    let socket = std::path::absolute(state.join(control::SOCKET_NAME))?;
    let keeper = |tty| terminal::Keeper {
        tty,
        socket: socket.clone(),
        journal: hub.journal.clone(),
        stop: stopping.clone(),
    };
    let console = console.map(|tty| hub.machine.keep_console(keeper(tty)));
    let workers = workers();
    let (lines, pages) = mpsc::channel(LINES);
    let [(edge, edge_ended), (admin, admin_ended)] = keep_both(&hub, workers, lines, &stopping);
    let is_ours = set_network || hub.machine.is_box();
    let parts = start::Parts {
        file,
        store: opened.store,
        hub: hub.clone(),
        edge,
        admin,
        workers,
        network: KernelNetwork::new(is_ours, &hub.uplink, &hub.journal),
    };
    let ended = async {
        let gate = tokio::select! {
            gate = start::start(parts, &state, choices) => gate?,
            () = signals.ended() => return Ok(()),
        };
        let processes = Processes {
            stop: stop.clone(),
            edge_ended,
            admin_ended,
            pages,
        };
        serve(&gate, &socket, &mut signals, processes).await
    };
    let ended = ended.await;
    // Whatever has ended it, the terminal is given back.
    stop.send_replace(Some(Duration::ZERO));
    if let Some(console) = console {
        console.await?;
    }
    hub.journal.flush(LAST_LINES);
    ended
}

/// The processes that the supervisor keeps, and how to end them.
struct Processes {
    stop: watch::Sender<Option<Duration>>,
    edge_ended: JoinHandle<()>,
    admin_ended: JoinHandle<()>,
    /// Lines of the admin process to the control API.
    pages: mpsc::Receiver<UnixStream>,
}

/// Answers the operator until the box is to end, and ends it in order.
async fn serve(
    gate: &Gate,
    socket: &Path,
    signals: &mut Signals,
    processes: Processes,
) -> anyhow::Result<()> {
    let hub = &gate.hub;
    let saver = gate.clone();
    let save = move |saved| drop(tokio::spawn(saver.clone().keep_bans(saved)));
    tokio::spawn(hub.warden.clone().watch(save));
    tokio::spawn(hub.steward.clone().tend(gate.clone()));
    let socket = control::bind(socket)?;
    hub.machine.serves();
    let sampler = tokio::spawn(history::keep(gate.clone()));
    let (end, ends) = tokio::sync::oneshot::channel::<()>();
    let control = tokio::spawn(control::serve(socket, gate.clone(), async {
        let _ = ends.await;
    }));
    let (stop_pages, pages_stop) = watch::channel(false);
    let pages = tokio::spawn(serve_pages(gate.clone(), processes.pages, pages_stop));
    tokio::select! {
        () = signals.obey(gate) => {}
        () = hub.machine.ended() => {}
    }
    let seconds = GRACE.as_secs();
    let text = format!("ends; sessions have {seconds} s to finish");
    hub.journal.notice("supervisor", text);
    sampler.abort();
    processes.stop.send_replace(Some(GRACE));
    tokio::select! {
        _ = async { tokio::join!(processes.edge_ended, processes.admin_ended) } => {}
        // Asked twice: at once.
        () = signals.ended() => {}
    }
    gate.clone().keep_bans(hub.warden.saved()).await;
    for kept in [
        hub.steward.keep_sessions(gate).await,
        hub.steward.keep_factors(gate).await,
    ] {
        if let Err(refusal) = kept {
            hub.journal.notice("entrance", refusal.message);
        }
    }
    pages.abort();
    stop_pages.send_replace(true);
    drop(end);
    control.await??;
    Ok(())
}

/// Answers what the admin process asks, life after life of it, until `stopping` changes.
async fn serve_pages(
    gate: Gate,
    mut lines: mpsc::Receiver<UnixStream>,
    stopping: watch::Receiver<bool>,
) {
    while let Some(line) = lines.recv().await {
        let (gate, mut stopping) = (gate.clone(), stopping.clone());
        tokio::spawn(async move {
            let journal = gate.hub.journal.clone();
            let line = line
                .set_nonblocking(true)
                .and_then(|()| tokio::net::UnixStream::from_std(line));
            let served = match line {
                Ok(line) => {
                    let end = async { drop(stopping.wait_for(|stops| *stops).await) };
                    let served = control::serve_connection(line, gate, Peer::Pages, end).await;
                    served.map_err(|error| error.to_string())
                }
                Err(error) => Err(error.to_string()),
            };
            if let Err(error) = served {
                journal.notice(
                    "admin",
                    format!("its line to the control API broke: {error}"),
                );
            }
        });
    }
}

fn hub(
    store: &mut Store,
    choices: &[boot::Boot],
    journal: Journal,
    machine: Machine,
) -> anyhow::Result<Hub> {
    let registry = service::Registry::default();
    let saved = store
        .blob(BANS)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let leases = store
        .blob(LEASES)?
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let best = choices.first().map(|boot| &boot.config);
    let best = best.context("there is nothing to start with")?;
    // Every connection takes two descriptors; the usual soft limit of 1024 is one client's worth.
    let files = net::sandbox::raise_open_files(files_for(best.proxy.limits.connections))?;
    let warden = Warden::new(state::policy(best), &saved, journal.clone(), &registry);
    let users = operators::kept(store, &journal);
    let porter = Porter::new(users, journal.clone(), warden.clone());
    let book = entrance::kept(store, &journal, machine.runs_without_its_state());
    let hub = Hub {
        steward: Steward::new(book, porter.clone(), journal.clone()),
        porter,
        warden,
        uplink: Uplink::new(leases, journal.clone()),
        orders: Orders::new(),
        journal,
        registry,
        machine,
        history: History::new(),
        files,
    };
    if let Some(text) = hub.few_files(best) {
        hub.journal.notice("supervisor", text);
    }
    Ok(hub)
}

fn few_files(files: u64, connections: u32) -> Option<String> {
    let (served, wanted) = (connections_for(files), files_for(connections));
    (served < connections).then(|| {
        format!(
            "room for {served} connections at once instead of {connections}: a process may have {files} files open; \
             allow {wanted} (`ulimit -Hn {wanted}` before the start, or LimitNOFILE={wanted} in the unit of systemd)"
        )
    })
}

/// The signals that end or reload.
const OBEYED: [NixSignal; 3] = [NixSignal::SIGTERM, NixSignal::SIGINT, NixSignal::SIGHUP];

struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Ready once the box is to end.
    async fn ended(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Does what signals ask for, until they ask for the end.
    async fn obey(&mut self, gate: &Gate) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => {
                    // What comes of it is in the log.
                    let gate = gate.clone();
                    tokio::spawn(async move { drop(gate.reload().await) });
                }
            }
        }
    }
}

/// How many threads edge has, and every listener of it sockets: one a core. They travel in one message, so
/// that there is an end to it.
fn workers() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    cores.min(net::link::DESCRIPTOR_LIMIT)
}

/// Keeps edge and admin running until `stop` is set.
fn keep_both(
    hub: &Hub,
    workers: usize,
    lines: Lines,
    stop: &watch::Receiver<Option<Duration>>,
) -> [(Child, JoinHandle<()>); 2] {
    let edge = Feeds {
        bans: hub.warden.bans(),
        ports: hub.uplink.ports(),
        orders: hub.orders.wanted(),
        entrance: Some(hub.steward.clone()),
        lines: None,
    };
    let admin = Feeds {
        bans: hub.warden.admin_bans(),
        ports: watch::channel(OpenPorts::default()).1,
        orders: watch::channel(Arc::default()).1,
        entrance: None,
        lines: Some(lines),
    };
    [
        keep(EDGE, (EDGE_UID, workers), hub, edge, stop),
        keep("admin", (ADMIN_UID, 1), hub, admin, stop),
    ]
}

fn keep(
    name: &'static str,
    (uid, workers): (u32, usize),
    hub: &Hub,
    feeds: Feeds,
    stop: &watch::Receiver<Option<Duration>>,
) -> (Child, JoinHandle<()>) {
    let root = nix::unistd::geteuid().is_root();
    let start = Start {
        uid: root.then_some(uid),
        workers,
    };
    Child::keep(name, start, hub.clone(), feeds, stop.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_few_files_are_told_with_what_they_serve_and_what_is_needed() {
        assert_eq!(few_files(files_for(16_384), 16_384), None);
        assert_eq!(few_files(4096, 1536), None);
        let text = few_files(4096, 16_384).unwrap();
        for part in [
            "room for 1536",
            "instead of 16384",
            "4096 files",
            "ulimit -Hn 33792",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
