//! libFuzzer looks for what the tests do not find: every fuzz target for a while, each from its kept corpus.

use std::fs;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::prepare::has_tool;
use crate::run::{quietly, repository, say, visibly};

/// Where the programs of the targets are, seen from the top.
const DIR: &str = "tests/fuzz/libfuzzer";
/// What is kept for each target.
const CORPUS: &str = "tests/fuzz/corpus";

/// `cargo xtask fuzz`.
///
/// # Errors
/// When a target fails, or when fuzzing is not possible here.
pub(crate) fn run(seconds: u32) -> Result<()> {
    let targets = targets()?;
    ensure!(
        has_tool("fuzz"),
        "cargo-fuzz is missing: `cargo install cargo-fuzz`"
    );
    ensure!(
        quietly(Command::new("rustup").args(["run", "nightly", "rustc", "--version"])).is_some(),
        "libFuzzer needs a nightly toolchain: `rustup toolchain install nightly`"
    );
    for target in &targets {
        one(target, seconds).with_context(|| format!("fuzz target {target}"))?;
    }
    say(&format!(
        "{} targets, {seconds} s each, no finding",
        targets.len()
    ));
    Ok(())
}

fn one(target: &str, seconds: u32) -> Result<()> {
    // New inputs go to a folder beside the build; what is worth keeping is copied to the corpus by hand.
    let found = crate::run::target_dir().join("fuzz").join(target);
    fs::create_dir_all(&found)?;
    let kept = repository().join(CORPUS).join(target);
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
    let mut names = Vec::new();
    for entry in fs::read_dir(&dir).with_context(|| dir.display().to_string())? {
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
