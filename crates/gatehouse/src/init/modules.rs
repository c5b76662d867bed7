//! Kernel modules: which there are, what each needs before it, and which hardware they serve. There is no modprobe on
//! board, so that the kernel can load none by itself: what may be needed has to be loaded here.

use super::{pattern, say};
use nix::errno::Errno;
use nix::kmod::{ModuleInitFlags, finit_module};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;

const FOLDER: &str = "/lib/modules";

/// The modules of the image, and what one thread has loaded of them: what another has loaded the kernel knows.
#[derive(Clone)]
pub(super) struct Modules {
    /// What is loaded before each.
    needs: BTreeMap<String, Vec<String>>,
    /// Patterns of hardware names, and the module for it.
    aliases: Vec<(String, String)>,
    /// What was tried already.
    tried: BTreeSet<String>,
    /// Hardware that was served already.
    served: BTreeSet<String>,
}

impl Modules {
    /// Those that the image says it has.
    pub(super) fn read() -> Self {
        let text = |name: &str| match fs::read_to_string(format!("{FOLDER}/{name}")) {
            Ok(text) => text,
            // After a fault of init all of them are loaded, and gone from memory.
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                say(&format!("{FOLDER}/{name}: {error}"));
                String::new()
            }
        };
        Self::of(&text("list"), &text("aliases"))
    }

    fn of(list: &str, aliases: &str) -> Self {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let lines = list.lines().map(words).filter(|line| !line.is_empty());
        let pairs = aliases.lines().filter_map(|line| line.rsplit_once(' '));
        Self {
            needs: lines
                .map(|mut line| {
                    let name = line.remove(0);
                    (name, line)
                })
                .collect(),
            aliases: pairs
                .map(|(alias, name)| (alias.to_owned(), name.to_owned()))
                .collect(),
            tried: BTreeSet::new(),
            served: BTreeSet::new(),
        }
    }

    /// Loads a module, after what it needs; once.
    pub(super) fn load(&mut self, name: &str) {
        self.load_with(name, &mut |name| match insert(name) {
            // The kernel has it already, or has it built in; or there is no hardware for it.
            Ok(()) | Err(Errno::EEXIST | Errno::ENODEV) => {}
            Err(error) => say(&format!("the kernel module {name}: {error}")),
        });
    }

    /// Loads the modules for the hardware of this name.
    pub(super) fn serve(&mut self, hardware: &str) {
        // Looking through all patterns takes longer than looking through all hardware.
        if !self.served.insert(hardware.to_owned()) {
            return;
        }
        let found = self.aliases.iter();
        let found =
            found.filter(|(pattern, _)| pattern::matches(pattern.as_bytes(), hardware.as_bytes()));
        let names: Vec<String> = found.map(|(_, name)| name.clone()).collect();
        for name in names {
            self.load(&name);
        }
    }

    /// No further module can be loaded from now on, and their files no longer take memory.
    pub(super) fn finish(&self) {
        for name in self.needs.keys() {
            fs::remove_file(path(name)).ok();
        }
        for name in ["list", "aliases"] {
            fs::remove_file(format!("{FOLDER}/{name}")).ok();
        }
        let closed = fs::write("/proc/sys/kernel/modules_disabled", "1\n");
        super::told("kernel modules can still be loaded", closed);
    }

    fn load_with(&mut self, name: &str, insert: &mut impl FnMut(&str)) {
        if !self.needs.contains_key(name) || !self.tried.insert(name.to_owned()) {
            return;
        }
        for need in self.needs.get(name).cloned().unwrap_or_default() {
            self.load_with(&need, insert);
        }
        insert(name);
    }
}

fn insert(name: &str) -> nix::Result<()> {
    let path = path(name);
    let file = File::open(path).map_err(|error| Errno::try_from(error).unwrap_or(Errno::EIO))?;
    finit_module(&file, c"", ModuleInitFlags::empty())
}

fn path(name: &str) -> String {
    format!("{FOLDER}/{name}.ko")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_module_needs_is_loaded_before_it_and_nothing_twice() {
        let list = "ext4 jbd2 crc32c_generic\njbd2 crc16\ncrc16\ncrc32c_generic\nloop_a loop_b\nloop_b loop_a\n";
        let mut modules = Modules::of(list, "");
        let mut order = Vec::new();
        for name in ["ext4", "jbd2", "nosuch", "loop_a"] {
            modules.load_with(name, &mut |name| order.push(name.to_owned()));
        }
        let expected = [
            "crc16",
            "jbd2",
            "crc32c_generic",
            "ext4",
            "loop_b",
            "loop_a",
        ];
        assert_eq!(order, expected);
    }

    #[test]
    fn aliases_may_hold_blanks() {
        let modules = Modules::of("", "acpi*:PNP0 A: igc\n");
        assert_eq!(
            modules.aliases,
            [("acpi*:PNP0 A:".to_owned(), "igc".to_owned())]
        );
    }
}
