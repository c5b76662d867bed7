//! Every message of tests/data/sip, whole, cut anywhere, with something behind it and after small accidents.

use sip::message::{Item, KeepAlive, Limits, Malformed, Message, Name, next};

use crate::mutation::Mutator;
use crate::table::rows;

const MALFORMED: &str = "sip/malformed.tsv";
const WELLFORMED: &str = "sip/wellformed.tsv";

fn first(bytes: &[u8]) -> Result<Option<Item<'_>>, Malformed> {
    next(bytes, &Limits::FIRST)
}

fn message(bytes: &[u8]) -> Message<'_> {
    match first(bytes) {
        Ok(Some(Item::Message(message))) => message,
        other => panic!("{other:?}: {}", bytes.escape_ascii()),
    }
}

fn describe(message: &Message<'_>) -> String {
    let start = match (message.method(), message.status()) {
        (Some(method), None) => method.to_owned(),
        (None, Some(status)) => status.to_string(),
        both => panic!("{both:?}"),
    };
    let from = match message.from() {
        Err(fault) => format!("{fault:?}"),
        Ok(from) => match (from.uri.user(), from.uri.domain(), from.uri.port) {
            (Some(user), Some(domain), Some(port)) => format!("{user}@{domain}:{port}"),
            (Some(user), Some(domain), None) => format!("{user}@{domain}"),
            (_, None, _) => "no domain".to_owned(),
            other => panic!("{other:?}"),
        },
    };
    let length = message.body().len();
    format!("{start} {from}, body {length}").replace('\0', "\\0")
}

#[test]
fn malformed_messages_are_refused_for_the_right_reason() {
    let rows = rows(MALFORMED);
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let found = match first(&row.bytes) {
                Err(fault) => format!("{fault:?}"),
                other => format!("{other:?}"),
            };
            let is_right = found == row.expected;
            (!is_right).then(|| format!("{}: {found}, not {}", row.name, row.expected))
        })
        .collect();
    assert!(rows.len() >= 65, "the table has shrunk to {}", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_beginning_of_a_malformed_message_is_accepted_and_a_fault_once_found_stays() {
    for row in rows(MALFORMED) {
        let mut refused = None;
        let step = if row.bytes.len() > 4096 { 61 } else { 1 };
        for cut in (0..=row.bytes.len()).step_by(step) {
            match first(&row.bytes[..cut]) {
                Ok(Some(item)) => panic!("{}: {item:?} when cut at {cut}", row.name),
                Ok(None) => assert_eq!(refused, None, "{}: cut at {cut}", row.name),
                Err(fault) => {
                    let earlier = *refused.get_or_insert(fault);
                    assert_eq!(fault, earlier, "{}: cut at {cut}", row.name);
                }
            }
        }
    }
}

#[test]
fn well_formed_messages_are_understood_at_their_last_byte_and_not_before() {
    let mut wrong = Vec::new();
    for row in rows(WELLFORMED) {
        assert_eq!(row.kind, "message");
        let found = describe(&message(&row.bytes));
        if found != row.expected {
            wrong.push(format!("{}: {found}, not {}", row.name, row.expected));
        }
        for cut in 0..row.bytes.len() {
            assert_eq!(first(&row.bytes[..cut]), Ok(None), "{}: {cut}", row.name);
        }
        for tail in [
            &b"\0"[..],
            b"\r",
            b"\r\n\r\n",
            b" ",
            b"REGISTER sip:a SIP/2.0\r\n",
        ] {
            let longer = [&row.bytes[..], tail].concat();
            assert_eq!(
                message(&longer),
                message(&row.bytes),
                "{}: a tail",
                row.name
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn keep_alives_stand_between_messages() {
    let kinds = [
        (&b"\r\n"[..], KeepAlive::One),
        (b"\r\n\r", KeepAlive::One),
        (b"\r\n\r\n", KeepAlive::Two),
        (b"\r\n\r\n\r\n", KeepAlive::Two),
        (b"\r\nREGISTER", KeepAlive::One),
        (b"\r\n\n", KeepAlive::One),
    ];
    for (bytes, kind) in kinds {
        assert_eq!(first(bytes), Ok(Some(Item::KeepAlive(kind))));
    }
    assert_eq!(first(b"\r"), Ok(None));
    assert_eq!(first(b""), Ok(None));
}

#[test]
fn the_answer_is_certain_at_the_limits() {
    let start = b"REGISTER sip:a SIP/2.0\r\nv:SIP/2.0/TCP a\r\nf:sip:a@b\r\nt:sip:a@b\r\ni:1\r\nCSeq:1 REGISTER\r\n";
    let filled = |length: usize, end: &[u8]| {
        let fill = vec![b'x'; length - start.len() - 2 - end.len()];
        [&start[..], b"X:", &fill[..], end].concat()
    };
    let Limits {
        head,
        message: whole,
        headers,
    } = Limits::FIRST;
    assert!(matches!(first(&filled(head, b"\r\n\r\n")), Ok(Some(_))));
    assert_eq!(first(&filled(head - 1, b"")), Ok(None));
    assert_eq!(first(&filled(head, b"")), Err(Malformed::HeadTooLong));
    assert_eq!(
        first(&filled(head + 1, b"\r\n\r\n")),
        Err(Malformed::HeadTooLong)
    );
    assert_eq!(next(&filled(head, b""), &Limits::LATER), Ok(None));
    let many = |count: usize| [&start[..], &b"X:\r\n".repeat(count - 5)[..], b"\r\n"].concat();
    assert!(matches!(first(&many(headers)), Ok(Some(_))));
    assert_eq!(first(&many(headers + 1)), Err(Malformed::TooManyHeaders));
    let with_body = |body: usize| [&start[..], format!("l:{body}\r\n\r\n").as_bytes()].concat();
    let room = whole - with_body(10_000).len();
    assert_eq!(first(&with_body(room)), Ok(None));
    assert_eq!(first(&with_body(room + 1)), Err(Malformed::TooLong));
}

#[test]
fn parts_are_where_they_say() {
    let rows = rows(WELLFORMED);
    let folded = rows
        .iter()
        .find(|row| row.name.starts_with("folds"))
        .unwrap();
    let message = message(&folded.bytes);
    assert_eq!(message.cseq(), (9, "INVITE"));
    assert_eq!(message.call_id(), b"w.1@h");
    assert_eq!(message.uri(), Some(&b"sip:v@dvl-ckl2.net;odd"[..]));
    assert_eq!(message.to().unwrap().parameter("tag"), Some(&b"191n"[..]));
    assert_eq!(message.from().unwrap().display(), "J Rosen \"");
    assert_eq!(message.values(Name::Via).count(), 2);
    for header in message.headers() {
        assert_eq!(header.value_span.of(message.bytes()), header.value());
    }
    let subject = message
        .headers()
        .find(|header| header.is("Subject"))
        .unwrap();
    assert_eq!(
        (subject.written_name(), subject.value()),
        (&b"SUBJECT"[..], &b"two words"[..])
    );
    assert_eq!(message.body(), b"hello");
    let shown = format!("{message:?}");
    assert!(
        !shown.contains("Rosen") && shown.contains("INVITE"),
        "{shown}"
    );
}

#[test]
fn accidents_end_in_a_message_that_is_one_or_in_a_reason() {
    let rows = rows(WELLFORMED);
    let files: Vec<&[u8]> = rows.iter().map(|row| row.bytes.as_slice()).collect();
    let mut accepted = 0;
    for seed in 0..100_000 {
        let input = Mutator::new("sip", seed).mutated(&files);
        let Ok(Some(Item::Message(message))) = first(&input) else {
            continue;
        };
        accepted += 1;
        let bytes = message.bytes();
        assert_eq!(&input[..bytes.len()], bytes);
        assert_eq!(first(&input[..bytes.len() - 1]), Ok(None));
        let seen: usize = message.headers().map(|header| header.value().len()).sum();
        assert!(seen < bytes.len() && message.headers().count() >= 5);
        let _ = (
            message.from(),
            message.to(),
            sip::attack_tool::is_attack_tool(&message),
        );
    }
    assert!(accepted > 10_000, "only {accepted}");
}
