//! What a test needs and may lack: then it is skipped, with the reason, where everybody sees it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::{env, fs, thread};

/// Why a test that needs `programs` can not run here; `None` when it can.
pub(crate) fn reason(programs: &[&str]) -> Option<String> {
    if !nix::unistd::geteuid().is_root() {
        return Some("network namespaces need root".to_owned());
    }
    programs
        .iter()
        .chain(&["ip", "nft"])
        .find_map(|name| match *name {
            package @ ("playwright-core" | "oidc-provider") => {
                let modules = super::repository().join("tests/lab/node/node_modules");
                let found = modules.join(package).exists();
                (!found).then(|| format!("{package} is not installed in tests/lab/node"))
            }
            "the pages' packages" => {
                let found = super::repository()
                    .join("crates/admin/web/node_modules/playwright-core")
                    .exists();
                (!found)
                    .then(|| "the npm packages of crates/admin/web are not installed".to_owned())
            }
            "schemathesis" => {
                let missing = !super::schemathesis().is_some_and(|program| program.exists());
                missing.then(|| "schemathesis is not installed in the target folder".to_owned())
            }
            "pycrate" => {
                let missing =
                    !super::telephony::python_with_pycrate().is_some_and(|at| at.exists());
                missing.then(|| "pycrate is not installed in the target folder".to_owned())
            }
            name @ ("asterisk" | "sipp with TLS") => {
                let missing = super::suite::folder().is_none();
                missing.then(|| format!("{name} is not in the folder of another suite"))
            }
            // A Debian package with a module of Python of the same name.
            name if name.starts_with("python3-") => {
                let import = format!("import {}", name.trim_start_matches("python3-"));
                let works = std::process::Command::new("/usr/bin/python3")
                    .args(["-c", &import])
                    .output()
                    .is_ok_and(|out| out.status.success());
                (!works).then(|| format!("{name} is not installed"))
            }
            name => (!is_on_path(name)).then(|| format!("{name} is not installed")),
        })
}

/// Says that this test is skipped: to the reader, and to the file `cargo xtask test` collects them in.
///
/// # Panics
/// In CI, when the test is not on tests/lab/allowed-skips.txt: there, a skip nobody allowed is a failure.
pub fn report(why: &str) {
    let name = test_name();
    super::say(&format!("skipped: {name}: {why}"));
    if let Some(path) = env::var_os("GATEHOUSE_SKIPS") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{name}: {why}"))
            .expect("the list of skips can be written");
    }
    let in_ci = env::var("CI").is_ok_and(|value| value == "true");
    assert!(
        !in_ci || is_allowed(&name),
        "{name} is skipped ({why}) and is not on allowed-skips.txt"
    );
}

fn is_allowed(name: &str) -> bool {
    let path = super::repository().join("tests/lab/allowed-skips.txt");
    let list = fs::read_to_string(path).unwrap_or_default();
    list.lines()
        .map(str::trim)
        .filter(|line| !line.starts_with('#'))
        .any(|line| line == name)
}

/// The runner's name for this test; a plain `cargo test` names the thread instead.
fn test_name() -> String {
    env::var("NEXTEST_TEST_NAME")
        .ok()
        .or_else(|| thread::current().name().map(str::to_owned))
        .unwrap_or_else(|| "a test without a name".to_owned())
}

/// Whether a program is found; the folders of root are looked at even if `PATH` leaves them out.
fn is_on_path(name: &str) -> bool {
    let path = env::var("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/usr/sbin", "/sbin"])
        .any(|dir| Path::new(dir).join(name).is_file())
}
