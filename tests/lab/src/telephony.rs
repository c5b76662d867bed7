//! H.323 over TCP and TLS (H.460.17): a gatekeeper in the place of a PBX, and a phone. Both take pycrate for what they say and read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs};

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::{Lab, Place, Process};

/// A gatekeeper that takes everybody, and says what came.
pub struct Pbx {
    process: Process,
    certificate: PathBuf,
}

/// One connection that a PBX has seen. Bytes are in hexadecimal.
#[derive(Clone, Debug, Default)]
pub struct Arrived {
    /// Where it came, `IP:PORT`; 1720 is TCP, 1300 TLS.
    pub at: String,
    /// The common name of the certificate that the other side showed; empty: none.
    pub shown: String,
    /// Everything that came on it.
    pub bytes: String,
    /// What the messages were, by their names in H.225.0.
    pub messages: Vec<String>,
    /// Everything that was answered.
    pub answered: String,
    /// Whether it has ended.
    pub has_ended: bool,
}

impl Pbx {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 2] = ["pycrate", "openssl"];

    /// Starts one inside on the ports 1720 and, with TLS, 1300 of these addresses; over TLS it asks for a certificate of `roots`.
    pub fn start(lab: &Lab, addresses: &[&str], roots: Option<&Path>) -> Result<Self> {
        // Each has a log of its own, for what is in it counts.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("pbx-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = lab.dir().join(&name);
        fs::create_dir_all(&dir)?;
        crate::nginx::self_signed(lab, &dir)?;
        let certificate = dir.join("target.pem");
        let [dir, roots] = [Some(dir.as_path()), roots].map(|path| {
            path.map(|path| path.display().to_string())
                .unwrap_or_default()
        });
        let (python, script) = (python()?, crate::websocket::peer("pbx.py"));
        let both = |ip: &&str| [format!("tcp:{ip}:1720"), format!("tls:{ip}:1300")];
        let listeners: Vec<String> = addresses.iter().flat_map(both).collect();
        let mut command = vec![python.as_str(), &script, &dir, &roots];
        command.extend(listeners.iter().map(String::as_str));
        let mut process = lab.spawn(Place::Lan, &name, &command)?;
        process.wait_for("ready")?;
        Ok(Self {
            process,
            certificate,
        })
    }

    /// The certificate that it shows over TLS.
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }

    /// Every connection until now, in the order in which they were opened.
    pub fn arrived(&self) -> Result<Vec<Arrived>> {
        let mut all: Vec<Arrived> = Vec::new();
        let log = self.process.log();
        // The last line may not be whole yet.
        let lines = log
            .split_inclusive('\n')
            .filter(|line| line.ends_with("}\n"));
        for line in lines {
            let line: Value = serde_json::from_str(line).with_context(|| line.to_owned())?;
            let number = line["connection"].as_u64().context("no number")?;
            let text = |name: &str| line[name].as_str().unwrap_or_default().to_owned();
            if line["at"].is_string() {
                all.push(Arrived {
                    at: text("at"),
                    shown: text("cn"),
                    ..Arrived::default()
                });
                continue;
            }
            let one = all.get_mut(usize::try_from(number)? - 1);
            let one = one.with_context(|| format!("{line}"))?;
            one.bytes += &text("bytes");
            one.answered += &text("answer");
            one.messages.extend(texts(&line["messages"]));
            one.has_ended |= line["end"].is_string();
        }
        Ok(all)
    }
}

/// A phone outside.
#[derive(Clone, Debug)]
pub struct Endpoint {
    to: String,
    from: Option<String>,
    /// The root that it trusts.
    root: Option<PathBuf>,
    /// The name that it connects to.
    name: Option<String>,
    /// Its certificate and key.
    shown: Option<[PathBuf; 2]>,
}

/// What a phone has seen. Bytes are in hexadecimal.
#[derive(Clone, Debug)]
pub struct Seen {
    /// What it sent.
    pub sent: String,
    /// What came back.
    pub received: String,
    /// What the messages were for which it has waited, by their names in H.225.0.
    pub answers: Vec<String>,
    /// `open`, `closed`, `reset`, or why there is no connection.
    pub end: String,
}

impl Endpoint {
    /// One that connects to `IP:PORT` over TCP.
    pub fn plain(to: &str) -> Self {
        Self {
            to: to.to_owned(),
            from: None,
            root: None,
            name: None,
            shown: None,
        }
    }

    /// One that does so over TLS, and trusts `root`; it asks for `name`, or for none.
    pub fn tls(to: &str, root: &Path, name: Option<&str>) -> Self {
        Self {
            root: Some(root.to_owned()),
            name: name.map(str::to_owned),
            ..Self::plain(to)
        }
    }

    /// The same from another address of its place.
    #[must_use]
    pub fn from(mut self, address: &str) -> Self {
        self.from = Some(address.to_owned());
        self
    }

    /// The same with a certificate and its key.
    #[must_use]
    pub fn showing(mut self, certificate: &Path, key: &Path) -> Self {
        self.shown = Some([certificate.to_owned(), key.to_owned()]);
        self
    }

    /// Does these steps, one after the other; `tests/lab/peers/phone.py` says which there are.
    pub fn does(&self, lab: &Lab, place: Place, steps: &[&str]) -> Result<Seen> {
        let mut told = json!({ "to": self.to, "from": self.from });
        if let Some(root) = &self.root {
            let [certificate, key] = match &self.shown {
                Some(files) => files.each_ref().map(Some),
                None => [None, None],
            };
            told["tls"] =
                json!({ "root": root, "name": self.name, "certificate": certificate, "key": key });
        }
        let (python, script) = (python()?, crate::websocket::peer("phone.py"));
        let told = told.to_string();
        let command = [&[python.as_str(), &script, &told], steps].concat();
        let said = lab.run(place, &command)?.success()?;
        let said: Value = serde_json::from_str(&said).with_context(|| said)?;
        let text = |name: &str| said[name].as_str().unwrap_or_default().to_owned();
        Ok(Seen {
            sent: text("sent"),
            received: text("received"),
            answers: texts(&said["answers"]),
            end: text("end"),
        })
    }
}

fn texts(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = list.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// The Python that has pycrate, where `cargo xtask test` puts it: in the folder of what is built.
pub(crate) fn python_with_pycrate() -> Option<PathBuf> {
    let test = env::current_exe().ok()?;
    let target = test.ancestors().nth(4)?;
    Some(target.join("pycrate/bin/python"))
}

fn python() -> Result<String> {
    let found = python_with_pycrate().context("a test lies in target/TRIPLE/PROFILE/deps")?;
    Ok(found.display().to_string())
}
