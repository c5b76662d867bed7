//! Who is believed: nonces, users, names with a time.

use std::net::SocketAddr;
use std::time::Duration;

use stun::Now;
use stun::credentials::{Algorithm, Credentials, Proven, Unusable, timed_password, user_hash};
use stun::message::{Class, Digest, Key, Message, Method, TransactionId, Writer, attribute};
use stun::nonce::{Judged, LENGTH, Nonces};

const MATRIX: &str = "マトリックス";

fn at(seconds: u64) -> Now {
    Now {
        running: Duration::from_secs(seconds),
        unix: 1_800_000_000 + seconds,
    }
}

#[test]
fn a_nonce_holds_for_its_client_and_its_time() {
    let nonces = Nonces::new(&[7; 32], Duration::from_hours(1));
    let client: SocketAddr = "192.0.2.1:5000".parse().unwrap();
    let nonce = nonces.make(client, at(100));
    assert!(nonce.starts_with(b"obMatJos2AAAD") && nonce.len() == LENGTH);
    assert_eq!(nonces.judge(&nonce, client, at(100)), Judged::Good);
    assert_eq!(nonces.judge(&nonce, client, at(3699)), Judged::Good);
    assert_eq!(nonces.judge(&nonce, client, at(3700)), Judged::Stale);
    assert_eq!(nonces.judge(&nonce, client, at(99)), Judged::Stale);
    for other in ["192.0.2.1:5001", "192.0.2.2:5000", "[2001:db8::1]:5000"] {
        let other = other.parse().unwrap();
        assert_eq!(nonces.judge(&nonce, other, at(100)), Judged::Stale);
    }
    let mapped = "[::ffff:192.0.2.1]:5000".parse().unwrap();
    assert_eq!(nonces.judge(&nonce, mapped, at(100)), Judged::Good);
    let others = Nonces::new(&[8; 32], Duration::from_hours(1));
    assert_eq!(others.judge(&nonce, client, at(100)), Judged::Stale);
    for place in 0..nonce.len() * 8 {
        let mut changed = nonce;
        changed[place / 8] ^= 1 << (place % 8);
        assert_eq!(nonces.judge(&changed, client, at(100)), Judged::Stale);
    }
    for end in 0..nonce.len() {
        assert_eq!(nonces.judge(&nonce[..end], client, at(100)), Judged::Stale);
    }
}

/// A request of this name, signed with the key of this password.
fn request(
    name: &str,
    key_name: &str,
    password: &str,
    algorithm: Algorithm,
    digest: Digest,
    is_hashed: bool,
) -> Vec<u8> {
    let mut out = [0; 800];
    let mut writer = Writer::new(
        &mut out,
        Class::Request,
        Method::ALLOCATE,
        TransactionId([5; 12]),
    );
    if is_hashed {
        writer.attribute(
            attribute::USERHASH,
            &user_hash(name.as_bytes(), "example.org"),
        );
    } else {
        writer.attribute(attribute::USERNAME, name.as_bytes());
    }
    let key = algorithm.key(key_name.as_bytes(), b"example.org", password.as_bytes());
    let length = writer.protect(&key, digest).finish().unwrap();
    out[..length].to_vec()
}

fn proven(credentials: &Credentials, bytes: &[u8], algorithm: Algorithm) -> Option<Proven> {
    credentials.prove(&Message::parse(bytes).unwrap(), algorithm, at(0).unix)
}

#[test]
fn users_are_known_by_name_and_by_hash_with_either_algorithm() {
    let mut credentials = Credentials::new("example.org").unwrap();
    credentials.add_user("alice", "secret").unwrap();
    credentials
        .add_user(MATRIX, "The\u{ad}M\u{aa}tr\u{2168}")
        .unwrap();
    for (name, password) in [
        ("alice", "secret"),
        (MATRIX, "TheMatrIX"),
        (MATRIX, "The\u{ad}M\u{aa}tr\u{2168}"),
    ] {
        for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
            for digest in [Digest::Sha1, Digest::Sha256] {
                for is_hashed in [false, true] {
                    let good = request(name, name, password, algorithm, digest, is_hashed);
                    let proven_ = proven(&credentials, &good, algorithm).unwrap();
                    assert_eq!(proven_.digest, digest);
                    let bad = request(name, name, "Secret", algorithm, digest, is_hashed);
                    assert!(proven(&credentials, &bad, algorithm).is_none());
                    let other = match algorithm {
                        Algorithm::Md5 => Algorithm::Sha256,
                        Algorithm::Sha256 => Algorithm::Md5,
                    };
                    assert!(proven(&credentials, &good, other).is_none());
                }
            }
        }
    }
    for name in ["Alice", "bob", "", "1900000000:alice"] {
        let bytes = request(name, "alice", "secret", Algorithm::Md5, Digest::Sha1, false);
        assert!(proven(&credentials, &bytes, Algorithm::Md5).is_none());
        let bytes = request(name, "alice", "secret", Algorithm::Md5, Digest::Sha1, true);
        assert!(proven(&credentials, &bytes, Algorithm::Md5).is_none());
    }
    let shown = format!("{credentials:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("alice"),
        "{shown}"
    );
}

#[test]
fn the_samples_are_proven_by_their_passwords() {
    let mut credentials = Credentials::new("example.org").unwrap();
    credentials
        .add_user(MATRIX, "The\u{ad}M\u{aa}tr\u{2168}")
        .unwrap();
    let mut found = 0;
    for line in include_str!("../../../../tests/data/stun/samples.tsv").lines() {
        let parts: Vec<&str> = line.split('\t').collect();
        let algorithm = match parts.get(1) {
            Some(&"long") => Algorithm::Md5,
            Some(&"long-sha256") => Algorithm::Sha256,
            _ => continue,
        };
        let bytes = data_encoding::HEXLOWER.decode(parts[2].as_bytes()).unwrap();
        assert!(proven(&credentials, &bytes, algorithm).is_some(), "{line}");
        found += 1;
    }
    assert_eq!(found, 2);
}

#[test]
fn names_with_a_time_hold_until_then_with_each_of_the_secrets() {
    let mut credentials = Credentials::new("example.org").unwrap();
    credentials.add_secret("old").unwrap();
    credentials.add_secret("new").unwrap();
    let unix = at(0).unix;
    let named = |name: &str, secret: &str| {
        let password = timed_password(secret, name);
        let bytes = request(name, name, &password, Algorithm::Md5, Digest::Sha1, false);
        proven(&credentials, &bytes, Algorithm::Md5)
    };
    let later = format!("{}", unix + 1);
    assert!(named(&later, "old").is_some() && named(&later, "new").is_some());
    assert!(named(&later, "other").is_none());
    assert!(named(&format!("{unix}"), "new").is_none());
    assert!(named("", "new").is_none() && named(":alice", "new").is_none());
    assert!(named("99999999999999999999:alice", "new").is_none());
    let first = named(&format!("{}:alice", unix + 1), "old")
        .unwrap()
        .account;
    let second = named(&format!("{}:alice", unix + 9), "new")
        .unwrap()
        .account;
    let other = named(&format!("{}:bob", unix + 9), "new").unwrap().account;
    assert!(first == second && first != other);
    // As the draft's authors have published it for coturn: base64 of HMAC-SHA1.
    assert_eq!(timed_password("north", "1433895918:ninefingers").len(), 28);
}

#[test]
fn what_can_not_be_a_name_is_refused() {
    let mut credentials = Credentials::new("example.org").unwrap();
    for (name, expected) in [
        ("", Unusable::Empty),
        ("a\nb", Unusable::Character),
        ("\u{301}a", Unusable::Character),
        (&"a".repeat(509), Unusable::TooLong),
    ] {
        assert_eq!(credentials.add_user(name, "p"), Err(expected));
        assert_eq!(credentials.add_user("p", name), Err(expected));
    }
    credentials.add_user("alice", "p").unwrap();
    assert_eq!(credentials.add_user("alice", "q"), Err(Unusable::Twice));
    assert_eq!(credentials.add_secret(""), Err(Unusable::Empty));
    assert!(Credentials::new(&"a".repeat(128)).is_err());
    assert_eq!(format!("{:?}", Key::new(b"secret")), "Key(..)");
}
