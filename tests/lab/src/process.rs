//! Programs inside namespaces: long-running ones with a log, short ones with their output.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::wait_until;

/// A running program; killed when dropped.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` in a namespace, output appended to the file `log`.
    pub(crate) fn spawn(namespace: &str, log: &Path, command: &[&str]) -> Result<Self> {
        let file = File::options().create(true).append(true).open(log)?;
        // `ip netns exec` becomes the program, so that the pid is the program's own.
        let child = Command::new("ip")
            .args(["netns", "exec", namespace])
            .args(command)
            .stdin(Stdio::piped())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| command.join(" "))?;
        Ok(Self {
            child,
            log: log.to_owned(),
        })
    }

    /// The pid.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Everything it said until now.
    pub fn log(&self) -> String {
        fs::read(&self.log)
            .map(|text| String::from_utf8_lossy(&text).into_owned())
            .unwrap_or_default()
    }

    /// Waits until its log holds `text`; fails at once when it ends before.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        wait_until(&format!("{text:?} in {}", self.log.display()), || {
            let said = self.log();
            if said.contains(text) {
                return Ok(true);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("ended with {status} before it said {text:?}:\n{said}");
            }
            Ok(false)
        })
    }

    /// Writes a line to its standard input.
    pub(crate) fn tell(&mut self, line: &str) -> Result<()> {
        let input = self.child.stdin.as_mut().context("its input is closed")?;
        Ok(writeln!(input, "{line}")?)
    }

    /// Closes its standard input: how some of the lab's own peers are told to finish.
    pub fn close_input(&mut self) {
        self.child.stdin.take();
    }

    /// Sends a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(send(self.id(), signal)?)
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> Result<ExitStatus> {
        let mut status = None;
        wait_until(&format!("the end of {}", self.log.display()), || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        })?;
        status.context("waited for")
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a program that has ended said.
#[derive(Debug)]
pub struct Output {
    /// Its exit code; `None` if a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Output {
    /// Runs `command` in a namespace to its end, at most for `patience`.
    pub(crate) fn of(namespace: &str, command: &[&str], patience: Duration) -> Result<Self> {
        let seconds = patience.as_secs().to_string();
        let out = Command::new("ip")
            .args(["netns", "exec", namespace, "timeout", "-k", "5", &seconds])
            .args(command)
            .stdin(Stdio::null())
            .output()
            .with_context(|| command.join(" "))?;
        Ok(Self {
            code: out.status.code(),
            stdout: String::from_utf8_lossy(&out.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&out.stderr).into_owned(),
        })
    }

    /// Standard output of a program that must have succeeded.
    ///
    /// # Errors
    /// When its exit code is not 0, with everything it said.
    pub fn success(self) -> Result<String> {
        ensure!(
            self.code == Some(0),
            "exit code {:?}\n{}\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        Ok(self.stdout)
    }
}

/// Sends a signal to a process that the lab, or a program of the lab, started.
pub(crate) fn send(pid: u32, signal: Signal) -> nix::Result<()> {
    let pid = i32::try_from(pid).expect("the kernel's pids fit into an i32");
    kill(Pid::from_raw(pid), signal)
}
