//! Files that hold keys: nobody else may read them, and none is lost by mistake.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::super::{Done, Failure};

/// Asks, before anything else is done, whether `path` may be written.
pub(super) fn is_free(path: &Path, force: bool) -> Done {
    if !force && path.symlink_metadata().is_ok() {
        return Err(Failure::Refused(there_is(path)));
    }
    // A link or a device would be replaced by a file.
    let found = path.symlink_metadata();
    if found.is_ok_and(|found| !found.is_file()) {
        return Err(Failure::Refused(format!(
            "{} is no ordinary file; name another one",
            path.display()
        )));
    }
    Ok(())
}

/// Writes `content` to `path` for its owner alone; over what there is only by `force`, and then all of it or nothing.
pub(super) fn write(path: &Path, content: &[u8], force: bool) -> Done {
    if force {
        is_free(path, force)?;
    }
    let written = if force {
        let unfinished = path.with_added_extension("new");
        // One that an earlier try has left.
        let _ = fs::remove_file(&unfinished);
        create(&unfinished, content).and_then(|()| fs::rename(&unfinished, path))
    } else {
        create(path, content)
    };
    written.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => Failure::Refused(there_is(path)),
        _ => Failure::Unusable(format!("can not write {}: {error}", path.display())),
    })
}

fn create(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // Half of it is of no use, and would be in the way of the next try.
        let _ = fs::remove_file(path);
    }
    written
}

fn there_is(path: &Path) -> String {
    format!(
        "there is {} already; name another file, or write over it with --force",
        path.display()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn nobody_else_reads_it_and_none_is_written_over_by_mistake() {
        let folder = std::env::temp_dir().join(format!("gatehouse-out-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("a.p12");
        is_free(&file, false).unwrap();
        write(&file, b"one", false).unwrap();
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(), 0o600);
        assert!(is_free(&file, false).is_err());
        assert!(write(&file, b"two", false).is_err());
        assert_eq!(fs::read(&file).unwrap(), b"one");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        is_free(&file, true).unwrap();
        write(&file, b"three", true).unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"three");
        assert_eq!(mode(), 0o600, "also where the one before could be read");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
        let link = folder.join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert!(is_free(&link, true).is_err());
        assert!(write(&link, b"four", true).is_err());
        assert!(link.is_symlink());
        fs::remove_dir_all(folder).unwrap();
    }
}
