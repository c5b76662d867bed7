//! The first process of the box, in the same binary: the one that the kernel starts, and nothing else is on board.
//!
//! It is two processes. PID 1 starts the other one, takes in orphans, and does nothing else, since its end would be
//! that of the kernel; the other one makes the box usable, keeps the supervisor running, and may fail.

mod board;
mod clock;
mod coldplug;
mod disk;
mod end;
mod first;
mod footing;
mod keep;
mod link;
mod modules;
mod mount;
mod pattern;
mod ports;
mod state;
mod watchdog;

use board::Board;
use keep::Keeper;
use modules::Modules;
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, fs, thread};
use watchdog::Watchdog;

/// Our own binary on the box.
const PROGRAM: &str = "/bin/gatehouse";
/// The name by which the second process is told from others.
const NAME: &str = "init";
/// Where is remembered which port has which name.
const PORTS: &str = "ports";
/// How long a state partition is waited for: disks on USB take their time.
const DISK_PATIENCE: Duration = Duration::from_secs(20);
/// How often is looked whether it is there.
const DISK_STEP: Duration = Duration::from_millis(100);

/// Whether this process is to be `init`: it is PID 1, or was started under this name.
pub fn is_wanted() -> bool {
    let name = env::args_os().next().unwrap_or_default();
    let name = Path::new(&name).file_name();
    Pid::this().as_raw() == 1 || name == Some(OsStr::new(NAME))
}

/// Is `init`; ends only if that is no box.
pub fn main() -> ExitCode {
    if Pid::this().as_raw() == 1 {
        first::forever()
    }
    if Pid::parent().as_raw() != 1 {
        say("only PID 1 of a box may start this; the command is called gatehouse");
        return ExitCode::FAILURE;
    }
    work()
}

/// Makes the box usable and keeps it so. What goes wrong on the way is said, and does not stop the rest: a box with half
/// of its parts can still be asked what it lacks.
fn work() -> ExitCode {
    mount::system();
    let board = match Board::read() {
        Ok(board) => board,
        Err(error) => {
            say(&format!("this is no box: {error:#}"));
            return ExitCode::FAILURE;
        }
    };
    say(&format!("Gatehouse {}", board.version));
    told("the clock", clock::not_before(board.built));
    let mut modules = Modules::read();
    // Beside the search for the disk, which mostly waits.
    let services = load_in_background(&modules, &board);
    told("the loopback interface", link::up("lo"));
    told("the host name", nix::unistd::sethostname(NAME_OF_HOST));
    told("Ctrl-Alt-Del", nix::sys::reboot::set_cad_enabled(false));
    let disk = find_disk(&mut modules);
    modules.load("ext4");
    let state = state::prepare(disk);
    // A clock whose battery is empty begins with the year of the image, before certificates of the box were made.
    told("the clock", clock::not_before(clock::newest(&state)));
    told(
        "the order of the ports",
        ports::name(&board.ports, &state::file(PORTS)),
    );
    // A panic there has been said, and what is missing is missed by who needs it.
    services.join().ok();
    modules.finish();
    let asked = Keeper::new(&board, &state, Watchdog::start()).keep();
    end::now(asked)
}

/// Loads what the board wants whatever hardware there is.
fn load_in_background(modules: &Modules, board: &Board) -> thread::JoinHandle<()> {
    let (mut modules, wanted) = (modules.clone(), board.modules.clone());
    thread::spawn(move || {
        for name in &wanted {
            modules.load(name);
        }
    })
}

/// What the box is called until it has a configuration.
const NAME_OF_HOST: &str = "gatehouse";

/// Loads drivers until the disk with the state partition is there.
fn find_disk(modules: &mut Modules) -> Option<disk::Partition> {
    let steps = DISK_PATIENCE.as_millis() / DISK_STEP.as_millis();
    for _ in 0..steps {
        coldplug::all(modules);
        if let Some(partition) = disk::Partition::find() {
            // Drivers of what has come up only now.
            coldplug::all(modules);
            return Some(partition);
        }
        thread::sleep(DISK_STEP);
    }
    None
}

/// Writes a line to the console, with the time since the kernel began.
fn say(text: &str) {
    use std::io::Write as _;
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime.split(' ').next().unwrap_or_default();
    // One write, so that lines of others do not get in between. A console that takes nothing is no reason to stop.
    let line = format!("[{seconds:>8}] init: {text}\n");
    std::io::stderr().write_all(line.as_bytes()).ok();
}

/// Says what has gone wrong, if anything.
fn told<T, E: std::fmt::Display>(what: &str, result: Result<T, E>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) => {
            say(&format!("{what}: {error:#}"));
            None
        }
    }
}
