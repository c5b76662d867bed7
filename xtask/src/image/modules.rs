//! Which kernel modules belong to a board: those it names, and everything they need. A Debian package brings no table of
//! that (it is made where the package is installed), so that the modules themselves are asked.

mod info;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

use super::board::Modules;
use info::Info;

/// The modules of a board.
pub(super) struct Chosen {
    modules: BTreeMap<String, Module>,
}

struct Module {
    content: Vec<u8>,
    info: Info,
    /// What is loaded before it, soft dependencies too.
    needs: Vec<String>,
}

/// All modules of a kernel.
struct Kernel {
    files: BTreeMap<String, PathBuf>,
    /// Names and aliases of what is built in.
    built_in: BTreeSet<String>,
}

impl Chosen {
    /// Those that `wanted` names, of the kernel whose modules are in `folder`, with everything they need.
    ///
    /// # Errors
    /// A module is missing, or a soft dependency is neither chosen nor left out.
    pub(super) fn of(wanted: &Modules, folder: &Path, file: &str) -> Result<Self> {
        let kernel = Kernel::read(folder)?;
        let mut chosen = Self {
            modules: BTreeMap::new(),
        };
        for name in wanted.always.iter().chain(&wanted.coldplug) {
            let known = kernel.files.contains_key(&plain(name));
            ensure!(
                known || kernel.built_in.contains(&plain(name)),
                "{file}: this kernel has no module \"{name}\""
            );
            chosen.add(&plain(name), &kernel)?;
        }
        let without = wanted.without.iter().map(|name| plain(name)).collect();
        chosen.soften(&kernel, &without, file)?;
        Ok(chosen)
    }

    /// Each with its content.
    pub(super) fn files(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let files = self.modules.iter();
        files.map(|(name, module)| (name.as_str(), module.content.as_slice()))
    }

    /// A line for each: its name, then what is loaded before it.
    pub(super) fn list(&self) -> String {
        let lines = self.modules.iter().map(|(name, module)| {
            let words = [std::slice::from_ref(name), &module.needs].concat();
            words.join(" ") + "\n"
        });
        lines.collect()
    }

    /// A line for each kind of hardware: its pattern, and the module.
    pub(super) fn aliases(&self) -> String {
        let mut text = String::new();
        for (name, module) in &self.modules {
            for alias in module.info.aliases.iter().filter(|one| one.contains(':')) {
                text.extend([alias, " ", name, "\n"]);
            }
        }
        text
    }

    fn add(&mut self, name: &str, kernel: &Kernel) -> Result<()> {
        if self.modules.contains_key(name) || kernel.built_in.contains(name) {
            return Ok(());
        }
        let path = kernel.files.get(name);
        let path = path.with_context(|| format!("this kernel has no module \"{name}\""))?;
        let content = unpacked(path)?;
        let info = Info::of(&content).with_context(|| path.display().to_string())?;
        let needs: Vec<String> = info.depends.iter().map(|name| plain(name)).collect();
        // Soft dependencies that are modules by name come along; others are aliases.
        let soft = info.before.iter().map(|name| plain(name));
        let soft: Vec<String> = soft
            .filter(|name| kernel.files.contains_key(name))
            .collect();
        let all = [needs, soft].concat();
        let module = Module {
            content,
            info,
            needs: all.clone(),
        };
        self.modules.insert(name.to_owned(), module);
        all.iter().try_for_each(|name| self.add(name, kernel))
    }

    /// Finds for each soft dependency that is an alias the chosen modules that serve it.
    fn soften(&mut self, kernel: &Kernel, without: &BTreeSet<String>, file: &str) -> Result<()> {
        let serving = |alias: &str| -> Vec<String> {
            let all = self.modules.iter();
            let all = all.filter(|(_, module)| {
                let aliases = &module.info.aliases;
                aliases.iter().any(|one| plain(one) == alias)
            });
            all.map(|(name, _)| name.clone()).collect()
        };
        let mut found = Vec::new();
        for (name, module) in &self.modules {
            for soft in module.info.before.iter().map(|soft| plain(soft)) {
                if module.needs.contains(&soft) || kernel.built_in.contains(&soft) {
                    continue;
                }
                let servers = serving(&soft);
                if servers.is_empty() && !without.contains(&soft) {
                    bail!(
                        "{file}: the module {name} asks for \"{soft}\" before it, and no chosen module serves that: \
                         name one that does in [modules] always, or \"{soft}\" in without"
                    );
                }
                found.push((name.clone(), servers));
            }
        }
        for (name, servers) in found {
            let module = self.modules.get_mut(&name).expect("it was found here");
            module.needs.extend(servers);
        }
        Ok(())
    }
}

impl Kernel {
    fn read(folder: &Path) -> Result<Self> {
        let mut files = BTreeMap::new();
        let mut folders = vec![folder.join("kernel")];
        while let Some(folder) = folders.pop() {
            let entries = fs::read_dir(&folder).with_context(|| folder.display().to_string())?;
            for entry in entries.flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = module_name(&path) {
                    files.insert(name, path);
                }
            }
        }
        let text = fs::read_to_string(folder.join("modules.builtin"))?;
        let mut built_in: BTreeSet<String> = text
            .lines()
            .filter_map(|line| module_name(Path::new(line)))
            .collect();
        let about = fs::read(folder.join("modules.builtin.modinfo"))?;
        for entry in about.split(|byte| *byte == 0) {
            let entry = String::from_utf8_lossy(entry);
            if let Some((_, alias)) = entry.split_once(".alias=") {
                built_in.insert(plain(alias));
            }
        }
        Ok(Self { files, built_in })
    }
}

/// `crc32c-intel.ko.xz` -> `crc32c_intel`.
fn module_name(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let name = name.strip_suffix(".xz").unwrap_or(name);
    Some(plain(name.strip_suffix(".ko")?))
}

/// A name as the kernel compares it.
fn plain(name: &str) -> String {
    name.replace('-', "_")
}

fn unpacked(path: &Path) -> Result<Vec<u8>> {
    if path.extension().is_none_or(|end| end != "xz") {
        return Ok(fs::read(path)?);
    }
    let mut command = Command::new("xz");
    command.args(["--decompress", "--stdout"]).arg(path);
    let out = command
        .stdin(Stdio::null())
        .output()
        .context("`xz` is missing: install xz-utils")?;
    ensure!(
        out.status.success(),
        "{}: {}",
        path.display(),
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(out.stdout)
}
