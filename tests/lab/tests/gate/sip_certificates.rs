//! Whose certificate opens a PBX's port for TLS: all combinations.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use lab::{Gatehouse, Kamailio, Lab, Phone, Pki, Place, Site, contract, test};

use crate::sip::{PBXS, PLAIN, TLS, log_line, phone, programs};

const CHECKED: &str = "check_certificate = true\n\n# Registration location";
const UNCHECKED: &str = "check_certificate = false\n\n# Registration location";

/// What is shown by a client that registers as alice, and the port of the PBX that it reaches where the certificate is checked.
/// Those of `Pki`: carol's is alice's second one, the stranger's is called alice, but comes from somebody else.
const TABLE: &[(&str, &str)] = &[
    ("", "5060"),
    ("alice", "5061"),
    ("carol", "5061"),
    ("bob", "5060"),
    ("expired", "5060"),
    ("server", "5060"),
    ("stranger", "5060"),
];

/// The box, whose own certificate the PBX wants to see over TLS.
fn site<'lab>(lab: &'lab Lab, text: &str) -> Result<(Pki, Kamailio<'lab>, Gatehouse<'lab>)> {
    let pki = Pki::make(lab)?;
    fs::copy(
        pki.file("ca.pem"),
        lab.dir().join("innovaphone-devices.pem"),
    )?;
    let gate = Gatehouse::start(lab, text)?;
    let pbx = Kamailio::start_asking(lab, Place::Lan, PBXS, &gate.root()?)?;
    Ok((pki, pbx, gate))
}

/// Certificate and key in one file.
fn both(pki: &Pki, name: &str) -> Result<PathBuf> {
    let read = |end: &str| fs::read_to_string(pki.file(&format!("{name}.{end}")));
    let file = pki.file(&format!("{name}-both.pem"));
    fs::write(&file, read("pem")? + &read("key")?)?;
    Ok(file)
}

/// The port that a registration of alice reaches.
fn reached(lab: &Lab, pbx: &Kamailio<'_>, phone: Phone<'_>) -> Result<String> {
    let before = pbx.heard().len();
    let replies = phone
        .register("alice@dvl-ckl2.net")
        .run(lab, Place::Internet)?;
    assert_eq!(replies[0].status, 200, "{replies:?}");
    let heard = pbx
        .heard()
        .into_iter()
        .nth(before)
        .context("nothing arrived")?;
    let (address, port) = heard.at.split_once(':').context("no port")?;
    assert_eq!(address, "172.31.31.2");
    let transport = if port == "5061" { "tls" } else { "tcp" };
    assert_eq!(heard.transport, transport, "{heard:?}");
    // The PBX has let nobody in over TLS but the box, which has shown who it is.
    assert_eq!(heard.certificate.is_empty(), port == "5060", "{heard:?}");
    Ok(port.to_owned())
}

#[test]
fn only_the_certificate_of_who_registers_opens_the_port_for_tls() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pki, pbx, gate) = site(lab, &contract("innovaphone")?)?;
        let root = gate.root()?;
        assert_eq!(reached(lab, &pbx, Phone::new(PLAIN))?, "5060", "TCP");
        for (shown, port) in TABLE {
            let file = if shown.is_empty() {
                None
            } else {
                Some(both(&pki, shown)?)
            };
            let phone = Phone::new(TLS).trusting(&root, "dvl-ckl2.net");
            let phone = phone.showing(file.as_deref());
            assert_eq!(&reached(lab, &pbx, phone).context(*shown)?, port, "{shown}");
        }
        Ok(())
    });
}

#[test]
fn where_certificates_are_not_checked_tls_stays_tls_and_tcp_stays_tcp() {
    test(Site::innovaphone(), &programs(), |lab| {
        let text = contract("innovaphone")?;
        assert!(text.contains(CHECKED));
        let (pki, pbx, gate) = site(lab, &text.replace(CHECKED, UNCHECKED))?;
        let root = gate.root()?;
        assert_eq!(reached(lab, &pbx, Phone::new(PLAIN))?, "5060", "TCP");
        for (shown, _) in TABLE {
            let file = if shown.is_empty() {
                None
            } else {
                Some(both(&pki, shown)?)
            };
            let phone = Phone::new(TLS).trusting(&root, "dvl-ckl2.net");
            let phone = phone.showing(file.as_deref());
            assert_eq!(
                reached(lab, &pbx, phone).context(*shown)?,
                "5061",
                "{shown}"
            );
        }
        Ok(())
    });
}

#[test]
fn a_certificate_speaks_for_its_own_user_alone() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pki, pbx, gate) = site(lab, &contract("innovaphone")?)?;
        let (root, alice) = (gate.root()?, both(&pki, "alice")?);
        let new = || {
            Phone::new(TLS)
                .trusting(&root, "dvl-ckl2.net")
                .showing(Some(&alice))
        };
        let phone = new()
            .register("alice@dvl-ckl2.net")
            .register("bob@dvl-ckl2.net");
        let replies = phone.wait(5.0).run(lab, Place::Internet)?;
        assert_eq!(replies[0].status, 200, "{replies:?}");
        assert_ne!(replies[1].status, 200, "{replies:?}");
        assert!(replies[2].closed, "{replies:?}");
        // To counts as much as From: it is To that is registered.
        let phone = new().ask("REGISTER", "alice@dvl-ckl2.net", "bob@dvl-ckl2.net");
        phone.run(lab, Place::Internet)?;
        let over_tls = pbx
            .heard()
            .into_iter()
            .filter(|heard| heard.transport == "tls");
        for heard in over_tls {
            assert_eq!(heard.from, "sip:alice@dvl-ckl2.net", "{heard:?}");
            assert_eq!(heard.to, "sip:alice@dvl-ckl2.net", "{heard:?}");
        }
        Ok(())
    });
}

#[test]
fn a_phone_with_its_certificate_registers_over_tls_to_the_end_and_the_log_tells() {
    test(Site::innovaphone(), &programs(), |lab| {
        let text = contract("innovaphone")?;
        let text = text.replace("log_forwarded = []", "log_forwarded = [\"sip\"]");
        let (pki, pbx, gate) = site(lab, &text)?;
        let alice = both(&pki, "alice")?;
        let mut account = phone("alice@dvl-ckl2.net", true);
        account.certificate = Some(&alice);
        let mut baresip = lab::Baresip::start(lab, Place::Internet, account)?;
        baresip.wait_until_registered()?;
        let heard = pbx.wait_for("alice", |heard| heard.from == "sip:alice@dvl-ckl2.net")?;
        assert_eq!(heard.at, "172.31.31.2:5061");
        // What `explain pbx` says is to be believed as the name of the box is what the PBX has seen.
        let explained = gate.ok(&["explain", "pbx"])?;
        assert!(
            explained.contains(&heard.certificate),
            "{heard:?}\n{explained}"
        );
        log_line(
            &gate,
            &[
                "REGISTER alice@dvl-ckl2.net",
                "certificate",
                "172.31.31.2:5061",
            ],
        )?;
        Ok(())
    });
}
