//! Asterisk as PBX: it registers phones with `chan_pjsip`, calls them and is called, and speaks H.323 with `chan_ooh323`.

use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use crate::{Kamailio, Lab, Place, Process, suite};

/// What is in `tests/lab/peers/asterisk`.
const FILES: &[&str] = &[
    "asterisk.conf",
    "extensions.conf",
    "logger.conf",
    "modules.conf",
    "ooh323.conf",
    "pjsip.conf",
    "rtp.conf",
];

/// What it asks of who comes over TLS.
const ASKING: &str = "verify_client = yes
require_client_cert = yes
ca_list_file = ";

/// A running Asterisk, TCP on port 5060 and TLS on 5061. Its users know [`Kamailio::PASSWORD`]; `echo` and `short` can be called, and whoever
/// is called alice or bob.
pub struct Asterisk<'lab> {
    lab: &'lab Lab,
    place: Place,
    file: PathBuf,
    process: Process,
}

/// How one is to be.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings<'a> {
    /// Its address.
    pub ip: &'a str,
    /// Who may register.
    pub users: &'a [String],
    /// Over TLS, only those with a certificate below this root are let in.
    pub root: Option<&'a Path>,
    /// Whom it calls over H.323, as `OOH323/gate/ALIAS`, and from whom it takes calls: `IP:PORT`; empty for nobody.
    pub gate: &'a str,
}

impl<'lab> Asterisk<'lab> {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 2] = ["asterisk", "openssl"];

    /// Starts one at `place`.
    pub fn start(lab: &'lab Lab, place: Place, settings: Settings<'_>) -> Result<Self> {
        let name = format!("asterisk-{}", settings.ip);
        let dir = lab.dir().join(&name);
        for below in ["lib", "log", "run", "spool"] {
            fs::create_dir_all(dir.join(below))?;
        }
        crate::nginx::self_signed(lab, &dir)?;
        let asking = settings
            .root
            .map(|root| format!("{ASKING}{}", root.display()));
        let users = settings.users.iter().map(|user| {
            format!(
                "[{user}](phone)\nauth = {user}\naors = {user}\n\
                 [{user}](login)\nusername = {user}\n[{user}](place)\n"
            )
        });
        let (gate, port) = settings.gate.split_once(':').unwrap_or_default();
        let suite = suite::folder().context("tests name what they need")?;
        let values = [
            ("{folder}", dir.display().to_string()),
            ("{suite}", suite.display().to_string()),
            ("{arch}", env::consts::ARCH.to_owned()),
            ("{ip}", settings.ip.to_owned()),
            ("{gate}", gate.to_owned()),
            ("{port}", port.to_owned()),
            ("{asking}", asking.unwrap_or_default()),
            ("{password}", Kamailio::PASSWORD.to_owned()),
            ("{users}", users.collect()),
        ];
        for name in FILES {
            let text = fs::read_to_string(crate::websocket::peer(&format!("asterisk/{name}")))?;
            let text = values
                .iter()
                .fold(text, |text, (key, value)| text.replace(key, value));
            fs::write(dir.join(name), text)?;
        }
        let file = dir.join("asterisk.conf");
        let command = command(&file, &["-f"])?;
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let mut process = lab.spawn(place, &name, &command)?;
        process.wait_for("Asterisk Ready.")?;
        Ok(Self {
            lab,
            place,
            file,
            process,
        })
    }

    /// Those who may register: `names`.
    pub fn users(names: &[&str]) -> Vec<String> {
        names.iter().map(ToString::to_string).collect()
    }

    /// What it answers to a command of its console.
    pub fn asks(&self, line: &str) -> Result<String> {
        let command = command(&self.file, &["-rx", line])?;
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        self.lab.run(self.place, &command)?.success()
    }

    /// Everything it said until now, every SIP message among it.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// What `chan_ooh323` says of its calls.
    pub fn h323_log(&self) -> String {
        let file = self.file.with_file_name("log").join("h323.log");
        fs::read_to_string(file).unwrap_or_default()
    }

    /// Waits until its log holds `text`.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        self.process.wait_for(text)
    }
}

fn command(file: &Path, more: &[&str]) -> Result<Vec<String>> {
    let mut command = suite::command("sbin/asterisk").context("tests name what they need")?;
    command.extend(["-C".to_owned(), file.display().to_string()]);
    command.extend(more.iter().map(ToString::to_string));
    Ok(command)
}
