//! Answers are messages, and belong to their requests.

use sip::answer::{Answer, PONG};
use sip::attack_tool::is_attack_tool;
use sip::message::{Item, KeepAlive, Limits, Message, Name, next};

use crate::table::rows;

fn message(bytes: &[u8]) -> Message<'_> {
    match next(bytes, &Limits::LATER) {
        Ok(Some(Item::Message(message))) => message,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

fn answer<'a>(status: u16, headers: &'a [(&'a str, &'a str)]) -> Answer<'a> {
    Answer {
        status,
        tag: "t1;x\r\n",
        headers,
        client: "198.51.100.7:40000".parse().unwrap(),
    }
}

fn request(via: &str, more: &str) -> String {
    format!(
        "OPTIONS sip:a SIP/2.0\r\nv: {via}\r\nVia: SIP/2.0/UDP b\r\nf: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\ni: 1\r\n\
         CSeq: 1 OPTIONS\r\n{more}\r\n"
    )
}

#[test]
fn an_answer_repeats_what_the_request_is_known_by() {
    let request = request(
        "SIP/2.0/TLS 10.0.0.7:5061;rport ;branch=z9hG4bK1, SIP/2.0/TCP c",
        "l: 0\r\n",
    );
    let mut out = Vec::new();
    let headers = [("Allow", "OPTIONS, REGISTER"), ("X", "a\r\nY: b")];
    assert!(answer(200, &headers).write(&message(request.as_bytes()), &mut out));
    let expected = "SIP/2.0 200 OK\r\n\
        Via: SIP/2.0/TLS 10.0.0.7:5061;received=198.51.100.7;rport=40000 ;branch=z9hG4bK1, SIP/2.0/TCP c\r\n\
        Via: SIP/2.0/UDP b\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=t1x\r\nCall-ID: 1\r\nCSeq: 1 OPTIONS\r\n\
        Allow: OPTIONS, REGISTER\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn where_a_request_came_from_is_told_where_it_is_asked_for_or_not_known() {
    let told = [
        (
            "SIP/2.0/TCP 198.51.100.7:1;branch=a",
            "SIP/2.0/TCP 198.51.100.7:1;branch=a",
        ),
        (
            "SIP/2.0/TCP a.example;branch=a",
            "SIP/2.0/TCP a.example;received=198.51.100.7;branch=a",
        ),
        (
            "SIP/2.0/TCP 198.51.100.7;rport",
            "SIP/2.0/TCP 198.51.100.7;received=198.51.100.7;rport=40000",
        ),
        (
            "SIP/2.0/TCP b;rport=5",
            "SIP/2.0/TCP b;received=198.51.100.7;rport=5",
        ),
        (
            "SIP/2.0/TCP b;received=1.2.3.4;rport",
            "SIP/2.0/TCP b;received=1.2.3.4;rport",
        ),
        ("nonsense", "nonsense"),
    ];
    for (via, expected) in told {
        let mut out = Vec::new();
        answer(403, &[]).write(&message(request(via, "").as_bytes()), &mut out);
        let top = message(&out).values(Name::Via).next().unwrap();
        assert_eq!(top.escape_ascii().to_string(), expected, "{via}");
    }
}

#[test]
fn every_request_but_ack_gets_an_answer_that_is_a_message() {
    for row in rows("sip/wellformed.tsv") {
        let request = message(&row.bytes);
        for status in [100, 200, 299, 403, 503, 699] {
            let mut out = Vec::new();
            let is_answered = answer(status, &[]).write(&request, &mut out);
            assert_eq!(is_answered, request.method().is_some(), "{}", row.name);
            if is_answered {
                let written = message(&out);
                assert_eq!(written.status(), Some(status));
                assert_eq!(written.bytes().len(), out.len(), "{}", row.name);
                assert_eq!(written.cseq(), request.cseq());
                assert_eq!(written.call_id(), request.call_id());
            }
        }
    }
    let ack = request("SIP/2.0/TCP a", "").replace("OPTIONS", "ACK");
    assert!(!answer(403, &[]).write(&message(ack.as_bytes()), &mut Vec::new()));
    assert_eq!(
        next(PONG, &Limits::FIRST),
        Ok(Some(Item::KeepAlive(KeepAlive::One)))
    );
}

#[test]
fn attack_tools_are_known_by_their_names_only() {
    let listed = [
        "friendly-scanner",
        "sipcli/v1.8",
        "SIPVicious 0.3.3",
        "pplsip",
        "VaxSIPUserAgent/3.5",
        "sip-scan",
        "Gulp",
    ];
    let others = [
        "Asterisk PBX 22",
        "snom370/8.7",
        "Gulping 1",
        "baresip v1.0.0",
        "SIPp",
        "sipsak 0.9.8.1",
        "scanova",
        "",
    ];
    let is = |agent: &str| {
        let request = request("SIP/2.0/TCP a", &format!("User-Agent: {agent}\r\n"));
        is_attack_tool(&message(request.as_bytes()))
    };
    assert_eq!(listed.map(is), [true; 7]);
    assert_eq!(others.map(is), [false; 8]);
    for from in ["\"sipvicious\"<sip:100@1.1.1.1>", "<sip:nm@nm>"] {
        let request = request("SIP/2.0/TCP a", "").replace("<sip:a@b>;tag=1", from);
        assert!(is_attack_tool(&message(request.as_bytes())), "{from}");
    }
}
