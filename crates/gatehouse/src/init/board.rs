//! What init has to know of the board: written into the image by `cargo xtask image`, a line for each thing.

use anyhow::{Context as _, Result, bail};
use std::fs;

const FILE: &str = "/etc/gatehouse/board";

/// The board this is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Board {
    /// The version of the image.
    pub(super) version: String,
    /// When it was built, in seconds since 1970: the clock is never before that.
    pub(super) built: u32,
    /// The serial line of the menu, below /dev.
    pub(super) console: String,
    /// Whether the menu is on it.
    pub(super) menu: bool,
    /// Kernel modules that are loaded whatever hardware there is, in this order.
    pub(super) modules: Vec<String>,
    /// Places of network ports below /sys/devices, in the order of their names.
    pub(super) ports: Vec<String>,
}

impl Board {
    /// The board this is.
    ///
    /// # Errors
    /// The file is missing, as on any machine that is no box, or has a line that is not understood.
    pub(super) fn read() -> Result<Self> {
        Self::of(&fs::read_to_string(FILE).context(FILE)?)
    }

    fn of(text: &str) -> Result<Self> {
        let mut board = Self::default();
        for (number, line) in (1..).zip(text.lines()) {
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            let value = value.to_owned();
            match name {
                "version" => board.version = value,
                "built" => {
                    let fault = || format!("{FILE}:{number}: \"{value}\" is no time");
                    board.built = value.parse().with_context(fault)?;
                }
                "console" => board.console = value,
                "menu" => board.menu = value == "yes",
                "module" => board.modules.push(value),
                "port" => board.ports.push(value),
                _ => bail!("{FILE}:{number}: \"{name}\" is not known"),
            }
        }
        Ok(board)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_the_image_has_are_understood() {
        let text = "version 0.1.0\nbuilt 1700000000\nconsole ttyS0\nmenu yes\nmodule ext4\nmodule nf_tables\nport pci0/a\n";
        let board = Board::of(text).unwrap();
        assert_eq!((board.built, board.menu), (1_700_000_000, true));
        assert_eq!(board.modules, ["ext4", "nf_tables"]);
        assert_eq!(board.ports, ["pci0/a"]);
    }

    #[test]
    fn a_line_that_is_not_understood_is_told_with_its_number() {
        for (text, part) in [("version 1\nbuilt soon", ":2:"), ("colour red", "colour")] {
            let error = format!("{:#}", Board::of(text).unwrap_err());
            assert!(error.contains(part), "{error}");
        }
    }
}
