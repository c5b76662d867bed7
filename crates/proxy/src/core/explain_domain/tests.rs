use crate::core::{NotExplained, Shows, explain};
use certs::Ca;
use rustls_pki_types::CertificateDer;
use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

const INNOVAPHONE: &str = include_str!("../../../../../configs/innovaphone.toml");

fn said(url: &str, shows: Option<Shows<'_>>) -> String {
    let checked = config::check(INNOVAPHONE, "test.toml").unwrap();
    let told = explain(&checked.config, url, None, shows).unwrap();
    told.to_string()
}

fn line(wanted: &str) -> usize {
    let mut lines = INNOVAPHONE.lines();
    lines.position(|line| line == wanted).unwrap() + 1
}

#[test]
fn a_connection_is_explained_by_the_name_in_its_first_message() {
    let host = line("name = \"dvl-ckl2.net/branch-b\"") - 1;
    let sip = "sip:john@dvl-ckl2.net/branch-b";
    assert_eq!(
        said(sip, None),
        format!(
            "{sip} from 203.0.113.1\n  sip on the public port 5060, here 5070\n  host dvl-ckl2.net/branch-b (line {host})\n\
             forwarded to sip://172.31.31.3:5060 (line {})\n  over TLS, with a trusted certificate of john: to sips://172.31.31.3:5061\n  the client sees the target's addresses as 78.54.23.241\n  it came without TLS",
            host + 4
        )
    );
    for (url, words) in [
        (
            "h323:hq@dvl-ckl2.net/branch-b",
            "to h323://172.31.31.3:1720",
        ),
        ("h323:dvl-ckl2.net", "to h323://172.31.31.2:1720"),
        (
            "h323s:john@dvl-ckl2.net",
            "a trusted certificate of the name that registers: to h323s://172.31.31.2:1300",
        ),
        ("ldap:dvl-ckl2.net\\contacts", "to ldap://172.31.31.2:389"),
        (
            "ldaps:CN=admin, DC=dvl-ckl2, DC=net",
            "to ldaps://172.31.31.2:636",
        ),
        (
            "ldap:contacts@apps.dvl-ckl2.net",
            "to ldap://172.31.31.12:389",
        ),
        ("ldap:contacts", "refused: no domain is named"),
        (
            "sip:john@elsewhere.example",
            "refused: no [[host]] of that name serves sip",
        ),
        (
            "sip:john@apps.dvl-ckl2.net",
            "refused: no [[host]] of that name serves sip",
        ),
        (
            "sips:john@dvl-ckl2.net",
            "forwarded to sip://172.31.31.2:5060",
        ),
        (
            "sips:john@dvl-ckl2.net",
            "not over TLS: no client certificate",
        ),
        (
            "sips:john@dvl-ckl2.net",
            "with a trusted certificate of john: to sips://172.31.31.2:5061",
        ),
    ] {
        let said = said(url, None);
        assert!(said.contains(words), "{said}");
    }
    let checked = config::check(INNOVAPHONE, "test.toml").unwrap();
    for url in ["sip:", "sip", "h323:", "tel:1", "pb"] {
        let told = explain(&checked.config, url, None, None);
        assert!(matches!(told, Err(NotExplained::Url(_))), "{url}");
    }
}

#[test]
fn a_certificate_is_judged_as_in_a_handshake() {
    let now = SystemTime::now();
    let ca = Ca::create("Phones", now).unwrap();
    let john = ca.issue_for_client("john", Duration::from_hours(24), now);
    let chain = john.unwrap().material.chain().unwrap();
    let root = |ca: &Ca| {
        BTreeMap::from([(
            "innovaphone-devices.pem".to_owned(),
            ca.root_pem().to_owned(),
        )])
    };
    let files = root(&ca);
    let shows = |chain: &'static [CertificateDer<'static>], files: &'static BTreeMap<_, _>| Shows {
        chain,
        files,
        now,
    };
    let chain: &'static [CertificateDer<'static>] = chain.leak();
    let files: &'static BTreeMap<_, _> = Box::leak(Box::new(files));
    let known = said("sips:john@dvl-ckl2.net", Some(shows(chain, files)));
    assert!(known.contains("to sips://172.31.31.2:5061"), "{known}");
    assert!(known.contains("is that of john"), "{known}");
    let other = said("sips:mary@dvl-ckl2.net", Some(shows(chain, files)));
    assert!(other.contains("to sip://172.31.31.2:5060"), "{other}");
    assert!(other.contains("the certificate of \"john\""), "{other}");
    let other = Ca::create("Others", now).unwrap();
    let files: &'static BTreeMap<_, _> = Box::leak(Box::new(root(&other)));
    let unknown = said("sips:john@dvl-ckl2.net", Some(shows(chain, files)));
    assert!(unknown.contains("to sip://172.31.31.2:5060"), "{unknown}");
}

#[test]
fn what_a_pbx_has_to_be_told_is_listed() {
    let told = said("pbx", None);
    for words in [
        "at the PBX 172.31.31.2:\n  address of the reverse proxy: 172.31.31.4\n  name of its certificate (CN): gate-hq\n  Assume TLS: on",
        "h323 of dvl-ckl2.net: TCP 1720, TLS 1300 for who has proven by certificate to be who he is (line ",
        "at the PBX 172.31.31.3:",
    ] {
        assert!(told.contains(words), "{told}");
    }
}
