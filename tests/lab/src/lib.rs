//! The lab: the real `gatehouse` between network namespaces, against real programs.
//!
//! A test asks for a [`Site`], gets a [`Lab`] and speaks only packets, TOML and the command line:
//!
//! ```ignore
//! lab::test(Site::innovaphone(), &["nginx", "curl"], |lab| {
//!     let targets = Nginx::start(lab, Place::Lan, &["172.31.31.2:80"])?;
//!     let gate = Gatehouse::start(lab, &lab::contract("innovaphone")?)?;
//!     let answer = Curl::new("http://hq.dvl-ckl2.net/PBX0/APPS").run(lab, Place::Internet)?;
//!     assert_eq!(answer.status, 200);
//!     Ok(())
//! });
//! ```
//!
//! Everything a test starts lives in namespaces of its own and ends with it, by return or by panic;
//! what a killed test left behind, the next one removes.

mod address_book;
mod asterisk;
mod authority;
mod baresip;
mod browser;
mod crowd;
mod curl;
mod freeradius;
mod gatehouse;
mod kamailio;
mod linphone;
mod mirror;
mod named;
mod network;
mod nginx;
mod operator;
mod pebble;
mod pki;
mod process;
mod provider;
mod recorder;
mod sip;
mod sipp;
mod sipvicious;
mod site;
mod skip;
mod slapd;
mod suite;
mod table;
mod telephony;
mod terminal;
mod visitors;
mod websocket;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use std::{env, fs, process as std_process, thread};

use anyhow::{Context, Result, bail};

pub use address_book::{Accounts, AddressBook};
pub use asterisk::{Asterisk, Settings as AsteriskSettings};
pub use authority::Authority;
pub use baresip::{Account, Baresip};
pub use browser::Browser;
pub use crowd::{Crowd, Guests, Parrot};
pub use curl::{Answer, Curl};
pub use freeradius::Freeradius;
pub use gatehouse::{Gatehouse, program, report_file, schemathesis};
pub use kamailio::{Heard, Kamailio};
pub use linphone::Linphone;
pub use mirror::Mirror;
pub use named::Named;
pub use network::Network;
pub use nginx::{Nginx, Request};
pub use operator::{Operator, form};
pub use pebble::Pebble;
pub use pki::Pki;
pub use process::{Output, Process};
pub use provider::{Client, Provider};
pub use recorder::Recorder;
pub use sip::{Phone, Reply};
pub use sipp::{Connections, Sipp, SippPbx};
pub use sipvicious::Scan;
pub use site::{Place, Port, Segment, Site};
pub use skip::report as skip;
pub use slapd::Slapd;
pub use table::{Row, rows};
pub use telephony::{Arrived, Endpoint, Pbx, Seen as EndpointSeen};
pub use terminal::Terminal;
pub use visitors::{Seen, Visitor, Visitors};
pub use websocket::{Chat, Echo};

/// How long anything may take before a test gives up: a limit for a hung program, no measure of speed.
pub const PATIENCE: Duration = Duration::from_secs(45);

/// What the folder of a lab begins with; the pid of its test follows.
const FOLDER: &str = "gatehouse-lab-";

/// One test's world: its network, its folder, and what runs in it.
pub struct Lab {
    network: Network,
    dir: PathBuf,
    site: Site,
}

/// Runs `body` in a lab made after `site`; programs that are missing make it a skip with the reason.
///
/// # Panics
/// When `body` fails. The last lines of every log in the lab's folder are printed then.
pub fn test(site: Site, programs: &[&str], body: impl FnOnce(&Lab) -> Result<()>) {
    if let Some(why) = skip::reason(programs) {
        skip::report(&why);
        return;
    }
    let lab = Lab::new(site).expect("the network of the lab can be made");
    if let Err(error) = body(&lab) {
        panic_with(&error);
    }
}

impl Lab {
    /// Makes the namespaces and wires of `site`, and a folder for files and logs.
    pub fn new(site: Site) -> Result<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let tag = format!(
            "{}-{}",
            std_process::id(),
            NUMBER.fetch_add(1, Ordering::Relaxed)
        );
        remove_stale_folders();
        let dir = env::temp_dir().join(format!("{FOLDER}{tag}"));
        fs::create_dir_all(&dir).with_context(|| format!("{}", dir.display()))?;
        let network = Network::create(&tag, &site)?;
        Ok(Self { network, dir, site })
    }

    /// The folder of this lab; removed with it, unless `GATEHOUSE_LAB_KEEP` is set.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The plan this lab was made after.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Starts a program at a place; its output goes to `NAME.log` in the lab's folder.
    pub fn spawn(&self, place: Place, name: &str, command: &[&str]) -> Result<Process> {
        Process::spawn(
            &self.network.name(place),
            &self.dir.join(format!("{name}.log")),
            command,
        )
    }

    /// Runs a program at a place to its end, at most [`PATIENCE`], and returns what it said.
    pub fn run(&self, place: Place, command: &[&str]) -> Result<Output> {
        self.run_within(PATIENCE, place, command)
    }

    /// The same for a program that may take longer.
    pub fn run_within(&self, patience: Duration, place: Place, command: &[&str]) -> Result<Output> {
        Output::of(&self.network.name(place), command, patience)
    }

    /// Runs `work` on a thread that stands in the namespace of `place`; sockets it opens stay there.
    pub fn enter<T: Send>(&self, place: Place, work: impl FnOnce() -> T + Send) -> Result<T> {
        self.network.enter(place, work)
    }

    /// Programs that are started at a place from now on find `name` at `address`.
    pub fn tell_name(&self, place: Place, name: &str, address: &str) -> Result<()> {
        self.network.tell_name(place, name, address)
    }

    /// Connects from a place; reads time out after [`PATIENCE`].
    pub fn connect(&self, place: Place, to: &str) -> Result<TcpStream> {
        let to: SocketAddr = to.parse().with_context(|| to.to_owned())?;
        let stream = self.enter(place, || TcpStream::connect_timeout(&to, PATIENCE))??;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// Waits until something accepts connections at `to`, seen from `place`.
    pub fn wait_for_port(&self, place: Place, to: &str) -> Result<()> {
        let address: SocketAddr = to.parse().with_context(|| to.to_owned())?;
        let patience = Duration::from_secs(1);
        wait_until(&format!("a listener at {to}"), || {
            Ok(self
                .enter(place, || TcpStream::connect_timeout(&address, patience))?
                .is_ok())
        })
    }

    /// Prints the end of every log, for whoever reads why a test failed.
    fn print_logs(&self) {
        for path in walk(&self.dir) {
            let is_log = path.extension().is_some_and(|end| end == "log");
            let Ok(text) = fs::read(&path) else { continue };
            if is_log && !text.is_empty() {
                let text = String::from_utf8_lossy(&text);
                let lines: Vec<&str> = text.lines().collect();
                let tail = &lines[lines.len().saturating_sub(40)..];
                say(&format!("--- {}\n{}", path.display(), tail.join("\n")));
            }
        }
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        if thread::panicking() {
            self.print_logs();
        }
        self.network.remove();
        if env::var_os("GATEHOUSE_LAB_KEEP").is_none() {
            fs::remove_dir_all(&self.dir).ok();
        }
    }
}

/// Asks `done` again and again until it says yes, at most [`PATIENCE`].
///
/// # Errors
/// When it never says yes, naming `what` was waited for; errors of `done` end the wait at once.
pub fn wait_until(what: &str, mut done: impl FnMut() -> Result<bool>) -> Result<()> {
    let start = Instant::now();
    while start.elapsed() < PATIENCE {
        if done()? {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!("waited {} s in vain for {what}", PATIENCE.as_secs())
}

/// The text of a published configuration, `configs/NAME.toml`.
pub fn contract(name: &str) -> Result<String> {
    let path = repository().join("configs").join(format!("{name}.toml"));
    fs::read_to_string(&path).with_context(|| format!("{}", path.display()))
}

/// The folder of the whole project.
pub fn repository() -> PathBuf {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
    lab.ancestors()
        .nth(2)
        .expect("tests/lab is two folders below the top")
        .to_owned()
}

/// Removes the folders of tests whose process is gone.
fn remove_stale_folders() {
    if env::var_os("GATEHOUSE_LAB_KEEP").is_some() {
        return;
    }
    for entry in fs::read_dir(env::temp_dir())
        .into_iter()
        .flatten()
        .flatten()
    {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name
            .strip_prefix(FOLDER)
            .is_some_and(network::is_of_the_dead)
        {
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

/// Every file below `dir`, in any order.
fn walk(dir: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => files.extend(walk(&entry.path())),
            Ok(kind) if kind.is_file() => files.push(entry.path()),
            _ => {}
        }
    }
    files
}

/// Prints a line for whoever reads what a test measured or why it failed.
#[expect(
    clippy::print_stderr,
    reason = "the test runner shows it beside the failure"
)]
pub fn say(text: &str) {
    eprintln!("{text}");
}

#[expect(clippy::panic, reason = "how a test fails")]
fn panic_with(error: &anyhow::Error) -> ! {
    panic!("{error:#}")
}
