//! The pages of the admin process, which npm builds: nobody needs npm to build Gatehouse, so what it makes is in the repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use clap::Args;

use crate::run::{has, repository, say, target_dir, visibly};

/// The browser that the pages are looked at with.
const BROWSER: &str = "chromium";

/// `cargo xtask pages`.
#[derive(Args)]
pub(crate) struct Options {
    /// Only build them anew into crates/admin/dist
    #[arg(long)]
    build: bool,
}

/// Builds the pages, or looks whether they are what their source says and are good in a real browser.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn run(options: &Options) -> Result<()> {
    ensure_ready()?;
    if options.build {
        visibly(&mut npm(&["run", "--silent", "build"]))
    } else {
        check()
    }
}

/// What is missing here to check them.
pub(crate) fn lack() -> Option<String> {
    let missing = ["node", "npm", BROWSER].into_iter().find(|name| !has(name));
    if let Some(program) = missing {
        return Some(format!("{program} is not installed"));
    }
    let installed = source().join("node_modules").is_dir();
    (!installed).then(|| "the npm packages of crates/admin/web are not installed".to_owned())
}

/// Types, units, a build that must be what is in the repository, and every page in a browser.
///
/// # Errors
/// What is wrong with them.
pub(crate) fn check() -> Result<()> {
    visibly(&mut npm(&["run", "--silent", "check"]))?;
    visibly(&mut npm(&["test", "--silent"]))?;
    let (fresh, shots) = (
        target_dir().join("pages/dist"),
        target_dir().join("pages/shots"),
    );
    visibly(npm(&["run", "--silent", "build"]).env("GATEHOUSE_DIST", &fresh))?;
    same(&fresh, &source().with_file_name("dist"))?;
    fs::remove_dir_all(&shots).ok();
    visibly(npm(&["run", "--silent", "test:pages"]).env("GATEHOUSE_SHOTS", &shots))?;
    say(&format!("pictures of every page: {}", shots.display()));
    Ok(())
}

/// Where the source of the pages lies.
pub(crate) fn source() -> PathBuf {
    repository().join("crates/admin/web")
}

fn ensure_ready() -> Result<()> {
    let lack = lack();
    ensure!(lack.is_none(), "{}", lack.unwrap_or_default());
    Ok(())
}

fn npm(arguments: &[&str]) -> Command {
    let mut command = Command::new("npm");
    command.args(arguments).current_dir(source());
    command
}

/// Compressed files may differ from one node to the next; what they hold does not, and `npm test` has compared that with the plain files and with
/// the list (`kept.mjs`).
fn same(fresh: &Path, kept: &Path) -> Result<()> {
    let (fresh, kept) = (files(fresh)?, files(kept)?);
    let differing: Vec<&String> = fresh
        .keys()
        .chain(kept.keys())
        .filter(|name| fresh.get(*name) != kept.get(*name))
        .collect();
    ensure!(
        differing.is_empty(),
        "crates/admin/dist is not what crates/admin/web makes ({differing:?}): `cargo xtask pages --build`"
    );
    Ok(())
}

fn files(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let entries = folder
        .read_dir()
        .with_context(|| folder.display().to_string())?;
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let is_compressed = path.extension().is_some_and(|end| end == "br");
        let content = if is_compressed {
            Vec::new()
        } else {
            fs::read(&path)?
        };
        files.insert(name, content);
    }
    // It lists the checksums of compressed files, too, and has been compared with what is kept.
    files.remove("manifest.json");
    Ok(files)
}
