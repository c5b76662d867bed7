//! PID 1: starts the process that does the work, takes in orphans, and starts it anew when it ends.

use super::{NAME, PROGRAM, say};
use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::wait;
use nix::unistd::Pid;
use std::os::unix::process::CommandExt as _;
use std::panic::catch_unwind;
use std::process::Command;
use std::thread;
use std::time::Duration;

/// How long PID 1 waits before it starts the work anew.
const PAUSE: Duration = Duration::from_secs(1);

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
    let ended = reap_until(|pid| pid == work);
    say(&format!("the work has ended ({ended}); it begins anew"));
    kill(Pid::from_raw(-1), Signal::SIGKILL).ok();
    reap_until(|_| false);
    Ok(())
}

/// Takes in what ends until it is the one that is waited for, or nothing is left.
fn reap_until(is_last: impl Fn(Pid) -> bool) -> String {
    loop {
        match wait() {
            Ok(status) if status.pid().is_some_and(&is_last) => return format!("{status:?}"),
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return error.to_string(),
        }
    }
}
