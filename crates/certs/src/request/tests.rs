use super::*;
use crate::{Ca, Usage};
use std::time::SystemTime;
use x509_parser::certification_request::X509CertificationRequest;
use x509_parser::prelude::{FromDer, GeneralName};

/// The names of a request whose signature is right.
fn names_of(der: &[u8]) -> Vec<String> {
    let (rest, request) = X509CertificationRequest::from_der(der).unwrap();
    assert!(rest.is_empty());
    request.verify_signature().unwrap();
    assert_eq!(
        request.certification_request_info.subject.to_string(),
        "",
        "names stand in subjectAltName only"
    );
    let names = request.requested_extensions().unwrap().flat_map(|e| {
        let ParsedExtension::SubjectAlternativeName(names) = e else {
            return Vec::new();
        };
        names.general_names.clone()
    });
    names
        .map(|name| match name {
            GeneralName::DNSName(name) => name.to_owned(),
            GeneralName::IPAddress(bytes) => format!("{bytes:?}"),
            other => panic!("{other}"),
        })
        .collect()
}

#[test]
fn a_request_names_what_was_asked_for_and_is_signed_by_its_key() {
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let key = new_key(kind).unwrap();
        assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"), "{kind:?}");
        let der = request(&key, &["HQ.example.", "*.hq.example", "192.0.2.1"]).unwrap();
        assert_eq!(
            names_of(&der),
            ["hq.example", "*.hq.example", "[192, 0, 2, 1]"],
            "{kind:?}"
        );
    }
}

#[test]
fn what_can_not_be_asked_for_is_refused_beforehand() {
    let key = new_key(KeyKind::P256).unwrap();
    assert!(matches!(request::<&str>(&key, &[]), Err(Error::Issue(_))));
    for name in ["", "a b.example", "pbx.exämple", "a..example"] {
        let refused = request(&key, &[name]);
        assert!(matches!(refused, Err(Error::BadName(_))), "{name:?}");
    }
    let refused = request("no key", &["hq.example"]);
    assert!(matches!(refused, Err(Error::BadKey(_))));
}

#[test]
fn a_certificate_is_called_as_rfc_9773_says() {
    // RFC 9773 appendix A.
    let example = include_str!("rfc9773.pem");
    assert_eq!(
        certificate_id(example).unwrap().as_deref(),
        Some("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    );
    let now = SystemTime::now();
    let ca = Ca::create("Test", now).unwrap();
    assert_eq!(certificate_id(ca.root_pem()).unwrap(), None);
    let leaf = ca.issue(&["hq.example"], Usage::Server, now).unwrap();
    let id = certificate_id(&leaf.chain_pem).unwrap().unwrap();
    let (issuer, serial) = id.split_once('.').unwrap();
    assert!(!issuer.is_empty() && !serial.is_empty(), "{id}");
    assert!(matches!(certificate_id(""), Err(Error::NoCertificate)));
}
