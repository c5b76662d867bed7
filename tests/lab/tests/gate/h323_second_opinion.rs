//! What tshark reads in bytes of H.323, which shares no code with us or with pycrate.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use lab::{Endpoint, Lab, Pbx, Place, Site, test};

/// Programs that this needs, and a PBX.
pub(crate) const NEEDS: &[&str] = &["pycrate", "openssl", "tshark", "text2pcap"];

/// Fields of all messages, with commas between them, as tshark prints them.
#[derive(Debug)]
pub(crate) struct Read {
    /// The numbers of the RAS messages.
    pub(crate) requests: String,
    pub(crate) gatekeepers: String,
    pub(crate) names: String,
    pub(crate) digits: String,
    pub(crate) urls: String,
    /// What tshark can not read.
    pub(crate) malformed: String,
}

/// Reads bytes in hexadecimal as sent to port 1720; `file` is where to keep them.
pub(crate) fn read(lab: &Lab, file: &Path, hex: &str) -> Result<Read> {
    let [dump, capture] = ["txt", "pcap"].map(|end| file.with_extension(end).display().to_string());
    fs::write(&dump, hex_dump(hex)?)?;
    let make = ["text2pcap", "-q", "-T", "40000,1720", &dump, &capture];
    lab.run(Place::Lan, &make)?.success()?;
    let mut command = vec![
        "tshark",
        "-r",
        &capture,
        "-T",
        "fields",
        "-E",
        "separator=/s",
    ];
    // Each quoted, so that an empty one is seen.
    command.extend(["-E", "quote=d"]);
    for field in [
        "h225.RasMessage",
        "h225.gatekeeperIdentifier",
        "h225.h323_ID",
        "h225.dialledDigits",
        "h225.url_ID",
        "_ws.malformed",
    ] {
        command.extend(["-e", field]);
    }
    let said = lab.run(Place::Lan, &command)?.success()?;
    let fields: Vec<String> = split(said.trim_end_matches('\n'));
    let fields: [String; 6] = fields.try_into().ok().with_context(|| said)?;
    let [requests, gatekeepers, names, digits, urls, malformed] = fields;
    Ok(Read {
        requests,
        gatekeepers,
        names,
        digits,
        urls,
        malformed,
    })
}

fn split(line: &str) -> Vec<String> {
    let fields = line.split(' ').map(|field| field.trim_matches('"'));
    fields.map(str::to_owned).collect()
}

/// Lines of an offset and 32 bytes each.
fn hex_dump(hex: &str) -> Result<String> {
    let mut text = String::new();
    for (number, line) in hex.as_bytes().chunks(64).enumerate() {
        write!(text, "{:06x}", number * 32)?;
        for byte in line.chunks(2) {
            write!(text, " {}", std::str::from_utf8(byte)?)?;
        }
        text.push('\n');
    }
    Ok(text)
}

/// What alice means who asks for that gatekeeper, registers as `alice` and `22`, and calls `h323:john@dvl-ckl2.net`.
pub(crate) fn meant(read: &Read, gatekeeper: &str) {
    // GatekeeperRequest and RegistrationRequest.
    assert_eq!(read.requests, "0,3");
    assert_eq!(read.gatekeepers, format!("{gatekeeper},{gatekeeper}"));
    assert_eq!(read.names, "alice,alice");
    assert_eq!(read.digits, "22");
    assert_eq!(read.urls, "h323:john@dvl-ckl2.net");
    assert_eq!(read.malformed, "");
}

#[test]
fn the_phone_and_the_pbx_of_the_lab_speak_as_tshark_reads_it() {
    test(Site::innovaphone(), NEEDS, |lab| {
        let pbx = Pbx::start(lab, &["172.31.31.2"], None)?;
        let root = pbx.certificate();
        let steps = [
            "grq hq@dvl-ckl2.net",
            "answer",
            "byte by byte rrq hq@dvl-ckl2.net alice 22",
            "answer",
            "setup alice h323:john@dvl-ckl2.net",
            "answer",
        ];
        for phone in [
            Endpoint::plain("172.31.31.2:1720"),
            Endpoint::tls("172.31.31.2:1300", root, None).from("172.31.31.3"),
        ] {
            let seen = phone.does(lab, Place::Lan, &steps)?;
            assert_eq!(
                seen.answers,
                [
                    "gatekeeperConfirm",
                    "registrationConfirm",
                    "releaseComplete"
                ]
            );
            let arrived = pbx.arrived()?.pop().context("nothing has arrived")?;
            assert_eq!(arrived.bytes, seen.sent);
            assert_eq!(arrived.answered, seen.received);
            let file = lab.dir().join("said");
            meant(&read(lab, &file, &seen.sent)?, "hq@dvl-ckl2.net");
        }
        Ok(())
    });
}
