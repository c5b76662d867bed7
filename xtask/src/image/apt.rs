//! An apt of our own, for packages of another suite: the mirrors are those that this machine's apt names.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::run::{quietly, visibly};

/// An apt with its own lists and sources; nothing of it touches the system's.
pub(super) struct Apt {
    root: PathBuf,
}

impl Apt {
    /// One for packages of `suite` and `architecture`, with its files in `root`.
    ///
    /// # Errors
    /// This machine is no Debian, or its apt names no mirror of its own release.
    pub(super) fn new(root: &Path, suite: &str, architecture: &str) -> Result<Self> {
        let root = root.join(format!("{suite}-{architecture}"));
        for folder in [
            "sources",
            "state/lists/partial",
            "cache/archives/partial",
            "new",
        ] {
            fs::create_dir_all(root.join(folder))?;
        }
        fs::write(root.join("status"), "")?;
        let own = codename()
            .context("this needs a Debian machine: /etc/os-release has no VERSION_CODENAME")?;
        let mut found = false;
        for (name, text) in system_sources()? {
            let text = if Path::new(&name)
                .extension()
                .is_some_and(|end| end == "list")
            {
                list_of_suite(&text, &own, suite)
            } else {
                stanzas_of_suite(&text, &own, suite)
            };
            found |= !text.is_empty();
            fs::write(root.join("sources").join(&name), text)?;
        }
        ensure!(
            found,
            "the sources of this machine's apt name no mirror of its own release \"{own}\""
        );
        let shown = root.display();
        let settings = format!(
            "Dir::State \"{shown}/state\";\nDir::State::status \"{shown}/status\";\nDir::Cache \"{shown}/cache\";\n\
             Dir::Etc::sourcelist \"/dev/null\";\nDir::Etc::sourceparts \"{shown}/sources\";\n\
             Dir::Etc::preferences \"/dev/null\";\nDir::Etc::preferencesparts \"/dev/null\";\n\
             APT::Architecture \"{architecture}\";\nAPT::Architectures {{ \"{architecture}\"; }};\n\
             APT::Sandbox::User \"root\";\nAcquire::Languages \"none\";\n"
        );
        fs::write(root.join("apt.conf"), settings)?;
        Ok(Self { root })
    }

    /// Reads the lists of packages.
    ///
    /// # Errors
    /// The mirror does not answer.
    pub(super) fn update(&self) -> Result<()> {
        visibly(
            self.command("apt-get")
                .args(["--quiet", "--quiet", "update"]),
        )
    }

    /// Fetches `NAME=VERSION`; the file.
    ///
    /// # Errors
    /// The mirror does not have it.
    pub(super) fn download(&self, name: &str) -> Result<PathBuf> {
        let folder = self.root.join("new");
        fs::remove_dir_all(&folder)?;
        fs::create_dir_all(&folder)?;
        let mut command = self.command("apt-get");
        command.args(["--quiet", "--quiet", "download", name]);
        visibly(command.current_dir(&folder))?;
        let file = fs::read_dir(&folder)?.flatten().next();
        Ok(file
            .with_context(|| format!("no file of {name} came"))?
            .path())
    }

    /// The package that a package without content depends on.
    ///
    /// # Errors
    /// There is no such package.
    pub(super) fn dependency(&self, name: &str) -> Result<String> {
        let text = self.asked(&["depends", name])?;
        let found = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Depends: "));
        Ok(found
            .with_context(|| format!("{name} depends on nothing"))?
            .to_owned())
    }

    /// The version that the mirror has today.
    ///
    /// # Errors
    /// There is no such package.
    pub(super) fn version(&self, name: &str) -> Result<String> {
        let text = self.asked(&["policy", name])?;
        let found = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("Candidate: "));
        match found {
            Some(version) if version != "(none)" => Ok(version.to_owned()),
            _ => bail!("the mirror has no package {name}"),
        }
    }

    fn asked(&self, question: &[&str]) -> Result<String> {
        quietly(self.command("apt-cache").args(question))
            .with_context(|| format!("`apt-cache {}` failed", question.join(" ")))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env("APT_CONFIG", self.root.join("apt.conf"))
            .env("LC_ALL", "C.UTF-8");
        command
    }
}

fn codename() -> Option<String> {
    let text = fs::read_to_string("/etc/os-release").ok()?;
    let name = text
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))?;
    Some(name.trim_matches('"').to_owned())
}

/// The files that name this machine's mirrors.
fn system_sources() -> Result<Vec<(String, String)>> {
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        paths.extend(folder.flatten().map(|entry| entry.path()));
    }
    paths.retain(|path| {
        let end = path.extension().and_then(|end| end.to_str());
        path.is_file() && matches!(end, Some("list" | "sources"))
    });
    paths.sort();
    let read = paths.into_iter().map(|path| {
        let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
        let name = path.file_name().unwrap_or_default();
        Ok((name.to_string_lossy().into_owned(), text))
    });
    read.collect()
}

/// Lines `deb URL SUITE COMPONENTS` of the own release, with another suite.
fn list_of_suite(text: &str, own: &str, suite: &str) -> String {
    let lines = text.lines().filter(|line| line.starts_with("deb "));
    let lines = lines.filter_map(|line| {
        let of_ours = |word: &&str| is_of(word, own);
        let found = line.split_whitespace().find(of_ours)?;
        let other = found.replacen(own, suite, 1);
        Some(line.replacen(&format!(" {found} "), &format!(" {other} "), 1) + "\n")
    });
    lines.collect()
}

/// Paragraphs with `Suites:` of the own release, with another suite.
fn stanzas_of_suite(text: &str, own: &str, suite: &str) -> String {
    let mut result = String::new();
    for stanza in text.split("\n\n") {
        let mut ours = false;
        let lines: Vec<String> = stanza
            .lines()
            .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
            .map(|line| {
                let Some(suites) = line.strip_prefix("Suites:") else {
                    return line.to_owned();
                };
                let suites: Vec<String> = suites
                    .split_whitespace()
                    .filter(|word| is_of(word, own))
                    .map(|word| word.replacen(own, suite, 1))
                    .collect();
                ours = !suites.is_empty();
                format!("Suites: {}", suites.join(" "))
            })
            .collect();
        if ours {
            result += &lines.join("\n");
            result += "\n\n";
        }
    }
    result
}

/// Whether a suite is the release or one of its kin, such as its security updates.
fn is_of(word: &str, release: &str) -> bool {
    word.strip_prefix(release)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_own_release_change_their_suite_and_others_go() {
        let text = "# deb cdrom\ndeb [signed-by=/k] http://mirror.example/d bookworm-security main\n\
                    deb http://other.example nodistro main\ndeb-src http://mirror.example/d bookworm main\n";
        let expected = "deb [signed-by=/k] http://mirror.example/d trixie-security main\n";
        assert_eq!(list_of_suite(text, "bookworm", "trixie"), expected);
    }

    #[test]
    fn paragraphs_of_the_own_release_change_their_suites_and_others_go() {
        let text = "Types: deb\n# a word\nURIs: http://mirror.example/d\nSuites: bookworm bookworm-updates other\n\
                    Signed-By: /k\n\nTypes: deb\nSuites: nodistro\n";
        let expected = "Types: deb\nURIs: http://mirror.example/d\nSuites: trixie trixie-updates\nSigned-By: /k\n\n";
        assert_eq!(stanzas_of_suite(text, "bookworm", "trixie"), expected);
    }
}
