//! sipp: many phones at once, each by a scenario.

use std::fs;
use std::ops::Range;

use anyhow::{Result, ensure};

use crate::{Kamailio, Lab, Place};

/// Phones that register at once, over TCP.
pub struct Sipp;

impl Sipp {
    /// The program a test with it names in its list.
    pub const NEEDS: &'static str = "sipp";

    /// Users with these numbers, `u0@dvl-ckl2.net` and so on, ask with OPTIONS who is there and register with the password of [`Kamailio`],
    /// from `place` at `to` (`IP:PORT`): all over one connection if it is `shared`, else each over one of its own.
    ///
    /// # Errors
    /// When one of them gets another answer than it should, or none; with what sipp says.
    pub fn register(
        lab: &Lab,
        place: Place,
        to: &str,
        numbers: Range<u32>,
        shared: bool,
    ) -> Result<()> {
        let dir = lab.dir().join(format!("sipp-{}", numbers.start));
        fs::create_dir_all(&dir)?;
        let password = Kamailio::PASSWORD;
        let user =
            |number| format!("u{number};[authentication username=u{number} password={password}]\n");
        let count = numbers.len().to_string();
        let users: String = numbers.map(user).collect();
        fs::write(dir.join("users.csv"), format!("SEQUENTIAL\n{users}"))?;
        let path = |name: &str| dir.join(name).display().to_string();
        let (users, errors) = (path("users.csv"), path("errors.log"));
        let scenario = crate::websocket::peer("sipp_register.xml");
        let connections = if shared { "t1" } else { "tn" };
        let asked = ["sipp", to, "-sf", &scenario, "-inf", &users];
        let how = ["-t", connections, "-max_socket", "1000", "-m", &count];
        let limits = ["-r", "50", "-timeout", "40s", "-timeout_error"];
        let told = ["-nostdin", "-trace_err", "-error_file", &errors];
        let command = [&asked[..], &how, &limits, &told].concat();
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
