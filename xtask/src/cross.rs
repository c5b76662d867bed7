//! Building for boards of another architecture, and trying what was built, instruction by instruction.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{cargo, has, quietly, repository, say, target_dir, visibly};

/// The only target so far that machines which build Gatehouse usually are not.
const TARGET: &str = "aarch64-unknown-linux-gnu";
/// What runs programs of that target.
const EMULATOR: &str = "qemu-aarch64-static";
/// Debian's compiler for it.
const COMPILER: &str = "aarch64-linux-gnu-gcc";
const ARCHIVER: &str = "aarch64-linux-gnu-ar";

/// What the compiler is told so that the binary needs nothing of the machine it runs on.
pub(crate) fn flags() -> Vec<String> {
    [
        "-Ctarget-feature=+crt-static",
        // Otherwise random numbers are looked for by a name of the C library that a static program does not find, then in a
        // file that a process that is shut in can not open.
        "--cfg=getrandom_backend=\"linux_getrandom\"",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// Lets a `cargo build --target TARGET` find the tools for it.
pub(crate) fn with_tools<'a>(command: &'a mut Command, target: &str) -> &'a mut Command {
    if target == TARGET && !cfg!(target_arch = "aarch64") {
        let upper = target.replace('-', "_").to_uppercase();
        let lower = target.replace('-', "_");
        command
            .env(format!("CARGO_TARGET_{upper}_LINKER"), COMPILER)
            .env(format!("CARGO_TARGET_{upper}_RUNNER"), EMULATOR)
            .env(format!("CC_{lower}"), COMPILER)
            .env(format!("AR_{lower}"), ARCHIVER);
    }
    command
}

/// `cargo COMMAND` for it, of a command that only looks at the sources.
pub(crate) fn checked(command: &str) -> Command {
    let mut command = cargo(&[command, "--target", TARGET]);
    with_tools(&mut command, TARGET);
    // Some packages compile C even then, and nobody runs it.
    command.env(format!("CFLAGS_{}", TARGET.replace('-', "_")), "-O0");
    command
}

/// Runs the tests of what reads the wire.
///
/// # Errors
/// They fail there.
pub(crate) fn wire() -> Result<()> {
    let mut command = cargo(&["test", "--package", "proto", "--lib", "--quiet"]);
    visibly(with_tools(command.args(["--target", TARGET]), TARGET))
}

/// Builds the binary for aarch64 and has it do what needs no kernel of its own; runs the tests of what reads the wire.
///
/// # Errors
/// It can not be built, or does something else there than here.
pub(crate) fn run() -> Result<()> {
    if let Some(lack) = lack() {
        bail!("{lack}");
    }
    let folder = target_dir().join("cross");
    visibly(&mut plain(&folder, &["build", "--package", "gatehouse"]))?;
    visibly(&mut plain(
        &folder,
        &["test", "--package", "proto", "--lib", "--quiet"],
    ))?;
    let binary = folder.join(TARGET).join("debug/gatehouse");
    for file in configurations()? {
        ran(&binary, &["check", &file.display().to_string()])?;
    }
    let file = repository().join("configs/innovaphone.toml");
    let url = "https://hq.dvl-ckl2.net/PBX0/APPS";
    let said = ran(
        &binary,
        &["explain", url, "--config", &file.display().to_string()],
    )?;
    ensure!(
        said.contains("172.31.31.2"),
        "it explains something else: {said}"
    );
    say(&format!("{TARGET}: the binary runs"));
    Ok(())
}

/// What is missing here for it.
pub(crate) fn lack() -> Option<String> {
    let missing = [COMPILER, EMULATOR].into_iter().find(|name| !has(name));
    if let Some(program) = missing {
        return Some(format!("{program} is not installed"));
    }
    let text =
        format!("no standard library for {TARGET} is to be had: `rustup target add {TARGET}`");
    (!has_target()).then_some(text)
}

/// Whether there is a standard library for it; it is fetched where it is missing and can be had.
fn has_target() -> bool {
    let mut add = Command::new("rustup");
    quietly(
        add.args(["target", "add", TARGET])
            .current_dir(repository()),
    )
    .is_some()
}

/// Quickly built, since it is only tried.
fn plain(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = cargo(arguments);
    command
        .args(["--locked", "--target", TARGET])
        .env("CARGO_TARGET_DIR", folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags().join("\u{1f}"))
        .env("CARGO_PROFILE_DEV_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_INCREMENTAL", "0");
    with_tools(&mut command, TARGET);
    command
}

fn configurations() -> Result<Vec<PathBuf>> {
    let folder = repository().join("configs");
    let files = folder.read_dir().context("configs")?.flatten();
    let files = files.map(|file| file.path());
    let mut files: Vec<_> = files
        .filter(|file| file.extension().is_some_and(|end| end == "toml"))
        .collect();
    files.sort();
    ensure!(!files.is_empty(), "there is no configuration to check");
    Ok(files)
}

/// Runs the binary in the emulator; what it said.
fn ran(binary: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(EMULATOR);
    let said = quietly(command.arg(binary).args(arguments));
    said.with_context(|| format!("`gatehouse {}` fails on {TARGET}", arguments.join(" ")))
}
