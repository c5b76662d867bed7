//! Programs that this release of Debian lacks: fetched from the suite that has them, and unpacked beside everything else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use anyhow::{Context, Result, ensure};

use crate::report::Outcome;
use crate::run::{has, quietly, say, visibly};

/// The suite of Debian that has them.
const SUITE: &str = "sid";
/// A PBX with SIP over TLS, its H.323, and a sipp that speaks TLS.
const PACKAGES: &[&str] = &["asterisk", "asterisk-ooh323", "sip-tester"];
/// What nobody reads here.
const LEFT_OUT: &[&str] = &["doc", "info", "lintian", "locale", "man"];
/// Who has signed the suite.
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
/// Written last: what the folder holds.
const DONE: &str = "packages";

/// The packages and all that they need, in a folder of its own that outlives the checkout: `gatehouse/sid` in the user's cache. Nothing of it
/// is installed, no script of a package is run; its programs are started with its own libraries (`lab::Asterisk`).
pub(crate) fn fetched() -> Result<Outcome> {
    let folder = folder().context("neither XDG_CACHE_HOME nor HOME is set")?;
    let wanted = PACKAGES.join(" ");
    if fs::read_to_string(folder.join(DONE)).is_ok_and(|done| done == wanted) {
        say("nothing is missing");
        return Ok(Outcome::Passed);
    }
    let without = "tests with Asterisk are skipped";
    if !has("apt-get") || !Path::new(KEYS).exists() {
        let why = format!("no apt-get with the keys of Debian here; {without}");
        return Ok(Outcome::Skipped(why));
    }
    // Made beside it and renamed when it is whole: a run that was broken off leaves nothing that looks complete.
    let fresh = folder.with_extension(format!("new-{}", std::process::id()));
    let mut why = "apt's sources name no mirror of this release".to_owned();
    for mirror in mirrors() {
        let made = fill(&fresh, &mirror, &wanted).and_then(|()| {
            remove(&folder)?;
            Ok(fs::rename(&fresh, &folder)?)
        });
        let Err(error) = made else {
            return Ok(Outcome::Passed);
        };
        remove(&fresh)?;
        why = format!("{error:#}");
    }
    Ok(Outcome::Skipped(format!("{why}; {without}")))
}

/// Where they are.
fn folder() -> Option<PathBuf> {
    let given = env::var_os("XDG_CACHE_HOME").filter(|path| !path.is_empty());
    let cache = given.map(PathBuf::from);
    let cache = cache.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("gatehouse").join(SUITE))
}

/// The servers from which this machine has its own release, as apt would ask them; one of them is a mirror of Debian.
fn mirrors() -> Vec<String> {
    let about = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let mut lines = about.lines();
    let release = lines.find_map(|line| line.strip_prefix("VERSION_CODENAME="));
    let release = release.map_or(SUITE, |name| name.trim_matches('"'));
    let end = format!("/dists/{release}/InRelease");
    let asked = quietly(Command::new("apt-get").args(["update", "--print-uris"]));
    let asked = asked.unwrap_or_default();
    let addresses = asked
        .lines()
        .filter_map(|line| line.strip_prefix('\'')?.split('\'').next());
    let mirrors = addresses.filter_map(|address| address.strip_suffix(&end));
    mirrors.map(str::to_owned).collect()
}

fn fill(folder: &Path, mirror: &str, wanted: &str) -> Result<()> {
    remove(folder)?;
    let apt = folder.join("apt");
    for below in ["state/lists/partial", "cache/archives/partial"] {
        fs::create_dir_all(apt.join(below))?;
    }
    // Nothing is there yet, not even a C library.
    fs::write(apt.join("state/status"), "")?;
    let source = format!("deb [signed-by={KEYS}] {mirror} {SUITE} main\n");
    fs::write(apt.join("sources.list"), source)?;
    visibly(asking(&apt).arg("update"))?;
    let mut download = asking(&apt);
    download.args(["--yes", "--download-only", "install"]);
    visibly(download.args(PACKAGES))?;
    unpack(&apt.join("cache/archives"), folder)?;
    remove(&apt)?;
    Ok(fs::write(folder.join(DONE), wanted)?)
}

/// apt with lists, cache and state of its own; what this machine says about proxies holds for it, too.
fn asking(folder: &Path) -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").stdin(Stdio::null());
    let at = |name: &str| folder.join(name).display().to_string();
    let (state, cache) = (at("state"), at("cache"));
    for (key, value) in [
        ("Dir::Etc::SourceList", at("sources.list").as_str()),
        ("Dir::Etc::SourceParts", "/dev/null"),
        ("Dir::Etc::Preferences", "/dev/null"),
        ("Dir::Etc::PreferencesParts", "/dev/null"),
        ("Dir::State", &state),
        ("Dir::State::Status", &at("state/status")),
        ("Dir::Cache", &cache),
        // A mirror that is behind serves as well: what it has is signed all the same.
        ("Acquire::Check-Valid-Until", "false"),
        ("Acquire::Languages", "none"),
        ("APT::Install-Recommends", "false"),
        ("APT::Sandbox::User", "root"),
    ] {
        command.args(["-o", &format!("{key}={value}")]);
    }
    command
}

fn unpack(archives: &Path, folder: &Path) -> Result<()> {
    for name in ["bin", "lib", "lib64", "sbin"] {
        fs::create_dir_all(folder.join("usr").join(name))?;
        std::os::unix::fs::symlink(format!("usr/{name}"), folder.join(name))?;
    }
    let mut count = 0;
    for entry in fs::read_dir(archives)? {
        let package = entry?.path();
        if package.extension().is_some_and(|end| end == "deb") {
            unpack_one(&package, folder).with_context(|| package.display().to_string())?;
            count += 1;
        }
    }
    ensure!(count > 0, "apt has fetched nothing");
    say(&format!("unpacked {count} packages"));
    Ok(())
}

fn unpack_one(package: &Path, folder: &Path) -> Result<()> {
    let mut reader = Command::new("dpkg-deb")
        .arg("--fsys-tarfile")
        .arg(package)
        .stdout(Stdio::piped())
        .spawn()?;
    let files = reader.stdout.take().context("it is piped")?;
    let left_out = LEFT_OUT
        .iter()
        .map(|name| format!("--exclude=./usr/share/{name}"));
    let status = Command::new("tar")
        .args(["-x", "--keep-directory-symlink", "--no-same-owner", "-C"])
        .arg(folder)
        .args(left_out)
        .stdin(files)
        .status()?;
    ensure!(
        reader.wait()?.success() && status.success(),
        "does not unpack"
    );
    Ok(())
}

/// Removes a folder, if there is one.
fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    Ok(())
}
