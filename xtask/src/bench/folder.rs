//! Where configurations, certificates and logs of a measurement lie.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use anyhow::Result;

/// A folder that goes when the measurement ends.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// An empty one.
    pub(crate) fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("gatehouse-bench-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
