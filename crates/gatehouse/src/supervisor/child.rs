//! One process that the supervisor keeps running: started, told what to do, started anew when it ends.

use super::Hub;
use super::journal::now;
use control::Moment;
use crate::message::{FromRole, Load, Start, ToRole};
use guard::BanSet;
use net::sandbox::Sandbox;
use net::{ListenKey, Listener, link};
use service::{Backoff, Event, ServiceState};
use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::process::{Child as Process, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until, timeout};

/// How much longer than the sessions' deadline a process may take to end before it is killed.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A longer list of bans is sent at most this often.
const BAN_PACE: Duration = Duration::from_millis(50);

/// What a process is to serve: sent anew, whole, after every start of it.
#[derive(Clone, Debug)]
pub struct Desired {
    /// Its listeners, complete.
    pub listeners: Vec<Listener>,
    /// Its configuration.
    pub load: Load,
}

/// What is known of a process, for `status`.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Its process number while it runs.
    pub pid: Option<u32>,
    /// How it shut itself in.
    pub sandbox: Option<Sandbox>,
    /// How often it was started.
    pub starts: u32,
    /// The generation that it serves.
    pub generation: Option<u32>,
    /// Why it did not take over the newest.
    pub fault: Option<String>,
    /// How it is, once it was started.
    pub state: Option<ServiceState>,
    /// Since when it is so.
    pub since: Moment,
}

/// The handle to a kept process. Clones are the same.
#[derive(Clone)]
pub struct Child {
    /// Its name: `edge` or `admin`.
    pub name: &'static str,
    desired: watch::Sender<Option<Arc<Desired>>>,
    condition: watch::Receiver<Condition>,
    metrics: mpsc::Sender<oneshot::Sender<String>>,
}

impl Child {
    /// Keeps process `name` running until `stop` is set; ends when the process has ended then.
    pub fn keep(
        name: &'static str,
        start: Start,
        hub: Hub,
        bans: watch::Receiver<BanSet>,
        stop: watch::Receiver<Option<Duration>>,
    ) -> (Self, tokio::task::JoinHandle<()>) {
        let (desired, desired_seen) = watch::channel(None);
        let (condition, condition_seen) = watch::channel(Condition::default());
        let (metrics, questions) = mpsc::channel(16);
        let keeper = Keeper {
            name,
            start,
            hub,
            bans,
            stop,
            desired: desired_seen,
            condition,
            questions,
        };
        let child = Self {
            name,
            desired,
            condition: condition_seen,
            metrics,
        };
        (child, tokio::spawn(keeper.run()))
    }

    /// Sets what the process is to serve.
    pub fn want(&self, desired: Desired) {
        self.desired.send_replace(Some(Arc::new(desired)));
    }

    /// What is known of the process now.
    pub fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// Waits until the process serves `generation`.
    ///
    /// # Errors
    /// Why it does not; or that it took longer than `patience`.
    pub async fn serving(&self, generation: u32, patience: Duration) -> Result<(), String> {
        let mut condition = self.condition.clone();
        let reached = condition.wait_for(|condition| condition.generation == Some(generation));
        match timeout(patience, reached).await {
            Ok(Ok(condition)) => condition.fault.clone().map_or(Ok(()), Err),
            _ => Err(format!("{} did not answer in time", self.name)),
        }
    }

    /// The metrics of the process as Prometheus text; empty where it does not answer.
    pub async fn metrics(&self) -> String {
        let (answer, text) = oneshot::channel();
        if self.metrics.send(answer).await.is_err() {
            return String::new();
        }
        let answered = timeout(Duration::from_secs(1), text).await;
        answered.ok().and_then(Result::ok).unwrap_or_default()
    }
}

struct Keeper {
    name: &'static str,
    start: Start,
    hub: Hub,
    bans: watch::Receiver<BanSet>,
    stop: watch::Receiver<Option<Duration>>,
    desired: watch::Receiver<Option<Arc<Desired>>>,
    condition: watch::Sender<Condition>,
    questions: mpsc::Receiver<oneshot::Sender<String>>,
}

type Waiting = Arc<Mutex<VecDeque<oneshot::Sender<String>>>>;

impl Keeper {
    async fn run(mut self) {
        let mut backoff = Backoff::default();
        loop {
            let began = Instant::now();
            let ended = self.live().await;
            self.condition.send_modify(|condition| {
                condition.pid = None;
                condition.generation = None;
            });
            if self.stop.borrow().is_some() {
                return self.note(ServiceState::Stopped);
            }
            let pause = backoff.next(began.elapsed());
            let failed = ServiceState::Failed {
                reason: ended.map_or_else(|error| error.to_string(), |status| status.to_string()),
                retry_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            };
            self.note(failed.clone());
            // An orderly end is told by the services in it.
            self.hub.journal.record(Event::Service {
                name: format!("process {}", self.name).into(),
                state: failed,
            });
            if timeout(pause, stopping(&mut self.stop)).await.is_ok() {
                return self.note(ServiceState::Stopped);
            }
        }
    }

    /// One life of the process.
    async fn live(&mut self) -> io::Result<ExitStatus> {
        let (ours, theirs) = link::pair()?;
        let mut process = spawn(self.name, theirs.into())?;
        let (mut sender, receiver) = link::open(ours)?;
        let waiting = Waiting::default();
        let reader = tokio::spawn(read(
            receiver,
            self.hub.clone(),
            self.condition.clone(),
            Arc::clone(&waiting),
        ));
        self.condition.send_modify(|condition| {
            condition.pid = process.id();
            condition.starts += 1;
            condition.state = Some(ServiceState::Running);
            condition.since = now();
        });
        let talk = self.talk(&mut sender, &waiting);
        let told = tokio::select! {
            status = process.wait() => Err(status),
            outcome = talk => Ok(outcome),
        };
        let ended = match told {
            Err(status) => status,
            Ok(Ok(deadline)) => end(&mut process, deadline).await,
            // The link is broken: the process has ended or is of no use any more.
            Ok(Err(_)) => end(&mut process, Instant::now()).await,
        };
        // What it said last is still in the socket.
        let _ = timeout(LAST_WORDS, reader).await;
        ended
    }

    /// Tells the process everything it must know, until it is told to stop: returns by when.
    async fn talk(&mut self, sender: &mut link::Sender, waiting: &Waiting) -> io::Result<Instant> {
        sender.send(&ToRole::Start(self.start), &[]).await?;
        let mut handed = BTreeSet::new();
        let bans = self.bans.borrow_and_update().clone();
        if !bans.is_empty() {
            sender.send(&ToRole::Bans(bans), &[]).await?;
        }
        self.desired.mark_changed();
        let Self {
            desired,
            bans,
            stop,
            questions,
            ..
        } = self;
        let mut bans_due = None;
        loop {
            tokio::select! {
                grace = stopping(stop) => {
                    let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
                    sender.send(&ToRole::Stop { grace_ms }, &[]).await?;
                    return Ok(Instant::now() + grace);
                }
                Ok(()) = desired.changed() => {
                    let wanted = desired.borrow_and_update().clone();
                    if let Some(wanted) = wanted {
                        hand_over(sender, &wanted, &mut handed).await?;
                    }
                }
                Ok(()) = bans.changed(), if bans_due.is_none() => {
                    bans_due = Some(Instant::now() + BAN_PACE.min(pace(bans.borrow().len())));
                }
                () = sleep_until(bans_due.unwrap_or_else(Instant::now)), if bans_due.is_some() => {
                    bans_due = None;
                    let set = bans.borrow_and_update().clone();
                    sender.send(&ToRole::Bans(set), &[]).await?;
                }
                Some(question) = questions.recv() => {
                    waiting.lock().unwrap_or_else(PoisonError::into_inner).push_back(question);
                    sender.send(&ToRole::Metrics, &[]).await?;
                }
            }
        }
    }

    fn note(&self, state: ServiceState) {
        self.condition.send_modify(|condition| {
            condition.state = Some(state);
            condition.since = now();
        });
    }
}

/// A short list goes out at once; a long one is worth waiting for more changes.
fn pace(bans: usize) -> Duration {
    Duration::from_micros(u64::try_from(bans).unwrap_or(u64::MAX))
}

async fn stopping(stop: &mut watch::Receiver<Option<Duration>>) -> Duration {
    match stop.wait_for(Option::is_some).await {
        Ok(grace) => grace.unwrap_or_default(),
        Err(_) => Duration::ZERO,
    }
}

async fn hand_over(
    sender: &mut link::Sender,
    desired: &Desired,
    handed: &mut BTreeSet<ListenKey>,
) -> io::Result<()> {
    for listener in &desired.listeners {
        if handed.insert(listener.key.clone()) {
            let sockets: Vec<_> = listener.shards.iter().map(AsFd::as_fd).collect();
            sender
                .send(&ToRole::Listener(listener.key.clone()), &sockets)
                .await?;
        }
    }
    handed.retain(|key| desired.load.listeners.contains(key));
    let load = ToRole::Load(Box::new(desired.load.clone()));
    sender.send(&load, &[]).await
}

/// Takes in what the process says. Never waits for the sending side: two full links that wait for each
/// other would stand still for good.
async fn read(
    mut receiver: link::Receiver,
    hub: Hub,
    condition: watch::Sender<Condition>,
    waiting: Waiting,
) {
    while let Ok(Some((message, _))) = receiver.receive::<FromRole>().await {
        match message {
            FromRole::Started(sandbox) => condition.send_modify(|condition| {
                condition.sandbox = Some(sandbox);
            }),
            FromRole::Loaded { generation, fault } => condition.send_modify(|condition| {
                condition.generation = Some(generation);
                condition.fault = fault;
            }),
            FromRole::Events(events) => {
                for event in events {
                    hub.journal.record(event);
                }
            }
            FromRole::Offences(offences) => {
                for (client, weight) in offences {
                    hub.warden.offence(client, weight);
                }
            }
            FromRole::Metrics(text) => {
                let question = waiting
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .pop_front();
                if let Some(question) = question {
                    let _ = question.send(text);
                }
            }
        }
    }
}

fn spawn(name: &str, link: OwnedFd) -> io::Result<Process> {
    // The very file this process runs, even when another was put in its place.
    let mut command = std::process::Command::new("/proc/self/exe");
    command
        .arg0(format!("gatehouse-{name}"))
        .args(["role", name])
        .env_clear()
        .current_dir("/")
        .stdin(link)
        .stdout(std::process::Stdio::null());
    Command::from(command).kill_on_drop(true).spawn()
}

/// Waits until `deadline` and a little for the process to end, then kills it.
async fn end(process: &mut Process, deadline: Instant) -> io::Result<ExitStatus> {
    tokio::select! {
        status = process.wait() => return status,
        () = sleep_until(deadline + LAST_WORDS) => {}
    }
    process.start_kill()?;
    process.wait().await
}
