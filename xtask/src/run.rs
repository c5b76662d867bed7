//! Running other programs so that the reader sees what happens.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, io};

use anyhow::{Context, Result, ensure};

/// Prints a line of our own; those of other programs are theirs.
pub(crate) fn say(line: &str) {
    // A closed pipe (`cargo xtask … | head`) is the reader's choice and no reason to end.
    writeln!(io::stdout(), "{line}").ok();
}

/// The folder of the whole project.
pub(crate) fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("xtask is one folder below the top")
        .to_owned()
}

/// What this machine builds for itself; `.cargo/config.toml` has cargo take it for a target like any other.
pub(crate) fn host() -> String {
    format!("{}-unknown-linux-gnu", env::consts::ARCH)
}

/// Where cargo puts what it builds.
pub(crate) fn target_dir() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| repository().join("target"), PathBuf::from)
}

/// The binary of a build profile (the name of its folder); it is built by whoever asks.
pub(crate) fn gatehouse(profile: &str) -> PathBuf {
    target_dir().join(host()).join(profile).join("gatehouse")
}

/// `cargo ARGUMENTS` at the top of the project, with the toolchain that built this program.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(repository());
    command
}

/// Runs a command whose output the reader sees.
///
/// # Errors
/// When it can not be started or does not succeed.
pub(crate) fn visibly(command: &mut Command) -> Result<()> {
    let text = text(command);
    say(&format!("$ {text}"));
    let status = command.status().with_context(|| text.clone())?;
    ensure!(status.success(), "`{text}` ended with {status}");
    Ok(())
}

/// Runs a command whose output the reader sees, and returns what it wrote to standard error.
///
/// # Errors
/// When it can not be started. Whether it succeeded is the second value.
pub(crate) fn listening(command: &mut Command) -> Result<(String, bool)> {
    let text = text(command);
    say(&format!("$ {text}"));
    let mut child = command
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| text.clone())?;
    let mut said = String::new();
    for line in BufReader::new(child.stderr.take().expect("stderr is piped")).lines() {
        let line = line?;
        writeln!(io::stderr(), "{line}").ok();
        said += &line;
        said.push('\n');
    }
    Ok((said, child.wait()?.success()))
}

/// Runs a command silently and returns its standard output; `None` when it is missing or fails.
pub(crate) fn quietly(command: &mut Command) -> Option<String> {
    let out = command.stdin(Stdio::null()).output().ok()?;
    out.status
        .success()
        .then(|| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Whether a program is found; the folders of root are looked at even if `PATH` leaves them out.
pub(crate) fn has(program: &str) -> bool {
    let path = env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|dir| Path::new(dir).join(program).is_file())
}

/// Whether this is the superuser.
pub(crate) fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

fn text(command: &Command) -> String {
    let program = Path::new(command.get_program())
        .file_name()
        .unwrap_or_default();
    let words = command
        .get_args()
        .map(|word| word.to_string_lossy().into_owned());
    [program.to_string_lossy().into_owned()]
        .into_iter()
        .chain(words)
        .collect::<Vec<_>>()
        .join(" ")
}
