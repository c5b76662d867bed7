//! The end: everything is stopped and written, then the kernel is told.

use super::{say, state, told};
use nix::sys::reboot::{RebootMode, reboot};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What the supervisor may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    /// Start the box anew.
    Reboot,
    /// Turn it off.
    PowerOff,
    /// Start it anew without anything that it keeps.
    FactoryReset,
}

/// How long the disk may take to write what is left.
const DISK_PATIENCE: Duration = Duration::from_secs(20);
/// How long processes that were asked to end may take.
const GRACE: Duration = Duration::from_millis(500);

/// Lets go of the disk. One that is dying must not keep the box from its end.
fn close() {
    let (done, ended) = mpsc::channel();
    thread::spawn(move || {
        state::close();
        // Nobody may wait any more.
        done.send(()).ok();
    });
    if ended.recv_timeout(DISK_PATIENCE).is_err() {
        say("the disk does not take what is left to be written");
    }
}

/// Ends the box.
pub(super) fn now(asked: Request) -> ExitCode {
    // All but PID 1 and this process.
    let everybody = Pid::from_raw(-1);
    kill(everybody, Signal::SIGTERM).ok();
    thread::sleep(GRACE);
    kill(everybody, Signal::SIGKILL).ok();
    if asked == Request::FactoryReset {
        told("the factory reset", state::forget_at_next_start());
    }
    close();
    let (mode, text) = match asked {
        Request::Reboot | Request::FactoryReset => (RebootMode::RB_AUTOBOOT, "the box starts anew"),
        Request::PowerOff => (RebootMode::RB_POWER_OFF, "the box is off"),
    };
    say(text);
    let Err(error) = reboot(mode);
    say(&format!("the kernel goes on: {error}"));
    ExitCode::FAILURE
}
