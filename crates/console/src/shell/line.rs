//! A terminal as it was before its first console, for whoever starts consoles: one that is killed gives nothing back.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::OFlag;
use nix::sys::termios::{self, SetArg, Termios};

use super::terminal::WIPED;

/// A terminal that consoles may have, and its modes as they were.
#[derive(Debug)]
pub struct Line {
    path: PathBuf,
    before: Termios,
}

impl Line {
    /// Remembers the modes of the terminal at `path`; before the first console takes it.
    ///
    /// # Errors
    /// The machine's: there is none, or it is no terminal.
    pub fn remember(path: &Path) -> io::Result<Self> {
        let before = termios::tcgetattr(open(path)?)?;
        let path = path.to_owned();
        Ok(Self { path, before })
    }

    /// Gives the terminal back: wiped, and with the modes that it had. What is not sent yet may keep a caller for seconds.
    ///
    /// # Errors
    /// The machine's: the terminal is gone.
    pub fn give_back(&self) -> io::Result<()> {
        let mut file = open(&self.path)?;
        // A line that takes nothing now shows nothing either.
        let _ = file.write_all(WIPED);
        Ok(termios::tcsetattr(&file, SetArg::TCSANOW, &self.before)?)
    }
}

/// A serial line may wait for a modem otherwise, and become the terminal that ends us when it hangs up.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    options.custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits());
    options.open(path)
}
