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
    /// What stands in for the machine's settings of Chromium.
    settings: Option<PathBuf>,
}

impl<'lab> Browser<'lab> {
    /// Programs a test with a browser names in its list.
    pub const NEEDS: [&'static str; 4] = ["chromium", "node", "certutil", "playwright-core"];

    /// Prepares a home whose certificate store trusts `root`.
    pub fn trusting(lab: &'lab Lab, place: Place, root: &Path) -> Result<Self> {
        let home = home(lab, place, &[root])?;
        Ok(Self {
            lab,
            place,
            home,
            settings: None,
        })
    }

    /// It shows the certificate of `file`, PKCS#12 under `password`, to `site` without asking anybody.
    pub fn showing(mut self, file: &Path, password: &str, site: &str) -> Result<Self> {
        let store = format!("sql:{}", self.home.join(".pki/nssdb").display());
        let file = file.display().to_string();
        let command = [
            "pk12util", "-d", &store, "-i", &file, "-W", password, "-K", "",
        ];
        self.lab.run(self.place, &command)?.success()?;
        let settings = self.lab.dir().join("chromium");
        let policies = settings.join("policies/managed");
        fs::create_dir_all(&policies)?;
        let rule = serde_json::json!({ "pattern": site, "filter": {} }).to_string();
        let policy = serde_json::json!({ "AutoSelectCertificateForUrls": [rule] });
        fs::write(policies.join("lab.json"), policy.to_string())?;
        self.settings = Some(settings);
        Ok(self)
    }

    /// Opens `page`, then a WebSocket to `socket` from it, sends `words` and returns what it saw: an object
    /// with `status`, `url`, `body`, `protocol` (`h2`, `http/1.1`) and `group` (of the key exchange) of the page and `echo`, or
    /// `error`.
    ///
    /// Every host name is found at `address`.
    pub fn talk(&self, address: &str, page: &str, socket: &str, words: &str) -> Result<Value> {
        self.talk_with(&[address, page, socket, words])
    }

    /// As [`Browser::talk`], with a cookie `NAME=VALUE` for the page.
    pub fn talk_with_cookie(
        &self,
        address: &str,
        page: &str,
        socket: &str,
        words: &str,
        cookie: &str,
    ) -> Result<Value> {
        self.talk_with(&[address, page, socket, words, cookie])
    }

    fn talk_with(&self, arguments: &[&str]) -> Result<Value> {
        let script = crate::repository().join(SCRIPT).display().to_string();
        let home = format!("HOME={}", self.home.display());
        let mut command = vec!["env", &home, "node", &script];
        command.extend(arguments);
        // What is mounted in the namespace of one program is seen by no other.
        let mount = self.settings.as_ref().map(|settings| {
            let from = settings.display();
            format!("mount --bind {from} /etc/chromium && exec \"$@\"")
        });
        if let Some(mount) = &mount {
            command.splice(0..0, ["sh", "-c", mount, "sh"]);
        }
        let out = self.lab.run(self.place, &command)?.success()?;
        let line = out.lines().last().context("the browser said nothing")?;
        serde_json::from_str(line).with_context(|| line.to_owned())
    }
}

/// A home for a browser at `place`, with a certificate store that trusts `roots`.
pub(crate) fn home(lab: &Lab, place: Place, roots: &[&Path]) -> Result<PathBuf> {
    let home = lab.dir().join("home");
    let store = home.join(".pki/nssdb");
    fs::create_dir_all(&store)?;
    let store = format!("sql:{}", store.display());
    let run = |arguments: &[&str]| -> Result<()> {
        let command = [&["certutil"], arguments, &["-d", &store]].concat();
        lab.run(place, &command)?.success().map(drop)
    };
    run(&["-N", "--empty-password"])?;
    for (number, root) in roots.iter().enumerate() {
        let (name, root) = (format!("root{number}"), root.display().to_string());
        run(&["-A", "-t", "C,,", "-n", &name, "-i", &root])?;
    }
    Ok(home)
}
