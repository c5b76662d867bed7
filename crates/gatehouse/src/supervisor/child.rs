//! One process that the supervisor keeps running: started, told what to do, started anew when it ends.

mod ears;
mod mouth;
mod visits;

use super::Hub;
use super::entrance::Steward;
use super::journal::now;
use super::uplink::OpenPorts;
use crate::message::{Load, Start, ToRole};
use control::Moment;
use ears::{Heard, read, wait_for_answer};
use guard::BanSet;
use mouth::{Mouth, blame, hand_over, hand_over_orders, hand_over_ports};
use net::Listener;
use net::link::{self, Side};
use net::sandbox::Sandbox;
use proxy::Figures;
use service::{Answer, Backoff, Event, Numbered, ServiceState};
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::process::{Child as Process, Command};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use uplink::acme::Wanted;
use visits::Visits;

/// How much longer than the sessions' deadline a process may take to end before it is killed.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// The longest pause before a process that ended is started again: clients wait meanwhile, 2 s at the most.
const LONGEST_PAUSE: Duration = Duration::from_millis(1500);
/// How long a process may take for one message before it is held to be of no use any more.
const PATIENCE: Duration = Duration::from_secs(5);
/// The same once everything is to end.
const LAST_PATIENCE: Duration = Duration::from_secs(1);
/// How long a process may take to answer for its metrics.
const METRICS_PATIENCE: Duration = Duration::from_secs(1);
/// How many questions for metrics wait for a process at most.
const QUESTIONS: usize = 16;
/// A longer text in what a process says is cut.
const TEXT_LIMIT: usize = 2048;
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

/// What a process is told of beside its configuration.
pub struct Feeds {
    /// Who is banned.
    pub bans: watch::Receiver<BanSet>,
    /// For which ports it asks for an address.
    pub ports: watch::Receiver<OpenPorts>,
    /// What it is to have from certificate authorities.
    pub orders: watch::Receiver<Arc<Wanted>>,
    /// Who knows who may enter; none: it is not told.
    pub entrance: Option<Steward>,
    /// Where its line to the control API goes, one for each of its lives; none: it has none.
    pub lines: Option<Lines>,
}

/// Takes our ends of lines to the control API.
pub type Lines = mpsc::Sender<UnixStream>;

/// Why a process does not serve what it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unserved {
    /// It can not put it to work, and says why.
    Refused(String),
    /// It has not answered in time.
    Late,
}

impl fmt::Display for Unserved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(why) => write!(f, "can not put the configuration to work: {why}"),
            Self::Late => f.write_str("did not answer in time"),
        }
    }
}

type Order = Numbered<Desired>;

/// What is known of a process, for `status`.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Its process number while it runs.
    pub pid: Option<u32>,
    /// How it shut itself in.
    pub sandbox: Option<Sandbox>,
    /// How often it was started.
    pub starts: u32,
    /// What it did with the newest configuration that it answered for.
    pub answer: Option<Answer>,
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
    desired: watch::Sender<Option<Arc<Order>>>,
    condition: watch::Receiver<Condition>,
    questions: mpsc::Sender<Question>,
}

impl Child {
    /// Keeps process `name` running until `stop` is set; ends when the process has ended then.
    pub fn keep(
        name: &'static str,
        start: Start,
        hub: Hub,
        feeds: Feeds,
        stop: watch::Receiver<Option<Duration>>,
    ) -> (Self, JoinHandle<()>) {
        let (desired, desired_seen) = watch::channel(None);
        let (condition, condition_seen) = watch::channel(Condition::default());
        let (asking, questions) = mpsc::channel(QUESTIONS);
        let keeper = Keeper {
            name,
            start,
            hub,
            feeds,
            stop,
            desired: desired_seen,
            condition,
            questions,
        };
        let child = Self {
            name,
            desired,
            condition: condition_seen,
            questions: asking,
        };
        (child, tokio::spawn(keeper.run()))
    }

    /// No process, for tests: what it was told last, and what it says.
    #[cfg(test)]
    pub fn pretended(
        name: &'static str,
    ) -> (
        Self,
        watch::Receiver<Option<Arc<Order>>>,
        watch::Sender<Condition>,
    ) {
        let (desired, told) = watch::channel(None);
        let (says, condition) = watch::channel(Condition::default());
        let child = Self {
            name,
            desired,
            condition,
            questions: mpsc::channel(QUESTIONS).0,
        };
        (child, told, says)
    }

    /// Sets what the process is to serve; returns the number under which it answers.
    pub fn want(&self, desired: Desired) -> u64 {
        let mut number = 0;
        self.desired.send_modify(|order| {
            number = order.as_ref().map_or(0, |order| order.number) + 1;
            let config = desired;
            *order = Some(Arc::new(Order { number, config }));
        });
        number
    }

    /// What is known of the process now.
    pub fn condition(&self) -> Condition {
        self.condition.borrow().clone()
    }

    /// Waits until the process serves what [`Child::want`] gave the number `number`, or a later one.
    ///
    /// # Errors
    /// It can not, or it took longer than `patience`.
    pub async fn serving(&self, number: u64, patience: Duration) -> Result<(), Unserved> {
        let mut condition = self.condition.clone();
        let answered = condition.wait_for(|condition| {
            let answer = condition.answer.as_ref();
            answer.is_some_and(|answer| answer.number >= number)
        });
        let Ok(Ok(condition)) = timeout(patience, answered).await else {
            return Err(Unserved::Late);
        };
        let fault = condition
            .answer
            .as_ref()
            .and_then(|answer| answer.fault.clone());
        fault.map_or(Ok(()), |why| Err(Unserved::Refused(why)))
    }

    /// The metrics of the process as Prometheus text; empty where it does not answer.
    pub async fn metrics(&self) -> String {
        self.ask(Question::Metrics).await.unwrap_or_default()
    }

    /// What the process has counted, for programs; `None` where it does not answer.
    pub async fn figures(&self) -> Option<Figures> {
        self.ask(Question::Figures).await
    }

    async fn ask<T>(&self, question: impl FnOnce(oneshot::Sender<T>) -> Question) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        // A full queue means that it does not answer the others either.
        if self.condition.borrow().pid.is_none()
            || self.questions.try_send(question(answer)).is_err()
        {
            return None;
        }
        timeout(METRICS_PATIENCE, answered).await.ok()?.ok()
    }
}

struct Keeper {
    name: &'static str,
    start: Start,
    hub: Hub,
    feeds: Feeds,
    stop: watch::Receiver<Option<Duration>>,
    desired: watch::Receiver<Option<Arc<Order>>>,
    condition: watch::Sender<Condition>,
    questions: mpsc::Receiver<Question>,
}

/// What a process is asked for; it answers in the order of the questions.
enum Question {
    /// All its instruments as text.
    Metrics(oneshot::Sender<String>),
    /// What the operator is shown of them.
    Figures(oneshot::Sender<Figures>),
}

impl Question {
    fn message(&self) -> ToRole {
        match self {
            Self::Metrics(_) => ToRole::Metrics,
            Self::Figures(_) => ToRole::Figures,
        }
    }

    fn is_closed(&self) -> bool {
        match self {
            Self::Metrics(answer) => answer.is_closed(),
            Self::Figures(answer) => answer.is_closed(),
        }
    }
}

type Waiting = Arc<Mutex<VecDeque<Question>>>;

impl Keeper {
    async fn run(mut self) {
        let mut backoff = Backoff::up_to(LONGEST_PAUSE);
        loop {
            let began = Instant::now();
            let ended = self.live().await;
            self.condition.send_modify(|condition| {
                condition.pid = None;
                condition.answer = None;
            });
            if self.stop.borrow().is_some() {
                return self.note(ServiceState::Stopped);
            }
            let pause = backoff.next(began.elapsed());
            let failed = ServiceState::Failed {
                reason: ended.unwrap_or_else(|error| error.to_string()),
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

    /// One life of the process; returns why it ended.
    async fn live(&mut self) -> io::Result<String> {
        let (ours, theirs) = link::pair()?;
        let mut process = spawn(self.name, theirs.into())?;
        let (sender, receiver) = link::open(ours, Side::Supervisor)?;
        // The questions of this life: one that it left open is never answered by the next.
        let waiting = Waiting::default();
        let reader = read(
            self.name,
            receiver,
            self.hub.clone(),
            self.condition.clone(),
            Arc::clone(&waiting),
        );
        let mut reader = tokio::spawn(reader);
        self.condition.send_modify(|condition| {
            condition.pid = process.id();
            condition.starts += 1;
            condition.state = Some(ServiceState::Running);
            condition.since = now();
        });
        let mut mouth = Mouth {
            sender,
            stop: self.stop.clone(),
        };
        let mut stop = self.stop.clone();
        let mut heard = None;
        let (deadline, blame) = tokio::select! {
            status = process.wait() => (Instant::now(), status.err().map(|error| error.to_string())),
            told = self.talk(&mut mouth, &waiting) => match told {
                Ok(deadline) => (deadline, None),
                Err(error) => (Instant::now(), blame(&error)),
            },
            end = &mut reader => {
                let end = end.unwrap_or_else(|error| Heard::Fault(error.to_string()));
                (Instant::now(), heard.insert(end).blame())
            }
            // Whatever it is that it takes in so slowly.
            () = overdue(&mut stop) => (Instant::now(), Some("it does not end".to_owned())),
        };
        let patience = if blame.is_some() {
            Duration::ZERO
        } else {
            LAST_WORDS
        };
        let status = end(&mut process, deadline + patience).await;
        if heard.is_none() {
            // What it said last is still in the socket.
            let rest = timeout(LAST_WORDS, &mut reader).await;
            heard = rest.ok().and_then(Result::ok);
            reader.abort();
        }
        if let Some(Heard::Failed(reason)) = heard {
            return Ok(reason);
        }
        Ok(blame.map_or(status.clone(), |blame| format!("{blame}; {status}")))
    }

    /// Tells the process everything it must know, until it is told to stop: returns by when.
    async fn talk(&mut self, mouth: &mut Mouth, waiting: &Waiting) -> io::Result<Instant> {
        let mut visits = Visits::of(self.feeds.entrance.clone());
        self.greet(mouth, &mut visits).await?;
        let mut handed = BTreeSet::new();
        let Self {
            desired,
            feeds,
            stop,
            questions,
            hub,
            ..
        } = self;
        let (bans, ports, orders) = (&mut feeds.bans, &mut feeds.ports, &mut feeds.orders);
        let mut bans_due = None;
        // Whether it has no ports.
        let mut is_idle = true;
        let mut ordering = false;
        loop {
            tokio::select! {
                grace = stopping(stop) => {
                    let grace_ms = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
                    mouth.tell(&ToRole::Stop { grace_ms }, &[]).await?;
                    return Ok(Instant::now() + grace);
                }
                Ok(()) = desired.changed() => {
                    let wanted = desired.borrow_and_update().clone();
                    if let Some(wanted) = wanted {
                        hand_over(mouth, &wanted, &mut handed).await?;
                    }
                }
                Ok(()) = ports.changed() => {
                    let open = ports.borrow_and_update().clone();
                    if !(open.is_empty() && is_idle) {
                        is_idle = open.is_empty();
                        hand_over_ports(mouth, &open, hub.uplink.orders(&open)).await?;
                    }
                }
                Ok(()) = orders.changed() => {
                    let wanted = Arc::clone(&orders.borrow_and_update());
                    hand_over_orders(mouth, &wanted, &mut ordering, &hub.journal).await?;
                }
                Ok(()) = bans.changed(), if bans_due.is_none() => {
                    bans_due = Some(Instant::now() + BAN_PACE.min(pace(bans.borrow().len())));
                }
                () = sleep_until(bans_due.unwrap_or_else(Instant::now)), if bans_due.is_some() => {
                    bans_due = None;
                    let set = bans.borrow_and_update().clone();
                    mouth.tell(&ToRole::Bans(set), &[]).await?;
                }
                message = visits.next() => mouth.tell(&message, &[]).await?,
                Some(question) = questions.recv() => {
                    let message = question.message();
                    if wait_for_answer(waiting, question) {
                        mouth.tell(&message, &[]).await?;
                    }
                }
            }
        }
    }

    /// Tells the process how to run and who is banned and who may enter; all else is due then.
    async fn greet(&mut self, mouth: &mut Mouth, visits: &mut Visits) -> io::Result<()> {
        let line = self.feeds.lines.as_ref().map(draw_line).transpose()?;
        let line: Vec<_> = line.iter().map(AsFd::as_fd).collect();
        mouth.tell(&ToRole::Start(self.start), &line).await?;
        let bans = self.feeds.bans.borrow_and_update().clone();
        if !bans.is_empty() {
            mouth.tell(&ToRole::Bans(bans), &[]).await?;
        }
        if let Some(roll) = visits.whole() {
            mouth.tell(&roll, &[]).await?;
        }
        self.desired.mark_changed();
        self.feeds.ports.mark_changed();
        self.feeds.orders.mark_changed();
        Ok(())
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

/// Resolves when a process that was told to stop should long have ended.
async fn overdue(stop: &mut watch::Receiver<Option<Duration>>) {
    let grace = stopping(stop).await;
    sleep(grace + LAST_WORDS).await;
}

/// The end of a new line that is for the process.
fn draw_line(lines: &Lines) -> io::Result<UnixStream> {
    let (ours, theirs) = link::pair()?;
    // Shut in, the process could not do so itself.
    theirs.set_nonblocking(true)?;
    ours.set_nonblocking(true)?;
    // Nobody takes it while everything ends.
    let _ = lines.try_send(ours);
    Ok(theirs)
}

fn spawn(name: &str, link: OwnedFd) -> io::Result<Process> {
    // The very file this process runs, even when another was put in its place.
    let mut command = std::process::Command::new("/proc/self/exe");
    command
        .arg0(format!("gatehouse-{name}"))
        .args(["role", name])
        .env_clear()
        .current_dir("/")
        // A signal to the supervisor's group is for the supervisor: it says when the others end.
        .process_group(0)
        .stdin(link)
        .stdout(std::process::Stdio::null());
    Command::from(command).kill_on_drop(true).spawn()
}

/// Waits until `deadline` for the process to end, then kills it. Returns how it ended.
async fn end(process: &mut Process, deadline: Instant) -> String {
    let say = |status: io::Result<ExitStatus>| {
        status.map_or_else(|error| error.to_string(), |status| status.to_string())
    };
    tokio::select! {
        status = process.wait() => return say(status),
        () = sleep_until(deadline) => {}
    }
    if let Err(error) = process.start_kill() {
        return format!("it can not be killed: {error}");
    }
    // What the kernel holds up even now must not hold up the supervisor.
    match timeout(LAST_WORDS, process.wait()).await {
        Ok(status) => format!("it did not end by itself; {}", say(status)),
        Err(_) => "it does not end even when killed".to_owned(),
    }
}
