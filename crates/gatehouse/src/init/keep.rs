//! Keeps the supervisor running, hears whether it is well, and does what it asks for.
//!
//! Its end of a socket pair is an inherited descriptor, whose number is in `GATEHOUSE_INIT_FD`. It sends single bytes: `h` each
//! second that it is well, `s` once it serves, `r` to start the box anew, `o` to turn it off, `f` to start it anew without what it
//! keeps.

use super::board::Board;
use super::end::Request;
use super::footing::{Fate, Footing};
use super::watchdog::Watchdog;
use super::{PROGRAM, say, state, told};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The variable that names the supervisor's end.
const DESCRIPTOR: &str = "GATEHOUSE_INIT_FD";
/// The variable that says what it has instead of the state on the disk.
const FOOTING: &str = "GATEHOUSE_FOOTING";
/// The configuration of a new box.
const FACTORY: &str = "/etc/gatehouse/factory.toml";
/// How long a supervisor that was heard may be silent.
const SILENCE: Duration = Duration::from_secs(30);
/// How long one may take until it is heard.
const FIRST_WORD: Duration = Duration::from_mins(3);
/// How long a supervisor may take to end once it was asked.
const GRACE: Duration = Duration::from_secs(12);
/// Waiting before the next start: it doubles up to the second, and begins anew after a run as long as the third.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
const LONG_RUN: Duration = Duration::from_mins(1);
/// How often is looked whether all is well.
const STEP: Duration = Duration::from_millis(250);

/// What starts the supervisor and looks after it.
pub(super) struct Keeper<'a> {
    board: &'a Board,
    /// On the disk.
    state: &'a Path,
    fate: Fate,
    watchdog: Watchdog,
    silence: Duration,
    first_word: Duration,
    /// Whether this supervisor has served.
    served: bool,
    /// Whether that was said of any.
    said: bool,
}

/// Why a supervisor is no longer looked after.
#[derive(Debug, PartialEq, Eq)]
enum Outcome {
    Ended(Option<ExitStatus>),
    Silent,
    Asked(Request),
}

impl<'a> Keeper<'a> {
    /// One for the supervisor of this board, with its state in `state`.
    pub(super) fn new(board: &'a Board, state: &'a Path, watchdog: Watchdog) -> Self {
        Self {
            board,
            state,
            fate: Fate::new(),
            watchdog,
            silence: SILENCE,
            first_word: FIRST_WORD,
            served: false,
            said: false,
        }
    }

    /// Runs the supervisor, over and over, until it asks for the end of the box.
    pub(super) fn keep(mut self) -> Request {
        let mut pause = FIRST_PAUSE;
        loop {
            let start = Instant::now();
            match self.once() {
                Ok(Outcome::Asked(request)) => return request,
                Ok(Outcome::Silent) => {
                    say("the supervisor gave no sign of life and was ended");
                }
                Ok(Outcome::Ended(status)) => {
                    let status = status.map_or_else(String::new, |status| format!(" ({status})"));
                    say(&format!("the supervisor has ended{status}"));
                }
                Err(error) => say(&format!("the supervisor can not be started: {error}")),
            }
            if self.falls() || start.elapsed() >= LONG_RUN {
                pause = FIRST_PAUSE;
            }
            say(&format!("it is started anew in {} ms", pause.as_millis()));
            thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether the next run has less to stand on than this one.
    fn falls(&mut self) -> bool {
        let served = std::mem::take(&mut self.served);
        let falls = (self.fate).ended(served, store::last_confirmed(self.state).is_some());
        if falls {
            let what = match self.fate.footing() {
                Footing::Factory => "the factory configuration",
                Footing::Disk | Footing::Last => "its last configuration",
            };
            say(&format!(
                "GATEHOUSE CAN NOT START WITH WHAT IT KEEPS: it runs with {what}, in memory, until the box starts anew"
            ));
        }
        falls
    }

    fn once(&mut self) -> io::Result<Outcome> {
        let (ours, theirs) = UnixStream::pair()?;
        // The copy is inherited, as the original would not be.
        let theirs = nix::unistd::dup(&theirs)?;
        let mut command = self.command()?;
        command.env(DESCRIPTOR, theirs.as_raw_fd().to_string());
        let mut child = command.spawn()?;
        drop(theirs);
        let outcome = self.watch(ours, &mut child)?;
        match outcome {
            Outcome::Ended(_) => {}
            Outcome::Silent => child.kill()?,
            Outcome::Asked(_) => self.end(&mut child)?,
        }
        child.wait().ok();
        Ok(outcome)
    }

    fn command(&self) -> io::Result<Command> {
        let (file, state) = self.ground()?;
        let mut command = Command::new(PROGRAM);
        command.args(["run", "--config"]).arg(file);
        command.arg("--state").arg(state).stdin(Stdio::null());
        command.envs(self.fate.footing().word().map(|word| (FOOTING, word)));
        if self.board.menu {
            // The screen is the menu's: the log goes to the kernel's ring, line by line.
            let ring = OpenOptions::new().write(true).open("/dev/kmsg")?;
            command.stdout(ring.try_clone()?).stderr(ring);
            command.args(["--console", &format!("/dev/{}", self.board.console)]);
        }
        Ok(command)
    }

    /// The configuration and the state directory that it is started with.
    fn ground(&self) -> io::Result<(PathBuf, PathBuf)> {
        let factory = PathBuf::from(FACTORY);
        let Some(word) = self.fate.footing().word() else {
            return Ok((factory, self.state.to_owned()));
        };
        let spare = state::spare(word)?;
        let last = store::last_confirmed(self.state);
        let Some(text) = last.filter(|_| self.fate.footing() == Footing::Last) else {
            return Ok((factory, spare));
        };
        // Beside the state directory, which belongs to the supervisor.
        let file = spare.with_extension("toml");
        told("the last configuration", fs::write(&file, text));
        Ok((file, spare))
    }

    /// Waits until the supervisor has ended, has to be ended, or asks for something.
    fn watch(&mut self, mut link: UnixStream, child: &mut Child) -> io::Result<Outcome> {
        link.set_nonblocking(true)?;
        let start = Instant::now();
        let mut heard = None;
        let mut open = true;
        loop {
            if let Some(status) = child.try_wait().transpose() {
                // PID 1 can not have taken it in: it is our child, not an orphan.
                return Ok(Outcome::Ended(status.ok()));
            }
            if open {
                wait(&link)?;
            } else {
                thread::sleep(STEP);
            }
            match read(&mut link) {
                Ok(said) => {
                    self.served |= said.serves;
                    if let Some(request) = said.asked {
                        return Ok(Outcome::Asked(request));
                    }
                    if said.anything {
                        heard = Some(Instant::now());
                    }
                }
                Err(_) => open = false,
            }
            let is_silent = heard.map_or_else(
                || start.elapsed() >= self.first_word,
                |heard: Instant| heard.elapsed() >= self.silence,
            );
            if is_silent {
                return Ok(Outcome::Silent);
            }
            self.watchdog.feed();
            self.say_once_it_serves();
        }
    }

    /// Lets the supervisor end by itself, then by force.
    fn end(&mut self, child: &mut Child) -> io::Result<()> {
        kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGTERM).ok();
        let start = Instant::now();
        while start.elapsed() < GRACE && child.try_wait()?.is_none() {
            self.watchdog.feed();
            thread::sleep(STEP);
        }
        child.kill()
    }

    /// On a console without a menu; there the line would be in the way.
    fn say_once_it_serves(&mut self) {
        if self.served && !self.said && !self.board.menu {
            self.said = true;
            say("the box serves");
        }
    }
}

/// What the supervisor has said since it was heard last.
#[derive(Default)]
struct Said {
    anything: bool,
    serves: bool,
    asked: Option<Request>,
}

/// Waits until something was said, for a step at most.
fn wait(link: &UnixStream) -> io::Result<()> {
    let timeout = PollTimeout::try_from(STEP).unwrap_or(PollTimeout::ZERO);
    let mut waiting = [PollFd::new(link.as_fd(), PollFlags::POLLIN)];
    match poll(&mut waiting, timeout) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// What was said since.
///
/// # Errors
/// Nobody is at the other end any more.
fn read(link: &mut UnixStream) -> io::Result<Said> {
    let mut bytes = [0; 64];
    let length = match link.read(&mut bytes) {
        Ok(0) => return Err(ErrorKind::BrokenPipe.into()),
        Ok(length) => length,
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            return Ok(Said::default());
        }
        Err(error) => return Err(error),
    };
    let said = &bytes[..length];
    // The one that can not be undone counts most.
    let requests = [
        (b'f', Request::FactoryReset),
        (b'r', Request::Reboot),
        (b'o', Request::PowerOff),
    ];
    let asked = requests.iter().find(|(byte, _)| said.contains(byte));
    Ok(Said {
        anything: true,
        serves: said.contains(&b's'),
        asked: asked.map(|(_, request)| *request),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn watched(said: &[u8], silence: Duration, program: &[&str]) -> Outcome {
        watched_whole(said, silence, program).0
    }

    /// What came of it, and whether it has served.
    fn watched_whole(said: &[u8], silence: Duration, program: &[&str]) -> (Outcome, bool) {
        let (board, state) = (Board::default(), Path::new("/nonexistent"));
        let mut keeper = Keeper {
            silence,
            first_word: Duration::from_secs(2),
            ..Keeper::new(&board, state, Watchdog::none())
        };
        let (ours, mut theirs) = UnixStream::pair().unwrap();
        let mut child = Command::new(program[0])
            .args(&program[1..])
            .spawn()
            .unwrap();
        theirs.write_all(said).unwrap();
        let outcome = keeper.watch(ours, &mut child).unwrap();
        child.kill().ok();
        child.wait().unwrap();
        (outcome, keeper.served)
    }

    #[test]
    fn that_the_box_serves_is_heard_among_other_words() {
        let served = |said| watched_whole(said, SILENCE, &["sleep", "60"]).1;
        assert!(served(b"hshr"));
        assert!(!served(b"hhr"));
    }

    #[test]
    fn what_the_supervisor_asks_for_is_done() {
        let sleeper = ["sleep", "60"];
        for (said, request) in [
            (b"r".as_slice(), Request::Reboot),
            (b"hhhr", Request::Reboot),
            (b"hso", Request::PowerOff),
            (b"hfr", Request::FactoryReset),
        ] {
            assert_eq!(watched(said, SILENCE, &sleeper), Outcome::Asked(request));
        }
    }

    #[test]
    fn one_that_was_heard_and_falls_silent_is_given_up() {
        let outcome = watched(b"h", Duration::from_millis(1), &["sleep", "60"]);
        assert_eq!(outcome, Outcome::Silent);
    }

    #[test]
    fn one_that_was_never_heard_is_given_up_later() {
        let outcome = watched(b"", SILENCE, &["sleep", "60"]);
        assert_eq!(outcome, Outcome::Silent);
    }

    #[test]
    fn one_that_was_never_heard_is_waited_for_until_it_ends() {
        let outcome = watched(b"", Duration::from_millis(1), &["sh", "-c", "exit 3"]);
        let Outcome::Ended(Some(status)) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(status.code(), Some(3));
    }
}
