use std::process::Command;

use super::*;
use crate::{Ca, Usage};

const PASSPHRASE: &str = "über+passphrase";
const CHAIN: &str = include_str!("../../testdata/chain.pem");
const KEY: &str = include_str!("../../testdata/encrypted.key");

macro_rules! file {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../../testdata/", $name)).as_slice(),
        )
    };
}

/// What openssl writes, and older Windows with it.
const READABLE: &[(&str, &[u8])] = &[
    file!("aes256.p12"),
    file!("mixed.p12"),
    file!("pbes2-tripledes.p12"),
    file!("tripledes.p12"),
];

fn issued() -> Material {
    let now = std::time::SystemTime::now();
    let ca = Ca::create("gate", now).unwrap();
    ca.issue(&["phone.example"], Usage::Identity, now).unwrap()
}

#[test]
fn what_openssl_writes_is_read() {
    let plain = read_pem(CHAIN, KEY, PASSPHRASE).unwrap();
    assert_eq!(plain.names, ["pbx.example"]);
    plain.certified_key().unwrap();
    for (name, bytes) in READABLE {
        let material = read(bytes, PASSPHRASE).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(material, plain, "{name}");
        assert_eq!(
            read(bytes, "uber+passphrase"),
            Err(Error::WrongPassphrase),
            "{name}"
        );
        assert_eq!(read(bytes, ""), Err(Error::WrongPassphrase), "{name}");
    }
    let wrong = read_pem(CHAIN, KEY, "wrong");
    assert!(matches!(wrong, Err(Error::WrongPassphrase)), "{wrong:?}");
}

#[test]
fn what_is_not_read_says_what_to_do() {
    for ((name, bytes), words) in [
        (file!("rc2.p12"), "openssl pkcs12 -legacy -in OLD"),
        (file!("slow.p12"), "more than 2000000 rounds"),
        (file!("unproven.p12"), "export it again with a passphrase"),
        (file!("keyless.p12"), "no private key"),
    ] {
        let error = read(bytes, PASSPHRASE).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
    let long = vec![0x30; LONGEST + 1];
    assert_eq!(read(&long, ""), Err(Error::TooLong { most: LONGEST }));
    let des = include_str!("../../testdata/encrypted-des.key");
    assert_eq!(
        read_pem(CHAIN, des, PASSPHRASE),
        Err(Error::Broken("DES or RC2"))
    );
    assert_eq!(
        read_pem(CHAIN, "", PASSPHRASE),
        Err(Error::Certificate(crate::Error::NoKey))
    );
}

#[test]
fn every_truncation_and_every_changed_byte_is_refused() {
    for (name, bytes) in READABLE {
        for end in 0..bytes.len() {
            assert!(read(&bytes[..end], PASSPHRASE).is_err(), "{name}: {end}");
        }
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes.to_vec();
                changed[at] ^= change;
                // What is not covered by the proof is how long it takes, and what is ignored.
                let _ = read(&changed, PASSPHRASE);
            }
        }
        let mut longer = bytes.to_vec();
        longer.push(0);
        assert_eq!(
            read(&longer, PASSPHRASE),
            Err(Error::Malformed("something follows its end"))
        );
    }
}

#[test]
fn the_inside_survives_every_truncation_and_change_that_a_proof_would_hide() {
    for (name, bytes) in READABLE {
        let mut pfx = Der::new(bytes).sequence().unwrap();
        pfx.number().unwrap();
        let (_, mut content) = content_info(&mut pfx).unwrap();
        let safe = content.take(OCTETS).unwrap();
        let read = |safe: &[u8]| read_unproven(safe, PASSPHRASE, Work::of(500));
        read(safe).unwrap_or_else(|error| panic!("{name}: {error}"));
        for end in 0..safe.len() {
            assert!(read(&safe[..end]).is_err(), "{name}: {end}");
        }
        for at in 0..safe.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = safe.to_vec();
                changed[at] ^= change;
                let _ = read(&changed);
            }
        }
    }
}

#[test]
fn what_is_written_is_read_here_and_by_openssl() {
    let material = issued();
    let file = write(&material, "phone of Jürgen", PASSPHRASE).unwrap();
    let back = read(&file, PASSPHRASE).unwrap();
    assert_eq!(back.chain_pem, material.chain_pem);
    assert_eq!(back.names, material.names);
    back.certified_key().unwrap();
    assert_eq!(read(&file, "wrong"), Err(Error::WrongPassphrase));
    assert_eq!(write(&material, "x", ""), Err(Error::NoPassphrase));
    let path = std::env::temp_dir().join(format!("gatehouse-bundle-{}.p12", std::process::id()));
    std::fs::write(&path, &file).unwrap();
    let shown = Command::new("openssl")
        .args(["pkcs12", "-nodes", "-info", "-passin"])
        .arg(format!("pass:{PASSPHRASE}"))
        .arg("-in")
        .arg(&path)
        .output();
    std::fs::remove_file(&path).unwrap();
    let Ok(shown) = shown else {
        eprintln!("skipped: openssl is not installed");
        return;
    };
    let said = String::from_utf8_lossy(&shown.stderr);
    assert!(shown.status.success(), "{said}");
    assert!(
        said.contains("PBES2, PBKDF2, AES-256-CBC, Iteration 200000, PRF hmacWithSHA256"),
        "{said}"
    );
    let text = String::from_utf8_lossy(&shown.stdout);
    assert!(text.contains("friendlyName: "), "{text}");
    let again = load_pem(&text, &text).unwrap();
    assert_eq!(again.names, material.names);
}

#[test]
fn keys_of_every_shape_go_out_as_pkcs8() {
    let material = read_pem(CHAIN, KEY, PASSPHRASE).unwrap();
    let plain = pem::parse(&material.key_pem).unwrap();
    let mut key = Der::new(plain.contents()).sequence().unwrap();
    key.number().unwrap();
    key.sequence().unwrap();
    let inner = Der::new(key.take(OCTETS).unwrap())
        .raw(SEQUENCE)
        .unwrap()
        .to_vec();
    // SEC1 inside PKCS#8 leaves the curve out; alone it names it.
    let curve = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
    let mut parts = Der::new(&inner).sequence().unwrap();
    let version = parts.raw(INTEGER).unwrap();
    let secret = parts.raw(OCTETS).unwrap();
    let alone = tlv(SEQUENCE, &[version, secret, &explicit(0, &curve)]);
    let mut sec1 = material.clone();
    sec1.key_pem = pem::encode(&pem::Pem::new("EC PRIVATE KEY", alone));
    sec1.certified_key().unwrap();
    let back = read(&write(&sec1, "pbx", "x").unwrap(), "x").unwrap();
    assert!(back.key_pem.contains("BEGIN PRIVATE KEY"));
    back.certified_key().unwrap();
    assert_eq!(back.chain_pem, material.chain_pem);
}

#[test]
fn a_key_costs_what_it_takes() {
    // With SHA-256, all of a key comes at once.
    let sealed = encryption::encrypt(b"text", PASSPHRASE, 600).unwrap();
    let decrypt = |work: &mut Work| {
        let algorithm = Der::new(&sealed.algorithm).sequence().unwrap();
        encryption::decrypt(algorithm, &sealed.bytes, PASSPHRASE, work)
    };
    let mut work = Work::of(1200);
    assert_eq!(decrypt(&mut work).unwrap(), b"text");
    assert_eq!(decrypt(&mut work).unwrap(), b"text");
    assert!(matches!(decrypt(&mut work), Err(Error::TooMuchWork { .. })));
}
