//! SIP by `configs/innovaphone.toml`: phones outside, Kamailio as both PBXs inside, the router's ports between them.

use anyhow::{Context, Result};
use lab::{
    Account, Authority, Baresip, Connections, Gatehouse, Heard, Kamailio, Lab, Linphone, Phone,
    Place, Sipp, Site, contract, test, wait_until,
};

pub(crate) const PLAIN: &str = "78.54.23.241:5060";
pub(crate) const TLS: &str = "78.54.23.241:5061";
/// Both PBXs.
pub(crate) const PBXS: &[&str] = &["172.31.31.2", "172.31.31.3"];

pub(crate) fn programs() -> Vec<&'static str> {
    let more = [Baresip::NEEDS, Sipp::NEEDS, "python3", "curl"];
    [&Kamailio::NEEDS[..], &more].concat()
}

/// The box of the contract before both PBXs; it believes the certificates of an authority that nobody has one of.
pub(crate) fn site(lab: &Lab) -> Result<(Kamailio<'_>, Gatehouse<'_>)> {
    Authority::make(lab, "innovaphone-devices")?;
    let pbx = Kamailio::start(lab, Place::Lan, PBXS)?;
    Ok((pbx, Gatehouse::start(lab, &contract("innovaphone")?)?))
}

pub(crate) fn phone(address: &str, tls: bool) -> Account<'_> {
    Account {
        address,
        own: "78.54.23.1",
        by: if tls { TLS } else { PLAIN },
        tls,
        certificate: None,
    }
}

fn registered(lab: &Lab, account: Account<'_>) -> Result<Baresip> {
    let mut phone = Baresip::start(lab, Place::Internet, account)?;
    phone.wait_until_registered()?;
    Ok(phone)
}

/// Waits for a line of the log that has all of `words`, and returns it.
pub(crate) fn log_line(gate: &Gatehouse<'_>, words: &[&str]) -> Result<String> {
    let mut found = None;
    wait_until(&format!("{words:?} in the log"), || {
        let log = gate.ok(&["log"])?;
        let mut lines = log.lines();
        found = lines
            .find(|line| words.iter().all(|word| line.contains(word)))
            .map(str::to_owned);
        Ok(found.is_some())
    })?;
    found.context("waited for")
}

/// The values of a header in what a phone has received or sent.
fn values(log: &str, header: &str) -> Vec<String> {
    let start = format!("{header}: ");
    let lines = log.lines().filter_map(|line| line.strip_prefix(&start));
    lines.map(str::to_owned).collect()
}

#[test]
fn phones_register_over_tcp_and_tls_at_the_system_and_at_its_location() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, gate) = site(lab)?;
        let mut phones = Vec::new();
        for (address, tls, at) in [
            ("alice@dvl-ckl2.net", false, "172.31.31.2:5060"),
            ("bob@dvl-ckl2.net", true, "172.31.31.2:5060"),
            ("carol@dvl-ckl2.net/hq", false, "172.31.31.2:5060"),
            ("anna@dvl-ckl2.net/branch-b", false, "172.31.31.3:5060"),
            ("ben@dvl-ckl2.net/branch-b", true, "172.31.31.3:5060"),
        ] {
            phones.push(registered(lab, phone(address, tls)).context(address)?);
            let from = format!("sip:{address}");
            let heard = pbx.wait_for(address, |heard| heard.from == from)?;
            assert_eq!(
                (heard.at.as_str(), heard.transport.as_str()),
                (at, "tcp"),
                "{heard:?}"
            );
            let sent_by = if tls {
                "SIP/2.0/TLS 78.54.23.1:"
            } else {
                "SIP/2.0/TCP 78.54.23.1:"
            };
            assert!(heard.via.starts_with(sent_by), "{heard:?}");
        }
        let registered = pbx.registered()?;
        for user in ["alice", "bob"] {
            assert!(registered.contains(user), "{registered}");
        }
        let open = |protocol: &str, host: &str| {
            let series = "gatehouse_proxy_forwarded_connections";
            gate.metric(&format!(
                "{series}{{host=\"{host}\",protocol=\"{protocol}\"}}"
            ))
        };
        assert_eq!(open("sip", "dvl-ckl2.net")?, 1);
        assert_eq!(open("sips", "dvl-ckl2.net")?, 1);
        assert_eq!(open("sip", "dvl-ckl2.net/branch-b")?, 1);
        Ok(())
    });
}

/// Everything between two phones of which one speaks TLS, in both directions.
fn call(pbx: &Kamailio<'_>, caller: &mut Baresip, called: &mut Baresip, who: &str) -> Result<()> {
    let before = |method: &str, heard: &[Heard]| {
        let routed = heard
            .iter()
            .filter(|heard| heard.method == method && !heard.route.is_empty());
        routed.count()
    };
    let heard = pbx.heard();
    let (acks, byes) = (before("ACK", &heard), before("BYE", &heard));
    let calls = |phone: &Baresip, words: &str| phone.log().matches(words).count();
    let (up, down) = (
        calls(called, "Call established"),
        calls(called, "session closed"),
    );
    caller.call(who)?;
    wait_until("the call", || Ok(calls(called, "Call established") > up))?;
    wait_until("the ACK", || Ok(before("ACK", &pbx.heard()) > acks))?;
    caller.hang_up()?;
    wait_until("its end", || Ok(calls(called, "session closed") > down))?;
    wait_until("the BYE", || Ok(before("BYE", &pbx.heard()) > byes))
}

#[test]
fn two_phones_call_each_other_and_see_the_public_address_alone() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, _gate) = site(lab)?;
        let mut alice = registered(lab, phone("alice@dvl-ckl2.net", false))?;
        let mut bob = registered(lab, phone("bob@dvl-ckl2.net", true))?;
        call(&pbx, &mut alice, &mut bob, "sip:bob@dvl-ckl2.net").context("alice calls bob")?;
        call(&pbx, &mut bob, &mut alice, "sip:alice@dvl-ckl2.net").context("bob calls alice")?;
        for (name, phone) in [("alice", &alice), ("bob", &bob)] {
            let log = phone.log();
            for header in ["Record-Route", "Route"] {
                let values = values(&log, header);
                assert!(!values.is_empty(), "{header} of {name}");
                for value in values {
                    assert!(
                        value.contains("sip:78.54.23.241"),
                        "{name}: {header}: {value}"
                    );
                    assert!(!value.contains("172.31.31"), "{name}: {header}: {value}");
                }
            }
        }
        // What Kamailio wrote, it gets back.
        let heard = pbx.heard();
        let routed = heard
            .iter()
            .filter(|heard| heard.method == "ACK" || heard.method == "BYE");
        let routed: Vec<_> = routed.filter(|heard| !heard.route.is_empty()).collect();
        assert!(routed.len() >= 4, "{routed:?}");
        for heard in routed {
            assert!(
                heard.route.starts_with("<sip:172.31.31.2;transport=tcp;lr"),
                "{heard:?}"
            );
        }
        Ok(())
    });
}

#[test]
fn a_domain_of_nobody_is_refused_and_the_log_says_so() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, gate) = site(lab)?;
        let root = gate.root()?;
        for (host, tls) in [
            ("nobody.example", false),
            ("hq.dvl-ckl2.net", false),
            ("dvl-ckl2.net/branch-c", true),
            ("172.31.31.2", false),
        ] {
            let address = format!("john@{host}");
            let phone = Phone::new(if tls { TLS } else { PLAIN });
            let phone = if tls {
                phone.trusting(&root, "dvl-ckl2.net")
            } else {
                phone
            };
            let replies = phone
                .register(&address)
                .wait(5.0)
                .run(lab, Place::Internet)?;
            assert_eq!(replies[0].status, 403, "{replies:?}");
            assert!(replies[1].closed, "{replies:?}");
            assert!(!replies[0].answer.contains("172.31.31.3"), "{replies:?}");
            let protocol = if tls { " sips " } else { " sip " };
            log_line(
                &gate,
                &["rejected", protocol, &format!("REGISTER {address}")],
            )?;
        }
        assert_eq!(pbx.heard(), []);
        Ok(())
    });
}

#[test]
fn before_a_registration_only_questions_are_answered_and_its_domain_stays() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, _gate) = site(lab)?;
        let john = "john@dvl-ckl2.net";
        let phone = Phone::new(PLAIN).ask("OPTIONS", john, "dvl-ckl2.net");
        let phone = phone.bytes("\r\n\r\n").register(john);
        let phone = phone.ask("OPTIONS", john, "dvl-ckl2.net");
        let phone = phone.register("john@dvl-ckl2.net/branch-b").wait(5.0);
        let replies = phone.run(lab, Place::Internet)?;
        let statuses: Vec<u16> = replies.iter().map(|reply| reply.status).collect();
        assert_eq!(statuses[..4], [200, 0, 200, 200], "{replies:?}");
        assert_eq!(replies[1].answer, "\r\n", "{replies:?}");
        assert!(statuses[4] != 200 && replies[5].closed, "{replies:?}");
        let heard: Vec<_> = pbx.heard().into_iter().map(|heard| heard.method).collect();
        assert_eq!(heard, ["REGISTER", "REGISTER", "OPTIONS"]);

        for method in ["MESSAGE", "SUBSCRIBE", "BYE"] {
            let phone = Phone::new(PLAIN).ask(method, john, john).wait(5.0);
            let replies = phone.run(lab, Place::Internet)?;
            assert_eq!(
                (replies[0].status, replies[1].closed),
                (403, true),
                "{replies:?}"
            );
        }
        assert_eq!(pbx.heard().len(), 3);
        Ok(())
    });
}

#[test]
fn sipp_asks_and_registers_two_hundred_users_over_shared_and_own_connections() {
    test(Site::innovaphone(), &programs(), |lab| {
        let (pbx, gate) = site(lab)?;
        for first in [0, 25, 50, 75] {
            Sipp::register(
                lab,
                Place::Internet,
                PLAIN,
                first..first + 25,
                Connections::Tcp { shared: true },
            )?;
        }
        Sipp::register(
            lab,
            Place::Internet,
            PLAIN,
            100..200,
            Connections::Tcp { shared: false },
        )?;
        assert_eq!(pbx.registered()?.matches("Address:").count(), 200);
        assert!(!gate.ok(&["bans"])?.contains("78.54.23"));
        Ok(())
    });
}

/// The contract, with nobody asked for a certificate: linphone would ask who sits before it for one.
pub(crate) fn unchecked() -> Result<String> {
    let checks = "check_certificate = true";
    let text = contract("innovaphone")?;
    let lines = text.lines().filter(|line| !line.starts_with(checks));
    let lines = lines.flat_map(|line| match line.split_whitespace().next() {
        Some("[host.sip]" | "[host.h323]") => vec![line, "check_certificate = false"],
        _ => vec![line],
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

#[test]
fn linphone_registers_over_tcp_and_over_tls_and_believes_the_certificate() {
    let needs = [&programs()[..], &[Linphone::NEEDS]].concat();
    test(Site::innovaphone(), &needs, |lab| {
        let text = unchecked()?;
        let pbx = Kamailio::start(lab, Place::Lan, PBXS)?;
        let gate = Gatehouse::start(lab, &text)?;
        let root = gate.root()?;
        for (address, by) in [
            ("linda@dvl-ckl2.net", "dvl-ckl2.net:5060;transport=tcp"),
            ("liam@dvl-ckl2.net", "dvl-ckl2.net:5061;transport=tls"),
        ] {
            let mut phone = Linphone::start(lab, Place::Internet, address, by, &root)?;
            phone.wait_until_registered().context(by)?;
            let from = format!("sip:{address}");
            let heard = pbx.wait_for(address, |heard| heard.from == from)?;
            let port = if by.ends_with("tls") { 5061 } else { 5060 };
            assert_eq!(heard.at, format!("172.31.31.2:{port}"), "{heard:?}");
        }
        Ok(())
    });
}

#[test]
fn explain_shows_where_a_number_and_a_location_go() {
    test(Site::innovaphone(), &programs(), |lab| {
        Authority::make(lab, "innovaphone-devices")?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        for (asked, host, target) in [
            ("sip:john@dvl-ckl2.net", "dvl-ckl2.net", "172.31.31.2"),
            (
                "sip:john@dvl-ckl2.net/branch-b",
                "dvl-ckl2.net/branch-b",
                "172.31.31.3",
            ),
        ] {
            let said = gate.ok(&["explain", asked])?;
            for word in [host, target, "5060"] {
                assert!(said.contains(word), "{asked}: {said}");
            }
        }
        let said = gate.command(&["explain", "sip:john@nobody.example"])?;
        let said = said.stdout + &said.stderr;
        assert!(!said.contains("172.31.31"), "{said}");
        Ok(())
    });
}
