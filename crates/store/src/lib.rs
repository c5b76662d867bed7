//! What survives a power cut: numbered generations of the configuration, secrets, and small files of other crates.
//!
//! ```text
//! STATE/                       0700
//!   lock                       held by the one supervisor
//!   generations/0007.toml      the text, byte for byte
//!   generations/0007.json      its record: a generation exists when its record does
//!   secrets/NAME               0600, the value and nothing else
//!   bans.json, ca/…            blobs
//!   factory-reset              while it is there, everything else counts as removed
//! ```
//!
//! Every file is written under another name, made durable, renamed, and the name made durable. Each change has exactly one rename
//! or unlink that decides, so that a power cut at any instant leaves the state before it or the state after it; a test replays every
//! such instant. There is no pointer to the generation in force that could disagree with the files: it is the newest
//! that was confirmed, or the one above it that is pending. The time is passed in by the caller, as Unix milliseconds.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "tests"))]

mod disk;
mod error;
mod generation;
mod generations;
mod name;
mod reset;
mod salvage;
mod scan;
mod secret;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;

pub use error::Error;
pub use generation::{Generation, State};
pub use generations::{KEEP, MAX_TEXT};
pub use salvage::last_confirmed;
pub use scan::Note;
pub use secret::{MAX_SECRET, Secret};

use disk::{Disk, LOCK, RealDisk};

/// The most secrets there can be.
pub const MAX_SECRETS: usize = 1_000;
/// The most bytes of a blob: 32 MiB.
pub const MAX_BLOB: usize = 32 * 1024 * 1024;

/// The state directory of the box, held by this process alone; calls block for as long as the disk takes.
pub struct Store {
    disk: Box<dyn Disk>,
    /// Those whose text and record are intact.
    generations: BTreeMap<u32, Generation>,
    /// Those whose text or record is not; their files stay until they are old enough to be pruned.
    damaged: BTreeSet<u32>,
    /// The highest number ever seen, whatever became of it.
    highest: u32,
}

/// A store, and what was found while it was opened.
#[derive(Debug)]
pub struct Opened {
    /// The store.
    pub store: Store,
    /// What the operator should be told, one message each; empty after an orderly end.
    pub notes: Vec<Note>,
}

impl Store {
    /// Opens a state directory, which is made if it is missing, and mends what a power cut left behind.
    ///
    /// A pending generation is given up. A damaged generation is left out, never an obstacle; the newest intact one counts.
    ///
    /// # Errors
    /// [`Error::Locked`] when another process holds the directory, [`Error::Io`] when it can not be made, locked or listed.
    pub fn open(directory: &Path) -> Result<Opened, Error> {
        Self::open_on(Box::new(RealDisk::open(directory)?))
    }

    fn open_on(disk: Box<dyn Disk>) -> Result<Opened, Error> {
        let reset = reset::finish(disk.as_ref())?;
        let scan::Scan {
            generations,
            damaged,
            highest,
            mut notes,
        } = scan::scan(disk.as_ref())?;
        if reset {
            notes.insert(0, Note::Reset);
        }
        let store = Self {
            disk,
            generations,
            damaged,
            highest,
        };
        Ok(Opened { store, notes })
    }

    /// The names of the secrets.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn secret_names(&self) -> Result<BTreeSet<String>, Error> {
        let names = self
            .disk
            .list(SECRETS)
            .map_err(|source| self.io("list", SECRETS, source))?;
        Ok(names
            .into_iter()
            .filter(|name| name::check("secret", name).is_ok())
            .collect())
    }

    /// The value of a secret; `None` if there is none of this name.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Io`]; [`Error::Damaged`] when the file is empty, which no secret is.
    pub fn secret(&self, name: &str) -> Result<Option<Secret>, Error> {
        let path = secret_path(name)?;
        match self.read(&path, MAX_SECRET)? {
            Some(value) if value.is_empty() => Err(Error::Damaged {
                path: self.disk.full_path(&path),
                reason: "the file is empty".into(),
                remedy: "set the secret again with `gatehouse secret set`",
            }),
            value => Ok(value.map(Secret::new)),
        }
    }

    /// Sets a secret, in place of an older value.
    ///
    /// # Errors
    /// [`Error::BadName`]; [`Error::BadValue`] when it is empty, longer than [`MAX_SECRET`], or one more than [`MAX_SECRETS`];
    /// [`Error::Io`], and the older value is kept unless it was the very last step that failed.
    pub fn set_secret(&mut self, name: &str, value: &[u8]) -> Result<(), Error> {
        let path = secret_path(name)?;
        let refuse = |reason: String| {
            Err(Error::BadValue {
                what: format!("secret `{name}`"),
                reason,
            })
        };
        if value.is_empty() {
            return refuse(
                "the value is empty; give one, or remove the secret with `gatehouse secret rm`"
                    .into(),
            );
        }
        if value.len() > MAX_SECRET {
            return refuse(format!(
                "the value has {} bytes; {MAX_SECRET} is the most",
                value.len()
            ));
        }
        let names = self.secret_names()?;
        if names.len() >= MAX_SECRETS && !names.contains(name) {
            return refuse(format!(
                "there are {} secrets already; remove one that is not used",
                names.len()
            ));
        }
        self.replace(&path, value)
    }

    /// Removes a secret; false if there is none of this name.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Io`].
    pub fn remove_secret(&mut self, name: &str) -> Result<bool, Error> {
        let path = secret_path(name)?;
        if !self.unlink(&path)? {
            return Ok(false);
        }
        self.sync(SECRETS)?;
        Ok(true)
    }

    /// A small file of another crate, such as "bans.json" or "ca/root"; `None` if it was never written.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Io`].
    pub fn blob(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        check_blob(path)?;
        self.read(path, MAX_BLOB)
    }

    /// Writes a small file of another crate; a reader finds the old content or the new, also after a power cut.
    ///
    /// Two blobs are two changes: what must agree belongs into one.
    ///
    /// # Errors
    /// [`Error::BadName`]; [`Error::BadValue`] above [`MAX_BLOB`]; [`Error::Io`], and the old content is kept
    /// unless it was the very last step that failed.
    pub fn set_blob(&mut self, path: &str, content: &[u8]) -> Result<(), Error> {
        check_blob(path)?;
        if content.len() > MAX_BLOB {
            let reason = format!("{} bytes; {MAX_BLOB} is the most", content.len());
            return Err(Error::BadValue {
                what: format!("file `{path}`"),
                reason,
            });
        }
        let directory = name::directory(path);
        if !directory.is_empty() {
            self.disk
                .make_directory(directory)
                .map_err(|source| self.io("make", directory, source))?;
            self.sync("")?;
        }
        self.replace(path, content)
    }

    /// Removes a small file of another crate; false if there is none.
    ///
    /// # Errors
    /// [`Error::BadName`], [`Error::Io`].
    pub fn remove_blob(&mut self, path: &str) -> Result<bool, Error> {
        check_blob(path)?;
        if !self.unlink(path)? {
            return Ok(false);
        }
        self.sync(name::directory(path))?;
        Ok(true)
    }

    /// Writes a whole file so that it is the old or the new at any instant.
    fn replace(&self, path: &str, content: &[u8]) -> Result<(), Error> {
        let unfinished = name::unfinished(path);
        let written = self
            .disk
            .write_new(&unfinished, content)
            .map_err(|source| self.io("write", &unfinished, source))
            .and_then(|()| {
                self.disk
                    .rename(&unfinished, path)
                    .map_err(|source| self.io("write", path, source))
            });
        if written.is_err() {
            // Gives the room back; what stays is removed at the next start.
            let _ = self.disk.remove(&unfinished);
        }
        written?;
        self.sync(name::directory(path))
    }

    fn read(&self, path: &str, limit: usize) -> Result<Option<Vec<u8>>, Error> {
        match self.disk.read(path, limit as u64) {
            Ok(content) => Ok(Some(content)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.io("read", path, error)),
        }
    }

    /// Removes a file; false if it was not there.
    fn unlink(&self, path: &str) -> Result<bool, Error> {
        match self.disk.remove(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.io("remove", path, error)),
        }
    }

    fn sync(&self, directory: &str) -> Result<(), Error> {
        self.disk
            .sync_directory(directory)
            .map_err(|source| self.io("write", directory, source))
    }

    fn io(&self, doing: &'static str, path: &str, source: io::Error) -> Error {
        Error::io(doing, &self.disk.full_path(path), source)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("directory", &self.disk.full_path(""))
            .finish_non_exhaustive()
    }
}

/// The names of the secrets in a state directory that another process may hold; for `gatehouse check --state`.
///
/// # Errors
/// [`Error::Io`] when the directory is missing or can not be read.
pub fn secret_names(directory: &Path) -> Result<BTreeSet<String>, Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::io("read", &path, source)
    };
    directory.read_dir().map_err(failed(directory))?;
    let secrets = directory.join(SECRETS);
    let names = disk::list(&secrets).map_err(failed(&secrets))?;
    Ok(names
        .into_iter()
        .filter(|name| name::check("secret", name).is_ok())
        .collect())
}

const GENERATIONS: &str = "generations";
const SECRETS: &str = "secrets";

fn secret_path(name: &str) -> Result<String, Error> {
    name::check("secret", name)?;
    Ok(format!("{SECRETS}/{name}"))
}

fn check_blob(path: &str) -> Result<(), Error> {
    let (first, rest) = path
        .split_once('/')
        .map_or((path, None), |(first, rest)| (first, Some(rest)));
    for part in [Some(first), rest].into_iter().flatten() {
        name::check("file", part)?;
    }
    if [GENERATIONS, SECRETS, LOCK, reset::MARKER].contains(&first) {
        return Err(Error::BadName {
            what: "file",
            name: path.into(),
        });
    }
    Ok(())
}
