//! The Debian packages of the image: pinned in image/packages.toml, fetched once, kept below target/image.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::apt::Apt;
use super::board::toml_of;
use crate::run::{repository, say};

const FILE: &str = "image/packages.toml";

/// A package as it is pinned.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Package {
    /// What it is for: "kernel", "loader" or "fsck".
    pub(crate) role: String,
    /// Of which architecture it is.
    pub(crate) architecture: String,
    /// The suite of Debian it is in.
    pub(crate) suite: String,
    /// The package whose dependency names the one to pin.
    pub(crate) follow: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// Its version.
    pub(crate) version: String,
    /// The SHA-256 of its file.
    pub(crate) sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    package: Vec<Package>,
}

/// All packages that are pinned.
///
/// # Errors
/// The list can not be read or has a fault.
pub(crate) fn pinned() -> Result<Vec<Package>> {
    Ok(toml_of::<List>(FILE)?.package)
}

/// The package for this role and architecture, unpacked: the folder that holds its files.
///
/// # Errors
/// None is pinned, the mirror has it no longer, or it is not the one that was pinned.
pub(crate) fn unpacked(role: &str, architecture: &str, work: &Path) -> Result<(Package, PathBuf)> {
    let package = pinned()?
        .into_iter()
        .find(|one| one.role == role && one.architecture == architecture)
        .with_context(|| {
            format!("{FILE} names no package with role \"{role}\" for {architecture}; add one")
        })?;
    let folder = work.join("unpacked").join(&package.sha256);
    if !folder.is_dir() {
        let archive = fetched(&package, work)?;
        let fresh = work.join("unpacked/new");
        if fresh.exists() {
            fs::remove_dir_all(&fresh)?;
        }
        fs::create_dir_all(&fresh)?;
        let mut unpack = std::process::Command::new("dpkg-deb");
        crate::run::visibly(unpack.arg("--extract").arg(&archive).arg(&fresh))?;
        fs::rename(&fresh, &folder)?;
    }
    Ok((package, folder))
}

/// The file of a package, from an earlier run or from the mirror.
fn fetched(package: &Package, work: &Path) -> Result<PathBuf> {
    let archives = work.join("archives");
    fs::create_dir_all(&archives)?;
    let place = archives.join(format!("{}.deb", package.sha256));
    if !place.is_file() {
        let apt = Apt::new(&work.join("apt"), &package.suite, &package.architecture)?;
        apt.update()?;
        let name = format!("{}={}", package.name, package.version);
        let file = apt.download(&name).with_context(|| {
            format!(
                "{FILE} pins {name} of {}, which the mirror does not give (a newer version may have taken its place): \
                 `cargo xtask image --repin` pins the versions of today",
                package.suite
            )
        })?;
        fs::rename(file, &place)?;
    }
    let sum = sha256(&place)?;
    if sum != package.sha256 {
        fs::remove_file(&place)?;
        anyhow::bail!(
            "{} {} has SHA-256 {sum}, and {FILE} pins {}: do not trust this mirror, \
             or pin anew with `cargo xtask image --repin` and look at the difference",
            package.name,
            package.version,
            package.sha256
        );
    }
    Ok(place)
}

/// Pins the versions that the mirror has today.
///
/// # Errors
/// The mirror can not be asked.
pub(crate) fn repin(work: &Path) -> Result<()> {
    let path = repository().join(FILE);
    let mut text = fs::read_to_string(&path)?;
    for package in pinned()? {
        let apt = Apt::new(&work.join("apt"), &package.suite, &package.architecture)?;
        apt.update()?;
        let name = match &package.follow {
            Some(follow) => apt.dependency(follow)?,
            None => package.name.clone(),
        };
        let version = apt.version(&name)?;
        let file = apt.download(&format!("{name}={version}"))?;
        let sum = sha256(&file)?;
        let archives = work.join("archives");
        fs::create_dir_all(&archives)?;
        fs::rename(file, archives.join(format!("{sum}.deb")))?;
        say(&format!(
            "{} {} -> {name} {version}",
            package.name, package.version
        ));
        text = replaced(&text, &package, [&name, &version, &sum])?;
    }
    Ok(fs::write(path, text)?)
}

/// The list with another name, version and checksum of one package.
fn replaced(text: &str, package: &Package, [name, version, sum]: [&str; 3]) -> Result<String> {
    let lines = |name: &str, version: &str, sum: &str| {
        format!("name = \"{name}\"\nversion = \"{version}\"\nsha256 = \"{sum}\"\n")
    };
    let old = lines(&package.name, &package.version, &package.sha256);
    ensure!(
        text.contains(&old),
        "{FILE}: name, version and sha256 of {} do not stand one below the other in this order",
        package.name
    );
    Ok(text.replace(&old, &lines(name, version, sum)))
}

fn sha256(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(hex(&Sha256::digest(bytes)))
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_pin_changes_its_package_alone() {
        let text = fs::read_to_string(repository().join(FILE)).unwrap();
        let packages = pinned().unwrap();
        let new = replaced(&text, &packages[0], ["a", "1", "00"]).unwrap();
        let list: List = toml::from_str(&new).unwrap();
        assert_eq!(
            (
                list.package[0].name.as_str(),
                list.package[0].sha256.as_str()
            ),
            ("a", "00")
        );
        assert_eq!(list.package[1].sha256, packages[1].sha256);
        assert_eq!(list.package.len(), packages.len());
    }
}
