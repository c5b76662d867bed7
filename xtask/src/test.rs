//! Everything that belongs to every change, one step after the other.

use std::fs;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::report::{Outcome, Report};
use crate::run::{cargo, has, is_root, listening, target_dir, visibly};
use crate::{cross, image, pages, prepare};

/// `cargo xtask test`.
///
/// # Errors
/// When a step failed; the summary names it.
pub(crate) fn run() -> Result<()> {
    let mut report = Report::default();
    prepare::everything(&mut report);
    report.step("format", || {
        done(visibly(&mut cargo(&["fmt", "--all", "--check"])))
    });
    let foreign = cross::lack();
    report.step("lints", || lints(foreign.is_none()));
    // With the same choice of packages and targets as the tests, so that each dependency is built once.
    let built = report.step("build", || {
        done(visibly(&mut cargo(&[
            "build",
            "--workspace",
            "--all-targets",
        ])))
    });
    if built {
        report.step("image", test_image);
        tests(&mut report)?;
        report.step("documentation", || documentation(foreign.is_none()));
        report.step("pages", pages);
    }
    report.step("aarch64", || match foreign {
        Some(lack) => Ok(Outcome::Skipped(lack)),
        None => done(cross::wire()),
    });
    report.step("dependencies", dependencies);
    report.step("advisories", || {
        Ok(Outcome::Skipped(
            "their database is on the network: `cargo deny check advisories` by hand".to_owned(),
        ))
    });
    report.finish()
}

/// Of all packages. What is built and run is for this machine; checking the sources for the other architecture has both look at them, at the
/// price of one.
fn lints(foreign: bool) -> Result<Outcome> {
    let mut command = if foreign {
        cross::checked("clippy")
    } else {
        cargo(&["clippy"])
    };
    command.args(["--workspace", "--all-targets", "--keep-going"]);
    done(visibly(command.args(["--", "-D", "warnings"])))
}

/// The image that the tests in the virtual machine start.
fn test_image() -> Result<Outcome> {
    for program in ["apt-get", "dpkg-deb", "mke2fs", "qemu-system-x86_64"] {
        if !has(program) {
            return Ok(Outcome::Skipped(format!("{program} is not installed")));
        }
    }
    done(image::for_tests())
}

/// What the operator's browser runs.
fn pages() -> Result<Outcome> {
    match pages::lack() {
        Some(lack) => Ok(Outcome::Skipped(lack)),
        None => done(pages::check()),
    }
}

/// Unit, tidy, staleness and lab tests in one run; then the list of what was skipped.
fn tests(report: &mut Report) -> Result<()> {
    let skips = target_dir().join("skips.txt");
    fs::remove_file(&skips).ok();
    let mut said = String::new();
    report.step("tests", || {
        let mut command = cargo(&["nextest", "run", "--workspace", "--no-fail-fast"]);
        let (all, passed) = listening(command.env("GATEHOUSE_SKIPS", &skips))?;
        said = all;
        ensure!(passed, "see the runner's lines below");
        Ok(Outcome::Passed)
    });
    for line in said.lines().skip_while(|line| !line.contains("Summary [")) {
        report.note(line);
    }
    skipped(report, &skips)
}

fn skipped(report: &mut Report, list: &Path) -> Result<()> {
    let text = if list.exists() {
        fs::read_to_string(list)?
    } else {
        String::new()
    };
    let mut lines: Vec<&str> = text.lines().collect();
    lines.sort_unstable();
    if !is_root() && !lines.is_empty() {
        report.note(format!(
            "{} lab tests skipped: network namespaces need root",
            lines.len()
        ));
        return Ok(());
    }
    for line in lines {
        report.note(format!("     skipped: {line}"));
    }
    Ok(())
}

/// Examples in the documentation run, and its links lead somewhere. What it needs to know of other packages the lints have found out.
fn documentation(foreign: bool) -> Result<Outcome> {
    visibly(&mut cargo(&["test", "--doc", "--workspace", "--quiet"]))?;
    let mut command = if foreign {
        cross::checked("doc")
    } else {
        cargo(&["doc"])
    };
    command.args(["--workspace", "--no-deps", "--document-private-items"]);
    command.args(["--keep-going", "--quiet"]);
    done(visibly(command.env("RUSTDOCFLAGS", "--deny warnings")))
}

/// Licences, sources and banned crates; none of it needs the network.
fn dependencies() -> Result<Outcome> {
    if !prepare::has_tool("deny") {
        return Ok(Outcome::Skipped("cargo-deny is not installed".to_owned()));
    }
    let arguments = [
        "deny",
        "--offline",
        "check",
        "--hide-inclusion-graph",
        "licenses",
        "bans",
        "sources",
    ];
    done(visibly(&mut cargo(&arguments)))
}

fn done(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Passed)
}
