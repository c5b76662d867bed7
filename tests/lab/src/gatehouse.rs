//! Gatehouse itself, started and asked as an operator would.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, sync::PoisonError};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::{Authority, Lab, Output, Place, Process, process, wait_until};

/// A running box.
pub struct Gatehouse<'lab> {
    lab: &'lab Lab,
    process: Mutex<Process>,
    program: PathBuf,
    file: PathBuf,
    state: PathBuf,
    options: Vec<String>,
}

impl<'lab> Gatehouse<'lab> {
    /// Starts it at [`Place::Gate`] with `configuration` and an empty state folder, and waits until it answers.
    ///
    /// Secrets that the configuration names are set before, to a word that is no key of anything.
    pub fn start(lab: &'lab Lab, configuration: &str) -> Result<Self> {
        Self::start_with(lab, configuration, &[])
    }

    /// The same with more `options` for `gatehouse run`.
    pub fn start_with(lab: &'lab Lab, configuration: &str, options: &[&str]) -> Result<Self> {
        let options: Vec<String> = options.iter().map(ToString::to_string).collect();
        let (program, file, state) = (
            program()?,
            lab.dir().join("gatehouse.toml"),
            lab.dir().join("state"),
        );
        fs::write(&file, configuration)?;
        // The one file that a contract names: whoever has no need of its certificates need not make it.
        let devices = "innovaphone-devices";
        let is_made = lab.dir().join(format!("{devices}.pem")).exists();
        if configuration.contains(devices) && !is_made {
            Authority::make(lab, devices)?;
        }
        let word = lab.dir().join("word");
        fs::write(&word, "a word of the lab")?;
        for name in secrets(configuration) {
            reading(lab, &program, &["secret", "set", name], &state, &word)?;
        }
        let process = Mutex::new(spawn(lab, &program, &file, &state, &options)?);
        let gate = Self {
            lab,
            process,
            program,
            file,
            state,
            options,
        };
        gate.wait_until_ready()?;
        Ok(gate)
    }

    /// Starts it again after it has ended, with the same file and state.
    pub fn start_again(&self) -> Result<()> {
        let process = spawn(
            self.lab,
            &self.program,
            &self.file,
            &self.state,
            &self.options,
        )?;
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = process;
        self.wait_until_ready()
    }

    /// Runs `gatehouse ARGUMENTS --state …` and returns what it said.
    pub fn command(&self, arguments: &[&str]) -> Result<Output> {
        let (program, state) = (
            self.program.display().to_string(),
            self.state.display().to_string(),
        );
        let mut command = vec![program.as_str()];
        command.extend(arguments);
        command.extend(["--state", &state]);
        self.lab.run(Place::Gate, &command)
    }

    /// The same without `--state`, so that the command knows nothing of the box.
    pub fn alone(&self, arguments: &[&str]) -> Result<Output> {
        let program = self.program.display().to_string();
        self.lab
            .run(Place::Gate, &[&[program.as_str()], arguments].concat())
    }

    /// The same for a command that must succeed; its standard output.
    pub fn ok(&self, arguments: &[&str]) -> Result<String> {
        self.command(arguments)?
            .success()
            .with_context(|| format!("gatehouse {}", arguments.join(" ")))
    }

    /// The same with a file as standard input.
    pub fn ok_reading(&self, arguments: &[&str], input: &Path) -> Result<String> {
        reading(self.lab, &self.program, arguments, &self.state, input)
    }

    /// The same for a command that prints JSON.
    pub fn json(&self, arguments: &[&str]) -> Result<Value> {
        let mut all = arguments.to_vec();
        all.push("--json");
        let text = self.ok(&all)?;
        serde_json::from_str(&text).with_context(|| text)
    }

    /// The value of a series of `gatehouse metrics`, written as there: `name` or `name{label="value"}`.
    ///
    /// # Errors
    /// When there is no such series, with everything that there is.
    pub fn metric(&self, series: &str) -> Result<u64> {
        let text = self.ok(&["metrics"])?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
            .with_context(|| format!("{series} is not in\n{text}"))?;
        value.trim().parse().with_context(|| value.to_owned())
    }

    /// Follows the log in the background: `gatehouse log -f`.
    pub fn follow_log(&self, arguments: &[&str]) -> Result<Process> {
        let (program, state) = (
            self.program.display().to_string(),
            self.state.display().to_string(),
        );
        let mut command = vec![program.as_str(), "log", "-f", "--state", &state];
        command.extend(arguments);
        self.lab.spawn(Place::Gate, "operator", &command)
    }

    /// The configuration file it was started with.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Its state folder.
    pub fn state(&self) -> &Path {
        &self.state
    }

    /// Writes another configuration to its file, and nothing more.
    pub fn write(&self, configuration: &str) -> Result<()> {
        Ok(fs::write(&self.file, configuration)?)
    }

    /// The root certificate of the box's own CA, which signs for hosts that have no certificate yet.
    pub fn root(&self) -> Result<PathBuf> {
        let root = self.state.join("ca/root.pem");
        ensure!(root.is_file(), "{} is missing", root.display());
        Ok(root)
    }

    /// The pid of the supervisor.
    pub fn supervisor(&self) -> u32 {
        self.process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .id()
    }

    /// The pid of a child by its role, `edge` or `admin`; waits until there is one.
    pub fn child(&self, role: &str) -> Result<u32> {
        let supervisor = self.supervisor();
        let mut found = None;
        wait_until(&format!("the process {role}"), || {
            found = children(supervisor)?
                .into_iter()
                .find(|pid| command_line(*pid).contains(role));
            Ok(found.is_some())
        })?;
        found.context("waited for")
    }

    /// Sends a signal to a child by its role, and returns the pid it had.
    pub fn signal_child(&self, role: &str, signal: Signal) -> Result<u32> {
        let pid = self.child(role)?;
        process::send(pid, signal)?;
        Ok(pid)
    }

    /// Waits until the child of that role is another process than `before`.
    pub fn wait_for_successor(&self, role: &str, before: u32) -> Result<u32> {
        let mut successor = before;
        wait_until(&format!("another process {role}"), || {
            successor = self.child(role)?;
            Ok(successor != before)
        })?;
        Ok(successor)
    }

    /// Sends a signal to the supervisor.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        self.process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .signal(signal)
    }

    /// Waits until the supervisor has ended; its exit code.
    pub fn wait(&self) -> Result<Option<i32>> {
        Ok(self
            .process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .wait()?
            .code())
    }

    /// What it wrote to its standard output and error.
    pub fn output(&self) -> String {
        self.process
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .log()
    }

    fn wait_until_ready(&self) -> Result<()> {
        wait_until("the control socket", || {
            if !self
                .process
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .runs()?
            {
                bail!("gatehouse ended at once:\n{}", self.output());
            }
            Ok(self.command(&["status"])?.code == Some(0))
        })?;
        self.child("edge").map(drop)
    }
}

fn spawn(
    lab: &Lab,
    program: &Path,
    file: &Path,
    state: &Path,
    options: &[String],
) -> Result<Process> {
    let [program, file, state] = [program, file, state].map(|path| path.display().to_string());
    let mut command = vec![
        program.as_str(),
        "run",
        "--config",
        &file,
        "--state",
        &state,
    ];
    command.extend(options.iter().map(String::as_str));
    lab.spawn(Place::Gate, "gatehouse", &command)
}

/// Runs a command with a file as its standard input.
fn reading(
    lab: &Lab,
    program: &Path,
    arguments: &[&str],
    state: &Path,
    input: &Path,
) -> Result<String> {
    let (words, program, state) = (arguments.join(" "), program.display(), state.display());
    let line = format!("{program} {words} --state {state} < {}", input.display());
    lab.run(Place::Gate, &["sh", "-c", &line])?
        .success()
        .context(line)
}

/// The names of the secrets a configuration refers to: `{ secret = "name" }`.
fn secrets(configuration: &str) -> Vec<&str> {
    let after = configuration.split("secret = \"").skip(1);
    after.filter_map(|rest| rest.split('"').next()).collect()
}

/// The binary built beside this test, or the one `GATEHOUSE_BINARY` names.
///
/// # Errors
/// When it is not there: `cargo xtask lab` and `cargo xtask test` build it first.
pub fn program() -> Result<PathBuf> {
    if let Some(path) = env::var_os("GATEHOUSE_BINARY") {
        return Ok(path.into());
    }
    let test = env::current_exe()?;
    let profile = test
        .ancestors()
        .nth(2)
        .context("a test lies in target/TRIPLE/PROFILE/deps")?;
    let path = profile.join("gatehouse");
    ensure!(
        path.is_file(),
        "{} is missing: `cargo build -p gatehouse` first",
        path.display()
    );
    Ok(path)
}

/// schemathesis, where `cargo xtask test` puts it: in the folder of what is built.
pub fn schemathesis() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    let target = test.ancestors().nth(4)?;
    Some(target.join("schemathesis/bin/schemathesis"))
}

/// Where a report of another program is kept: `reports/NAME` in the folder of what is built.
pub fn report_file(name: &str) -> Result<PathBuf> {
    let test = env::current_exe()?;
    let target = test.ancestors().nth(4);
    let folder = target
        .context("a test lies in target/TRIPLE/PROFILE/deps")?
        .join("reports");
    fs::create_dir_all(&folder)?;
    Ok(folder.join(name))
}

/// The direct children of a process.
fn children(pid: u32) -> Result<Vec<u32>> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .with_context(|| format!("process {pid} is gone"))?
        .flatten()
    {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(
            list.split_whitespace()
                .filter_map(|text| text.parse::<u32>().ok()),
        );
    }
    Ok(found)
}

/// The arguments of a process, without the path of the program; empty when it is gone.
fn command_line(pid: u32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes).replace('\0', " ");
    let title = text
        .split_once(' ')
        .map(|(_, rest)| rest.to_owned())
        .unwrap_or_default();
    // A child may be told its role by its name instead of by an argument.
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    format!("{title} {name}")
}
