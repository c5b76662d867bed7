//! Every PROXY header of tests/data/proxy, whole, cut anywhere and with every byte changed; and what is
//! written is read alike.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod table;

use std::net::SocketAddr;

use proto::proxy_header::{
    Fault, Header, MAX_BINARY, MAX_BUFFERED, MAX_LINE, read, write_v1, write_v1_local, write_v2,
    write_v2_local,
};
use table::rows;

const MALFORMED: &str = "proxy/malformed.tsv";
const WELLFORMED: &str = "proxy/wellformed.tsv";

fn describe(header: &Header) -> String {
    match (header.source, header.destination) {
        (Some(source), Some(destination)) => format!("{source} to {destination}"),
        (None, None) => "nobody".to_owned(),
        half => panic!("half a header: {half:?}"),
    }
}

fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

#[test]
fn malformed_headers_are_refused_for_the_right_reason() {
    let mut wrong = Vec::new();
    let rows = rows(MALFORMED);
    for row in &rows {
        let found = match read(&row.bytes) {
            Err(fault) => format!("{fault:?}"),
            Ok(None) => "needs more".to_owned(),
            Ok(Some((header, _))) => format!("accepted: {}", describe(&header)),
        };
        if found != row.expected {
            wrong.push(format!("{}: {found}, not {}", row.name, row.expected));
        }
    }
    assert!(rows.len() >= 90, "the table has shrunk to {}", rows.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_beginning_of_a_malformed_header_is_accepted_and_a_fault_once_found_stays() {
    for row in rows(MALFORMED) {
        let mut refused = None;
        for cut in 0..=row.bytes.len() {
            match read(&row.bytes[..cut]) {
                Ok(Some(_)) => panic!("{}: accepted when cut at {cut}", row.name),
                Ok(None) => assert_eq!(refused, None, "{}: cut at {cut}", row.name),
                Err(fault) => {
                    let first = *refused.get_or_insert(fault);
                    assert_eq!(fault, first, "{}: cut at {cut}", row.name);
                }
            }
        }
    }
}

#[test]
fn well_formed_headers_are_understood_at_their_last_byte_and_not_before() {
    let mut wrong = Vec::new();
    for row in rows(WELLFORMED) {
        assert_eq!(row.kind, "proxy-header");
        let len = row.bytes.len();
        match read(&row.bytes) {
            Ok(Some((header, taken))) if describe(&header) == row.expected && taken == len => {}
            other => wrong.push(format!("{}: {other:?}", row.name)),
        }
        for cut in 0..len {
            assert_eq!(read(&row.bytes[..cut]), Ok(None), "{}: {cut}", row.name);
        }
        for tail in [&b"\0"[..], b"\n", b"\r\n", b"PROXY ", b"GET / HTTP/1.1\r\n"] {
            let longer = [&row.bytes[..], tail].concat();
            assert_eq!(read(&longer), read(&row.bytes), "{}: a tail", row.name);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_changed_byte_never_makes_a_header_that_takes_more_than_it_says() {
    for row in rows(WELLFORMED).iter().chain(&rows(MALFORMED)) {
        for at in 0..row.bytes.len().min(300) {
            for change in [0x01, 0x20, 0x80, 0xff] {
                let mut bytes = row.bytes.clone();
                bytes[at] ^= change;
                if let Ok(Some((_, taken))) = read(&bytes) {
                    assert!(taken <= bytes.len(), "{}: {at}", row.name);
                    assert_eq!(read(&bytes[..taken - 1]), Ok(None), "{}: {at}", row.name);
                }
            }
        }
    }
}

#[test]
fn a_changed_byte_of_a_summed_header_is_found() {
    let rows = rows(WELLFORMED);
    let summed = |name: &str| name.starts_with("version 2, checksum");
    for row in rows.iter().filter(|row| summed(&row.name)) {
        // From the first address on: before, other faults come first, or nobody is named any more.
        for at in 16..row.bytes.len() {
            for bit in 0..8 {
                let mut bytes = row.bytes.clone();
                bytes[at] ^= 1 << bit;
                // Where the extension itself is no longer the checksum, nothing is summed.
                let found = read(&bytes);
                let lost = matches!(found, Ok(Some(_)));
                let kind = row.bytes[at] == 3;
                assert!(
                    matches!(found, Err(Fault::Checksum | Fault::Extension)) || lost && kind,
                    "{}: {at}: {found:?}",
                    row.name
                );
            }
        }
    }
}

#[test]
fn the_answer_is_certain_at_the_limits() {
    let line = [b"PROXY UNKNOWN".as_slice(), &[b' '; 2 * MAX_LINE]].concat();
    assert_eq!(read(&line[..MAX_LINE - 1]), Ok(None));
    assert_eq!(read(&line[..MAX_LINE]), Err(Fault::TooLong));
    let mut binary = b"\r\n\r\n\0\r\nQUIT\n\x20\0\x08\0".to_vec();
    binary.resize(MAX_BUFFERED, 0);
    assert_eq!(read(&binary[..MAX_BINARY - 1]), Ok(None));
    assert!(matches!(read(&binary), Ok(Some((_, MAX_BINARY)))));
}

#[test]
fn what_is_written_is_one_exact_form() {
    let mut out = Vec::new();
    write_v1(&mut out, end("192.0.2.1:5"), end("198.51.100.2:443"));
    assert_eq!(out, b"PROXY TCP4 192.0.2.1 198.51.100.2 5 443\r\n");
    out.clear();
    write_v1(&mut out, end("[2001:db8::1]:5"), end("[2001:db8::2]:443"));
    assert_eq!(out, b"PROXY TCP6 2001:db8::1 2001:db8::2 5 443\r\n");
    out.clear();
    write_v1(&mut out, end("192.0.2.1:5"), end("[2001:db8::2]:443"));
    assert_eq!(out, b"PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 5 443\r\n");
    out.clear();
    write_v1_local(&mut out);
    assert_eq!(out, b"PROXY UNKNOWN\r\n");
    out.clear();
    write_v2(&mut out, end("192.0.2.1:5"), end("198.51.100.2:443"));
    assert_eq!(
        out,
        b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x02\0\x05\x01\xbb"
    );
    out.clear();
    write_v2_local(&mut out);
    assert_eq!(out, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0");
}

#[test]
fn what_is_written_is_read_alike() {
    let ends = [
        "192.0.2.1:0",
        "255.255.255.255:65535",
        "[2001:db8::1]:80",
        "[::]:1",
        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
        "[::ffff:192.0.2.1]:7",
    ];
    for (source, destination) in ends.iter().flat_map(|a| ends.map(|b| (end(a), end(b)))) {
        let canonical = |end: SocketAddr| SocketAddr::new(end.ip().to_canonical(), end.port());
        let header = Header {
            source: Some(canonical(source)),
            destination: Some(canonical(destination)),
        };
        for write in [write_v1, write_v2] {
            // It is appended, whatever stands before.
            let mut out = b"x".to_vec();
            write(&mut out, source, destination);
            assert_eq!(read(&out[1..]), Ok(Some((header, out.len() - 1))));
        }
    }
    for write in [write_v1_local, write_v2_local] {
        let mut out = Vec::new();
        write(&mut out);
        let (header, len) = read(&out).unwrap().unwrap();
        assert_eq!((describe(&header).as_str(), len), ("nobody", out.len()));
    }
}
