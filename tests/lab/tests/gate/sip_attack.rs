//! `SIPVicious` outside: within its first minute it is kept out of everything.

use std::time::{Duration, Instant};

use anyhow::Result;
use lab::{Curl, Gatehouse, Lab, Nginx, Place, Scan, Site, test, wait_until};

use crate::sip::{PLAIN, log_line, programs, site};

const MINUTE: Duration = Duration::from_mins(1);
const PAGE: &str = "https://apps.dvl-ckl2.net/page";
/// What a phone says of itself, and a careful attacker, too.
const PHONE: &str = "snomD785/10.1.184.15";

/// A scan, and what it says it is: itself where this is empty.
struct Attack {
    name: &'static str,
    source: &'static str,
    agent: &'static str,
    command: &'static [&'static str],
}

const WAR: &[&str] = &[
    "svwar",
    "-e100-999",
    "--force",
    "--domain=dvl-ckl2.net",
    "127.0.0.1",
];
const CRACK: &[&str] = &[
    "svcrack",
    "-u100",
    "-r1000-9999",
    "--domain=dvl-ckl2.net",
    "127.0.0.1",
];
const MAP: &[&str] = &["svmap", "127.0.0.1-60"];

fn asks(lab: &Lab, gate: &Gatehouse<'_>, source: &str) -> Result<lab::Answer> {
    Curl::new(PAGE)
        .trusting(&gate.root()?)
        .from(source)
        .run(lab, Place::Internet)
}

/// Lets it scan until it is banned, and sees that this holds for HTTPS, too.
fn is_banned(lab: &Lab, gate: &Gatehouse<'_>, attack: &Attack) -> Result<()> {
    let Attack {
        name,
        source,
        agent,
        command,
    } = *attack;
    assert_eq!(asks(lab, gate, source)?.status, 200, "{name}: before");
    let begin = Instant::now();
    let scan = Scan::start(lab, Place::Internet, (source, PLAIN), agent, command)?;
    wait_until(&format!("{name} is banned"), || {
        Ok(gate.ok(&["bans"])?.contains(source))
    })?;
    assert!(begin.elapsed() < MINUTE, "{name}: {:?}", begin.elapsed());
    let after = asks(lab, gate, source)?;
    assert!(
        after.status == 0 && [35, 52, 56].contains(&after.exit),
        "{name}: {after:?}"
    );
    lab::say(&format!(
        "{name}: banned after {:?}, {} packets",
        begin.elapsed(),
        scan.sent()
    ));
    Ok(())
}

#[test]
fn a_scanner_that_says_what_it_is_hears_nothing_and_no_pbx_hears_of_it() {
    let needs = [&programs()[..], &Scan::NEEDS, &["nginx"]].concat();
    test(Site::innovaphone(), &needs, |lab| {
        let _web = Nginx::start(lab, Place::Lan, &["172.31.31.12:443 ssl"])?;
        let (pbx, gate) = site(lab)?;
        // These give up at once, whom nobody answers.
        for (source, command) in [("78.54.23.11", WAR), ("78.54.23.12", CRACK)] {
            let mut scan = Scan::start(lab, Place::Internet, (source, PLAIN), "", command)?;
            scan.wait()?;
            let log = scan.log();
            let is_alone = ["timed out", "no server response"].map(|words| log.contains(words));
            assert!(scan.sent() > 0 && is_alone.contains(&true), "{log}");
            log_line(&gate, &["rejected", source, "an attack tool"])?;
        }
        let map = Attack {
            name: "svmap",
            source: "78.54.23.1",
            agent: "",
            command: MAP,
        };
        is_banned(lab, &gate, &map)?;
        assert_eq!(pbx.heard(), []);
        Ok(())
    });
}

#[test]
fn numbers_dialled_in_series_and_passwords_guessed_are_a_ban_whatever_the_phone_is_called() {
    let attacks = [
        Attack {
            name: "svwar",
            source: "78.54.23.11",
            agent: PHONE,
            command: WAR,
        },
        Attack {
            name: "svcrack",
            source: "78.54.23.12",
            agent: PHONE,
            command: CRACK,
        },
    ];
    let needs = [&programs()[..], &Scan::NEEDS, &["nginx"]].concat();
    test(Site::innovaphone(), &needs, |lab| {
        let _web = Nginx::start(lab, Place::Lan, &["172.31.31.12:443 ssl"])?;
        let (_pbx, gate) = site(lab)?;
        for attack in &attacks {
            is_banned(lab, &gate, attack)?;
        }
        Ok(())
    });
}
