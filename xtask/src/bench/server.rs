//! A server as a child process on a core of its own.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::process;

/// How long a server may take until it listens.
const START: Duration = Duration::from_secs(30);
/// How long it may take to end before it is killed.
const END: Duration = Duration::from_secs(5);

/// A running server, ended when dropped.
pub(crate) struct Server {
    name: &'static str,
    port: u16,
    child: Child,
}

impl Server {
    /// Starts `command` on a core and waits until it listens at `address`; its output goes to a file in `dir`.
    ///
    /// # Errors
    /// When another listens there already, or it does not start; with what it wrote.
    pub(crate) fn start(
        name: &'static str,
        address: SocketAddr,
        core: usize,
        command: &[String],
        dir: &Path,
    ) -> Result<Self> {
        let is_open = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
        ensure!(!is_open(), "something listens at {address} already");
        let log = dir.join(format!("{name}.log"));
        let out = File::create(&log)?;
        let child = Command::new("taskset")
            .args(["-c", &core.to_string()])
            .args(command)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .spawn()
            .with_context(|| command.join(" "))?;
        let mut server = Self {
            name,
            port: address.port(),
            child,
        };
        let begin = Instant::now();
        while begin.elapsed() < START && server.child.try_wait()?.is_none() {
            if is_open() {
                return Ok(server);
            }
            thread::sleep(Duration::from_millis(50));
        }
        bail!(
            "{name} did not start:\n{}",
            fs::read_to_string(log).unwrap_or_default()
        )
    }

    /// As the table calls it.
    pub(crate) fn name(&self) -> &'static str {
        self.name
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// CPU time it and its children took until now.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.child.id())
    }

    /// Bytes of memory it and its children hold.
    pub(crate) fn memory(&self) -> Result<u64> {
        process::memory(self.child.id())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first: a server with children takes them along.
        let pid = i32::try_from(self.child.id()).expect("the kernel's pids fit into an i32");
        kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
        let start = Instant::now();
        while start.elapsed() < END && matches!(self.child.try_wait(), Ok(None)) {
            thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}
