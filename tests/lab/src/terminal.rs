//! A terminal of 24 lines and 80 columns in front of the console, and what it shows.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use nix::pty::openpty;
use nix::sys::termios;

use crate::wait_until;

const LINES: usize = 24;
const COLUMNS: usize = 80;

/// A pseudo terminal that behaves like a VT100, as far as the console needs one.
pub struct Terminal {
    keyboard: File,
    path: PathBuf,
    /// Kept open, so that it stays while nobody else has it open.
    line: OwnedFd,
    screen: Arc<Mutex<Screen>>,
}

impl Terminal {
    /// A terminal that nobody has opened yet.
    pub fn new() -> Result<Self> {
        let pair = openpty(None, None)?;
        let path = nix::unistd::ttyname(&pair.slave)?;
        let keyboard = File::from(pair.master);
        let mut output = keyboard.try_clone()?;
        let screen = Arc::new(Mutex::new(Screen::new()));
        let shown = Arc::downgrade(&screen);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Some(screen) = shown.upgrade() {
                // A line is hung up whenever who had it for his own ends; the next one opens it anew.
                let count = output.read(&mut bytes).unwrap_or_default();
                if count == 0 {
                    thread::sleep(Duration::from_millis(20));
                }
                let mut screen = screen.lock().unwrap_or_else(PoisonError::into_inner);
                for byte in bytes.get(..count).unwrap_or_default() {
                    screen.take(*byte);
                }
            }
        });
        Ok(Self {
            keyboard,
            path,
            line: pair.slave,
            screen,
        })
    }

    /// The name of its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The line that a program may have as its standard input.
    pub fn line(&self) -> Result<OwnedFd> {
        Ok(self.line.try_clone()?)
    }

    /// How it treats what passes: the flags of its modes.
    pub fn modes(&self) -> Result<String> {
        let now = termios::tcgetattr(&self.line)?;
        let (input, local) = (now.input_flags, now.local_flags);
        Ok(format!("{input:?} {local:?} {:?}", now.output_flags))
    }

    /// Types.
    pub fn press(&self, keys: &str) -> Result<()> {
        (&self.keyboard).write_all(keys.as_bytes())?;
        Ok(())
    }

    /// Prints over what is shown, as the log of a kernel does.
    pub fn scribble(&self, text: &str) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in text.bytes() {
            screen.take(byte);
        }
    }

    /// Waits until `text` is on the screen.
    pub fn wait_for(&self, text: &str) -> Result<()> {
        wait_until(&format!("{text:?} on the screen"), || Ok(self.shows(text)))
            .with_context(|| self.text())?;
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(!screen.ran_over, "it wrote beyond 80 columns or 24 lines");
        Ok(())
    }

    /// Types, then waits until `text` is on the screen.
    pub fn expect(&self, keys: &str, text: &str) -> Result<()> {
        self.press(keys)?;
        self.wait_for(text)
    }

    /// Whether `text` is on the screen.
    pub fn shows(&self, text: &str) -> bool {
        self.text().contains(text)
    }

    /// What is on the screen.
    pub fn text(&self) -> String {
        let screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = screen.cells.iter().map(|line| {
            let line: String = line.iter().collect();
            line.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

struct Screen {
    cells: Vec<Vec<char>>,
    row: usize,
    column: usize,
    sequence: Option<String>,
    ran_over: bool,
}

impl Screen {
    fn new() -> Self {
        Self {
            cells: vec![vec![' '; COLUMNS]; LINES],
            row: 0,
            column: 0,
            sequence: None,
            ran_over: false,
        }
    }

    fn take(&mut self, byte: u8) {
        if let Some(mut sequence) = self.sequence.take() {
            sequence.push(char::from(byte));
            match byte {
                b'[' if sequence.len() == 1 => self.sequence = Some(sequence),
                b'@'..=b'~' => self.obey(&sequence),
                _ => self.sequence = Some(sequence),
            }
            return;
        }
        match byte {
            0x1b => self.sequence = Some(String::new()),
            b'\r' => self.column = 0,
            b'\n' if self.row + 1 < LINES => self.row += 1,
            b'\n' => self.ran_over = true,
            byte => {
                match self.cells[self.row].get_mut(self.column) {
                    Some(cell) => *cell = char::from(byte),
                    None => self.ran_over = true,
                }
                self.column += 1;
            }
        }
    }

    fn obey(&mut self, sequence: &str) {
        let (last, body) = (sequence.chars().last(), sequence.trim_start_matches('['));
        let numbers: Vec<usize> = body
            .trim_end_matches(char::is_alphabetic)
            .split(';')
            .map(|number| number.parse().unwrap_or(0))
            .collect();
        let place = |index: usize| numbers.get(index).copied().unwrap_or(0).max(1) - 1;
        match last {
            Some('H') => (self.row, self.column) = (place(0).min(LINES - 1), place(1)),
            Some('J') => self.cells = Self::new().cells,
            Some('K') => {
                let line = &mut self.cells[self.row];
                line.iter_mut()
                    .skip(self.column)
                    .for_each(|cell| *cell = ' ');
            }
            _ => {}
        }
    }
}
