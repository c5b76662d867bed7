//! Reads the tables of tests/data; README.md there describes them.

use std::path::PathBuf;

/// One row: what is fed to which parser, and what is expected of it.
pub(crate) struct Row {
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) expected: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

pub(crate) fn rows(file: &str) -> Vec<Row> {
    let text = std::fs::read_to_string(folder().join(file)).unwrap();
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    rows.map(|line| {
        let [kind, name, expected, bytes] =
            <[&str; 4]>::try_from(line.split('\t').collect::<Vec<_>>()).expect(line);
        Row {
            kind: kind.to_owned(),
            name: name.to_owned(),
            expected: expected.to_owned(),
            bytes: unescape(bytes.as_bytes()),
        }
    })
    .collect()
}

fn unescape(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (escape, tail) = rest.split_first().expect("nothing follows a backslash");
        rest = tail;
        match escape {
            b'r' => bytes.push(b'\r'),
            b'n' => bytes.push(b'\n'),
            b't' => bytes.push(b'\t'),
            b'\\' => bytes.push(b'\\'),
            b'x' => {
                let (digits, tail) = rest.split_at(2);
                rest = tail;
                let digits = std::str::from_utf8(digits).unwrap();
                bytes.push(u8::from_str_radix(digits, 16).unwrap());
            }
            b'[' => {
                let end = rest.iter().position(|&byte| byte == b']').expect("no ]");
                let repeated = std::str::from_utf8(&rest[..end]).unwrap();
                let (unit, count) = repeated.rsplit_once('*').expect("no *");
                bytes.extend(unescape(unit.as_bytes()).repeat(count.parse().unwrap()));
                rest = &rest[end + 1..];
            }
            other => panic!("unknown escape {}", char::from(*other)),
        }
    }
    bytes
}
