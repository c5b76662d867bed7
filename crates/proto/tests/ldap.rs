//! Every capture of tests/data/ldap, whole, cut anywhere and changed; the answers that a proxy gives; and requests that are
//! built to be wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod captures;

use captures::{captures, unhex};
use proto::ldap::{
    Asks, Bind, Kind, LONGEST_REQUEST, Malformed, Request, ResultCode, answer, disconnection,
    request,
};

fn capture(name: &str) -> Vec<u8> {
    let found = captures("ldap")
        .into_iter()
        .find(|(other, _)| other == name);
    found.expect(name).1
}

/// The requests that one capture holds; the last ones may be none that can be read.
fn requests(mut bytes: &[u8]) -> Vec<Request> {
    let mut requests = Vec::new();
    while let Some(found) = request(bytes).unwrap() {
        bytes = &bytes[found.len..];
        requests.push(found);
    }
    assert!(bytes.is_empty());
    requests
}

/// What is found, in one line.
fn told(request: &Request) -> String {
    let named = |name: &proto::ldap::BindName| {
        let part = |part: &Option<String>| part.clone().unwrap_or("-".to_owned());
        format!("{} at {}", part(&name.user), part(&name.domain))
    };
    let asks = match &request.asks {
        Asks::Bind(Bind::Anonymous) => "anonymous".to_owned(),
        Asks::Bind(Bind::Simple(name) | Bind::Unauthenticated(name)) => named(name),
        Asks::Bind(Bind::Sasl { mechanism, name }) => {
            let name = name.as_ref().map(named).unwrap_or_default();
            format!("sasl {mechanism} {name}").trim_end().to_owned()
        }
        other => format!("{other:?}"),
    };
    format!("{} {asks}", request.id)
}

/// Every capture, with the requests in it.
const FOUND: [(&str, &[&str]); 15] = [
    ("anonymous", &["1 anonymous"]),
    (
        "anonymous-ldapsearch",
        &["1 anonymous", "2 Search", "3 Unbind"],
    ),
    (
        "bind-with-control",
        &["1 admin at dvl-ckl2.net", "2 Extended", "3 Unbind"],
    ),
    (
        "dn-ldapsearch",
        &["1 admin at dvl-ckl2.net", "2 Search", "3 Unbind"],
    ),
    ("dn-long-form", &["1 admin at dvl-ckl2.net"]),
    ("dn-spaces", &["1 admin at dvl-ckl2.net"]),
    ("domain-user", &["1 ckl at dvl-ckl2.net"]),
    (
        "domain-user-ldapsearch",
        &["1 ck at dvl-ckl2.net", "2 Unbind"],
    ),
    (
        "modify-ldapmodify",
        &["1 admin at dvl-ckl2.net", "2 Modify", "3 Unbind"],
    ),
    (
        "sasl-digest-md5",
        &["1 sasl DIGEST-MD5", "2 sasl DIGEST-MD5"],
    ),
    ("sasl-external", &["1 sasl EXTERNAL"]),
    ("starttls", &["1 StartTls"]),
    ("starttls-ldapsearch", &["1 StartTls", "2 Unbind"]),
    ("user-at-domain", &["1 ckl at dvl-ckl2.net"]),
    (
        "whoami-ldapwhoami",
        &["1 admin at dvl-ckl2.net", "2 Extended", "3 Unbind"],
    ),
];

#[test]
fn captures_are_read() {
    for (name, expected) in FOUND {
        let found: Vec<_> = requests(&capture(name)).iter().map(told).collect();
        assert_eq!(found, expected, "{name}");
    }
    assert_eq!(captures("ldap").len(), FOUND.len());
}

#[test]
fn a_cut_request_needs_more_and_what_follows_is_left_alone() {
    for (name, bytes) in captures("ldap") {
        let whole = request(&bytes).unwrap().unwrap();
        for end in 0..whole.len {
            assert_eq!(request(&bytes[..end]), Ok(None), "{name}: cut at {end}");
        }
        let longer = [&bytes[..whole.len], b"GET / HTTP/1.1"].concat();
        assert_eq!(request(&longer).unwrap(), Some(whole), "{name}");
    }
}

#[test]
fn what_is_not_looked_into_is_known_by_its_beginning() {
    let bytes = capture("anonymous-ldapsearch");
    let search = &bytes[request(&bytes).unwrap().unwrap().len..];
    let whole = request(search).unwrap();
    assert_eq!(request(&search[..5]), Ok(None));
    for end in 6..search.len() {
        assert_eq!(request(&search[..end]).unwrap(), whole, "cut at {end}");
    }
}

#[test]
fn no_changed_byte_is_too_much() {
    for (_, bytes) in captures("ldap") {
        for at in 0..bytes.len() {
            for byte in 0..=255 {
                let mut changed = bytes.clone();
                changed[at] = byte;
                if let Ok(Some(found)) = request(&changed) {
                    assert!(!told(&found).contains(char::is_control));
                }
            }
            let mut shorter = bytes.clone();
            shorter.remove(at);
            let _ = request(&shorter);
        }
    }
}

#[test]
fn what_is_no_request_is_refused_as_early_as_it_can_be() {
    use Malformed::{Form, Long};
    for (name, bytes, reason) in [
        ("HTTP", &b"GET / HTTP/1.1"[..], Form),
        ("TLS", b"\x16\x03\x01", Form),
        ("an endless length", b"\x30\x80", Form),
        ("2 GB", b"\x30\x84\x7f\xff\xff\xff\x02\x01\x01\x60", Long),
        ("nothing", b"\x30\x00", Form),
        ("no number", b"\x30\x05\x04", Form),
        ("a long number", b"\x30\x20\x02\x05", Form),
        ("a negative number", b"\x30\x0c\x02\x01\x80", Form),
        ("the number of servers", b"\x30\x0c\x02\x01\x00", Form),
        ("no operation", b"\x30\x03\x02\x01\x01", Form),
        ("an answer", b"\x30\x0c\x02\x01\x01\x61", Form),
        (
            "a bind of 20000 bytes",
            b"\x30\x82\x4e\x20\x02\x01\x01\x60",
            Long,
        ),
        // What a bind can not be.
        (
            "version 0",
            b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x00\x04\x00\x80\x00",
            Form,
        ),
        (
            "no proof",
            b"\x30\x0a\x02\x01\x01\x60\x05\x02\x01\x03\x04\x00",
            Form,
        ),
        (
            "two proofs",
            b"\x30\x0e\x02\x01\x01\x60\x09\x02\x01\x03\x04\x00\x80\x00\x80\x00",
            Form,
        ),
        (
            "something behind",
            b"\x30\x0e\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x80\x00\x04\x00",
            Form,
        ),
        (
            "no UTF-8",
            b"\x30\x0d\x02\x01\x01\x60\x08\x02\x01\x03\x04\x01\xff\x80\x00",
            Form,
        ),
        (
            "a line end",
            b"\x30\x0d\x02\x01\x01\x60\x08\x02\x01\x03\x04\x01\n\x80\x00",
            Form,
        ),
        (
            "no mechanism",
            b"\x30\x0e\x02\x01\x01\x60\x09\x02\x01\x03\x04\x00\xa3\x02\x04\x00",
            Form,
        ),
    ] {
        assert_eq!(request(bytes), Err(reason), "{name}");
    }
    // In a way of Microsoft.
    let sicily = b"\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\x00\x89\x00";
    let found = request(sicily).unwrap().unwrap();
    assert_eq!(found.asks, Asks::Bind(Bind::Unknown));
}

#[test]
fn the_password_is_not_kept_and_names_are_short() {
    let found = request(&capture("dn-spaces")).unwrap().unwrap();
    assert!(!format!("{found:?}").contains("secret"));
    let bind = |name: usize, password: usize| {
        let mut bind = vec![2, 1, 3, 4, 0x82];
        bind.extend(u16::try_from(name).unwrap().to_be_bytes());
        bind.extend(vec![b'a'; name]);
        bind.extend([0x80, 0x82]);
        bind.extend(u16::try_from(password).unwrap().to_be_bytes());
        bind.extend(vec![b'p'; password]);
        let mut bytes = vec![0x30, 0x82];
        bytes.extend(u16::try_from(bind.len() + 7).unwrap().to_be_bytes());
        bytes.extend([2, 1, 1, 0x60, 0x82]);
        bytes.extend(u16::try_from(bind.len()).unwrap().to_be_bytes());
        bytes.extend(bind);
        request(&bytes).map(|found| found.is_some())
    };
    assert_eq!(bind(1024, 0), Ok(true));
    assert_eq!(bind(1025, 0), Err(Malformed::Long));
    assert_eq!(bind(1, LONGEST_REQUEST - 23), Ok(true));
    assert_eq!(bind(1, LONGEST_REQUEST - 22), Err(Malformed::Long));
}

#[test]
fn every_answer_is_read_as_what_it_is() {
    let asked = |id, asks| Request {
        id,
        asks,
        len: 0,
        operation: 0,
    };
    let code = ResultCode::InvalidCredentials;
    for (asks, kind) in [
        (Asks::Bind(Bind::Anonymous), Kind::Bound(49)),
        (Asks::Search, Kind::Done(49)),
        (Asks::StartTls, Kind::Extended(49)),
        (Asks::Extended, Kind::Extended(49)),
    ] {
        for id in [1, 127, 128, 255, 256, 0x7fff, 0x8000, 0x7fff_ffff] {
            let bytes = asked(id, asks.clone())
                .result(code, "no such host")
                .unwrap();
            let found = answer(&bytes).unwrap().unwrap();
            assert_eq!((found.id, found.kind), (id, kind));
            assert_eq!(found.length, bytes.len());
            assert!(found.plain.ends_with(b"no such host"));
        }
    }
    for (asks, tag) in [
        (Asks::Modify, 0x67),
        (Asks::Add, 0x69),
        (Asks::Delete, 0x6b),
        (Asks::Rename, 0x6d),
        (Asks::Compare, 0x6f),
    ] {
        let bytes = asked(5, asks).result(ResultCode::Unavailable, "").unwrap();
        assert_eq!(
            bytes,
            [&[0x30, 12, 2, 1, 5, tag][..], &[7, 10, 1, 52, 4, 0, 4, 0]].concat()
        );
    }
    assert_eq!(asked(5, Asks::Unbind).result(code, ""), None);
    assert_eq!(asked(5, Asks::Abandon).result(code, ""), None);
}

#[test]
fn starttls_and_the_end_are_answered_with_their_names() {
    let asked = request(&capture("starttls-ldapsearch")).unwrap().unwrap();
    // What slapd 2.5 answers has no name; RFC 4511 section 4.14.2 has one.
    let done = asked.result(ResultCode::Success, "").unwrap();
    let expected = "302402010178 1f0a010004000400 8a16312e332e362e312e342e312e313436362e3230303337";
    assert_eq!(done, unhex(&expected.replace(' ', "")));
    let gone = disconnection(ResultCode::Unavailable, "the target is down");
    let found = answer(&gone).unwrap().unwrap();
    assert_eq!((found.id, found.kind), (0, Kind::Extended(52)));
    assert!(gone.ends_with(b"1.3.6.1.4.1.1466.20036"));
}
