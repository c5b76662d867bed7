//! Loads drivers for the hardware that is there. In the order of the places on the bus, so that ports get their names in
//! that order, too.

use super::modules::Modules;
use std::fs;
use std::path::{Path, PathBuf};

/// How deep a device may lie below /sys/devices; those that are known end at half of it.
const DEPTH: usize = 24;

/// Loads the drivers of all hardware.
pub(super) fn all(modules: &mut Modules) {
    for hardware in names(Path::new("/sys/devices"), DEPTH) {
        modules.serve(&hardware);
    }
}

/// The name of each device below `folder`, in the order of their places.
fn names(folder: &Path, depth: usize) -> Vec<String> {
    let mut found = Vec::new();
    let name = fs::read_to_string(folder.join("modalias")).unwrap_or_default();
    if !name.trim().is_empty() {
        found.push(name.trim().to_owned());
    }
    let Some(depth) = depth.checked_sub(1) else {
        return found;
    };
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // What is a link leads to a device that has its own place.
    let folders = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        found.extend(names(&folder, depth));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_found_in_the_order_of_their_places() {
        let root = std::env::temp_dir().join(format!("gatehouse-devices-{}", std::process::id()));
        for (place, name) in [
            ("pci/0000:02", "pci:b\n"),
            ("pci/0000:01", "pci:a\n"),
            ("cpu", "\n"),
        ] {
            fs::create_dir_all(root.join(place)).unwrap();
            fs::write(root.join(place).join("modalias"), name).unwrap();
        }
        std::os::unix::fs::symlink(&root, root.join("pci/loop")).unwrap();
        let found = names(&root, DEPTH);
        let none = names(&root, 1);
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, ["pci:a", "pci:b"]);
        assert!(none.is_empty());
    }
}
