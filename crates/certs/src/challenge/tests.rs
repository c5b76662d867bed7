use super::*;
use crate::material::{names_of, parse};

fn page(host: &str, token: &str) -> Answer {
    Answer::Http {
        host: host.into(),
        token: token.into(),
        text: format!("{token}.thumbprint"),
    }
}

#[test]
fn a_page_lies_out_for_its_host_and_token_until_it_is_dropped() {
    let answers = Answers::default();
    let held = answers.add(page("HQ.example", "abc")).unwrap();
    let other = answers.add(page("b.example", "def")).unwrap();
    let path = "/.well-known/acme-challenge/abc";
    assert_eq!(
        answers.http("hq.Example.", path).as_deref(),
        Some("abc.thumbprint")
    );
    for (host, path) in [
        ("b.example", path),
        ("hq.example", "/.well-known/acme-challenge/ab"),
        ("hq.example", "/.well-known/acme-challenge/"),
        ("hq.example", "/abc"),
        ("hq.example", ""),
        ("", path),
    ] {
        assert_eq!(answers.http(host, path), None, "{host} {path}");
    }
    drop(held);
    assert_eq!(answers.http("hq.example", path), None);
    drop(other);
    assert!(answers.is_empty());
}

#[test]
fn there_is_an_end_to_them() {
    let answers = Answers::default();
    let mut held = Vec::new();
    for number in 0..MOST {
        held.push(
            answers
                .add(page("hq.example", &number.to_string()))
                .unwrap(),
        );
    }
    assert_eq!(answers.add(page("hq.example", "more")).unwrap_err(), Full);
    held.pop();
    assert!(answers.add(page("hq.example", "more")).is_ok());
}

#[test]
fn records_of_one_name_stand_beside_each_other() {
    let answers = Answers::default();
    let record = |text: &str| Answer::Txt {
        name: "_acme-challenge.hq.example.".into(),
        text: text.into(),
    };
    let _one = answers.add(record("one")).unwrap();
    let two = answers.add(record("two")).unwrap();
    assert_eq!(answers.txt("_ACME-challenge.hq.example"), ["one", "two"]);
    drop(two);
    assert_eq!(answers.txt("_acme-challenge.hq.example"), ["one"]);
    assert!(answers.txt("hq.example").is_empty());
}

#[test]
fn the_certificate_of_a_proof_is_the_one_of_rfc_8737() {
    let authorization = "token.thumbprint";
    let key = tls_certificate("hq.example", authorization).unwrap();
    let certificate = parse(&key.cert[0]).unwrap();
    assert_eq!(names_of(&certificate), ["hq.example"]);
    let mut extensions = certificate.extensions().iter();
    // id-pe-acmeIdentifier, an OCTET STRING of the digest.
    let proof = extensions.find(|e| e.oid.to_id_string() == "1.3.6.1.5.5.7.1.31");
    let proof = proof.unwrap();
    assert!(proof.critical);
    let digest = digest(&SHA256, authorization.as_bytes());
    assert_eq!(proof.value[..2], [0x04, 0x20]);
    assert_eq!(&proof.value[2..], digest.as_ref());

    let answers = Answers::default();
    let key = Arc::new(key);
    let held = answers.add(Answer::Tls {
        name: "hq.example".into(),
        key: Arc::clone(&key),
    });
    let found = answers.tls("HQ.example").unwrap();
    assert!(Arc::ptr_eq(&found, &key));
    assert!(answers.tls("b.example").is_none());
    drop(held);
    assert!(answers.tls("hq.example").is_none());
}

#[test]
fn the_record_of_a_proof_is_its_digest() {
    // SHA-256 of "abc" (FIPS 180-4), in base64url.
    assert_eq!(
        dns_text("abc"),
        "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
    );
}
