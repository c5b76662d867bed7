//! sipp: many phones at once, each by a scenario, or a PBX by one.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::{Kamailio, Lab, Place, Process, suite};

/// Phones that do the same at once.
pub struct Sipp;

/// How phones connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// TCP: all over one, or each over one of its own.
    Tcp {
        /// Over one.
        shared: bool,
    },
    /// TLS likewise; it believes whoever answers.
    Tls {
        /// Over one.
        shared: bool,
    },
}

/// A PBX that plays its part as often as it was told.
pub struct SippPbx {
    process: Process,
    messages: PathBuf,
}

impl Sipp {
    /// The program a test with it names in its list.
    pub const NEEDS: &'static str = "sipp";
    /// The same for one that speaks TLS.
    pub const NEEDS_WITH_TLS: &'static str = "sipp with TLS";

    /// Users with these numbers, `u0@dvl-ckl2.net` and so on, ask with OPTIONS who is there and register with the password of [`Kamailio`],
    /// from `place` at `to` (`IP:PORT`).
    ///
    /// # Errors
    /// When one of them gets another answer than it should, or none; with what sipp says.
    pub fn register(
        lab: &Lab,
        place: Place,
        to: &str,
        numbers: Range<u32>,
        connections: Connections,
    ) -> Result<()> {
        let dir = lab.dir().join(format!("sipp-{}", numbers.start));
        let password = Kamailio::PASSWORD;
        let user =
            |number| format!("u{number};[authentication username=u{number} password={password}]");
        let users: Vec<String> = numbers.map(user).collect();
        Self::play(
            lab,
            place,
            to,
            connections,
            ("sipp_register.xml", &users),
            &dir,
        )
    }

    /// Phones of these users of a location register there, call 100 and hang up; every message is in the returned text.
    ///
    /// # Errors
    /// As above.
    pub fn call_in_location(
        lab: &Lab,
        place: Place,
        to: &str,
        users: &[String],
        connections: Connections,
    ) -> Result<String> {
        let name = users.first().context("nobody")?;
        let dir = lab.dir().join(format!("sipp-{name}"));
        let scenario = ("sipp_location_phone.xml", users);
        Self::play(lab, place, to, connections, scenario, &dir)?;
        Ok(fs::read_to_string(dir.join("messages.log"))?)
    }

    fn play(
        lab: &Lab,
        place: Place,
        to: &str,
        connections: Connections,
        (scenario, users): (&str, &[String]),
        dir: &Path,
    ) -> Result<()> {
        fs::create_dir_all(dir)?;
        let lines = users.iter().map(|user| format!("{user}\n"));
        let lines: String = lines.collect();
        fs::write(dir.join("users.csv"), format!("SEQUENTIAL\n{lines}"))?;
        let path = |name: &str| dir.join(name).display().to_string();
        let (users_file, errors) = (path("users.csv"), path("errors.log"));
        let (scenario, messages) = (crate::websocket::peer(scenario), path("messages.log"));
        let (program, connections) = match connections {
            Connections::Tcp { shared: true } => (vec!["sipp".to_owned()], "t1"),
            Connections::Tcp { shared: false } => (vec!["sipp".to_owned()], "tn"),
            Connections::Tls { shared: true } => (with_tls()?, "l1"),
            Connections::Tls { shared: false } => (with_tls()?, "ln"),
        };
        let program: Vec<&str> = program.iter().map(String::as_str).collect();
        let count = users.len().to_string();
        let asked = [to, "-sf", &scenario, "-inf", &users_file];
        let how = ["-t", connections, "-max_socket", "1000", "-m", &count];
        let limits = ["-r", "50", "-timeout", "40s", "-timeout_error"];
        let told = ["-nostdin", "-trace_err", "-error_file", &errors];
        let heard = ["-trace_msg", "-message_file", &messages];
        let command = [&program[..], &asked, &how, &limits, &told, &heard].concat();
        // 5060 may be taken here.
        let out = lab.run(place, &[&command[..], &["-p", "15060"]].concat())?;
        let wrong = fs::read_to_string(&errors).unwrap_or_default();
        let lines: Vec<&str> = out.stdout.lines().collect();
        let last = lines[lines.len().saturating_sub(40)..].join("\n");
        ensure!(
            out.code == Some(0),
            "sipp ended with {:?}\n{last}\n{}\n{wrong}",
            out.code,
            out.stderr
        );
        Ok(())
    }
}

impl SippPbx {
    /// Starts one inside at `ip`, TCP on port 5060, that has phones of a location register and is called, `count` times each.
    pub fn start(lab: &Lab, ip: &str, count: usize) -> Result<Self> {
        let dir = lab.dir().join("sipp-pbx");
        fs::create_dir_all(&dir)?;
        let messages = dir.join("messages.log");
        let (scenario, file) = (
            crate::websocket::peer("sipp_location_pbx.xml"),
            messages.display().to_string(),
        );
        let count = count.to_string();
        let part = ["sipp", "-sf", &scenario, "-i", ip, "-p", "5060", "-t", "t1"];
        let told = [
            "-m",
            &count,
            "-nostdin",
            "-trace_msg",
            "-message_file",
            &file,
        ];
        let process = lab.spawn(Place::Lan, "sipp-pbx", &[&part[..], &told].concat())?;
        lab.wait_for_port(Place::Lan, &format!("{ip}:5060"))?;
        Ok(Self { process, messages })
    }

    /// Waits for its end; every message it has received and sent.
    ///
    /// # Errors
    /// When somebody said something else than its part allows.
    pub fn heard(mut self) -> Result<String> {
        let status = self.process.wait()?;
        ensure!(status.success(), "sipp: {status}\n{}", self.process.log());
        Ok(fs::read_to_string(&self.messages)?)
    }
}

/// The sipp that speaks TLS; this release of Debian has one that does not.
fn with_tls() -> Result<Vec<String>> {
    suite::command("bin/sipp").context("tests name what they need")
}
