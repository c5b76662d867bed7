//! WebSocket servers and clients that share no code with us: python3-websockets, OpenSSL below it.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::{Lab, Place, Process};

/// An echo server; over TLS with a self-signed certificate if asked.
pub struct Echo {
    process: Process,
}

impl Echo {
    /// Starts one at `place` on `address`, `IP:PORT`.
    pub fn start(lab: &Lab, place: Place, address: &str, tls: bool) -> Result<Self> {
        let name = format!("echo-{}", address.replace([':', '.'], "-"));
        let script = peer("echo.py");
        let dir = lab.dir().join(&name);
        std::fs::create_dir_all(&dir)?;
        let dir_text = dir.display().to_string();
        let mut command = vec!["/usr/bin/python3", &script, address];
        if tls {
            crate::nginx::self_signed(lab, &dir)?;
            command.push(&dir_text);
        }
        let mut process = lab.spawn(place, &name, &command)?;
        process.wait_for("ready")?;
        Ok(Self { process })
    }

    /// The handshakes it accepted: objects with `path` and `headers` (names in lower case).
    pub fn handshakes(&self) -> Result<Vec<Value>> {
        let log = self.process.log();
        let lines = log.lines().filter(|line| line.starts_with('{'));
        lines
            .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
            .collect()
    }
}

/// A client that sends a numbered message ten times a second and demands each back.
pub struct Chat {
    process: Process,
}

impl Chat {
    /// Opens `url` from `place`, connecting to `to` (`IP:PORT`), trusting the certificates in `roots`.
    pub fn open(
        lab: &Lab,
        place: Place,
        url: &str,
        to: &str,
        roots: Option<&Path>,
    ) -> Result<Self> {
        Self::open_with(lab, place, url, to, roots, &[])
    }

    /// As [`Chat::open`]; its handshake has these fields, too, `Name: value` each.
    pub fn open_with(
        lab: &Lab,
        place: Place,
        url: &str,
        to: &str,
        roots: Option<&Path>,
        fields: &[&str],
    ) -> Result<Self> {
        // Each has a log of its own, for what is in it counts.
        static CHATS: AtomicUsize = AtomicUsize::new(0);
        let script = peer("chat.py");
        let roots = roots
            .map(|path| path.display().to_string())
            .unwrap_or_default();
        let mut command = vec!["/usr/bin/python3", &script, url, to, &roots];
        command.extend(fields);
        let name = format!("chat-{}", CHATS.fetch_add(1, Ordering::Relaxed));
        let mut process = lab.spawn(place, &name, &command)?;
        process.wait_for("talk is open")?;
        Ok(Self { process })
    }

    /// Whether the connection still stands.
    pub fn is_open(&mut self) -> Result<bool> {
        self.process.runs()
    }

    /// Ends the talk and returns how many messages came back, every one of them right.
    ///
    /// # Errors
    /// When the connection was cut or a message was changed.
    pub fn close(mut self) -> Result<u32> {
        self.process.close_input();
        let status = self.process.wait()?;
        let log = self.process.log();
        ensure!(
            status.success(),
            "the WebSocket client ended with {status}:\n{log}"
        );
        let count = log
            .lines()
            .find_map(|line| line.strip_prefix("echoed "))
            .context("no count in its log")?;
        Ok(count.parse()?)
    }
}

/// The path of one of the lab's own peers.
pub(crate) fn peer(name: &str) -> String {
    crate::repository()
        .join("tests/lab/peers")
        .join(name)
        .display()
        .to_string()
}
