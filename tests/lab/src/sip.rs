//! A SIP phone that does as it is told, step by step, over TCP or TLS: Python's `ssl`, and SIP made by hand.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Kamailio, Lab, Place};

/// One connection and what is said over it.
pub struct Phone<'a> {
    to: &'a str,
    tls: Option<(&'a Path, &'a str)>,
    certificate: Option<&'a Path>,
    steps: Vec<Value>,
}

/// What came back after a step.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status, provisional ones left out; 0 when nothing came, or no answer.
    pub status: u16,
    /// The message.
    pub answer: String,
    /// Whether the connection was closed before it or instead of it.
    pub closed: bool,
}

impl<'a> Phone<'a> {
    /// One that connects to `to`, `IP:PORT`, over TCP.
    pub fn new(to: &'a str) -> Self {
        Self {
            to,
            tls: None,
            certificate: None,
            steps: Vec::new(),
        }
    }

    /// Over TLS, to a server called `name` with a certificate below `root`.
    #[must_use]
    pub fn trusting(mut self, root: &'a Path, name: &'a str) -> Self {
        self.tls = Some((root, name));
        self
    }

    /// With the certificate and the key of a file.
    #[must_use]
    pub fn showing(mut self, file: Option<&'a Path>) -> Self {
        self.certificate = file;
        self
    }

    /// Registers `USER@DOMAIN` with the password of [`Kamailio`]; its reply is the last one.
    #[must_use]
    pub fn register(self, address: &str) -> Self {
        self.register_with(address, Kamailio::PASSWORD)
    }

    /// The same with another password.
    #[must_use]
    pub fn register_with(self, address: &str, password: &str) -> Self {
        let user = address.split('@').next().unwrap_or_default();
        let uri = format!("sip:{address}");
        self.step(json!({"register": uri, "user": user, "password": password}))
    }

    /// One request from one address to another, without a body and without a password.
    #[must_use]
    pub fn ask(self, method: &str, from: &str, to: &str) -> Self {
        let (from, to) = (format!("sip:{from}"), format!("sip:{to}"));
        self.step(json!({"method": method, "from": from, "to": to}))
    }

    /// Sends `text` as it is, and takes one message for its answer.
    #[must_use]
    pub fn bytes(self, text: &str) -> Self {
        self.step(json!({"bytes": text}))
    }

    /// Sends nothing for some seconds; what comes meanwhile is the reply.
    #[must_use]
    pub fn wait(self, seconds: f64) -> Self {
        self.step(json!({"wait": seconds}))
    }

    fn step(mut self, step: Value) -> Self {
        self.steps.push(step);
        self
    }

    /// Does it all at `place`; a reply per step.
    ///
    /// # Errors
    /// When it can not connect, or finds the server's certificate wrong.
    pub fn run(&self, lab: &Lab, place: Place) -> Result<Vec<Reply>> {
        static PHONES: AtomicUsize = AtomicUsize::new(0);
        let number = PHONES.fetch_add(1, Ordering::Relaxed);
        let file = lab.dir().join(format!("phone-{number}.steps"));
        let lines = self.steps.iter().map(|step| format!("{step}\n"));
        fs::write(&file, lines.collect::<String>())?;
        let path = |path: &Path| path.display().to_string();
        let (root, name) = self
            .tls
            .map(|(root, name)| (path(root), name))
            .unwrap_or_default();
        let shown = self.certificate.map(path).unwrap_or_default();
        let (script, file) = (crate::websocket::peer("sip.py"), path(&file));
        let command = [
            "/usr/bin/python3",
            &script,
            self.to,
            &file,
            &root,
            name,
            &shown,
        ];
        let said = lab.run(place, &command)?.success()?;
        said.lines().map(Reply::read).collect()
    }
}

impl Reply {
    fn read(line: &str) -> Result<Self> {
        let said: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
        let status = said["status"]
            .as_u64()
            .and_then(|status| status.try_into().ok());
        Ok(Self {
            status: status.with_context(|| line.to_owned())?,
            answer: said["answer"].as_str().unwrap_or_default().to_owned(),
            closed: said["closed"] == true,
        })
    }
}
