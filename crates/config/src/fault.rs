//! What is wrong with a file, and what could not be looked at.

use std::collections::BTreeSet;
use std::fmt;

use crate::Config;
use crate::place::Place;

/// A file without faults, and what only the box itself can check.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// The settings, typed, with defaults applied.
    pub config: Config,
    /// What was taken on trust, in the order of the file.
    pub unchecked: Vec<Unchecked>,
}

/// What the box knows and a file alone does not tell.
///
/// `None` means "not known here": what depends on it is listed as unchecked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    /// Names of the secrets in the store.
    pub secrets: Option<BTreeSet<String>>,
    /// Names of the certificate and key files at hand, as the configuration writes them.
    pub files: Option<BTreeSet<String>>,
}

/// One thing that is wrong, where, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// 1-based line.
    pub line: u32,
    /// 1-based column, in characters.
    pub column: u32,
    /// The key, dotted: `host["hq.example"].http[1].target`; empty for the file as a whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        write!(f, "{}, {}", self.what, self.remedy)
    }
}

/// Every fault of a file, by line; displays as one `file:line: path: what, remedy` per line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Faults {
    /// The file's name as it was given.
    pub file: String,
    /// At least one.
    pub faults: Vec<Fault>,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
            let end = if index == 0 { "" } else { "\n" };
            write!(f, "{end}{}:{}: {fault}", self.file, fault.line)?;
        }
        Ok(())
    }
}

/// Something of the file that could not be checked here.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unchecked {
    /// 1-based line.
    pub line: u32,
    /// The key, dotted.
    pub path: String,
    /// What was taken on trust: "that the store holds the secret `acme-tsig`".
    pub what: String,
}

impl fmt::Display for Unchecked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "line {}: {}: not checked {}",
            self.line, self.path, self.what
        )
    }
}

/// Collects faults while a file is read and checked.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) faults: Vec<Fault>,
    pub(crate) unchecked: Vec<Unchecked>,
}

/// Nobody mends more than this in one go, and a hostile file must not fill the memory.
const MOST_FAULTS: usize = 1000;

impl Report {
    /// Whether nothing more would be said, so that a search can end.
    pub(crate) fn is_full(&self) -> bool {
        self.faults.len() >= MOST_FAULTS
    }

    pub(crate) fn fault(&mut self, at: Place, what: impl Into<String>, remedy: impl Into<String>) {
        if !self.is_full() {
            self.faults.push(Fault {
                line: at.line,
                column: at.column,
                path: visible(at.path),
                what: visible(what.into()),
                remedy: visible(remedy.into()),
            });
        }
    }

    pub(crate) fn unchecked(&mut self, at: Place, what: impl Into<String>) {
        self.unchecked.push(Unchecked {
            line: at.line,
            path: visible(at.path),
            what: visible(what.into()),
        });
    }
}

/// A text without characters that do something to a terminal instead of being seen; what is said
/// about a file repeats parts of it.
fn visible(text: String) -> String {
    let acts = |letter: char| {
        let turns = matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}');
        let hides = matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}');
        letter.is_control() || turns || hides
    };
    if !text.contains(acts) {
        return text;
    }
    text.chars().fold(String::new(), |mut seen, letter| {
        if acts(letter) {
            seen.extend(letter.escape_unicode());
        } else {
            seen.push(letter);
        }
        seen
    })
}
