//! The SIP programs among themselves, without the box: what the tests of SIP stand on.

use std::path::Path;

use lab::{
    Account, Authority, Baresip, Connections, Kamailio, Lab, Phone, Place, Sipp, Site, test,
};

const PBX: &str = "172.31.31.2";

fn programs() -> Vec<&'static str> {
    [&Kamailio::NEEDS[..], &[Baresip::NEEDS, "python3"]].concat()
}

fn inside<'a>(address: &'a str, by: &'a str, certificate: Option<&'a Path>) -> Account<'a> {
    Account {
        address,
        own: "172.31.31.12",
        by,
        tls: certificate.is_some(),
        certificate,
    }
}

#[test]
fn two_phones_call_each_other_at_kamailio_over_tcp_and_tls() {
    test(Site::innovaphone(), &programs(), |lab| {
        let authority = Authority::make(lab, "devices")?;
        let pbx = Kamailio::start_asking(lab, Place::Lan, &[PBX], &authority.root())?;
        let shown = authority.client("bob")?;
        let account = inside("bob@dvl-ckl2.net", "172.31.31.2:5061", Some(&shown));
        let mut bob = Baresip::start(lab, Place::Lan, account)?;
        bob.wait_until_registered()?;
        let account = inside("alice@dvl-ckl2.net", "172.31.31.2:5060", None);
        let mut alice = Baresip::start(lab, Place::Lan, account)?;
        alice.wait_until_registered()?;
        let registered = pbx.registered()?;
        assert!(
            registered.contains("alice") && registered.contains("bob"),
            "{registered}"
        );
        let bobs = pbx.wait_for("bob", |heard| heard.from == "sip:bob@dvl-ckl2.net")?;
        assert_eq!(
            (bobs.transport.as_str(), bobs.certificate.as_str()),
            ("tls", "bob")
        );

        alice.call("sip:bob@dvl-ckl2.net")?;
        alice.wait_for("Call established")?;
        bob.wait_for("Call established")?;
        pbx.wait_for("an ACK with a Route", |heard| {
            heard.method == "ACK" && !heard.route.is_empty()
        })?;
        alice.hang_up()?;
        bob.wait_for("session closed")?;
        pbx.wait_for("a BYE", |heard| heard.method == "BYE")?;
        Ok(())
    });
}

fn raw(lab: &Lab, phone: &Phone<'_>) -> anyhow::Result<Vec<u16>> {
    let replies = phone.run(lab, Place::Lan)?;
    Ok(replies.iter().map(|reply| reply.status).collect())
}

#[test]
fn who_knows_the_password_is_registered_in_a_location_too() {
    test(Site::innovaphone(), &programs(), |lab| {
        let _pbx = Kamailio::start(lab, Place::Lan, &[PBX])?;
        let phone = Phone::new("172.31.31.2:5060").register("anna@dvl-ckl2.net/branch-b");
        let phone = phone
            .register("john@dvl-ckl2.net")
            .register_with("john@dvl-ckl2.net", "wrong");
        let phone = phone
            .ask("OPTIONS", "john@dvl-ckl2.net", "dvl-ckl2.net")
            .wait(0.2);
        assert_eq!(raw(lab, &phone)?, [200, 200, 401, 200, 0]);
        Ok(())
    });
}

#[test]
fn sipp_registers_many_at_kamailio() {
    test(
        Site::innovaphone(),
        &[&programs()[..], &[Sipp::NEEDS]].concat(),
        |lab| {
            let pbx = Kamailio::start(lab, Place::Lan, &[PBX])?;
            Sipp::register(
                lab,
                Place::Lan,
                "172.31.31.2:5060",
                0..20,
                Connections::Tcp { shared: true },
            )?;
            Sipp::register(
                lab,
                Place::Lan,
                "172.31.31.2:5060",
                20..50,
                Connections::Tcp { shared: false },
            )?;
            assert_eq!(pbx.registered()?.matches("Address:").count(), 50);
            Ok(())
        },
    );
}
