//! PID 1: starts the process that does the work, takes in orphans, and starts it anew when it ends.

use super::{NAME, PROGRAM, say};
use nix::errno::Errno;
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, wait, waitpid};
use nix::unistd::Pid;
use std::os::unix::process::CommandExt as _;
use std::panic::catch_unwind;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

/// How long PID 1 waits before it starts the work anew.
const PAUSE: Duration = Duration::from_secs(1);
/// How long everything may take to end once it was killed, and how often is looked.
const LAST_WORDS: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(50);

/// Never ends: the kernel would end with it, so that not even a panic may leave this loop.
pub(super) fn forever() -> ! {
    loop {
        if let Ok(Err(error)) = catch_unwind(once) {
            say(&format!("PID 1: {error}"));
        }
        thread::sleep(PAUSE);
    }
}

/// Starts the work and waits until it has ended; then ends everything, so that the next start finds an empty house.
fn once() -> std::io::Result<()> {
    let work = Command::new(PROGRAM).arg0(NAME).spawn()?;
    let work = Pid::from_raw(work.id().cast_signed());
    let ended = reap_until(work);
    say(&format!("the work has ended ({ended}); it begins anew"));
    kill(Pid::from_raw(-1), Signal::SIGKILL).ok();
    if !is_empty_within(LAST_WORDS) {
        // What a dying disk holds up can only be got rid of with the kernel.
        say("a process does not end; the box starts anew");
        reboot(RebootMode::RB_AUTOBOOT).map(|_| ())?;
    }
    Ok(())
}

/// Takes in what ends until it is `last`.
fn reap_until(last: Pid) -> String {
    loop {
        match wait() {
            Ok(status) if status.pid() == Some(last) => return format!("{status:?}"),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return error.to_string(),
        }
    }
}

/// Takes in what ends; whether nothing was left before `patience` was over.
fn is_empty_within(patience: Duration) -> bool {
    let start = Instant::now();
    while start.elapsed() < patience {
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::StillAlive) => thread::sleep(STEP),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(_) => return true,
        }
    }
    false
}
