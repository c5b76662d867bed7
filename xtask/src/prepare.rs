//! Installs what the tests need and this machine lacks: Debian packages, npm and Python packages, programs of another suite, cargo tools.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use crate::pages;
use crate::report::{Outcome, Report};
use crate::run::{cargo, has, is_root, quietly, repository, say, target_dir, visibly};
use crate::suite;

/// A program the tests call, and the Debian package it comes from.
const PROGRAMS: &[(&str, &str)] = &[
    ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
    ("baresip", "baresip-core"),
    ("certutil", "libnss3-tools"),
    ("chromium", "chromium"),
    ("curl", "curl"),
    ("dig", "bind9-dnsutils"),
    ("dnsmasq", "dnsmasq-base"),
    ("freeradius", "freeradius"),
    ("h2load", "nghttp2-client"),
    ("haproxy", "haproxy"),
    ("ip", "iproute2"),
    ("kamailio", "kamailio"),
    ("ldapadd", "ldap-utils"),
    ("linphonec", "linphone-cli"),
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
    ("sipp", "sip-tester"),
    ("slapd", "slapd"),
    ("slowhttptest", "slowhttptest"),
    ("sslscan", "sslscan"),
    ("svmap", "sipvicious"),
    ("testssl", "testssl.sh"),
    ("text2pcap", "wireshark-common"),
    ("tshark", "tshark"),
    ("wrk", "wrk"),
    ("xz", "xz-utils"),
];

/// A file that is no program, and the Debian package it comes from.
const FILES: &[(&str, &str)] = &[
    ("/usr/aarch64-linux-gnu/lib/libc.a", "libc6-dev-arm64-cross"),
    (
        "/usr/lib/x86_64-linux-gnu/kamailio/modules/tls.so",
        "kamailio-tls-modules",
    ),
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

/// Python packages that Debian lacks, and the version that is installed: each in a folder of its own, `target/NAME`. The first reads the
/// document of the control API and asks everything in it, the other makes and reads messages of H.323.
const PACKAGES: &[(&str, &str)] = &[("schemathesis", "4.32.5"), ("pycrate", "0.8.1")];

/// `cargo xtask prepare`.
///
/// # Errors
/// When something can not be installed.
pub(crate) fn run() -> Result<()> {
    let mut report = Report::default();
    everything(&mut report);
    report.finish()
}

/// All of it, as steps of a report.
pub(crate) fn everything(report: &mut Report) {
    report.step("Debian packages", debian);
    report.step("npm packages", npm);
    report.step("Python packages", python);
    report.step("packages of another suite", suite::fetched);
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
    let mut missing = PACKAGES.iter().filter(|package| !is_there(package));
    let Some(first) = missing.next() else {
        say("nothing is missing");
        return Ok(Outcome::Passed);
    };
    if !has_venv() {
        return Ok(Outcome::Skipped(
            "python3-venv is not installed; tests with schemathesis or pycrate are skipped"
                .to_owned(),
        ));
    }
    for (name, version) in std::iter::once(first).chain(missing) {
        let folder = target_dir().join(name);
        visibly(
            Command::new("python3")
                .args(["-m", "venv", "--clear"])
                .arg(&folder),
        )?;
        let package = format!("{name}=={version}");
        visibly(Command::new(folder.join("bin/pip")).args(["install", "--quiet", &package]))?;
    }
    Ok(Outcome::Passed)
}

/// Whether that package is in its folder, in that version.
fn is_there((name, version): &(&str, &str)) -> bool {
    let ask = format!("import importlib.metadata as all; print(all.version('{name}'))");
    let python = target_dir().join(name).join("bin/python");
    let said = quietly(Command::new(python).args(["-c", &ask]));
    said.is_some_and(|said| said.trim() == *version)
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
