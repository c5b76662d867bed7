//! A terminal in raw mode, drawn with what every VT100 knows.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::Signal;
use nix::sys::termios::{self, ControlFlags, SetArg, SpecialCharacterIndices, Termios};
use tokio::sync::mpsc;

use super::ConsoleError;
use crate::core::Frame;

/// Pieces of input that wait at most: a line full of noise is slowed, not kept.
const WAITING: usize = 16;
/// What wipes the screen.
pub(super) const WIPED: &[u8] = b"\x1b[2J\x1b[H";

/// A terminal that is as it was before once this is dropped.
pub(super) struct Terminal {
    file: File,
    before: Termios,
    shown: Frame,
}

impl Terminal {
    /// Takes the terminal at `tty` for this process alone, or borrows that of standard input.
    pub(super) fn open(tty: Option<&Path>) -> Result<Self, ConsoleError> {
        let path = match tty {
            Some(tty) => {
                own_session();
                tty.to_owned()
            }
            None => of_stdin()?,
        };
        let name = path.display().to_string();
        let failed = |error: io::Error| ConsoleError::Terminal(name.clone(), error);
        // A serial line may wait for a modem otherwise. The file is ours alone: its flags are not those of a shell.
        let mut options = OpenOptions::new();
        options.read(true).write(true);
        let no_control = if tty.is_none() {
            OFlag::O_NOCTTY
        } else {
            OFlag::empty()
        };
        options.custom_flags((OFlag::O_NONBLOCK | no_control).bits());
        let file = options.open(&path).map_err(failed)?;
        if !file.is_terminal() {
            return Err(ConsoleError::NotATerminal(name));
        }
        let before = termios::tcgetattr(&file).map_err(|error| failed(error.into()))?;
        termios::tcsetattr(&file, SetArg::TCSANOW, &raw(&before))
            .and_then(|()| fcntl(&file, FcntlArg::F_SETFL(OFlag::empty())))
            .map_err(|error| failed(error.into()))?;
        Ok(Self {
            file,
            before,
            shown: Frame::default(),
        })
    }

    /// What is typed, as it comes; ends when the terminal hangs up.
    pub(super) fn read(&self) -> io::Result<mpsc::Receiver<Vec<u8>>> {
        let (sender, receiver) = mpsc::channel(WAITING);
        let mut file = self.file.try_clone()?;
        // It ends with the process, whose last thread never waits for it.
        std::thread::Builder::new()
            .name("keyboard".to_owned())
            .spawn(move || {
                let mut bytes = [0; 256];
                loop {
                    match file.read(&mut bytes) {
                        Ok(0) => return,
                        Ok(count) => {
                            let piece = bytes.get(..count).unwrap_or_default().to_vec();
                            if sender.blocking_send(piece).is_err() {
                                return;
                            }
                        }
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(_) => return,
                    }
                }
            })?;
        Ok(receiver)
    }

    /// Shows `frame`: all of it with `whole`, or else the lines that differ from what was shown.
    pub(super) fn draw(&mut self, frame: &Frame, whole: bool) -> io::Result<()> {
        if !whole && *frame == self.shown {
            return Ok(());
        }
        let text = drawn(frame, (!whole).then_some(&self.shown));
        self.shown.clone_from(frame);
        self.file.write_all(text.as_bytes())?;
        self.file.flush()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A hung up terminal takes neither.
        let _ = self.file.write_all(WIPED);
        let _ = termios::tcsetattr(&self.file, SetArg::TCSANOW, &self.before);
    }
}

/// The bytes that show `frame`: no line is ended, so that nothing scrolls, and each is cut behind its text.
fn drawn(frame: &Frame, shown: Option<&Frame>) -> String {
    // Attributes off, the whole screen scrolls, and from a wiped screen if all is drawn.
    let mut text = match shown {
        None => "\x1b[0m\x1b[r\x1b[H\x1b[2J".to_owned(),
        Some(_) => String::new(),
    };
    for (row, line) in frame.lines.iter().enumerate() {
        let same = shown.is_some_and(|shown| shown.lines.get(row) == Some(line));
        let blank = shown.is_none() && line.is_empty();
        if !same && !blank {
            let _ = write!(text, "\x1b[{};1H{line}\x1b[K", row + 1);
        }
    }
    let (row, column) = frame.cursor;
    let _ = write!(text, "\x1b[{};{}H", row + 1, column + 1);
    text
}

fn raw(before: &Termios) -> Termios {
    let mut raw = before.clone();
    let output = raw.output_flags;
    termios::cfmakeraw(&mut raw);
    // The log of the kernel and of the box may be printed there, too.
    raw.output_flags = output;
    raw.control_flags |= ControlFlags::CLOCAL | ControlFlags::CREAD;
    raw.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
    raw.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
    raw
}

/// A session of our own, whose controlling terminal the next one to be opened becomes; it ends with who started it.
fn own_session() {
    // Who leads a group already can have none, and needs none: it was started by hand.
    let _ = nix::unistd::setsid();
    let _ = nix::sys::prctl::set_pdeathsig(Signal::SIGTERM);
}

fn of_stdin() -> Result<PathBuf, ConsoleError> {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return Err(ConsoleError::NotATerminal("standard input".to_owned()));
    }
    nix::unistd::ttyname(&stdin)
        .map_err(|error| ConsoleError::Terminal("standard input".to_owned(), error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(lines: &[&str]) -> Frame {
        Frame {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            cursor: (1, 2),
        }
    }

    #[test]
    fn only_lines_that_differ_are_sent() {
        let (old, new) = (frame(&["one", "two", ""]), frame(&["one", "2", "three"]));
        assert_eq!(
            drawn(&old, None),
            "\x1b[0m\x1b[r\x1b[H\x1b[2J\x1b[1;1Hone\x1b[K\x1b[2;1Htwo\x1b[K\x1b[2;3H"
        );
        assert_eq!(
            drawn(&new, Some(&old)),
            "\x1b[2;1H2\x1b[K\x1b[3;1Hthree\x1b[K\x1b[2;3H"
        );
    }
}
