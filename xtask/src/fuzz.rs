//! Every fuzz target for a while, each from its kept corpus.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::prepare::has_tool;
use crate::report::Outcome;
use crate::run::{quietly, repository, say, visibly};

/// Where the targets are, seen from the top.
const DIR: &str = "tests/fuzz";

/// `cargo xtask fuzz`.
///
/// # Errors
/// When a target fails, or when fuzzing is not possible here.
pub(crate) fn run(seconds: u32) -> Result<()> {
    match all(seconds)? {
        Outcome::Passed => Ok(()),
        Outcome::Skipped(why) => bail!("{why}"),
    }
}

/// Every target for so many seconds.
pub(crate) fn all(seconds: u32) -> Result<Outcome> {
    let targets = targets()?;
    if targets.is_empty() {
        return Ok(Outcome::Skipped(format!("no targets in {DIR}")));
    }
    if !has_tool("fuzz") {
        return Ok(Outcome::Skipped("cargo-fuzz is not installed".to_owned()));
    }
    if quietly(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_none() {
        return Ok(Outcome::Skipped(
            "there is no nightly toolchain, which libFuzzer needs".to_owned(),
        ));
    }
    for target in &targets {
        one(target, seconds).with_context(|| format!("fuzz target {target}"))?;
    }
    say(&format!(
        "{} targets, {seconds} s each, no finding",
        targets.len()
    ));
    Ok(Outcome::Passed)
}

fn one(target: &str, seconds: u32) -> Result<()> {
    // New inputs go to a folder beside the build; what is worth keeping is copied to the corpus by hand.
    let found = crate::run::target_dir().join("fuzz").join(target);
    fs::create_dir_all(&found)?;
    let kept = repository().join(DIR).join("corpus").join(target);
    let mut command = Command::new("cargo");
    command
        .args(["+nightly", "fuzz", "run", "--fuzz-dir", DIR, target])
        .arg(&found);
    if kept.is_dir() {
        command.arg(&kept);
    }
    command
        .arg("--")
        .arg(format!("-max_total_time={seconds}"))
        .args(["-timeout=10", "-rss_limit_mb=2048", "-verbosity=0"]);
    // cargo sets variables for this program that would lead the other toolchain astray.
    command
        .env_remove("CARGO")
        .env_remove("RUSTUP_TOOLCHAIN")
        .current_dir(repository());
    visibly(&mut command)
}

/// The names of the targets, from the folder cargo-fuzz keeps them in.
fn targets() -> Result<Vec<String>> {
    let dir = repository().join(DIR).join("fuzz_targets");
    if !dir.is_dir() {
        return Ok(Vec::new());
    }
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir)? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "rs") {
            let name = path.file_stem().and_then(|stem| stem.to_str());
            names.push(
                name.with_context(|| format!("{}: no name", path.display()))?
                    .to_owned(),
            );
        }
    }
    names.sort();
    ensure!(!names.is_empty(), "{} holds no target", dir.display());
    Ok(names)
}
