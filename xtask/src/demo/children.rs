//! A child that ends when we say so, and Ctrl-C, which is for us to hear first.

use std::os::unix::process::CommandExt;
use std::process::{self, Command, ExitStatus};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::Pid;

/// How long a child may drain before it is killed.
const DRAIN: Duration = Duration::from_secs(15);

/// A running child in a process group of its own: the terminal's Ctrl-C does not reach it.
pub(crate) struct Child(process::Child);

impl Child {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        command.process_group(0);
        Ok(Self(
            command.spawn().with_context(|| format!("{command:?}"))?,
        ))
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        Ok(self.0.try_wait()?)
    }

    /// Asks it to end and waits for that; a further interrupt is passed on, and cuts what is under way.
    pub(crate) fn end(mut self, interrupts: &Interrupts) -> Result<()> {
        self.ask(Signal::SIGTERM);
        let (start, mut heard) = (Instant::now(), interrupts.count());
        while start.elapsed() < DRAIN && self.ended()?.is_none() {
            if interrupts.count() > heard {
                heard = interrupts.count();
                self.ask(Signal::SIGTERM);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    fn ask(&self, signal: Signal) {
        let pid = i32::try_from(self.0.id()).expect("the kernel's pids fit into an i32");
        kill(Pid::from_raw(pid), signal).ok();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Its own children notice its death and end.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Ctrl-C and the polite signals of other programs, caught.
pub(crate) struct Interrupts(Arc<AtomicU32>);

impl Interrupts {
    /// Catches them from now on; called before other threads are started, which inherit the mask.
    pub(crate) fn catch() -> Result<Self> {
        let mut signals = SigSet::empty();
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            signals.add(signal);
        }
        signals.thread_block()?;
        let came = Arc::new(AtomicU32::new(0));
        let seen = Arc::clone(&came);
        thread::spawn(move || {
            while signals.wait().is_ok() {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        Ok(Self(came))
    }

    /// How many have come.
    pub(crate) fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }

    /// Whether one has come.
    pub(crate) fn came(&self) -> bool {
        self.count() > 0
    }
}
