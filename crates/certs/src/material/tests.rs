use std::io::Write;
use std::process::{Command, Stdio};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, KeyUsagePurpose,
    PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256,
};

use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority_params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// A root, an intermediate below it, and a leaf with its key below that.
fn three_levels() -> (Authority, Authority, String, KeyPair) {
    let key = || KeyPair::generate().unwrap();
    let root = Authority::self_signed(authority_params("root"), key()).unwrap();
    let middle = Authority::signed_by(authority_params("middle"), key(), &root).unwrap();
    let leaf_key = key();
    let leaf = CertificateParams::new(vec!["HQ.example".to_owned(), "192.0.2.1".to_owned()])
        .unwrap()
        .signed_by(&leaf_key, &middle)
        .unwrap();
    (root, middle, leaf.pem(), leaf_key)
}

#[test]
fn a_chain_in_any_order_with_strangers_comes_out_ordered_without_its_root() {
    let (root, middle, leaf, key) = three_levels();
    let stranger = Authority::self_signed(authority_params("x"), KeyPair::generate().unwrap());
    let stranger = stranger.unwrap();
    let text = format!(
        "Bag Attributes\n{}{}subject=CN=hq\n{}{}",
        root.pem(),
        middle.pem(),
        stranger.pem(),
        leaf
    );
    let material = load_pem(&text, &key.serialize_pem()).unwrap();
    assert_eq!(material.names, ["hq.example", "192.0.2.1"]);
    let chain = material.chain().unwrap();
    assert_eq!(chain.len(), 2);
    assert_eq!(chain[1].as_ref(), middle.der().as_ref());
    assert!(material.certified_key().is_ok());
}

#[test]
fn a_combined_file_serves_as_chain_and_as_key() {
    let (_, middle, leaf, key) = three_levels();
    let combined = format!("{leaf}{}{}", key.serialize_pem(), middle.pem());
    let material = load_pem(&combined, &combined).unwrap();
    assert_eq!(material.chain().unwrap().len(), 2);
    assert!(!material.key_pem.contains("CERTIFICATE"));
    assert!(material.key_pem.ends_with("-----END PRIVATE KEY-----\n"));
    assert!(!material.chain_pem.contains("PRIVATE"));
}

#[test]
fn keys_of_each_kind_fit() {
    for algorithm in [&PKCS_RSA_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["hq.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let material = load_pem(&certificate.pem(), &key.serialize_pem()).unwrap();
        assert_eq!(material.names, ["hq.example"]);
    }
}

#[test]
fn each_fault_is_named() {
    let (_, middle, leaf, key) = three_levels();
    let key_pem = key.serialize_pem();
    let other = KeyPair::generate().unwrap().serialize_pem();
    let encrypted =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    let legacy = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END RSA PRIVATE KEY-----\n";
    let garbage = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let not_der = format!("{leaf}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    let torn = &leaf[..leaf.len() - 40];
    let error = |chain: &str, key: &str| load_pem(chain, key).unwrap_err();
    assert_eq!(error("", &key_pem), Error::NoCertificate);
    assert_eq!(error(&key_pem, &key_pem), Error::NoCertificate);
    assert!(matches!(
        error(torn, &key_pem),
        Error::BadCertificate { position: 1, .. }
    ));
    assert!(matches!(
        error(&not_der, &key_pem),
        Error::BadCertificate { position: 2, .. }
    ));
    assert_eq!(error(&leaf, ""), Error::NoKey);
    assert_eq!(error(&leaf, &leaf), Error::NoKey);
    assert_eq!(error(&leaf, encrypted), Error::EncryptedKey);
    assert_eq!(error(&leaf, legacy), Error::EncryptedKey);
    assert!(matches!(error(&leaf, garbage), Error::BadKey(_)));
    assert_eq!(
        error(&leaf, &other),
        Error::KeyMismatch {
            subject: "hq.example".to_owned()
        }
    );
    assert!(matches!(
        error(&middle.pem(), &key_pem),
        Error::KeyMismatch { .. }
    ));
    assert_eq!(
        error(&leaf.repeat(17), &key_pem),
        Error::TooManyCertificates { most: 16 }
    );
}

#[test]
fn no_prefix_of_a_good_file_is_taken_for_something_else_or_panics() {
    let (_, middle, leaf, key) = three_levels();
    let chain = format!("{leaf}{}", middle.pem());
    let key = key.serialize_pem();
    for end in 0..chain.len() {
        if let Ok(material) = load_pem(&chain[..end], &key) {
            assert!(end >= leaf.len() - 1 && material.names.len() == 2);
        }
    }
    for end in 0..key.len().saturating_sub(30) {
        assert!(load_pem(&chain, &key[..end]).is_err());
    }
}

/// `openssl` with `input` on its standard input; none where it is not installed.
fn openssl(arguments: &[&str], input: &str) -> Option<String> {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    child.stdin.take()?.write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "openssl {arguments:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn keys_in_the_older_formats_are_read() {
    for (algorithm, command, begin) in [
        (&PKCS_RSA_SHA256, "rsa", "-----BEGIN RSA PRIVATE KEY-----"),
        (
            &PKCS_ECDSA_P384_SHA384,
            "ec",
            "-----BEGIN EC PRIVATE KEY-----",
        ),
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["hq.example".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let traditional: &[&str] = if command == "rsa" {
            &["rsa", "-traditional"]
        } else {
            &["ec"]
        };
        let Some(mut older) = openssl(traditional, &key.serialize_pem()) else {
            eprintln!("skipped: openssl is not installed");
            return;
        };
        assert!(older.starts_with(begin), "{older}");
        if command == "ec" {
            // As `openssl ecparam -genkey` writes it.
            older.insert_str(
                0,
                "-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n",
            );
        }
        let material = load_pem(&certificate, &older).unwrap();
        assert!(material.key_pem.starts_with(begin));
    }
}
