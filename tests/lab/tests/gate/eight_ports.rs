//! The whole of `configs/innovaphone.toml` at once: a client outside, the PBX inside, and the router that maps standard ports to those of the box.

use std::path::Path;
use std::thread;

use anyhow::{Result, ensure};
use lab::{
    AddressBook, Authority, Curl, Endpoint, Gatehouse, Lab, Nginx, Pbx, Phone, Place, Recorder,
    Site, contract, test,
};

use crate::h323::rejected;

const PUBLIC: &str = "78.54.23.241";
const PBX: &str = "172.31.31.2";

/// What a SIP phone sends, and what the PBX answers.
const REGISTER: &str = "REGISTER sip:dvl-ckl2.net SIP/2.0\r\n\
    Via: SIP/2.0/TCP 78.54.23.1:5099;branch=z9hG4bKeight\r\n\
    From: <sip:john@dvl-ckl2.net>;tag=1\r\nTo: <sip:john@dvl-ckl2.net>\r\n\
    Call-ID: eight\r\nCSeq: 1 REGISTER\r\nContact: <sip:john@78.54.23.1:5099;transport=tcp>\r\n\
    Content-Length: 0\r\n\r\n";
const REGISTERED: &str = "SIP/2.0 200 OK\r\nVia: SIP/2.0/TCP 78.54.23.1:5099;branch=z9hG4bKeight\r\n\
    From: <sip:john@dvl-ckl2.net>;tag=1\r\nTo: <sip:john@dvl-ckl2.net>;tag=2\r\n\
    Call-ID: eight\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";

/// A client outside that trusts the root of the box.
struct Client<'a> {
    lab: &'a Lab,
    root: &'a Path,
}

impl Client<'_> {
    fn web(&self, scheme: &str) -> Result<()> {
        let url = format!("{scheme}://hq.dvl-ckl2.net/PBX0/APPS");
        let page = Curl::new(&url).trusting(self.root);
        let body = page.expect(self.lab, Place::Internet, 200)?.body;
        ensure!(body.starts_with(PBX), "{body}");
        Ok(())
    }

    fn directory(&self, scheme: &str) -> Result<()> {
        let root = format!("LDAPTLS_CACERT={}", self.root.display());
        let url = format!("{scheme}://dvl-ckl2.net");
        let base = "dc=dvl-ckl2,dc=net";
        let who = ["-D", "CN=admin, DC=dvl-ckl2, DC=net", "-w", "secret"];
        let command = ["env", &root, "LDAPTLS_REQCERT=hard", "ldapsearch", "-x"];
        let command = [&command[..], &["-H", &url, "-b", base], &who].concat();
        let found = self.lab.run(Place::Internet, &command)?.success()?;
        ensure!(found.contains("+49 24\n"), "{found}");
        Ok(())
    }

    fn h323(&self, phone: &Endpoint) -> Result<()> {
        let steps = [
            "grq pbx@dvl-ckl2.net IP222-01-02-03",
            "answer",
            "rrq pbx@dvl-ckl2.net IP222-01-02-03",
            "answer",
        ];
        let seen = phone.does(self.lab, Place::Internet, &steps)?;
        let wanted = ["gatekeeperConfirm", "registrationConfirm"];
        ensure!(seen.answers == wanted, "{seen:?}");
        Ok(())
    }

    fn sip(&self, phone: &Phone<'_>) -> Result<()> {
        let replies = phone.run(self.lab, Place::Internet)?;
        ensure!(replies[0].status == 200, "{replies:?}");
        Ok(())
    }

    fn all(&self) -> Vec<String> {
        let plain = Endpoint::plain(&format!("{PUBLIC}:1720"));
        let tls = Endpoint::tls(&format!("{PUBLIC}:1300"), self.root, None);
        let [sip_port, sips_port] = [5060, 5061].map(|port| format!("{PUBLIC}:{port}"));
        let sip = Phone::new(&sip_port).bytes(REGISTER);
        let sips = Phone::new(&sips_port).trusting(self.root, "dvl-ckl2.net");
        let sips = sips.bytes(REGISTER);
        let asks: [(&str, &(dyn Fn() -> Result<()> + Sync)); 8] = [
            ("http", &|| self.web("http")),
            ("https", &|| self.web("https")),
            ("ldap", &|| self.directory("ldap")),
            ("ldaps", &|| self.directory("ldaps")),
            ("h323", &|| self.h323(&plain)),
            ("h323s", &|| self.h323(&tls)),
            ("sip", &|| self.sip(&sip)),
            ("sips", &|| self.sip(&sips)),
        ];
        thread::scope(|scope| {
            let threads = asks.map(|(name, ask)| (name, scope.spawn(ask)));
            let failed = threads.into_iter().filter_map(|(name, thread)| {
                let outcome = thread.join().expect("a client does not panic");
                let error = outcome.err()?;
                Some(format!("{name}: {error:#}"))
            });
            failed.collect()
        })
    }
}

#[test]
fn all_eight_ports_of_the_file_serve_clients_outside_at_once() {
    let needs = [&["nginx", "curl"], &AddressBook::NEEDS[..], &Pbx::NEEDS].concat();
    test(Site::innovaphone(), &needs, |lab| {
        let authority = Authority::make(lab, "innovaphone-devices")?;
        let web = [format!("{PBX}:80"), format!("{PBX}:443 ssl")];
        let _web = Nginx::start(lab, Place::Lan, &web.each_ref().map(String::as_str))?;
        let _book = AddressBook::start(lab, "dvl-ckl2.net", PBX, 25)?;
        let pbx = Pbx::start(lab, &[PBX], None)?;
        let sip = Recorder::answering(lab, Place::Lan, &format!("{PBX}:5060"), REGISTERED)?;
        let gate = Gatehouse::start(lab, &contract("innovaphone")?)?;
        let root = gate.root()?;
        ensure!(authority.root().exists(), "the devices' root is missing");
        let client = Client { lab, root: &root };
        for round in 0..3 {
            let failed = client.all();
            assert!(failed.is_empty(), "round {round}: {failed:#?}");
        }
        assert_eq!(sip.received().matches("REGISTER sip:").count(), 6);
        // Nobody has shown a certificate.
        let arrived = pbx.arrived()?;
        assert_eq!(arrived.len(), 6);
        let over_tcp = format!("{PBX}:1720");
        assert!(arrived.iter().all(|one| one.at == over_tcp), "{arrived:?}");
        assert_eq!(rejected(&gate)?, 0);
        Ok(())
    });
}
