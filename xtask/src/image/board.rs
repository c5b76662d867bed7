//! What a board is: `board/NAME/board.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::run::repository;

/// A board, as its file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Board {
    /// What it is, for people.
    pub(crate) title: String,
    /// The architecture of its Debian packages.
    pub(crate) architecture: String,
    /// The target of our own binary.
    pub(crate) target: String,
    /// How it starts.
    pub(crate) boot: Boot,
    /// Its serial line.
    pub(crate) console: Console,
    /// Its partitions.
    pub(crate) disk: Disk,
    /// Its ports.
    pub(crate) network: Network,
    /// Its drivers.
    pub(crate) modules: Modules,
}

/// How a board starts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Boot {
    /// Where the firmware looks for the loader on the EFI system partition.
    pub(crate) removable: String,
    /// The loader within its package.
    pub(crate) loader: String,
    /// The program within the same package that starts the kernel of an EFI file.
    pub(crate) stub: String,
    /// The command line of the kernel.
    pub(crate) command_line: String,
}

/// The serial line of a board.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Console {
    /// Its name below /dev.
    pub(crate) device: String,
    /// Whether the menu is there.
    pub(crate) menu: bool,
}

/// The partitions of a board, in MiB.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Disk {
    /// The EFI system partition.
    pub(crate) esp: u32,
    /// The state partition as it is in the image.
    pub(crate) state: u32,
}

/// The ports of a board.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Network {
    /// Their places below /sys/devices in the order of their names.
    pub(crate) order: Vec<String>,
}

/// The kernel modules of a board.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Modules {
    /// Those that are always loaded, in this order.
    pub(crate) always: Vec<String>,
    /// Those that are loaded if there is hardware for them.
    pub(crate) coldplug: Vec<String>,
    /// Soft dependencies that are left out.
    pub(crate) without: Vec<String>,
}

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    /// There is none, or its file has a fault.
    pub(crate) fn read(name: &str) -> Result<Self> {
        let folder = repository().join("board");
        if !folder.join(name).join("board.toml").is_file() {
            let mut known: Vec<String> = fs::read_dir(&folder)
                .with_context(|| folder.display().to_string())?
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned())
                .collect();
            known.sort();
            bail!(
                "there is no board \"{name}\"; boards are the folders below board/: {}",
                known.join(", ")
            );
        }
        toml_of(&format!("board/{name}/board.toml"))
    }
}

/// A file of the project in TOML.
///
/// # Errors
/// It can not be read or has a fault, with file and line.
pub(super) fn toml_of<T: for<'de> Deserialize<'de>>(path: &str) -> Result<T> {
    let text = fs::read_to_string(repository().join(path)).with_context(|| path.to_owned())?;
    parsed(&text, Path::new(path))
}

fn parsed<T: for<'de> Deserialize<'de>>(text: &str, path: &Path) -> Result<T> {
    toml::from_str(text).map_err(|fault| {
        let before = fault.span().and_then(|span| text.get(..span.start));
        let line = before.unwrap_or_default().matches('\n').count() + 1;
        anyhow::anyhow!("{}:{line}: {}", path.display(), fault.message())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_board_can_be_read() {
        for entry in fs::read_dir(repository().join("board")).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let board = Board::read(&name).unwrap();
            assert!(!board.title.is_empty(), "{name}");
        }
    }

    #[test]
    fn a_board_that_is_missing_is_told_with_those_that_are_there() {
        let error = Board::read("nosuch").unwrap_err().to_string();
        assert!(
            error.contains("nosuch") && error.contains("x86_64-uefi"),
            "{error}"
        );
    }

    #[test]
    fn a_fault_is_told_with_file_line_and_reason() {
        let path = Path::new("board/x/board.toml");
        let error = parsed::<Console>("\ndevice = \"ttyS0\"\nmenue = true\n", path).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("board/x/board.toml:3: "), "{error}");
        assert!(error.contains("menue"), "{error}");
    }
}
