//! Installs what the tests need and this machine lacks: Debian packages, an npm package, a Python package, cargo tools.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::pages;
use crate::report::{Outcome, Report};
use crate::run::{cargo, has, is_root, quietly, repository, say, target_dir, visibly};

/// A program the tests call, and the Debian package it comes from.
const PROGRAMS: &[(&str, &str)] = &[
    ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    ("certutil", "libnss3-tools"),
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("dig", "bind9-dnsutils"),
    ("dnsmasq", "dnsmasq-base"),
    ("freeradius", "freeradius"),
    ("h2load", "nghttp2-client"),
    ("haproxy", "haproxy"),
    ("ip", "iproute2"),
    ("ldapadd", "ldap-utils"),
    ("mke2fs", "e2fsprogs"),
    ("named", "bind9"),
    ("nft", "nftables"),
    ("nginx", "nginx-light"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("openssl", "openssl"),
    ("pebble", "pebble"),
    ("python3", "python3"),
    ("qemu-aarch64-static", "qemu-user-static"),
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("slapd", "slapd"),
    ("slowhttptest", "slowhttptest"),
    ("sslscan", "sslscan"),
    ("testssl", "testssl.sh"),
    ("wrk", "wrk"),
    ("xz", "xz-utils"),
];

/// A file that is no program, and the Debian package it comes from.
const FILES: &[(&str, &str)] = &[
    ("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross"),
    ("/usr/share/OVMF/OVMF_CODE_4M.fd", "ovmf"),
];

/// Modules of Python that the lab's own peers use, each in the Debian package `python3-MODULE`.
const MODULES: &[&str] = &["hpack", "hyperframe", "websockets"];

/// A cargo tool: its subcommand and the version that is installed where it is missing.
struct Tool {
    name: &'static str,
    version: &'static str,
    features: bool,
}

/// Built without optimisation: a third of the time, and they run for seconds.
const TOOLS: &[Tool] = &[
    Tool {
        name: "nextest",
        version: "0.9.143",
        features: true,
    },
    // Without defaults it leaves out what fetches the advisory database.
    Tool {
        name: "deny",
        version: "0.20.2",
        features: false,
    },
];

/// What reads the document of the control API and asks everything in it; in a folder of its own, since Debian has no package of it.
const SCHEMATHESIS: &str = "4.32.5";

/// All of it, as steps of a report.
pub(crate) fn everything(report: &mut Report) {
    report.step("Debian packages", debian);
    report.step("npm packages", npm);
    report.step("Python packages", python);
    report.step("cargo tools", tools);
}

fn debian() -> Result<Outcome> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !has(program))
        .map(|(_, package)| *package)
        .collect();
    let modules: Vec<String> = MODULES
        .iter()
        .filter(|module| {
            let import = format!("import {module}");
            quietly(Command::new("/usr/bin/python3").args(["-c", &import])).is_none()
        })
        .map(|module| format!("python3-{module}"))
        .collect();
    missing.extend(modules.iter().map(String::as_str));
    if !has_venv() {
        missing.push("python3-venv");
    }
    let files = FILES.iter().filter(|(file, _)| !Path::new(file).exists());
    missing.extend(files.map(|(_, package)| *package));
    if missing.is_empty() {
        say("nothing is missing");
        return Ok(Outcome::Passed);
    }
    let list = missing.join(" ");
    if !is_root() {
        return Ok(Outcome::Skipped(format!(
            "not root; what needs them is skipped: {list}"
        )));
    }
    if !has("apt-get") {
        return Ok(Outcome::Skipped(format!(
            "no apt-get here; what needs them is skipped: {list}"
        )));
    }
    if missing.contains(&"slapd") {
        // Without a directory of its own it does not start: tests run theirs.
        let mut answer = Command::new("sh");
        answer.args([
            "-c",
            "echo slapd slapd/no_configuration boolean true | debconf-set-selections",
        ]);
        visibly(&mut answer)?;
    }
    // Another apt may be at work: wait for it instead of failing.
    let lock = ["-o", "DPkg::Lock::Timeout=1200"];
    visibly(apt().args(lock).arg("update"))?;
    visibly(
        apt()
            .args(lock)
            .args(["install", "--yes", "--no-install-recommends"])
            .args(&missing),
    )?;
    Ok(Outcome::Passed)
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .arg("--quiet");
    command
}

fn npm() -> Result<Outcome> {
    if !has("npm") {
        return Ok(Outcome::Skipped(
            "npm is not installed; tests with a browser are skipped".to_owned(),
        ));
    }
    for folder in [repository().join("tests/lab/node"), pages::source()] {
        npm_in(&folder)?;
    }
    Ok(Outcome::Passed)
}

/// Nothing that a package brings along is run while it is installed.
fn npm_in(dir: &Path) -> Result<()> {
    // npm notes in the folder what it has installed; a lock file that is older says nothing has changed.
    let installed = dir.join("node_modules/.package-lock.json");
    let age = |path: &Path| path.metadata().and_then(|about| about.modified()).ok();
    if age(&installed).is_some_and(|time| Some(time) >= age(&dir.join("package-lock.json"))) {
        say("nothing is missing");
        return Ok(());
    }
    visibly(
        Command::new("npm")
            .args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"])
            .current_dir(dir),
    )
}

fn python() -> Result<Outcome> {
    let folder = target_dir().join("schemathesis");
    let version = format!("version {SCHEMATHESIS}");
    let mut ask = Command::new(folder.join("bin/schemathesis"));
    if quietly(ask.arg("--version")).is_some_and(|said| said.contains(&version)) {
        say("nothing is missing");
        return Ok(Outcome::Passed);
    }
    if !has_venv() {
        return Ok(Outcome::Skipped(
            "python3-venv is not installed; the test with schemathesis is skipped".to_owned(),
        ));
    }
    visibly(
        Command::new("python3")
            .args(["-m", "venv", "--clear"])
            .arg(&folder),
    )?;
    let package = format!("schemathesis=={SCHEMATHESIS}");
    visibly(Command::new(folder.join("bin/pip")).args(["install", "--quiet", &package]))?;
    Ok(Outcome::Passed)
}

/// Whether Python can make a folder with packages of its own.
fn has_venv() -> bool {
    quietly(Command::new("python3").args(["-c", "import ensurepip"])).is_some()
}

fn tools() -> Result<Outcome> {
    for tool in TOOLS {
        if has_tool(tool.name) {
            continue;
        }
        let name = format!("cargo-{}@{}", tool.name, tool.version);
        let mut command = cargo(&["install", "--locked", "--debug", &name]);
        if !tool.features {
            command.arg("--no-default-features");
        }
        // From above the project: they are not to be built as .cargo/config.toml has it.
        command.current_dir("/").env("CARGO_PROFILE_DEV_DEBUG", "0");
        visibly(&mut command)?;
    }
    Ok(Outcome::Passed)
}

/// Whether `cargo NAME` works.
pub(crate) fn has_tool(name: &str) -> bool {
    quietly(&mut cargo(&[name, "--version"])).is_some()
}
