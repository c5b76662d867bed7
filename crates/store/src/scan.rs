//! What is found in a state directory, and how it is mended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::disk::Disk;
use crate::error::Error;
use crate::generation::{Generation, State, fingerprint};
use crate::generations::{MAX_RECORD, MAX_TEXT, record, record_path, text_path};
use crate::{GENERATIONS, SECRETS, name};

/// Something that was found while the store was opened and that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// The factory reset that was asked for is done: nothing is left of what was kept.
    Reset,
    /// A generation was still pending, and is given up.
    NotConfirmed {
        /// The generation that is given up.
        number: u32,
        /// The one that counts again.
        back_to: Option<u32>,
    },
    /// A generation was being written when the power went; it is left out.
    Unfinished {
        /// Its number.
        number: u32,
    },
    /// A generation is left out because a file is damaged.
    Damaged {
        /// Its number.
        number: u32,
        /// The damaged file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// No confirmed generation is intact, so that one counts that was never confirmed.
    NeverConfirmed {
        /// Its number.
        number: u32,
    },
    /// No generation is intact, so that a text counts whose record, and with it the checksum, is lost.
    Unverified {
        /// Its number.
        number: u32,
    },
    /// Every generation is damaged: the box starts without a configuration.
    NothingLeft,
    /// The state directory can be read but not written; what should have been mended is mended in memory only.
    NotWritable {
        /// The reason, with file and remedy.
        reason: String,
    },
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset => f.write_str("factory reset: everything that was kept is removed"),
            Self::NotConfirmed {
                number,
                back_to: Some(back),
            } => {
                write!(
                    f,
                    "generation {number} was not confirmed before the restart; back to generation {back}"
                )
            }
            Self::NotConfirmed {
                number,
                back_to: None,
            } => {
                write!(
                    f,
                    "generation {number} was not confirmed before the restart"
                )
            }
            Self::Unfinished { number } => {
                write!(
                    f,
                    "generation {number} was not completely written when the box stopped, and is left out"
                )
            }
            Self::Damaged {
                number,
                path,
                reason,
            } => {
                write!(
                    f,
                    "{}: {reason}; generation {number} is left out",
                    path.display()
                )
            }
            Self::NeverConfirmed { number } => write!(
                f,
                "no confirmed generation is intact; generation {number} counts, which was never confirmed: check it with \
                 `gatehouse diff` and load the configuration that you want"
            ),
            Self::Unverified { number } => write!(
                f,
                "no generation is intact; the text of generation {number} counts, though its checksum is lost: check it and \
                 load the configuration that you want"
            ),
            Self::NothingLeft => {
                f.write_str("every generation is damaged; load the configuration again")
            }
            Self::NotWritable { reason } => {
                write!(f, "the state directory can not be mended: {reason}")
            }
        }
    }
}

pub(crate) struct Scan {
    pub(crate) generations: BTreeMap<u32, Generation>,
    pub(crate) damaged: BTreeSet<u32>,
    pub(crate) highest: u32,
    pub(crate) notes: Vec<Note>,
}

/// Reads all generations and brings the directory into order.
///
/// What can not be written does not keep the box from starting with what can be read.
pub(crate) fn scan(disk: &dyn Disk) -> Result<Scan, Error> {
    let mut scanner = Scanner {
        disk,
        found: Scan {
            generations: BTreeMap::new(),
            damaged: BTreeSet::new(),
            highest: 0,
            notes: Vec::new(),
        },
        writable: true,
    };
    scanner.prepare()?;
    scanner.read_generations()?;
    scanner.choose();
    scanner.give_up_pending();
    Ok(scanner.found)
}

/// A number that no store reaches; a file with such a name is not ours, and must not use up the numbers.
const TOO_HIGH: u32 = 1_000_000_000;

struct Scanner<'d> {
    disk: &'d dyn Disk,
    found: Scan,
    writable: bool,
}

impl Scanner<'_> {
    /// Makes the directories and removes files that were never finished.
    fn prepare(&mut self) -> Result<(), Error> {
        for directory in [GENERATIONS, SECRETS] {
            self.attempt(directory, |disk, path| disk.make_directory(path));
        }
        self.attempt("", |disk, path| disk.sync_directory(path));
        for directory in ["", GENERATIONS, SECRETS] {
            for name in self
                .list(directory)?
                .iter()
                .filter(|name| name::is_unfinished(name))
            {
                let path = if directory.is_empty() {
                    name.clone()
                } else {
                    format!("{directory}/{name}")
                };
                self.attempt(&path, |disk, path| disk.remove(path));
            }
        }
        Ok(())
    }

    fn read_generations(&mut self) -> Result<(), Error> {
        let names = self.list(GENERATIONS)?;
        let numbers = |suffix: &str| -> BTreeSet<u32> {
            let numbers = names
                .iter()
                .filter_map(|name| name.strip_suffix(suffix)?.parse().ok());
            numbers
                .filter(|number| {
                    *number < TOO_HIGH && names.contains(&format!("{number:04}{suffix}"))
                })
                .collect()
        };
        let (records, texts) = (numbers(".json"), numbers(".toml"));
        for number in &records {
            match self.read_generation(*number) {
                Ok(generation) => {
                    self.found.generations.insert(*number, generation);
                }
                Err((path, reason)) => {
                    self.found.damaged.insert(*number);
                    let path = self.disk.full_path(&path);
                    self.found.notes.push(Note::Damaged {
                        number: *number,
                        path,
                        reason,
                    });
                }
            }
        }
        for number in texts.difference(&records) {
            self.text_without_record(*number, &records);
        }
        self.found.highest = records.last().max(texts.last()).copied().unwrap_or(0);
        Ok(())
    }

    fn read_generation(&self, number: u32) -> Result<Generation, (String, String)> {
        let path = record_path(number);
        let record = self.read(&path, MAX_RECORD)?;
        let generation: Generation = match serde_json::from_slice(&record) {
            Ok(generation) => generation,
            Err(error) => return Err((path, format!("the record is damaged ({error})"))),
        };
        if generation.number != number {
            return Err((
                path,
                format!("the record is that of generation {}", generation.number),
            ));
        }
        let path = text_path(number);
        let text = self.read(&path, MAX_TEXT)?;
        if fingerprint(&text) != generation.sha256 {
            return Err((path, "the text does not match its checksum".into()));
        }
        match String::from_utf8(text) {
            Ok(_) => Ok(generation),
            Err(_) => Err((path, "the text is not UTF-8".into())),
        }
    }

    /// Above all records: an `add` that was cut short. Below all: a removal that was. Between: a record that is lost.
    fn text_without_record(&mut self, number: u32, records: &BTreeSet<u32>) {
        let above = records.last().is_none_or(|last| number > *last);
        let below = records.first().is_some_and(|first| number < *first);
        if above || below {
            self.attempt(&text_path(number), |disk, path| disk.remove(path));
        } else {
            self.found.damaged.insert(number);
            let path = self.disk.full_path(&record_path(number));
            self.found.notes.push(Note::Damaged {
                number,
                path,
                reason: "the file is gone".into(),
            });
        }
        if above {
            self.found.notes.push(Note::Unfinished { number });
        }
    }

    /// Sees to it that a generation counts as confirmed if there is any that can be read.
    fn choose(&mut self) {
        if self
            .found
            .generations
            .values()
            .any(Generation::is_confirmed)
        {
            return;
        }
        if let Some(mut newest) = self.found.generations.values().next_back().cloned() {
            newest.state = State::Confirmed;
            newest.note =
                Some("never confirmed; taken because no confirmed generation was intact".into());
            self.found.notes.push(Note::NeverConfirmed {
                number: newest.number,
            });
            self.keep(newest);
        } else if let Some(rescued) = self
            .found
            .damaged
            .iter()
            .rev()
            .find_map(|number| self.rescue(*number))
        {
            self.found.damaged.remove(&rescued.number);
            self.found.notes.push(Note::Unverified {
                number: rescued.number,
            });
            self.keep(rescued);
        } else if !self.found.damaged.is_empty() {
            self.found.notes.push(Note::NothingLeft);
        }
    }

    /// A generation whose text can be read and whose record can not.
    fn rescue(&self, number: u32) -> Option<Generation> {
        let record = self
            .read(&record_path(number), MAX_RECORD)
            .unwrap_or_default();
        if serde_json::from_slice::<Generation>(&record).is_ok() {
            // Then it is the text that is damaged.
            return None;
        }
        let text = String::from_utf8(self.read(&text_path(number), MAX_TEXT).ok()?).ok()?;
        if text.trim_matches(['\0', ' ', '\n']).is_empty() {
            return None;
        }
        Some(Generation {
            number,
            unix_ms: 0,
            origin: "unknown".into(),
            state: State::Confirmed,
            sha256: fingerprint(text.as_bytes()),
            note: Some("its record was damaged; the text could not be verified".into()),
        })
    }

    fn give_up_pending(&mut self) {
        let confirmed = self
            .found
            .generations
            .values()
            .rev()
            .find(|generation| generation.is_confirmed());
        let back_to = confirmed.map(|generation| generation.number);
        let pending = self
            .found
            .generations
            .values()
            .filter(|generation| generation.state == State::Pending);
        for mut generation in pending.cloned().collect::<Vec<_>>() {
            let number = generation.number;
            generation.state = State::Reverted;
            generation.note = Some("not confirmed before the restart".into());
            self.keep(generation);
            if Some(number) > back_to {
                self.found
                    .notes
                    .push(Note::NotConfirmed { number, back_to });
            }
        }
    }

    /// Takes a changed record over, on the disk as well if possible.
    fn keep(&mut self, generation: Generation) {
        let path = record_path(generation.number);
        let unfinished = name::unfinished(&path);
        let content = record(&generation);
        self.attempt(&path, |disk, path| {
            disk.write_new(&unfinished, &content)?;
            disk.rename(&unfinished, path)?;
            disk.sync_directory(GENERATIONS)
        });
        self.found.generations.insert(generation.number, generation);
    }

    /// Does something that changes the disk, unless that has failed before.
    fn attempt(&mut self, path: &str, change: impl FnOnce(&dyn Disk, &str) -> io::Result<()>) {
        if !self.writable {
            return;
        }
        if let Err(source) = change(self.disk, path) {
            self.writable = false;
            let reason = Error::io("write", &self.disk.full_path(path), source).to_string();
            self.found.notes.push(Note::NotWritable { reason });
        }
    }

    fn list(&self, directory: &str) -> Result<Vec<String>, Error> {
        self.disk
            .list(directory)
            .map_err(|source| Error::io("list", &self.disk.full_path(directory), source))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Vec<u8>, (String, String)> {
        self.disk
            .read(path, limit as u64)
            .map_err(|error| match error.kind() {
                io::ErrorKind::NotFound => (path.to_owned(), "the file is gone".to_owned()),
                _ => (path.to_owned(), error.to_string()),
            })
    }
}
