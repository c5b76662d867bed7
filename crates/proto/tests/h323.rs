//! Every capture of tests/data/h323, whole, cut anywhere and changed; and messages that are built to be wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod captures;

use captures::captures;
use proto::h323::{
    Alias, First, Kind, Later, MAX_ALIASES, MAX_BUFFERED, NotH323, later, recognise,
};

const KEEP_ALIVE: &[u8] = &[3, 0, 0, 4];

fn capture(name: &str) -> Vec<u8> {
    let found = captures("h323")
        .into_iter()
        .find(|(other, _)| other == name);
    found.expect(name).1
}

/// What is found, in one line.
fn told(first: &First) -> String {
    let list = |aliases: &[Alias]| {
        let texts = aliases.iter().map(|alias| match alias {
            Alias::Name(text) => format!("name {text}"),
            Alias::Digits(text) => format!("digits {text}"),
            Alias::Url(text) => format!("url {text}"),
            Alias::Email(text) => format!("mail {text}"),
            Alias::Other => "other".to_owned(),
        });
        texts.collect::<Vec<_>>().join(", ")
    };
    let kind = match &first.kind {
        Kind::Registration => "registration".to_owned(),
        Kind::Discovery => "discovery".to_owned(),
        Kind::Setup { destinations } => format!("setup to [{}]", list(destinations)),
    };
    let gatekeeper = first.gatekeeper.as_ref().map_or(String::new(), |it| {
        format!(" at {} ({})", it.as_str(), it.host())
    });
    let endpoint = first.endpoint.as_ref();
    let endpoint = endpoint.map_or(String::new(), |it| format!(" as {}", it.as_str()));
    format!("{kind}{gatekeeper} by [{}]{endpoint}", list(&first.aliases))
}

/// The captures in which nothing is refused, with what is found.
const FOUND: [(&str, &str); 13] = [
    (
        "bundle-grq-rrq",
        "registration at dvl-ckl2.net (dvl-ckl2.net) by [name john, digits 22]",
    ),
    (
        "grq-then-rrq",
        "discovery at hq@dvl-ckl2.net (dvl-ckl2.net) by []",
    ),
    (
        "grq-with-alias",
        "discovery at hq@dvl-ckl2.net (dvl-ckl2.net) by [name IP222-0a-00-01]",
    ),
    (
        "grq-without-alias",
        "discovery at hq@dvl-ckl2.net (dvl-ckl2.net) by []",
    ),
    (
        "rrq-empty-body",
        "registration at hq@dvl-ckl2.net/branch-b (dvl-ckl2.net/branch-b) by [name IP222-0a-00-01, digits 22]",
    ),
    (
        "rrq-facility-body",
        "registration at dvl-ckl2.net (dvl-ckl2.net) by [name john]",
    ),
    (
        "rrq-gateway",
        "registration at DVL-CKL2.net (dvl-ckl2.net) by [digits 0711, name gw, url h323:gw@dvl-ckl2.net]",
    ),
    (
        "rrq-information-body",
        "registration at dvl-ckl2.net (dvl-ckl2.net) by [mail john@dvl-ckl2.net, other, other, name john]",
    ),
    (
        "rrq-light",
        "registration at dvl-ckl2.net (dvl-ckl2.net) by [] as 4711_ep",
    ),
    (
        "rrq-umlaut",
        "registration at zentrale@bücher.example (bücher.example) by [name Jörg Müller, name 中村]",
    ),
    ("rrq-without-gatekeeper", "registration by [name john]"),
    (
        "setup-alias",
        "setup to [name hq@dvl-ckl2.net, digits 22] by [name john]",
    ),
    (
        "setup-number",
        "setup to [url h323:hq@dvl-ckl2.net, digits 22] by []",
    ),
];

/// The captures that are refused.
const REFUSED: [(&str, NotH323); 4] = [
    ("bundle-two-gatekeepers", NotH323::TwoGatekeepers),
    ("facility-without-ras", NotH323::Unexpected),
    ("rrq-source-route", NotH323::SourceRoute),
    ("urq-first", NotH323::Unexpected),
];

#[test]
fn captures_are_read() {
    for (name, expected) in FOUND {
        let bytes = capture(name);
        let first = recognise(&bytes).unwrap().expect(name);
        assert_eq!(told(&first), expected, "{name}");
        let whole = first.len == bytes.len();
        assert_eq!(whole, name != "grq-then-rrq", "{name}");
    }
    for (name, reason) in REFUSED {
        assert_eq!(recognise(&capture(name)), Err(reason), "{name}");
    }
    assert_eq!(captures("h323").len(), FOUND.len() + REFUSED.len());
}

#[test]
fn after_a_discovery_the_registration_is_read() {
    let bytes = capture("grq-then-rrq");
    let discovery = recognise(&bytes).unwrap().unwrap();
    let registration = recognise(&bytes[discovery.len..]).unwrap().unwrap();
    assert_eq!(
        told(&registration),
        "registration at hq@dvl-ckl2.net (dvl-ckl2.net) by [name john]"
    );
    assert_eq!(discovery.len + registration.len, bytes.len());
}

#[test]
fn later_messages_are_told_apart() {
    for (name, _) in FOUND {
        let bytes = capture(name);
        let first = recognise(&bytes).unwrap().unwrap();
        // The one that begins with a keep-alive.
        let bytes = bytes.strip_prefix(KEEP_ALIVE).unwrap_or(&bytes);
        let found = later(bytes).unwrap().unwrap();
        let request = found.request.as_ref();
        match first.kind {
            Kind::Setup { .. } => assert!(request.is_none(), "{name}"),
            _ => assert_eq!(request.map(told), Some(told(&first)), "{name}"),
        }
        for end in 0..found.len {
            assert_eq!(later(&bytes[..end]), Ok(None), "{name}: cut at {end}");
        }
    }
    for (name, expected) in [
        ("bundle-two-gatekeepers", Err(NotH323::TwoGatekeepers)),
        ("facility-without-ras", Ok(false)),
        ("rrq-source-route", Err(NotH323::SourceRoute)),
        ("urq-first", Ok(false)),
    ] {
        let found = later(&capture(name));
        let found = found.map(|found| found.expect(name).request.is_some());
        assert_eq!(found, expected, "{name}");
    }
    // A keep-alive, and a message of a call that nobody looks into.
    let nothing = |len| {
        Ok(Some(Later {
            request: None,
            caller: Vec::new(),
            len,
        }))
    };
    assert_eq!(later(KEEP_ALIVE), nothing(4));
    assert_eq!(later(b"\x03\0\0\x0a\x08\x02\x12\x34\x07\x96"), nothing(10));
    assert_eq!(later(b"\x03\0\0\x09\x08\x02\x12\x34\x62"), nothing(9));
    assert_eq!(later(b"\x03\0\0\x06\x08\x02"), Err(NotH323::Malformed));
    let long = [&b"\x03\0\xff\xff\x08\x02\x12\x34\x07"[..], &vec![0; 65_526]].concat();
    assert_eq!(later(&long), nothing(65_535));
    assert_eq!(later(b"GET"), Err(NotH323::NotTpkt));
}

#[test]
fn a_call_tells_who_calls_and_no_other_message_hides_a_registration() {
    let call = later(&capture("setup-alias")).unwrap().unwrap();
    assert_eq!(call.caller, [Alias::Name("john".to_owned())]);
    for name in [
        "rrq-empty-body",
        "rrq-facility-body",
        "rrq-information-body",
    ] {
        // STATUS, NOTIFY, ALERTING, CONNECT, SETUP.
        for kind in [0x7d, 0x6e, 0x01, 0x07, 0x05] {
            let mut hidden = capture(name);
            hidden[8] = kind;
            assert!(later(&hidden).is_err(), "{name} in {kind:#x}");
        }
    }
}

#[test]
fn a_cut_message_needs_more_and_what_surrounds_it_is_left_alone() {
    for (name, _) in FOUND {
        let bytes = capture(name);
        let whole = recognise(&bytes).unwrap().unwrap();
        for end in 0..whole.len {
            assert_eq!(recognise(&bytes[..end]), Ok(None), "{name}: cut at {end}");
        }
        let alive = KEEP_ALIVE.repeat(3);
        let longer = [&alive, &bytes[..], b"GET / HTTP/1.1"].concat();
        let first = recognise(&longer).unwrap().unwrap();
        assert_eq!(first.len, whole.len + alive.len(), "{name}");
        assert_eq!(told(&first), told(&whole), "{name}");
    }
}

#[test]
fn a_message_whose_inside_is_cut_is_refused() {
    for (name, _) in FOUND {
        let bytes = capture(name);
        if name == "grq-then-rrq" {
            continue;
        }
        for end in 5..bytes.len() {
            let mut cut = bytes[..end].to_vec();
            resize(&mut cut);
            assert!(recognise(&cut).is_err(), "{name}: cut at {end}");
        }
    }
}

#[test]
fn no_changed_byte_is_too_much() {
    for (_, bytes) in captures("h323") {
        for at in 0..bytes.len() {
            for byte in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = byte;
                let _ = later(&changed);
                if let Ok(Some(first)) = recognise(&changed) {
                    assert!(first.len <= changed.len());
                    assert!(!told(&first).contains(char::is_control));
                }
            }
            let mut shorter = bytes.clone();
            shorter.remove(at);
            resize(&mut shorter);
            let _ = (recognise(&shorter), later(&shorter));
        }
    }
}

#[test]
fn other_protocols_are_refused_at_their_first_bytes() {
    use NotH323::{NotQ931, NotTpkt, TooLong};
    for (bytes, reason) in [
        (&b"GET / HTTP/1.1\r\n"[..], NotTpkt),
        (b"\x16\x03\x01", NotTpkt),
        (b"\x03\x01", NotTpkt),
        (b"\x03\x00\x00\x03", NotTpkt),
        (b"\x03\x00\x40\x01", TooLong),
        // Remote desktop: TPKT with a connection request of X.224.
        (b"\x03\x00\x00\x13\x0e\xe0", NotQ931),
    ] {
        assert_eq!(recognise(bytes), Err(reason), "{bytes:x?}");
    }
}

#[test]
fn what_is_looked_at_is_limited() {
    let alive = KEEP_ALIVE.repeat(MAX_BUFFERED / 4);
    assert_eq!(recognise(&alive), Err(NotH323::TooLong));
    assert_eq!(recognise(&alive[..alive.len() - 1]), Ok(None));
    let mut late = alive[..alive.len() - 40].to_vec();
    late.extend(capture("rrq-light"));
    assert_eq!(recognise(&late), Err(NotH323::TooLong));
    // Another message inside of what is allowed, in an element that is passed over.
    let bytes = capture("rrq-light");
    let mut large = bytes[..9].to_vec();
    large.extend([&[0x28, 255][..], &[b'x'; 255]].concat().repeat(63));
    large.extend(&bytes[9..]);
    resize(&mut large);
    assert!(recognise(&large).unwrap().is_some());
    assert!(large.len() < MAX_BUFFERED);
}

#[test]
fn there_are_not_too_many_aliases() {
    let first = |count: u8| {
        let alias = [0x40, 0, 0, b'a'];
        let mut setup = vec![0x20, 6, 0, 8, 0x91, 0x4a, 0, 6, count];
        // Without what is not there: Setup-UUIE with a sourceAddress only.
        setup.extend(alias.repeat(count.into()));
        setup.extend([0, 0]);
        let mut bytes = vec![3, 0, 0, 0, 8, 2, 0, 0, 5, 0x7e];
        let len = u16::try_from(setup.len() + 2).unwrap();
        bytes.extend(len.to_be_bytes());
        bytes.push(5);
        // User information and message without extensions, body 0: the bits end where Setup-UUIE begins.
        bytes.push(0);
        bytes.extend(setup);
        resize(&mut bytes);
        recognise(&bytes)
    };
    let most = u8::try_from(MAX_ALIASES).unwrap();
    assert_eq!(first(most).unwrap().unwrap().aliases.len(), MAX_ALIASES);
    assert_eq!(first(most + 1), Err(NotH323::TooMany));
}

#[test]
fn elements_of_q931_are_certain_or_refused() {
    let bytes = capture("rrq-light");
    let (head, user_user) = bytes.split_at(9);
    for (name, elements, expected) in [
        ("display", &b"\x28\x02hi"[..], Ok(true)),
        ("one octet", b"\xa1", Ok(true)),
        ("shift", b"\x96", Err(NotH323::Malformed)),
        (
            "empty user-user before",
            b"\x7e\0\0",
            Err(NotH323::Malformed),
        ),
        ("cut", b"\x28", Err(NotH323::Malformed)),
    ] {
        let mut with = [head, elements, user_user].concat();
        if name == "cut" {
            with = [&bytes[..], elements].concat();
        }
        resize(&mut with);
        assert_eq!(recognise(&with).map(|it| it.is_some()), expected, "{name}");
    }
    let mut without = head.to_vec();
    resize(&mut without);
    assert_eq!(recognise(&without), Err(NotH323::Unexpected));
    // The type says call, the content says registration; and the reverse.
    let mut setup = bytes.clone();
    setup[8] = 5;
    assert_eq!(recognise(&setup), Err(NotH323::Malformed));
    let mut facility = capture("setup-alias");
    facility[8] = 0x62;
    assert_eq!(recognise(&facility), Err(NotH323::Malformed));
    // A reference of three octets, and none.
    let mut long = bytes.clone();
    long[5] = 3;
    assert_eq!(recognise(&long), Err(NotH323::Malformed));
    let mut none = [&bytes[..5], &[0], &bytes[8..]].concat();
    resize(&mut none);
    assert!(recognise(&none).unwrap().is_some());
}

/// Writes the true length into the header.
fn resize(bytes: &mut [u8]) {
    let len = u16::try_from(bytes.len()).unwrap().to_be_bytes();
    bytes[2..4].copy_from_slice(&len);
}
