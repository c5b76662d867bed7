//! SIP with Asterisk as PBX inside: phones outside register, call and are called, by `configs/innovaphone.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use lab::{
    Account, Asterisk, AsteriskSettings, Authority, Baresip, Connections, Gatehouse, Lab, Linphone,
    Phone, Pki, Place, Sipp, Site, contract, test, wait_until,
};

use crate::sip::{PLAIN, TLS, log_line, phone, unchecked};

pub(crate) const PBX: &str = "172.31.31.2";

pub(crate) fn programs() -> Vec<&'static str> {
    let more = [Baresip::NEEDS, Linphone::NEEDS, "python3"];
    [&Asterisk::NEEDS[..], &more].concat()
}

fn users() -> Vec<String> {
    Asterisk::users(&["alice", "bob", "linda", "liam"])
}

/// The box of the contract before an Asterisk; it believes the certificates of an authority that nobody has one of.
fn site(lab: &Lab) -> Result<(Asterisk<'_>, Gatehouse<'_>)> {
    Authority::make(lab, "innovaphone-devices")?;
    let settings = AsteriskSettings {
        ip: PBX,
        users: &users(),
        ..AsteriskSettings::default()
    };
    let pbx = Asterisk::start(lab, Place::Lan, settings)?;
    forward_sound(lab)?;
    Ok((pbx, Gatehouse::start(lab, &contract("innovaphone")?)?))
}

/// Sound does not go through the proxy: here, the router forwards it to inside as a tunnel would. And without a way to everywhere, linphone takes
/// its network for down.
fn forward_sound(lab: &Lab) -> Result<()> {
    let route = ["ip", "route", "add", "default", "via", "78.54.23.241"];
    lab.run(Place::Internet, &route)?.success().map(drop)
}

fn registered(lab: &Lab, account: Account<'_>) -> Result<Baresip> {
    let mut phone = Baresip::start(lab, Place::Internet, account)?;
    phone.wait_until_registered()?;
    Ok(phone)
}

/// Waits until there are so many calls at the PBX.
pub(crate) fn has_calls(pbx: &Asterisk<'_>, count: u32) -> Result<()> {
    let words = format!("{count} active call");
    wait_until(&words, || {
        Ok(pbx.asks("core show channels")?.contains(&words))
    })
}

/// How many packets the PBX has received and sent in the one call there is.
fn sound(pbx: &Asterisk<'_>) -> Result<(u32, u32)> {
    let said = pbx.asks("pjsip show channelstats")?;
    let line = said.lines().find(|line| line.contains("ulaw"));
    let words: Vec<&str> = line
        .with_context(|| said.clone())?
        .split_whitespace()
        .collect();
    let after = words.iter().position(|word| *word == "ulaw");
    let after = after.with_context(|| said.clone())?;
    // Received, lost, percent, jitter, sent.
    let number = |at: usize| -> Result<u32> {
        let word = words.get(after + at).with_context(|| said.clone())?;
        word.parse().with_context(|| said.clone())
    };
    Ok((number(1)?, number(5)?))
}

#[test]
fn phones_over_tcp_and_tls_call_and_hear_their_echo_and_either_side_hangs_up() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, gate) = site(lab)?;
        for (address, tls) in [("alice@dvl-ckl2.net", false), ("bob@dvl-ckl2.net", true)] {
            let mut phone = registered(lab, phone(address, tls)).context(address)?;
            let user = address.split('@').next().unwrap();
            let contacts = pbx.asks("pjsip show contacts")?;
            assert!(
                contacts.contains(&format!("{user}/sip:{user}")),
                "{contacts}"
            );

            phone.call("sip:echo@dvl-ckl2.net")?;
            phone.wait_for("Call established")?;
            has_calls(&pbx, 1)?;
            wait_until("sound both ways", || {
                Ok(sound(&pbx).is_ok_and(|(received, sent)| received > 50 && sent > 50))
            })?;
            phone.hang_up()?;
            has_calls(&pbx, 0)?;

            phone.call("sip:short@dvl-ckl2.net")?;
            wait_until("the PBX hangs up", || {
                Ok(phone.log().matches("session closed").count() > 0)
            })?;
            has_calls(&pbx, 0)?;
            assert!(
                pbx.log().contains(&format!("called short by {user}")),
                "{address}"
            );
        }
        assert!(!gate.ok(&["bans"])?.contains("78.54.23"));
        Ok(())
    });
}

#[test]
fn asterisk_calls_a_phone_on_the_connection_of_its_registration() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, _gate) = site(lab)?;
        let mut alice = registered(lab, phone("alice@dvl-ckl2.net", false))?;
        let mut bob = registered(lab, phone("bob@dvl-ckl2.net", true))?;
        let established = |phone: &Baresip| phone.log().matches("Call established").count();
        for (round, who) in [(1, "bob"), (2, "alice")] {
            let uri = format!("sip:{who}@dvl-ckl2.net");
            let [caller, called] = if who == "bob" {
                [&mut alice, &mut bob]
            } else {
                [&mut bob, &mut alice]
            };
            caller.call(&uri)?;
            wait_until(&uri, || {
                Ok(established(caller) == round && established(called) == round)
            })?;
            has_calls(&pbx, 1)?;
            // The one who was called hangs up.
            called.hang_up()?;
            has_calls(&pbx, 0)?;
            wait_until("its end", || Ok(caller.log().contains("session closed")))?;
        }
        Ok(())
    });
}

#[test]
fn linphone_registers_over_tcp_and_tls_and_calls() {
    test(Site::innovaphone(), &programs(), |lab| {
        let settings = AsteriskSettings {
            ip: PBX,
            users: &users(),
            ..AsteriskSettings::default()
        };
        let pbx = Asterisk::start(lab, Place::Lan, settings)?;
        let text = unchecked()?;
        forward_sound(lab)?;
        let gate = Gatehouse::start(lab, &text)?;
        let root = gate.root()?;
        for (address, by) in [
            ("linda@dvl-ckl2.net", "dvl-ckl2.net:5060;transport=tcp"),
            ("liam@dvl-ckl2.net", "dvl-ckl2.net:5061;transport=tls"),
        ] {
            let mut phone = Linphone::start(lab, Place::Internet, address, by, &root)?;
            phone.wait_until_registered().context(by)?;
            phone.tell("call sip:echo@dvl-ckl2.net")?;
            phone.wait_for("to LinphoneCallStreamsRunning")?;
            has_calls(&pbx, 1)?;
            phone.tell("terminate")?;
            has_calls(&pbx, 0)?;
            phone.tell("call sip:short@dvl-ckl2.net")?;
            wait_until("the PBX hangs up", || {
                Ok(phone.log().matches("to LinphoneCallReleased").count() == 2)
            })?;
        }
        Ok(())
    });
}

#[test]
fn who_guesses_passwords_at_asterisk_is_banned() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, gate) = site(lab)?;
        let mut guesses = 0;
        wait_until("a ban", || {
            let phone = Phone::new(PLAIN).register_with("alice@dvl-ckl2.net", "guessed");
            // Once it is banned it can not even connect.
            if let Ok(replies) = phone.run(lab, Place::Internet) {
                assert_ne!(replies[0].status, 200, "{replies:?}");
            }
            guesses += 1;
            Ok(gate.ok(&["bans"])?.contains("78.54.23.1 "))
        })?;
        lab::say(&format!("banned after {guesses} guesses"));
        assert!((5..=25).contains(&guesses), "{guesses}");
        assert!(
            pbx.asks("pjsip show contacts")?
                .contains("No objects found")
        );
        Ok(())
    });
}

/// Certificate and key in one file.
fn both(pki: &Pki, name: &str) -> Result<std::path::PathBuf> {
    let read = |end: &str| fs::read_to_string(pki.file(&format!("{name}.{end}")));
    let file = pki.file(&format!("{name}-both.pem"));
    fs::write(&file, read("pem")? + &read("key")?)?;
    Ok(file)
}

#[test]
fn asterisk_asks_over_tls_who_we_are_and_only_a_device_with_its_certificate_gets_there() {
    test(Site::innovaphone(), &programs(), |lab| {
        let pki = Pki::make(lab)?;
        let devices = lab.dir().join("innovaphone-devices.pem");
        fs::copy(pki.file("ca.pem"), devices)?;
        let text = contract("innovaphone")?;
        let text = text.replace("log_forwarded = []", "log_forwarded = [\"sip\"]");
        let gate = Gatehouse::start(lab, &text)?;
        let settings = AsteriskSettings {
            ip: PBX,
            users: &users(),
            root: Some(&gate.root()?),
            ..AsteriskSettings::default()
        };
        let pbx = Asterisk::start(lab, Place::Lan, settings)?;
        let alice = both(&pki, "alice")?;
        let log = |words: &[&str]| log_line(&gate, words);

        // Who comes to its TLS port without our name is not let in.
        let own_root = lab.dir().join(format!("asterisk-{PBX}/target.pem"));
        for shown in [None, Some(alice.as_path())] {
            let stranger = Phone::new("172.31.31.2:5061").trusting(&own_root, "target");
            let stranger = stranger.showing(shown).register("alice@dvl-ckl2.net");
            let answered = stranger.run(lab, Place::Lan);
            let is_in = answered.is_ok_and(|replies| replies.iter().any(|one| one.status != 0));
            assert!(!is_in, "{shown:?}");
        }

        let account = |address, certificate: Option<&'_ Path>| Account {
            certificate: certificate.map(|_| alice.as_path()),
            ..phone(address, true)
        };
        let _alice = registered(lab, account("alice@dvl-ckl2.net", Some(&alice)))?;
        log(&[
            "REGISTER alice@dvl-ckl2.net",
            "certificate of alice",
            "172.31.31.2:5061",
        ])?;
        let contacts = pbx.asks("pjsip show contacts")?;
        assert!(contacts.contains("alice/sip:alice"), "{contacts}");
        // A certificate of another is passed on without TLS, where a password counts.
        let _bob = registered(lab, account("bob@dvl-ckl2.net", Some(&alice)))?;
        log(&["REGISTER bob@dvl-ckl2.net", "172.31.31.2:5060"])?;
        for (over, user) in [("TLS", "alice"), ("TCP", "bob")] {
            let heard = pbx.log();
            let mut requests = heard.split("<--- Received SIP request");
            let is_it = |request: &str| {
                request.contains(&format!("from {over}:172.31.31.4:"))
                    && request.contains(&format!("From: <sip:{user}@"))
            };
            assert!(requests.any(is_it), "{user} over {over}");
        }
        Ok(())
    });
}

#[test]
fn sipp_registers_three_hundred_phones_over_tls_and_none_is_lost() {
    let needs = [&programs()[..], &[Sipp::NEEDS_WITH_TLS, "curl"]].concat();
    test(Site::innovaphone(), &needs, |lab| {
        Authority::make(lab, "innovaphone-devices")?;
        let users: Vec<String> = (0..300).map(|number| format!("u{number}")).collect();
        let settings = AsteriskSettings {
            ip: PBX,
            users: &users,
            ..AsteriskSettings::default()
        };
        let pbx = Asterisk::start(lab, Place::Lan, settings)?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        for (numbers, shared) in [(0..150, true), (150..300, false)] {
            let connections = Connections::Tls { shared };
            Sipp::register(lab, Place::Internet, TLS, numbers, connections)?;
        }
        let log = pbx.log();
        for user in &users {
            assert!(
                log.contains(&format!("Added contact 'sip:{user}@")),
                "{user}"
            );
        }
        assert!(!gate.ok(&["bans"])?.contains("78.54.23"));
        Ok(())
    });
}
