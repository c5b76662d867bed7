//! The console on a terminal: a process that is started, and started anew whenever it ends. However it ends, the terminal is
//! given back.

use super::child::Condition;
use super::journal::{Journal, now};
use console::Line;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use service::{Backoff, Event, ServiceState};
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

/// The longest pause before a console that ended is started again: a line that is not connected ends it each time.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long it may take to end.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Keeps a console running.
pub struct Keeper {
    /// The terminal, such as /dev/ttyS0.
    pub tty: PathBuf,
    /// The control socket it asks.
    pub socket: PathBuf,
    /// The log.
    pub journal: Journal,
    /// Set when it shall end.
    pub stop: watch::Receiver<Option<Duration>>,
}

impl Keeper {
    /// Runs until `stop` is set, and reports how it goes to `condition`; the terminal is then as it was before.
    pub async fn run(self, condition: watch::Sender<Option<Condition>>) {
        let mut line = None;
        self.keep(condition, &mut line).await;
        let Some(line) = line else { return };
        // A console that was killed has not done so, and its successor has taken for granted what it found. By a thread
        // that nobody waits for in the end: a line that takes nothing must not keep the box.
        let (done, is_done) = oneshot::channel();
        let giver = std::thread::Builder::new().name("line".to_owned());
        let given = giver.spawn(move || {
            // A terminal that is gone needs nothing.
            let _ = line.give_back();
            let _ = done.send(());
        });
        if given.is_ok() {
            let _ = timeout(LAST_WORDS, is_done).await;
        }
    }

    async fn keep(&self, condition: watch::Sender<Option<Condition>>, line: &mut Option<Line>) {
        let mut backoff = Backoff::up_to(LONGEST_PAUSE);
        let mut stop = self.stop.clone();
        let mut known = Condition::default();
        let mut last = String::new();
        loop {
            let began = Instant::now();
            if line.is_none() {
                *line = Line::remember(&self.tty).ok();
            }
            let reason = match self.spawn() {
                Ok(mut console) => {
                    known.pid = console.id();
                    known.starts += 1;
                    known.state = Some(ServiceState::Running);
                    known.since = now();
                    condition.send_replace(Some(known.clone()));
                    tokio::select! {
                        status = console.wait() => {
                            status.map_or_else(|error| error.to_string(), |status| status.to_string())
                        }
                        () = stopping(&mut stop) => return end(&mut console).await,
                    }
                }
                Err(error) => error.to_string(),
            };
            let pause = backoff.next(began.elapsed());
            let failed = ServiceState::Failed {
                reason: reason.clone(),
                retry_ms: u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
            };
            known.pid = None;
            known.state = Some(failed.clone());
            known.since = now();
            condition.send_replace(Some(known.clone()));
            // A line that nobody is connected to would fill the log.
            if reason != last {
                self.journal.record(Event::Service {
                    name: "process console".into(),
                    state: failed,
                });
                last = reason;
            }
            if timeout(pause, stopping(&mut stop)).await.is_ok() {
                return;
            }
        }
    }

    fn spawn(&self) -> io::Result<Child> {
        let tty = std::path::absolute(&self.tty)?;
        let mut command = std::process::Command::new("/proc/self/exe");
        command
            .arg0("gatehouse-console")
            .arg("console")
            .arg("--tty")
            .arg(tty)
            .arg("--socket")
            .arg(&self.socket)
            .env_clear()
            .current_dir("/")
            .stdin(std::process::Stdio::null())
            .stdout(std::process::Stdio::null());
        Command::from(command).kill_on_drop(true).spawn()
    }
}

async fn stopping(stop: &mut watch::Receiver<Option<Duration>>) {
    let _ = stop.wait_for(Option::is_some).await;
}

/// Lets it give its terminal back.
async fn end(console: &mut Child) {
    let pid = console.id().and_then(|pid| i32::try_from(pid).ok());
    if let Some(pid) = pid {
        let _ = kill(Pid::from_raw(pid), Signal::SIGTERM);
    }
    if timeout(LAST_WORDS, console.wait()).await.is_err() {
        let _ = console.start_kill();
    }
}
