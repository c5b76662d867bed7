//! Every head and body of tests/data/http, whole and cut anywhere, through every parser.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod table;

use proto::http::{
    Authority, ChunkDecoder, Framing, Limits, Malformed, Request, Response, ResponseFraming,
    Upgrade, path_is_unambiguous, request, response,
};
use table::{Row, rows};

/// Feeds a row to the parser of its kind; says in words what was understood, and how many bytes
/// were taken. `None`: more is needed.
fn parse(kind: &str, bytes: &[u8]) -> Result<Option<(String, usize)>, Malformed> {
    let limits = Limits::default();
    match kind {
        "request" => {
            request(bytes, &limits).map(|head| head.map(|head| (describe_request(&head), head.len)))
        }
        "response" | "response-to-head" => {
            let method = if kind == "response" { "GET" } else { "HEAD" };
            response(bytes, method, &limits)
                .map(|head| head.map(|head| (describe_response(&head), head.len)))
        }
        "body" => parse_body(bytes),
        "path" => path_is_unambiguous(bytes)
            .map(|()| Some((bytes.escape_ascii().to_string(), bytes.len()))),
        other => panic!("unknown kind {other}"),
    }
}

fn describe_request(head: &Request<'_>) -> String {
    let mut words = vec![head.method.to_owned(), shorten(head.target.path)];
    words.extend(
        head.target
            .query
            .map(|query| format!("?{}", shorten(query))),
    );
    words.push(match &head.host {
        Some(host) => {
            let mut written = Vec::new();
            host.write(&mut written);
            format!("host {}", written.escape_ascii())
        }
        None => "host -".to_owned(),
    });
    words.push(format!("fields {}", head.fields.len()));
    words.push(match head.framing {
        Framing::None => "no body".to_owned(),
        Framing::Length(length) => format!("body {length}"),
        Framing::Chunked => "body chunked".to_owned(),
    });
    words.push(if head.keep_alive { "keep" } else { "close" }.to_owned());
    words.extend(head.expect_continue.then(|| "expects 100".to_owned()));
    words.extend(head.te_trailers.then(|| "takes trailers".to_owned()));
    words.extend(
        head.upgrade
            .map(|Upgrade::WebSocket(_)| "websocket".to_owned()),
    );
    words.join(", ")
}

fn describe_response(head: &Response<'_>) -> String {
    let mut words = vec![
        head.status.to_string(),
        head.reason.escape_ascii().to_string(),
    ];
    words.push(format!("fields {}", head.fields.len()));
    words.push(match head.framing {
        ResponseFraming::None => "no body".to_owned(),
        ResponseFraming::Length(length) => format!("body {length}"),
        ResponseFraming::Chunked => "body chunked".to_owned(),
        ResponseFraming::UntilClose => "body until close".to_owned(),
    });
    words.push(if head.keep_alive { "keep" } else { "close" }.to_owned());
    words.extend(head.websocket.then(|| "websocket".to_owned()));
    words.join(", ")
}

fn shorten(text: &str) -> String {
    if text.len() > 80 {
        format!("({} bytes)", text.len())
    } else {
        text.to_owned()
    }
}

fn parse_body(bytes: &[u8]) -> Result<Option<(String, usize)>, Malformed> {
    let mut decoder = ChunkDecoder::new(&Limits::default());
    let mut data = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let found = decoder.decode(&bytes[at..])?;
        data.extend_from_slice(&bytes[at..][found.data]);
        at += found.consumed;
        if found.finished {
            let mut words = vec![format!("data {}", data.escape_ascii())];
            let trailers = decoder.trailers();
            words.extend(trailers.map(|(name, value)| format!("{name}={}", value.escape_ascii())));
            return Ok(Some((words.join(", "), at)));
        }
    }
    Ok(None)
}

#[test]
fn malformed_messages_are_refused_for_the_right_reason() {
    let mut wrong = Vec::new();
    let rows = rows("http/malformed.tsv");
    for Row {
        kind,
        name,
        expected,
        bytes,
    } in &rows
    {
        let found = match parse(kind, bytes) {
            Err(fault) => format!("{fault:?}"),
            Ok(None) => "needs more".to_owned(),
            Ok(Some((understood, _))) => format!("accepted: {understood}"),
        };
        if found != *expected {
            wrong.push(format!("{kind}: {name}: {found}, not {expected}"));
        }
    }
    assert!(rows.len() >= 450, "the table has shrunk to {}", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_beginning_of_a_malformed_message_is_accepted() {
    for Row {
        kind, name, bytes, ..
    } in rows("http/malformed.tsv")
        .into_iter()
        .filter(|row| row.kind != "path")
    {
        for end in (0..bytes.len()).filter(|end| *end < 400 || end % 997 == 0) {
            let accepted = parse(&kind, &bytes[..end]).ok().flatten();
            assert_eq!(accepted, None, "{kind}: {name}: cut at {end}");
        }
    }
}

#[test]
fn what_is_well_formed_is_understood() {
    let mut wrong = Vec::new();
    let rows = rows("http/wellformed.tsv");
    for Row {
        kind,
        name,
        expected,
        bytes,
    } in &rows
    {
        let found = match parse(kind, bytes) {
            Err(fault) => format!("refused: {fault:?}"),
            Ok(None) => "needs more".to_owned(),
            Ok(Some((understood, _))) => understood,
        };
        if found != *expected {
            wrong.push(format!("{kind}\t{name}\t{found}"));
        }
    }
    assert!(rows.len() >= 100, "the table has shrunk to {}", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_cut_message_needs_more_and_what_follows_a_message_is_left_alone() {
    for Row {
        kind, name, bytes, ..
    } in rows("http/wellformed.tsv")
    {
        let (understood, len) = parse(&kind, &bytes).unwrap().expect(&name);
        for end in (0..len).filter(|end| *end < 400 || end % 97 == 0 || len - end < 8) {
            assert_eq!(
                parse(&kind, &bytes[..end]),
                Ok(None),
                "{kind}: {name}: cut at {end}"
            );
        }
        for tail in [
            &b""[..],
            b"\0\r\n\n",
            b"GET /admin HTTP/1.1\r\n\r\n",
            b" folded\r\n\r\n",
        ] {
            let longer = [&bytes[..len], tail].concat();
            let again = parse(&kind, &longer).unwrap().expect(&name);
            assert_eq!(
                again,
                (understood.clone(), len),
                "{kind}: {name}: with a tail"
            );
        }
    }
}

#[test]
fn the_normal_form_is_understood_alike_and_stays_as_it_is() {
    for Row { name, bytes, .. } in rows("http/wellformed.tsv")
        .iter()
        .filter(|row| row.kind == "request")
    {
        let limits = Limits {
            head: usize::MAX,
            ..Limits::default()
        };
        let head = request(bytes, &limits).unwrap().expect(name);
        let rewrite = |head: &Request<'_>| {
            let mut out = format!("{} {} ", head.method, head.target.raw).into_bytes();
            let version = if head.version == proto::http::Version::Http10 {
                "0"
            } else {
                "1"
            };
            out.extend_from_slice(format!("HTTP/1.{version}\r\n").as_bytes());
            head.fields.write(&mut out, |_| true);
            out.extend_from_slice(b"\r\n");
            out
        };
        let once = rewrite(&head);
        let again = request(&once, &limits).unwrap().expect(name);
        assert_eq!(describe_request(&again), describe_request(&head), "{name}");
        let pairs = |head: &Request<'_>| -> Vec<(String, Vec<u8>)> {
            let fields = head.fields.iter();
            fields
                .map(|field| (field.name().to_owned(), field.value().to_vec()))
                .collect()
        };
        assert_eq!(pairs(&again), pairs(&head), "{name}");
        assert_eq!(rewrite(&again), once, "{name}");
    }
}

#[test]
fn fields_are_written_without_what_is_not_wanted() {
    let head = b"GET / HTTP/1.1\r\nHost: a\r\nAccept: x\r\nConnection: close, Hop\r\nhop: 1\r\nB:  y \r\nC: z\r\nD:\r\nE: w\r\n\r\n";
    let head = request(head, &Limits::default()).unwrap().unwrap();
    let mut out = Vec::new();
    head.fields.write(&mut out, |field| !field.is_hop_by_hop());
    let expected = "Host: a\r\nAccept: x\r\nB: y\r\nC: z\r\nD:\r\nE: w\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let options: Vec<_> = head.fields.connection_options().collect();
    assert_eq!(options, [&b"close"[..], b"Hop"]);
    assert_eq!(head.fields.get("ACCEPT"), Some(&b"x"[..]));
    let client = head
        .fields
        .iter()
        .find(|field| field.is_twin_of("a_c.c!p?"));
    assert!(client.is_none());
    assert!(head.fields.iter().any(|field| field.is_twin_of("ACCEPT")));
}

#[test]
fn every_message_and_every_beginning_of_it_goes_through_every_parser() {
    let limits = Limits {
        head: 4096,
        fields: 10,
        target: 100,
        extension: 16,
        trailers: 64,
    };
    let all = rows("http/malformed.tsv")
        .into_iter()
        .chain(rows("http/wellformed.tsv"));
    for Row { bytes, .. } in all {
        let ends = (0..=bytes.len()).filter(|end| *end < 600 || end % 499 == 0);
        for end in ends {
            let cut = &bytes[..end];
            for limits in [&limits, &Limits::default()] {
                let _ = request(cut, limits);
                let _ = response(cut, "GET", limits);
                let _ = response(cut, "HEAD", limits);
                let _ = ChunkDecoder::new(limits).decode(cut);
            }
            let _ = path_is_unambiguous(cut);
            let _ = Authority::parse(cut);
            let _ = proto::tls::client_hello(cut);
            let _ = proto::proxy_header::read(cut);
        }
    }
}
