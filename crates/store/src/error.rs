//! What can go wrong with what is kept, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why something could not be kept or read; every text names the place, the reason and the remedy.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// The disk did not do what was asked; us or the machine.
    #[error("{}: can not {doing}: {source}; {}", path.display(), remedy(source))]
    Io {
        /// What was tried: "read", "write", …
        doing: &'static str,
        /// The file or directory.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Another supervisor uses the directory; the operator.
    #[error("{}: {holder} uses this state directory; end that, or name another directory with --state", path.display())]
    Locked {
        /// The state directory.
        path: PathBuf,
        /// "process 123", or "another process".
        holder: String,
    },
    /// A file does not hold what was written to it; the disk.
    #[error("{}: damaged: {reason}; {remedy}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// What to do.
        remedy: &'static str,
    },
    /// There is nothing to confirm or to take back; the caller.
    #[error("no configuration waits to be confirmed; see `gatehouse generations`")]
    NothingPending,
    /// The generation is unknown or no longer kept; the caller.
    #[error("generation {0} is not kept; see `gatehouse generations`")]
    NoSuchGeneration(u32),
    /// The name can not be used; the caller.
    #[error(
        "\"{name}\" is no name for a {what}; use 1 to 64 of a-z, 0-9, \".\", \"_\", \"-\", the first not a \".\""
    )]
    BadName {
        /// "secret" or "file".
        what: &'static str,
        /// The name as it was given.
        name: String,
    },
    /// The value can not be kept; the caller.
    #[error("{what}: {reason}")]
    BadValue {
        /// "secret `name`", "configuration".
        what: String,
        /// What is wrong, and what would be right.
        reason: String,
    },
}

impl Error {
    pub(crate) fn io(doing: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            doing,
            path: path.into(),
            source,
        }
    }
}

fn remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::PermissionDenied => {
            "the state directory must belong to the user that runs gatehouse"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "make room on this file system, then try again"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "mount the file system for writing, or name another directory with --state"
        }
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => {
            "something that is no directory has its name; move it away, or name another directory with --state"
        }
        io::ErrorKind::IsADirectory => "a directory has the name of a file; move it away",
        _ => "check the file system and the disk under it",
    }
}
