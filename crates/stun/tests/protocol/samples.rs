//! RFC 5769, RFC 8489 appendix B.1.

use stun::message::{Class, Digest, Key, Malformed, Message, Method, Writer, attribute};

use super::samples;

fn key(credentials: &str) -> (Key, Digest) {
    let long = "マトリックス:example.org:TheMatrIX";
    match credentials {
        "short" => (Key::new(b"VOkJxbRl1RmTxUk/WvJxBt"), Digest::Sha1),
        "long" => {
            use md5::Digest as _;
            (Key::new(&md5::Md5::digest(long)), Digest::Sha1)
        }
        "long-sha256" => {
            let key = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, long.as_bytes());
            (Key::new(key.as_ref()), Digest::Sha256)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_samples_are_read_and_were_made_with_their_passwords() {
    assert_eq!(samples().len(), 5);
    for (name, credentials, bytes) in samples() {
        let message = Message::parse(&bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(message.method(), Method::BINDING, "{name}");
        let class = if name.starts_with("request") {
            Class::Request
        } else {
            Class::Success
        };
        assert_eq!(message.class(), class, "{name}");
        let (key, digest) = key(credentials);
        assert_eq!(message.protection(), Some(digest), "{name}");
        assert!(message.is_by(&key, digest, 32), "{name}");
        assert!(!message.is_by(&Key::new(b"wrong"), digest, 32), "{name}");
        assert!(matches!(message.fingerprint(), None | Some(true)), "{name}");
    }
}

#[test]
fn the_addresses_of_the_answers_are_those_of_the_rfc() {
    for (name, _, bytes) in samples() {
        let message = Message::parse(&bytes).unwrap();
        let mapped = message
            .attributes()
            .find(|found| found.kind == attribute::XOR_MAPPED_ADDRESS)
            .and_then(|found| found.xor_address(&message));
        let expected = match name {
            "response-ipv4" => Some("192.0.2.1:32853".parse().unwrap()),
            "response-ipv6" => Some(
                "[2001:db8:1234:5678:11:2233:4455:6677]:32853"
                    .parse()
                    .unwrap(),
            ),
            _ => None,
        };
        assert_eq!(mapped, expected, "{name}");
    }
}

#[test]
fn a_sample_that_is_written_again_is_the_same() {
    for (name, credentials, bytes) in samples() {
        // Their padding is of spaces, which is not what we write.
        if ["request", "response-ipv4", "response-ipv6"].contains(&name) {
            continue;
        }
        let message = Message::parse(&bytes).unwrap();
        let (key, digest) = key(credentials);
        let mut out = [0xff; 200];
        let mut writer = Writer::new(
            &mut out,
            message.class(),
            message.method(),
            message.transaction(),
        );
        for found in message.attributes() {
            writer.attribute(found.kind, found.value);
        }
        let length = writer.protect(&key, digest).finish().unwrap();
        assert_eq!(out[..length], bytes, "{name}");
    }
}

#[test]
fn no_beginning_of_a_sample_is_a_message_and_none_with_a_changed_bit_is_believed() {
    for (name, credentials, bytes) in samples() {
        for end in 0..bytes.len() {
            assert!(Message::parse(&bytes[..end]).is_err(), "{name}: {end}");
        }
        let (key, digest) = key(credentials);
        // Whether there is a fingerprint is said by nothing that is protected.
        let has_fingerprint = Message::parse(&bytes).unwrap().fingerprint().is_some();
        let protected = bytes.len() - if has_fingerprint { 8 } else { 0 };
        for at in 0..protected * 8 {
            let mut changed = bytes.clone();
            changed[at / 8] ^= 1 << (at % 8);
            let Ok(message) = Message::parse(&changed) else {
                continue;
            };
            let is_believed = message.is_by(&key, digest, 32)
                && message.fingerprint() != Some(false)
                && message.protection() == Some(digest);
            assert!(!is_believed, "{name}: bit {at}");
        }
    }
}

#[test]
fn what_follows_the_integrity_is_not_seen() {
    let key = Key::new(b"key");
    let mut out = [0; 200];
    let mut writer = Writer::new(
        &mut out,
        Class::Request,
        Method::ALLOCATE,
        stun::message::TransactionId([7; 12]),
    );
    writer.attribute(attribute::USERNAME, b"user");
    writer.protect(&key, Digest::Sha1);
    writer.attribute(attribute::REALM, b"evil");
    writer.protect(&key, Digest::Sha256);
    writer.number(attribute::LIFETIME, 9);
    let length = writer.fingerprint().finish().unwrap();
    let message = Message::parse(&out[..length]).unwrap();
    assert_eq!(message.first(attribute::USERNAME), Some(&b"user"[..]));
    assert_eq!(message.first(attribute::REALM), None);
    assert_eq!(message.first(attribute::LIFETIME), None);
    assert_eq!(message.protection(), Some(Digest::Sha256));
    assert!(message.is_by(&key, Digest::Sha1, 32) && message.is_by(&key, Digest::Sha256, 32));
    assert_eq!(message.fingerprint(), Some(true));
}

#[test]
fn a_short_sha256_counts_only_where_it_may_be_short() {
    let key = Key::new(b"key");
    let mut whole = [0; 100];
    let id = stun::message::TransactionId([3; 12]);
    for length in [4, 12, 16, 20, 28, 32, 36] {
        // The attribute is made by hand: the HMAC covers the length that the message has in the end.
        let mut writer = Writer::new(&mut whole, Class::Request, Method::BINDING, id);
        let end = writer
            .attribute(attribute::MESSAGE_INTEGRITY_SHA256, &[0; 36][..length])
            .finish()
            .unwrap();
        let made = aws_lc_rs::hmac::sign(
            &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, b"key"),
            &whole[..20],
        );
        let told = made.as_ref().len().min(length);
        whole[24..24 + told].copy_from_slice(&made.as_ref()[..told]);
        let message = match Message::parse(&whole[..end]) {
            Ok(message) if (16..=32).contains(&length) => message,
            other => {
                assert_eq!(other, Err(Malformed::Protection), "{length}");
                continue;
            }
        };
        assert_eq!(message.is_by(&key, Digest::Sha256, 32), length == 32);
        assert_eq!(message.is_by(&key, Digest::Sha256, 20), length >= 20);
        assert!(message.is_by(&key, Digest::Sha256, 0), "{length}");
    }
}

#[test]
fn attributes_have_to_be_understood_below_0x8000() {
    let mut out = [0; 100];
    let id = stun::message::TransactionId([1; 12]);
    let mut writer = Writer::new(&mut out, Class::Request, Method::BINDING, id);
    for kind in [0x7fff, 0x8001, attribute::USERNAME, 0x0002] {
        writer.attribute(kind, b"abc");
    }
    let end = writer.finish().unwrap();
    let message = Message::parse(&out[..end]).unwrap();
    let unknown: Vec<u16> = message
        .not_understood(|kind| kind == attribute::USERNAME)
        .collect();
    assert_eq!(unknown, [0x7fff, 0x0002]);
}

#[test]
fn there_is_a_most_number_of_attributes_and_a_small_buffer_is_told() {
    let id = stun::message::TransactionId([1; 12]);
    for (count, expected) in [(64, None), (65, Some(Malformed::TooMany))] {
        let mut out = [0; 400];
        let mut writer = Writer::new(&mut out, Class::Request, Method::BINDING, id);
        for _ in 0..count {
            writer.attribute(0x8000, &[]);
        }
        let end = writer.finish().unwrap();
        assert_eq!(Message::parse(&out[..end]).err(), expected);
    }
    for size in 0..32 {
        let mut out = vec![0; size];
        let mut writer = Writer::new(&mut out, Class::Request, Method::BINDING, id);
        writer.number(attribute::LIFETIME, 1);
        assert_eq!(writer.finish().is_ok(), size >= 28, "{size}");
    }
}
