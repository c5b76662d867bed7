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
    if let Err(error) = wait_until_ready(&mut gate, &folder.0, &interrupts) {
        gate.end(&interrupts)?;
        return Err(error);
    }
    say("4/4 ready\n");
    say(&what_to_try(&folder.0));
    loop {
        if interrupts.came() {
            say("\nending: sessions that are open have 10 s to finish, Ctrl-C again cuts them");
            gate.end(&interrupts)?;
            drop(folder);
            say("ended; nothing is left behind");
            return Ok(());
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
    let (state, file) = (folder.join("state"), folder.join("gatehouse.toml"));
    let programs = gatehouse("debug")
        .parent()
        .map(Path::to_path_buf)
        .unwrap_or_default();
    let (programs, state, file) = (programs.display(), state.display(), file.display());
    format!(
        "Open in a browser (its certificate is signed by the demo's own CA, so accept it once):
    https://hq.demo.localhost:8453/

In another terminal, first these:
    export GATEHOUSE_STATE={state} PATH={programs}:$PATH
    hq() {{ curl --silent --show-error --cacert $GATEHOUSE_STATE/ca/root.pem https://hq.demo.localhost:8453\"$1\"; }}

    hq /PBX0/APPS               # let through: a path of the configuration
    hq /PBX0/SECRET             # refused: nobody wrote it down; more than 20 of these in a minute are a ban
    curl --include http://app.demo.localhost:8090/welcome       # redirected: this host wants TLS
    gatehouse explain https://hq.demo.localhost:8453/PBX0/ADMIN # what would happen, and why
    gatehouse status            # what is running
    gatehouse log -f            # every decision with its reason, live
    gatehouse bans              # who is banned; and forgive:
    gatehouse bans clear --all
    gatehouse check {file}
    gatehouse reload            # takes over what you changed in that file

The admin page, with a certificate of the same CA: https://127.0.0.1:8443/
Ctrl-C ends everything."
    )
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
