//! Factory reset: a marker decides, and the next start removes everything.

use std::path::Path;

use crate::disk::{Disk, LOCK};
use crate::error::Error;
use crate::{Store, name};

/// Its name alone says what is to be done; it is the last file to be removed.
pub(crate) const MARKER: &str = "factory-reset";

impl Store {
    /// Decides that everything kept here is removed at the next start: generations, secrets, certificates, all other files.
    ///
    /// Once this has returned, a power cut at any instant ends in an empty store. Files are removed, not overwritten: a flash
    /// memory that is taken out may still hold traces. Nothing should be kept after this; it would be removed as well.
    ///
    /// # Errors
    /// [`Error::Io`], and nothing is removed unless it was the very last step that failed.
    pub fn factory_reset(&mut self) -> Result<(), Error> {
        self.replace(MARKER, b"everything in this directory is to be removed\n")
    }
}

/// Removes everything if a factory reset was decided; whether it was.
///
/// # Errors
/// [`Error::Io`]: what the operator wanted removed must not be put to work again, so that there is no store then.
pub(crate) fn finish(disk: &dyn Disk) -> Result<bool, Error> {
    let failed = |doing, path: &str| {
        let path = disk.full_path(path);
        move |source| Error::io(doing, Path::new(&path), source)
    };
    let files = disk.list("").map_err(failed("list", ""))?;
    if !files.iter().any(|file| file == MARKER) {
        return Ok(false);
    }
    let directories = disk.directories().map_err(failed("list", ""))?;
    for directory in directories.into_iter().filter(|name| is_ours(name)) {
        let inside = disk.list(&directory).map_err(failed("list", &directory))?;
        for file in inside {
            let path = format!("{directory}/{file}");
            disk.remove(&path).map_err(failed("remove", &path))?;
        }
        disk.sync_directory(&directory)
            .map_err(failed("write", &directory))?;
    }
    for file in files.iter().filter(|name| is_ours(name)) {
        disk.remove(file).map_err(failed("remove", file))?;
    }
    disk.sync_directory("").map_err(failed("write", ""))?;
    disk.remove(MARKER).map_err(failed("remove", MARKER))?;
    disk.sync_directory("").map_err(failed("write", ""))?;
    Ok(true)
}

/// Whether a name in the root may be one that the store gave; what is hidden is of somebody else.
fn is_ours(name: &str) -> bool {
    let kept = [MARKER, LOCK].contains(&name);
    !kept && (name::check("file", name).is_ok() || name::is_unfinished(name))
}
