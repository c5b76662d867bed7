//! Answers of a server.

use super::ber::{
    ENUMERATED, Elements, INTEGER, OCTETS, SEQUENCE, SET, header, put, text, whole_number,
};
use super::{LONGEST, Malformed};

/// The request for TLS (RFC 4511 section 4.14.1), with message identifier 1.
pub const START_TLS: &[u8] = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";

/// How much of the text of a result is kept, in bytes.
const LONGEST_TEXT: usize = 1024;

const BIND: u8 = 0x61;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;
const EXTENDED: u8 = 0x78;
const INTERMEDIATE: u8 = 0x79;

/// One message of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The request it belongs to; 0: the server says something unasked, which is that it hangs up (section 4.4).
    pub id: u32,
    /// How many bytes it takes.
    pub length: usize,
    /// What it is.
    pub kind: Kind,
    /// It in plain form: without controls, referrals and credentials of the server; empty for [`Kind::Other`].
    pub plain: Vec<u8>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An entry that a search has found.
    Entry,
    /// The end of a search, with its result code.
    Done(u32),
    /// The answer to a bind, with its result code.
    Bound(u32),
    /// The answer to an extended operation, with its result code.
    Extended(u32),
    /// What nobody asked for: a place to go on searching, an intermediate answer.
    Other,
}

/// The first message of `bytes`; none while it is not whole.
///
/// # Errors
/// The server's: it is no answer.
pub fn answer(bytes: &[u8]) -> Result<Option<Answer>, Malformed> {
    if bytes.first().is_some_and(|first| *first != SEQUENCE) {
        return Err(Malformed::Form);
    }
    let Some((head, length)) = header(bytes)? else {
        return Ok(None);
    };
    let whole = head.saturating_add(length);
    if whole > LONGEST {
        return Err(Malformed::Long);
    }
    let Some(body) = bytes.get(head..whole) else {
        return Ok(None);
    };
    let mut body = Elements(body);
    let number = body.need(INTEGER)?;
    let id = whole_number(number)?;
    let (tag, operation) = body.next().ok_or(Malformed::Form)??;
    let (kind, operation) = match tag {
        BIND => result(operation, Kind::Bound)?,
        DONE => result(operation, Kind::Done)?,
        EXTENDED => result(operation, Kind::Extended)?,
        ENTRY => (Kind::Entry, entry(operation)?),
        REFERENCE | INTERMEDIATE => (Kind::Other, Vec::new()),
        _ => return Err(Malformed::Form),
    };
    let mut plain = Vec::new();
    if kind != Kind::Other {
        let mut inner = Vec::with_capacity(operation.len() + 16);
        put(&mut inner, INTEGER, number);
        put(&mut inner, tag, &operation);
        put(&mut plain, SEQUENCE, &inner);
    }
    Ok(Some(Answer {
        id,
        length: whole,
        kind,
        plain,
    }))
}

/// Code, matched name and text of a result (section 4.1.9); what follows is left out.
fn result(operation: &[u8], kind: fn(u32) -> Kind) -> Result<(Kind, Vec<u8>), Malformed> {
    let mut parts = Elements(operation);
    let code = parts.need(ENUMERATED)?;
    let kind = kind(whole_number(code)?);
    let mut plain = Vec::new();
    put(&mut plain, ENUMERATED, code);
    for _ in ["the matched name", "the text"] {
        let text = parts.need(OCTETS)?;
        let text = String::from_utf8_lossy(&text[..text.len().min(LONGEST_TEXT)]);
        put(&mut plain, OCTETS, text.as_bytes());
    }
    Ok((kind, plain))
}

/// An entry (section 4.5.2), looked at down to its values.
fn entry(operation: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut parts = Elements(operation);
    text(parts.need(OCTETS)?)?;
    let attributes = parts.need(SEQUENCE)?;
    parts.end()?;
    for attribute in Elements(attributes) {
        let (SEQUENCE, attribute) = attribute? else {
            return Err(Malformed::Form);
        };
        let mut parts = Elements(attribute);
        text(parts.need(OCTETS)?)?;
        let values = parts.need(SET)?;
        parts.end()?;
        for value in Elements(values) {
            if value?.0 != OCTETS {
                return Err(Malformed::Form);
            }
        }
    }
    Ok(operation.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOUND: &[u8] = b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04\x00";

    /// An entry `dn` with one attribute and two values.
    fn found() -> Vec<u8> {
        let mut attribute = Vec::new();
        put(&mut attribute, OCTETS, b"memberOf");
        put(&mut attribute, SET, b"\x04\x01a\x04\x02\xff\xfe");
        let mut attributes = Vec::new();
        put(&mut attributes, SEQUENCE, &attribute);
        let mut entry = Vec::new();
        put(&mut entry, OCTETS, b"cn=a");
        put(&mut entry, SEQUENCE, &attributes);
        message(ENTRY, &entry)
    }

    fn message(tag: u8, operation: &[u8]) -> Vec<u8> {
        let mut inner = vec![INTEGER, 2, 1, 0];
        put(&mut inner, tag, operation);
        let mut whole = Vec::new();
        put(&mut whole, SEQUENCE, &inner);
        whole
    }

    #[test]
    fn a_result_loses_all_but_code_and_texts() {
        let got = answer(BOUND).unwrap().unwrap();
        assert_eq!(
            (got.id, got.kind, got.length),
            (1, Kind::Bound(0), BOUND.len())
        );
        assert_eq!(got.plain, BOUND);
        // With a referral, credentials and a control, and lengths in four bytes.
        let long = b"\x30\x84\x00\x00\x00\x2e\x02\x01\x02\x61\x84\x00\x00\x00\x19\x0a\x01\x31\x04\x00\x04\x02\xffz\
                     \xa3\x84\x00\x00\x00\x05\x04\x03a:/\x87\x03abc\xa0\x84\x00\x00\x00\x06\x30\x04\x04\x02aa";
        let got = answer(long).unwrap().unwrap();
        assert_eq!(
            (got.id, got.kind, got.length),
            (2, Kind::Bound(49), long.len())
        );
        let plain = "\u{fffd}z".as_bytes();
        assert!(got.plain.ends_with(plain), "{:?}", got.plain);
        assert_eq!(answer(&got.plain).unwrap().unwrap().kind, Kind::Bound(49));
    }

    #[test]
    fn a_message_is_waited_for_and_never_panics() {
        for whole in [BOUND.to_vec(), found()] {
            for end in 0..whole.len() {
                assert_eq!(answer(&whole[..end]), Ok(None), "{end}");
            }
            for at in 0..whole.len() {
                for byte in 0..=255 {
                    let mut other = whole.clone();
                    other[at] = byte;
                    let _ = answer(&other);
                }
            }
        }
        let got = answer(&found()).unwrap().unwrap();
        assert_eq!((got.id, got.kind), (256, Kind::Entry));
        assert_eq!(answer(&got.plain).unwrap().unwrap().plain, got.plain);
    }

    #[test]
    fn what_is_no_answer_is_refused() {
        assert_eq!(answer(b"HTTP/1.1 400"), Err(Malformed::Form));
        assert_eq!(answer(b"\x30\x84\x7f\xff\xff\xff"), Err(Malformed::Long));
        assert_eq!(answer(b"\x30\x80\x00\x00"), Err(Malformed::Form));
        // A request, and an entry whose values are not flat.
        assert_eq!(answer(&message(0x60, b"")), Err(Malformed::Form));
        let deep = b"\x04\x00\x30\x09\x30\x07\x04\x01a\x31\x02\x30\x00";
        assert_eq!(answer(&message(ENTRY, deep)), Err(Malformed::Form));
        let other = answer(&message(REFERENCE, b"\x04\x01a")).unwrap().unwrap();
        assert!(other.kind == Kind::Other && other.plain.is_empty());
    }

    #[test]
    fn the_request_for_tls_is_one_message() {
        assert_eq!(header(START_TLS), Ok(Some((2, START_TLS.len() - 2))));
    }
}
