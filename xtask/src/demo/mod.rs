//! `cargo xtask demo`: Gatehouse on this machine, without root, in front of two small servers.

mod children;
mod server;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

use anyhow::{Context, Result, bail};

use crate::run::{cargo, gatehouse, say, visibly};
use children::{Child, Interrupts};

/// The configuration; the servers stand at 127.0.0.2, so that the reader at 127.0.0.1 is no target of it.
const CONFIGURATION: &str = include_str!("gatehouse.toml");

/// Where the demo servers listen, and what stands there.
const SERVERS: [(&str, server::Site); 2] = [
    ("127.0.0.2:8101", server::Site::Pbx),
    ("127.0.0.2:8102", server::Site::App),
];

/// Ports that must be free before anything is started.
const PORTS: [&str; 3] = ["127.0.0.1:8090", "127.0.0.1:8453", "127.0.0.1:8443"];

/// Longer than any start takes; a limit for one that hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// Builds, starts, says what to try, and ends everything at Ctrl-C.
///
/// # Errors
/// When something can not be built or started, or Gatehouse ends by itself.
pub(crate) fn run() -> Result<()> {
    say("1/4 building (the first time takes some minutes)");
    visibly(&mut cargo(&["build", "--package", "gatehouse"]))?;
    let interrupts = Interrupts::catch()?;
    for port in PORTS {
        let taken = TcpStream::connect_timeout(&port.parse()?, Duration::from_millis(200)).is_ok();
        anyhow::ensure!(
            !taken,
            "something listens at {port} already (another demo?)"
        );
    }
    let folder = Folder::new()?;
    say("2/4 starting a stand-in for a PBX and one for an application");
    for (address, site) in SERVERS {
        server::start(address, site).with_context(|| format!("a demo server at {address}"))?;
    }
    say(&format!(
        "3/4 starting gatehouse, state in {}",
        folder.0.display()
    ));
    let mut gate = start(&folder.0)?;
    wait_until_ready(&mut gate, &folder.0, &interrupts)?;
    say("4/4 ready\n");
    say(&what_to_try(&folder.0));
    loop {
        if interrupts.came() {
            say("\nending");
            return gate.end();
        }
        if let Some(status) = gate.ended()? {
            bail!(
                "gatehouse ended by itself with {status}:\n{}",
                log(&folder.0)
            );
        }
        thread::sleep(Duration::from_millis(100));
    }
}

fn start(folder: &Path) -> Result<Child> {
    let file = folder.join("gatehouse.toml");
    fs::write(&file, CONFIGURATION)?;
    let out = fs::File::create(folder.join("gatehouse.log"))?;
    let mut command = Command::new(gatehouse("debug"));
    command
        .arg("run")
        .arg("--config")
        .arg(&file)
        .arg("--state")
        .arg(folder.join("state"));
    Child::start(
        command
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out),
    )
}

/// Waits for the control socket and for the web port.
fn wait_until_ready(gate: &mut Child, folder: &Path, interrupts: &Interrupts) -> Result<()> {
    let web: SocketAddr = PORTS[1].parse()?;
    let start = Instant::now();
    let mut said = 0;
    while start.elapsed() < PATIENCE {
        if let Some(status) = gate.ended()? {
            bail!("gatehouse ended with {status}:\n{}", log(folder));
        }
        let socket = folder.join("state/control.sock").exists();
        if socket && TcpStream::connect_timeout(&web, Duration::from_millis(500)).is_ok() {
            return Ok(());
        }
        if interrupts.came() {
            bail!("interrupted");
        }
        if start.elapsed().as_secs() > said {
            said = start.elapsed().as_secs();
            say(&format!("    waiting for it, {said} s"));
        }
        thread::sleep(Duration::from_millis(100));
    }
    bail!(
        "gatehouse is not ready after {} s:\n{}",
        PATIENCE.as_secs(),
        log(folder)
    )
}

fn log(folder: &Path) -> String {
    fs::read_to_string(folder.join("gatehouse.log")).unwrap_or_default()
}

/// The lines a reader copies into a browser and into another terminal.
fn what_to_try(folder: &Path) -> String {
    let (program, state) = (gatehouse("debug"), folder.join("state"));
    let root = root(&state).unwrap_or_else(|| state.join("ca"));
    let (program, state, root) = (program.display(), state.display(), root.display());
    let file = folder.join("gatehouse.toml");
    let file = file.display();
    let hq = "https://hq.demo.localhost:8453";
    format!(
        "Open in a browser (its certificate is signed by the demo's own CA, so accept it once):
    {hq}/

In another terminal:
    # let through: a path of the configuration
    curl --cacert {root} {hq}/PBX0/APPS
    # refused: a path nobody wrote down; after 20 of these within a minute you are banned
    curl --cacert {root} {hq}/PBX0/SECRET
    # redirected: this host wants TLS
    curl --include http://app.demo.localhost:8090/welcome
    # what would happen, and why
    {program} explain {hq}/PBX0/ADMIN --state {state}
    # what is running; every decision with its reason, live; who is banned, and forgive
    {program} status --state {state}
    {program} log -f --state {state}
    {program} bans --state {state}
    {program} bans clear 127.0.0.1 --state {state}
    # change the configuration, then take it over
    {program} check {file}
    {program} reload --state {state}

The admin page: https://127.0.0.1:8443/
Ctrl-C ends everything."
    )
}

/// The root certificate of the box's own CA.
fn root(state: &Path) -> Option<PathBuf> {
    let files = fs::read_dir(state.join("ca"))
        .ok()?
        .flatten()
        .map(|entry| entry.path());
    files
        .into_iter()
        .find(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("BEGIN CERTIFICATE")))
}

/// A folder that goes when the demo ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("gatehouse-demo-{}", process::id()));
        fs::create_dir_all(&path).with_context(|| format!("{}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
