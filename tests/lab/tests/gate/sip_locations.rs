//! SIP of a registration location, `dvl-ckl2.net/branch-b`: registrations and calls over it. sipp is phone and PBX, since no PBX at hand
//! takes such a URI: Kamailio and Asterisk refuse to read it.

use anyhow::{Result, ensure};
use lab::{Authority, Connections, Gatehouse, Lab, Place, Sipp, SippPbx, Site, contract, test};

use crate::sip::{PLAIN, TLS};

const NEEDS: &[&str] = &[Sipp::NEEDS, Sipp::NEEDS_WITH_TLS, "openssl"];
/// The second PBX.
const PBX: &str = "172.31.31.3";

/// The lines with a header, or with a request, of everything that was said.
fn lines<'a>(messages: &'a str, start: &str) -> Vec<&'a str> {
    let lines = messages.lines().filter(|line| line.starts_with(start));
    lines.collect()
}

/// Ten phones of the location register, call, and hang up.
fn phones_call(lab: &Lab, to: &str, connections: Connections) -> Result<(String, String)> {
    let users: Vec<String> = (0..10).map(|number| format!("anna{number}")).collect();
    let pbx = SippPbx::start(lab, PBX, users.len())?;
    let said = Sipp::call_in_location(lab, Place::Internet, to, &users, connections)?;
    Ok((said, pbx.heard()?))
}

fn shows_what_arrives(connections: Connections, to: &str, port: &str) {
    test(Site::innovaphone(), NEEDS, |lab| {
        Authority::make(lab, "innovaphone-devices")?;
        let _gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let (said, heard) = phones_call(lab, to, connections)?;
        for number in 0..10 {
            let from = format!("From: <sip:anna{number}@dvl-ckl2.net/branch-b>;tag=");
            // REGISTER, INVITE, ACK and BYE, and four answers.
            ensure!(lines(&heard, &from).len() == 8, "{from} in {heard}");
        }
        for (method, uri) in [
            ("REGISTER", "sip:dvl-ckl2.net"),
            ("INVITE", "sip:100@dvl-ckl2.net/branch-b"),
            // Where the PBX is inside, as it has written it itself.
            ("ACK", "sip:100@172.31.31.3:5060;transport=TCP"),
            ("BYE", "sip:100@172.31.31.3:5060;transport=TCP"),
        ] {
            let wanted = format!("{method} {uri} SIP/2.0");
            let arrived = lines(&heard, &format!("{method} "));
            ensure!(arrived == [wanted.as_str(); 10], "{wanted}: {arrived:?}");
        }
        let shown = lines(&said, "Contact: <sip:100@");
        ensure!(shown.len() == 20, "{shown:?}");
        for contact in shown {
            ensure!(
                contact.contains(&format!("@78.54.23.241:{port}")),
                "{contact}"
            );
        }
        ensure!(!said.contains("@172.31.31.3"), "{said}");
        Ok(())
    });
}

#[test]
fn phones_of_a_location_register_and_call_over_tcp() {
    shows_what_arrives(Connections::Tcp { shared: false }, PLAIN, "5060");
}

#[test]
fn phones_of_a_location_register_and_call_over_tls() {
    shows_what_arrives(Connections::Tls { shared: false }, TLS, "5061");
}
