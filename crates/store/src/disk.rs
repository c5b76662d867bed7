//! What the store asks of a disk, in steps so small that a test can lose power between any two of them.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// A directory of small private files; paths are relative to it, with at most one "/".
pub(crate) trait Disk: Send + Sync {
    /// The content of a file; a file longer than `limit` bytes is an error of the kind `FileTooLarge`.
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>>;
    /// The names of the files in a directory, "" for the root, in no order; a missing directory is empty.
    fn list(&self, directory: &str) -> io::Result<Vec<String>>;
    /// The names of the directories in the root, in no order.
    fn directories(&self) -> io::Result<Vec<String>>;
    /// Makes a directory in the root, unless it is there.
    fn make_directory(&self, directory: &str) -> io::Result<()>;
    /// Creates a file, in place of one that is there, and makes its content durable, but not its name.
    fn write_new(&self, path: &str, content: &[u8]) -> io::Result<()>;
    /// Gives a file another name, in place of a file that has it; not durable.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    /// Removes a file; not durable.
    fn remove(&self, path: &str) -> io::Result<()>;
    /// Makes all names of a directory, "" for the root, durable.
    fn sync_directory(&self, directory: &str) -> io::Result<()>;
    /// The path for messages.
    fn full_path(&self, path: &str) -> PathBuf;
}

/// The name of the file that one supervisor holds locked.
pub(crate) const LOCK: &str = "lock";

/// The directory of the box, held by this process alone while the value lives.
#[derive(Debug)]
pub(crate) struct RealDisk {
    root: PathBuf,
    /// Released by the kernel with the last descriptor, however the process ends.
    _lock: File,
}

impl RealDisk {
    /// Makes the directory if it is missing, closes it to other users, and locks it.
    pub(crate) fn open(root: &Path) -> Result<Self, Error> {
        let missing: Vec<&Path> = root.ancestors().take_while(|path| !path.exists()).collect();
        private_directory(root).map_err(|source| Error::io("prepare", root, source))?;
        for parent in missing.iter().filter_map(|made| made.parent()) {
            let parent = if parent.as_os_str().is_empty() {
                Path::new(".")
            } else {
                parent
            };
            // A parent that may not be read can not be synced; then the file system decides when the name is durable.
            let _ = File::open(parent).and_then(|parent| parent.sync_all());
        }
        let path = root.join(LOCK);
        let lock = open_lock(&path).map_err(|source| Error::io("open", &path, source))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Error::Locked {
                    path: root.into(),
                    holder: holder(&lock),
                });
            }
            Err(TryLockError::Error(source)) => return Err(Error::io("lock", &path, source)),
        }
        // For the message of whoever comes second; the lock does not depend on it.
        let _ = lock
            .set_len(0)
            .and_then(|()| writeln!(&lock, "{}", std::process::id()));
        Ok(Self {
            root: root.into(),
            _lock: lock,
        })
    }
}

impl Disk for RealDisk {
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        File::open(self.full_path(path))?
            .take(limit + 1)
            .read_to_end(&mut content)?;
        if content.len() as u64 > limit {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(content)
    }

    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        list(&self.full_path(directory))
    }

    fn directories(&self) -> io::Result<Vec<String>> {
        names(&self.root, fs::FileType::is_dir)
    }

    fn make_directory(&self, directory: &str) -> io::Result<()> {
        private_directory(&self.full_path(directory))
    }

    fn write_new(&self, path: &str, content: &[u8]) -> io::Result<()> {
        let path = self.full_path(path);
        // A file that is there may have other rights, or be open elsewhere.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(content)?;
        file.sync_all()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.full_path(from), self.full_path(to))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        fs::remove_file(self.full_path(path))
    }

    fn sync_directory(&self, directory: &str) -> io::Result<()> {
        File::open(self.full_path(directory))?.sync_all()
    }

    fn full_path(&self, path: &str) -> PathBuf {
        if path.is_empty() {
            self.root.clone()
        } else {
            self.root.join(path)
        }
    }
}

/// The names of the files in a directory; a missing directory is empty.
pub(crate) fn list(directory: &Path) -> io::Result<Vec<String>> {
    names(directory, fs::FileType::is_file)
}

fn names(directory: &Path, wanted: fn(&fs::FileType) -> bool) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if wanted(&entry.file_type()?) {
            // Names that are no text are not ours.
            names.extend(entry.file_name().into_string().ok());
        }
    }
    Ok(names)
}

fn private_directory(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let mode = fs::metadata(path)?.permissions().mode();
    let open_to_others = mode & 0o077;
    if open_to_others == 0 {
        return Ok(());
    }
    or_read_only(fs::set_permissions(path, Permissions::from_mode(0o700)))
}

/// A file system that became read-only, as a dying disk does, must not keep the box from starting with what is there.
fn or_read_only(result: io::Result<()>) -> io::Result<()> {
    result.or_else(|error| {
        if error.kind() == io::ErrorKind::ReadOnlyFilesystem {
            Ok(())
        } else {
            Err(error)
        }
    })
}

fn open_lock(path: &Path) -> io::Result<File> {
    let writable = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path);
    match writable {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => File::open(path),
        opened => opened,
    }
}

fn holder(mut lock: &File) -> String {
    let mut text = String::new();
    let _ = lock.read_to_string(&mut text);
    match text.trim().parse::<u32>() {
        Ok(process) => format!("process {process}"),
        Err(_) => "another process".into(),
    }
}
