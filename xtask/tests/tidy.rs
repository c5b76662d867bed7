//! The house style, as far as a machine can watch it. Length of functions: see clippy.toml.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The crates from top to bottom; a crate may depend on those of lower rows only.
const ROWS: &[&[&str]] = &[
    &["gatehouse"],
    &[
        "proxy", "relay", "sbc", "lan", "uplink", "signin", "router", "update", "admin", "console",
    ],
    &["net", "control", "store"],
    &["certs", "service"],
    &["config", "guard", "sip", "stun", "netfilter", "proto"],
];

/// What no crate of the last row may name: tasks, sockets, files, clocks.
const ABOVE_THE_LINE: &[&str] = &[
    "tokio",
    "std::fs",
    "fs::read",
    "File::open",
    "TcpStream",
    "TcpListener",
    "UdpSocket",
    "UnixStream",
    "Instant::now",
    "SystemTime::now",
    "thread::spawn",
    "thread::sleep",
];

/// Most lines of a file without its tests.
const FILE_LIMIT: usize = 800;
/// Most lines of a `main.rs`.
const MAIN_LIMIT: usize = 150;

#[test]
fn files_are_short() {
    let mut long = Vec::new();
    for file in rust_files() {
        let limit = if file.path.ends_with("src/main.rs") {
            MAIN_LIMIT
        } else {
            FILE_LIMIT
        };
        let lines = without_tests(&file.text).lines().count();
        if lines > limit {
            long.push(format!("{}: {lines} lines, at most {limit}", file.path));
        }
    }
    none(&long);
}

#[test]
fn functions_are_short() {
    let clippy = fs::read_to_string(repository().join("clippy.toml")).unwrap();
    assert!(
        clippy.contains("too-many-lines-threshold = 60"),
        "clippy watches the length of functions"
    );
    none(&lines_with(
        &rust_files(),
        &[concat!("clippy::too_many", "_lines")],
    ));
}

#[test]
fn crates_depend_downwards_only() {
    let row: BTreeMap<&str, usize> = ROWS
        .iter()
        .enumerate()
        .flat_map(|(number, names)| names.iter().map(move |name| (*name, number)))
        .collect();
    let mut wrong = Vec::new();
    for (name, dependencies) in packages()
        .into_iter()
        .filter(|(_, package)| package.is_crate)
        .map(|(name, package)| (name, package.uses))
    {
        let Some(own) = row.get(name.as_str()) else {
            wrong.push(format!("{name} is in no row of the design"));
            continue;
        };
        for dependency in dependencies
            .iter()
            .filter(|other| row.get(other.as_str()).is_some_and(|there| there <= own))
        {
            wrong.push(format!(
                "{name} depends on {dependency}, which is not below it"
            ));
        }
    }
    none(&wrong);
}

#[test]
fn every_package_takes_the_lints_of_the_workspace() {
    let mut wrong = Vec::new();
    for (name, package) in packages() {
        let text = fs::read_to_string(&package.manifest).unwrap();
        if !text.contains("[lints]\nworkspace = true") && name != "net" {
            wrong.push(format!("{name}: no `[lints] workspace = true`"));
        }
    }
    none(&wrong);
}

#[test]
fn nothing_below_the_line_names_a_task_a_socket_a_file_or_the_clock() {
    let below = *ROWS.last().unwrap();
    let is_below = |path: &str| {
        below
            .iter()
            .any(|name| path.starts_with(&format!("crates/{name}/src/")))
    };
    let mut files = rust_files();
    files.retain(|file| is_below(&file.path) && !is_test_file(&file.path));
    for file in &mut files {
        file.text = without_tests(&file.text)
            .lines()
            .map(without_comment)
            .collect::<Vec<_>>()
            .join("\n");
    }
    none(&lines_with(&files, ABOVE_THE_LINE));
}

#[test]
fn modules_are_named_after_what_is_in_them() {
    let empty_words = [
        "util", "utils", "common", "helper", "helpers", "manager", "misc",
    ];
    let files = rust_files();
    let parts = |path: &str| {
        path.trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let named = files.iter().filter(|file| {
        parts(&file.path)
            .iter()
            .any(|part| empty_words.contains(&part.as_str()))
    });
    none(
        &named
            .map(|file| format!("{}: says nothing", file.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn nothing_is_left_for_later() {
    let later = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("to", "do!("),
        concat!("unimple", "mented!("),
        concat!("#[ig", "nore"),
    ];
    none(&lines_with(&rust_files(), &later));
}

#[test]
fn nothing_names_this_machine_or_a_package_host() {
    let here = format!("{}/", repository().display());
    let hosts = ["debian", "crates", "npmjs", "pypi"];
    let mut wrong = Vec::new();
    for file in text_files().iter().filter(|file| {
        !["Cargo.lock", "package-lock.json"]
            .iter()
            .any(|lock| file.path.ends_with(lock))
    }) {
        for (number, line) in file.text.lines().enumerate() {
            let is_path = [here.as_str(), concat!("/ro", "ot/"), concat!("/ho", "me/")]
                .iter()
                .any(|path| line.contains(path));
            let address = line
                .split("://")
                .nth(1)
                .and_then(|rest| rest.split('/').next())
                .unwrap_or_default();
            if is_path
                || hosts
                    .iter()
                    .any(|host| address.split('.').any(|label| label == *host))
            {
                wrong.push(format!("{}:{}: {line}", file.path, number + 1));
            }
        }
    }
    none(&wrong);
}

#[test]
fn the_two_commands_are_where_people_and_ci_look() {
    let readme = fs::read_to_string(repository().join("README.md")).unwrap();
    for command in ["cargo xtask demo", "cargo xtask test"] {
        assert!(
            readme.contains(command),
            "README.md does not name `{command}`"
        );
    }
    let ci = fs::read_to_string(repository().join(".ci/run")).unwrap();
    assert!(
        ci.contains("/xtask\" test"),
        ".ci/run does not call the test command of README.md"
    );
}

/// A file of the project: its path seen from the top, and its text.
struct SourceFile {
    path: String,
    text: String,
}

/// A package of the workspace.
struct Package {
    manifest: PathBuf,
    /// Whether it is one of `crates/`.
    is_crate: bool,
    /// What it depends on outside its tests.
    uses: Vec<String>,
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap()
        .to_owned()
}

fn packages() -> BTreeMap<String, Package> {
    let out = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(repository())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&out.stdout).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let packages = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let manifest = PathBuf::from(text(&package["manifest_path"]));
            let is_crate = manifest.starts_with(repository().join("crates"));
            let dependencies = package["dependencies"].as_array().unwrap().iter();
            let uses = dependencies
                .filter(|one| one["kind"] != "dev")
                .map(|one| text(&one["name"]))
                .collect();
            (
                text(&package["name"]),
                Package {
                    manifest,
                    is_crate,
                    uses,
                },
            )
        });
    packages.collect()
}

fn rust_files() -> Vec<SourceFile> {
    let mut files = text_files();
    files.retain(|file| {
        Path::new(&file.path)
            .extension()
            .is_some_and(|end| end == "rs")
    });
    assert!(files.len() > 20, "the walk finds the sources");
    files
}

/// Every text file that belongs to the project; what is built, fetched or found by fuzzing does not.
fn text_files() -> Vec<SourceFile> {
    let mut files = Vec::new();
    let mut folders = vec![repository()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let (path, name) = (
                entry.path(),
                entry.file_name().to_string_lossy().into_owned(),
            );
            if path.is_dir() {
                if !["target", ".git", "node_modules", "corpus", "artifacts"]
                    .contains(&name.as_str())
                {
                    folders.push(path);
                }
            } else if let Ok(text) = fs::read_to_string(&path) {
                let path = path
                    .strip_prefix(repository())
                    .unwrap()
                    .display()
                    .to_string();
                files.push(SourceFile { path, text });
            }
        }
    }
    files
}

/// A file without its tests, which stand last.
fn without_tests(text: &str) -> &str {
    let tests = ["\n#[cfg(test)]\nmod tests {", "\n#[cfg(test)]\n#[allow"];
    let end = tests.iter().filter_map(|start| text.find(start)).min();
    &text[..end.unwrap_or(text.len())]
}

/// Files that hold nothing but tests.
fn is_test_file(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/")
}

fn without_comment(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn lines_with(files: &[SourceFile], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files {
        for (number, line) in file.text.lines().enumerate() {
            if words.iter().any(|word| line.contains(word)) {
                found.push(format!("{}:{}: {}", file.path, number + 1, line.trim()));
            }
        }
    }
    found
}

#[track_caller]
fn none(found: &[String]) {
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}
