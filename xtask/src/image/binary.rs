//! Our own binary for the image: linked statically, without paths of this machine; or the one that other tests have, too.

use std::env;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::board::Board;
use crate::cross;
use crate::run::{cargo, gatehouse, host, repository, say, visibly};

/// What is built already is not built again: the binary of the dev profile, without what only a debugger needs; the file.
///
/// # Errors
/// It is not there, or is one for another architecture than the board's.
pub(super) fn at_hand(board: &Board, work: &Path) -> Result<PathBuf> {
    ensure!(
        board.target == host(),
        "the dev profile is built for {} only, and the board needs {}",
        host(),
        board.target
    );
    let built = gatehouse("debug");
    ensure!(
        built.is_file(),
        "{} is missing: `cargo build -p gatehouse` first",
        built.display()
    );
    fs::create_dir_all(work)?;
    let file = work.join("gatehouse");
    let mut strip = Command::new("strip");
    visibly(strip.arg("-o").arg(&file).arg(&built))?;
    Ok(file)
}

/// Builds that of a release, in a folder of its own below `work`; the file.
///
/// # Errors
/// It can not be built.
pub(super) fn build(board: &Board, work: &Path) -> Result<PathBuf> {
    let folder = work.join("build");
    fs::create_dir_all(&folder)?;
    let home = env::var_os("CARGO_HOME").map_or_else(
        || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".cargo"),
        PathBuf::from,
    );
    // The last that matches wins; what is built lies below the sources where nothing else is said.
    let paths = [
        (repository(), "/gatehouse"),
        (home, "/cargo"),
        (folder.clone(), "/build"),
    ];
    let mut flags = cross::flags();
    let mut c_flags = Vec::new();
    for (path, name) in &paths {
        flags.push(format!("--remap-path-prefix={}={name}", path.display()));
        c_flags.push(format!("-ffile-prefix-map={}={name}", path.display()));
    }
    let mut command = cargo(&["build", "--locked", "--package", "gatehouse"]);
    cross::with_tools(&mut command, &board.target)
        .args(["--release", "--target", &board.target])
        .env("CARGO_TARGET_DIR", &folder)
        .env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"))
        .env(
            format!("CFLAGS_{}", board.target.replace('-', "_")),
            c_flags.join(" "),
        )
        // What C programs print as the time when they were compiled; mimalloc does.
        .env("SOURCE_DATE_EPOCH", "0")
        // A clock that shows an earlier time is wrong.
        .env("GATEHOUSE_COMMIT_TIME", super::commit_time()?.to_string())
        .env("CARGO_PROFILE_RELEASE_STRIP", "symbols")
        .env("CARGO_INCREMENTAL", "0");
    visibly(&mut command)?;
    let file = folder.join(&board.target).join("release/gatehouse");
    let file = file
        .canonicalize()
        .with_context(|| format!("{} was not built", file.display()))?;
    let content = fs::read(&file)?;
    // No error: a short path such as /build stands in every binary by chance.
    for (path, _) in paths.iter().filter(|(path, _)| names(&content, path)) {
        say(&format!(
            "note: the binary may name {}; if so, another machine builds other bytes from the same commit",
            path.display()
        ));
    }
    Ok(file)
}

/// Whether a path of this machine is somewhere in a file.
fn names(content: &[u8], path: &Path) -> bool {
    let path = path.as_os_str().as_bytes();
    content.windows(path.len().max(1)).any(|part| part == path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_this_machine_is_found() {
        let content = b"\0panicked at /srv/one/crates/a.rs\0";
        assert!(names(content, Path::new("/srv/one")));
        assert!(!names(content, Path::new("/srv/two")));
        assert!(!names(b"", Path::new("/srv/one")));
    }
}
