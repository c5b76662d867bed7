//! A real Chromium, driven by playwright-core.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{Lab, Place};

/// What a browser test needs on the machine.
const SCRIPT: &str = "tests/lab/node/websocket.mjs";

/// A browser at a place, with a home of its own in which the given roots are trusted.
pub struct Browser<'lab> {
    lab: &'lab Lab,
    place: Place,
    home: PathBuf,
}

impl<'lab> Browser<'lab> {
    /// Programs a test with a browser names in its list.
    pub const NEEDS: [&'static str; 4] = ["chromium", "node", "certutil", "playwright-core"];

    /// Prepares a home whose certificate store trusts `root`.
    pub fn trusting(lab: &'lab Lab, place: Place, root: &Path) -> Result<Self> {
        let home = lab.dir().join("home");
        let store = home.join(".pki/nssdb");
        fs::create_dir_all(&store)?;
        let store = format!("sql:{}", store.display());
        let root = root.display().to_string();
        lab.run(place, &["certutil", "-N", "--empty-password", "-d", &store])?
            .success()?;
        lab.run(
            place,
            &[
                "certutil", "-A", "-d", &store, "-t", "C,,", "-n", "gate", "-i", &root,
            ],
        )?
        .success()?;
        Ok(Self { lab, place, home })
    }

    /// Opens `page`, then a WebSocket to `socket` from it, sends `words` and returns what it saw: an object
    /// with `status`, `url`, `body` and `protocol` (`h2`, `http/1.1`) of the page and `echo`, or `error`.
    ///
    /// Every host name is found at `address`.
    pub fn talk(&self, address: &str, page: &str, socket: &str, words: &str) -> Result<Value> {
        let script = crate::repository().join(SCRIPT).display().to_string();
        let home = format!("HOME={}", self.home.display());
        let command = ["env", &home, "node", &script, address, page, socket, words];
        let out = self.lab.run(self.place, &command)?.success()?;
        let line = out.lines().last().context("the browser said nothing")?;
        serde_json::from_str(line).with_context(|| line.to_owned())
    }
}
