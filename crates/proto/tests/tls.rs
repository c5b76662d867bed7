//! Every hello of tests/data/tls, whole, cut anywhere, in small records and with every byte changed;
//! and hellos that are built to be wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod captures;

use proto::tls::{MAX_RECORDS, NotHello, client_hello};

fn captures() -> Vec<(String, Vec<u8>)> {
    captures::captures("tls")
}

/// A message as records of at most `step` bytes.
fn records(message: &[u8], step: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for fragment in message.chunks(step) {
        bytes.extend_from_slice(&[22, 3, 1]);
        bytes.extend_from_slice(&u16::try_from(fragment.len()).unwrap().to_be_bytes());
        bytes.extend_from_slice(fragment);
    }
    bytes
}

fn vector16(content: &[u8]) -> Vec<u8> {
    [
        &u16::try_from(content.len()).unwrap().to_be_bytes(),
        content,
    ]
    .concat()
}

fn extension(kind: u16, data: &[u8]) -> Vec<u8> {
    [kind.to_be_bytes().to_vec(), vector16(data)].concat()
}

fn server_name(name: &[u8]) -> Vec<u8> {
    extension(0, &vector16(&[&[0][..], &vector16(name)].concat()))
}

fn alpn(list: &[u8]) -> Vec<u8> {
    extension(16, &vector16(list))
}

/// A message of type hello with that body.
fn message(body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap().to_be_bytes();
    [&[1, len[1], len[2], len[3]], body].concat()
}

/// The body of a hello with these extensions.
fn body(extensions: &[u8]) -> Vec<u8> {
    let mut body = vec![3, 3];
    body.extend_from_slice(&[7; 32]);
    body.extend_from_slice(&[0, 0, 2, 0x13, 0x01, 1, 0]);
    body.extend_from_slice(&vector16(extensions));
    body
}

fn hello(extensions: &[Vec<u8>]) -> Vec<u8> {
    records(&message(&body(&extensions.concat())), 1 << 14)
}

#[test]
fn real_hellos_are_read() {
    const HQ: Option<&str> = Some("hq.demo.localhost");
    let table: [(&str, Option<&str>, &[&str]); 10] = [
        ("chromium-156-mlkem", HQ, &["h2", "http/1.1"]),
        ("chromium-156-mlkem-again", HQ, &["h2", "http/1.1"]),
        ("chromium-156-mlkem-third", HQ, &["h2", "http/1.1"]),
        ("curl-7.88-openssl-3.0", HQ, &["h2", "http/1.1"]),
        ("node-tls", Some("apps.demo.localhost"), &["http/1.1"]),
        (
            "openssl-3.0-alpn-name-in-capitals",
            HQ,
            &["h2", "http/1.1", "acme-tls/1"],
        ),
        ("openssl-3.0-s_client", HQ, &[]),
        ("openssl-3.0-tls-1.2-no-name", None, &[]),
        ("python-3.11", Some("turn.demo.localhost"), &["http/1.1"]),
        ("wget-1.21-gnutls", Some("localhost"), &[]),
    ];
    let captures = captures();
    assert_eq!(captures.len(), table.len());
    for ((name, bytes), (expected, server_name, alpn)) in captures.iter().zip(table) {
        assert_eq!(name, expected);
        let hello = client_hello(bytes).unwrap().expect(name);
        assert_eq!(hello.server_name.as_deref(), server_name, "{name}");
        assert_eq!(
            hello.alpn,
            alpn.iter().map(|name| name.as_bytes()).collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(hello.len, bytes.len(), "{name}");
    }
}

#[test]
fn a_cut_hello_needs_more_and_what_follows_is_left_alone() {
    for (name, bytes) in captures() {
        for end in 0..bytes.len() {
            assert_eq!(
                client_hello(&bytes[..end]),
                Ok(None),
                "{name}: cut at {end}"
            );
        }
        let whole = client_hello(&bytes).unwrap();
        // A change of cipher spec, and early data.
        let longer = [&bytes[..], &[20, 3, 3, 0, 1, 1, 23, 3, 3, 0]].concat();
        assert_eq!(client_hello(&longer).unwrap(), whole, "{name}");
    }
}

#[test]
fn a_hello_may_be_spread_over_records() {
    for (name, bytes) in captures() {
        let whole = client_hello(&bytes).unwrap().unwrap();
        for step in [bytes.len() / 2, bytes.len() / 7, bytes.len() / 20] {
            let spread = records(&bytes[5..], step);
            let hello = client_hello(&spread).unwrap().expect(&name);
            assert_eq!(
                (&hello.server_name, &hello.alpn),
                (&whole.server_name, &whole.alpn)
            );
            assert_eq!(hello.len, spread.len(), "{name} by {step}");
            for end in 0..spread.len() {
                assert_eq!(
                    client_hello(&spread[..end]),
                    Ok(None),
                    "{name} by {step}: cut at {end}"
                );
            }
        }
        // The first record too short even for the header of the message.
        let spread = [records(&bytes[5..7], 1), records(&bytes[7..], 1000)].concat();
        assert!(client_hello(&spread).unwrap().is_some(), "{name}");
        let crumbs = records(&bytes[5..], 1);
        assert_eq!(client_hello(&crumbs), Err(NotHello::TooLong), "{name}");
        assert_eq!(
            client_hello(&crumbs[..MAX_RECORDS * 6 - 1]),
            Ok(None),
            "{name}"
        );
    }
}

#[test]
fn no_changed_byte_is_too_much() {
    for (_, bytes) in captures() {
        for at in 0..bytes.len() {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] ^= change;
                if let Ok(Some(hello)) = client_hello(&changed) {
                    assert!(hello.len <= changed.len());
                }
            }
        }
    }
}

#[test]
fn a_large_hello_is_read_up_to_the_limit() {
    let padding = |len: usize| extension(21, &vec![0; len]);
    let large = hello(&[server_name(b"a.example"), padding(16_000)]);
    let found = client_hello(&large).unwrap().unwrap();
    assert_eq!(found.server_name.as_deref(), Some("a.example"));
    let too_large = message(&body(&padding(16_400)));
    assert_eq!(
        client_hello(&records(&too_large, 16_000)[..20]),
        Err(NotHello::TooLong)
    );
}

#[test]
fn server_names_are_dns_names() {
    for (name, expected) in [
        ("a.example", Some("a.example")),
        ("HQ.Example", Some("hq.example")),
        ("localhost", Some("localhost")),
        ("my_pbx.example", Some("my_pbx.example")),
        ("1.example", Some("1.example")),
        ("192.0.2.1", None),
        ("2001:db8::1", None),
    ] {
        let found = client_hello(&hello(&[server_name(name.as_bytes())]))
            .unwrap()
            .unwrap();
        assert_eq!(found.server_name.as_deref(), expected, "{name}");
    }
    let label = "a".repeat(64);
    let long = "a.".repeat(127);
    for name in [
        "",
        ".",
        "a.",
        ".a",
        "a..b",
        "a b",
        "a:443",
        "a/b",
        "*.example",
        "a\0.example",
        "127.1",
        "b\u{fc}cher.example",
        "[::1]",
        &label,
        &long,
    ] {
        let refused = client_hello(&hello(&[server_name(name.as_bytes())]));
        assert_eq!(refused, Err(NotHello::ServerName), "{name}");
    }
    assert_eq!(
        client_hello(&hello(&[server_name(b"\xff.example")])),
        Err(NotHello::ServerName)
    );
}

#[test]
fn other_protocols_are_not_tls() {
    for bytes in [
        &b"GET / HTTP/1.1\r\n"[..],
        b"SSH-2.0-OpenSSH",
        // SSLv2, an alert, application data, DTLS, SSL 2.
        &[0x80, 0x2e, 1, 0, 2],
        &[21, 3, 1, 0, 2, 2, 40],
        &[23, 3, 3, 0, 2, 2, 40],
        &[22, 0xfe, 0xfd, 0, 0],
        &[22, 2, 0, 0, 5, 1],
    ] {
        assert_eq!(client_hello(bytes), Err(NotHello::NotTls), "{bytes:?}");
    }
}

#[test]
fn records_and_messages_are_checked_as_early_as_they_can_be() {
    use NotHello::{Message, Record, TooLong};
    for (bytes, reason) in [
        // An empty record; one of 16385 bytes.
        (&[22, 3, 1, 0, 0][..], Record),
        (&[22, 3, 1, 0x40, 1], Record),
        // Inside a hello: an alert, an empty record.
        (&[22, 3, 1, 0, 1, 1, 21], Record),
        (&[22, 3, 1, 0, 1, 1, 22, 3, 1, 0, 0], Record),
        // A server hello, a hello request.
        (&[22, 3, 1, 0, 4, 2], Message),
        (&[22, 3, 1, 0, 4, 0], Message),
        // A message of 16 MiB; one of just over 16 KiB.
        (&[22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff], TooLong),
        (&[22, 3, 1, 0x40, 0, 1, 0, 0x40, 0], TooLong),
    ] {
        assert_eq!(client_hello(bytes), Err(reason), "{bytes:?}");
    }
    let good = message(&body(&[]));
    let followed = records(&[&good[..], &[20, 0, 0, 0]].concat(), 9999);
    assert_eq!(client_hello(&followed), Err(NotHello::Trailing));
}

#[test]
fn the_inside_of_a_hello_must_fit() {
    let with = |tail: &[u8]| records(&message(&[&[3, 3][..], &[7; 32], tail].concat()), 9999);
    let old = with(&[0, 0, 2, 0, 0x2f, 1, 0]);
    assert!(
        client_hello(&old).unwrap().is_some(),
        "TLS 1.2 has no extensions"
    );
    let long_session = [&[33][..], &[0; 33], &[0, 2, 0x13, 1, 1, 0]].concat();
    for (name, bytes) in [
        ("an empty body", records(&message(&[]), 9999)),
        (
            "version 4.3",
            records(&message(&[&[4][..], &body(&[])[1..]].concat()), 9999),
        ),
        ("a session of 33 bytes", with(&long_session)),
        ("no cipher suite", with(&[0, 0, 0, 1, 0])),
        ("half a cipher suite", with(&[0, 0, 3, 0x13, 1, 0, 1, 0])),
        ("no compression", with(&[0, 0, 2, 0x13, 1, 0])),
        ("too many suites", with(&[0, 0xff, 0xfe, 0x13, 1, 1, 0])),
        ("something behind", with(&[0, 0, 2, 0x13, 1, 1, 0, 0, 0, 9])),
        ("half an extension", hello(&[vec![0, 0, 0]])),
    ] {
        assert_eq!(client_hello(&bytes), Err(NotHello::Malformed), "{name}");
    }
}

#[test]
fn extensions_must_fit_and_stand_once() {
    let two_names = [&[0][..], &vector16(b"a"), &[0], &vector16(b"b")].concat();
    for (name, list) in [
        ("two server names", extension(0, &vector16(&two_names))),
        (
            "another type of name",
            extension(0, &vector16(&[1, 0, 1, b'a'])),
        ),
        ("no server name", extension(0, &vector16(&[]))),
        ("an empty extension", extension(0, &[])),
        ("an empty protocol", alpn(b"\x02h2\x00")),
        ("half a protocol", alpn(b"\x03h2")),
        ("no protocol", alpn(b"")),
    ] {
        assert_eq!(
            client_hello(&hello(&[list])),
            Err(NotHello::Malformed),
            "{name}"
        );
    }
    let twice = hello(&[server_name(b"a"), server_name(b"b")]);
    assert_eq!(client_hello(&twice), Err(NotHello::Repeated));
    let many: Vec<_> = (100..200).map(|kind| extension(kind, b"")).collect();
    assert_eq!(client_hello(&hello(&many)), Err(NotHello::TooLong));
}
