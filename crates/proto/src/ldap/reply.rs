//! Messages of a server, read as far as they say whether somebody was let in.

use super::Malformed;
use super::ber::{ENUMERATED, OCTETS, header, whole_number};
use super::envelope::envelope;

const BOUND: u8 = 0x61;
const ENTRY: u8 = 0x64;

/// One message of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply {
    /// The request it belongs to; 0 where nobody asked.
    pub id: u32,
    /// How many bytes the message takes, which may be more than there are yet.
    pub len: usize,
    /// The result code, if it is the answer to a bind (RFC 4511 section 4.2.2).
    pub bound: Option<u32>,
    /// Whether a search has found it, and it is not the one that says what the server can (RFC 4512 section 5.1).
    pub is_entry: bool,
}

/// The first message of `bytes`, by its beginning; none while that is not there.
///
/// # Errors
/// The server's: it is no message of LDAP.
pub fn reply(bytes: &[u8]) -> Result<Option<Reply>, Malformed> {
    let Some(envelope) = envelope(bytes)? else {
        return Ok(None);
    };
    let operation = envelope.operation;
    let (bound, is_entry) = match operation.first() {
        Some(&BOUND) => (code(operation)?.map(Some), false),
        Some(&ENTRY) => {
            let named = is_named(operation)?;
            (named.map(|_| None), named == Some(true))
        }
        Some(_) => (Some(None), false),
        None => (None, false),
    };
    match bound {
        None if envelope.is_whole => Err(Malformed::Form),
        None => Ok(None),
        Some(bound) => Ok(Some(Reply {
            id: envelope.id,
            len: envelope.len,
            bound,
            is_entry,
        })),
    }
}

/// Whether an entry has a name, which only the root has not; none while that is not there.
fn is_named(operation: &[u8]) -> Result<Option<bool>, Malformed> {
    let Some((head, _)) = header(operation)? else {
        return Ok(None);
    };
    let name = operation.get(head..).unwrap_or_default();
    if name.first().is_some_and(|tag| *tag != OCTETS) {
        return Err(Malformed::Form);
    }
    Ok(header(name)?.map(|(_, length)| length > 0))
}

/// The result code that an operation begins with; none while it is not there.
fn code(operation: &[u8]) -> Result<Option<u32>, Malformed> {
    let Some((head, _)) = header(operation)? else {
        return Ok(None);
    };
    let content = operation.get(head..).unwrap_or_default();
    if content.first().is_some_and(|tag| *tag != ENUMERATED) {
        return Err(Malformed::Form);
    }
    let Some((head, length)) = header(content)? else {
        return Ok(None);
    };
    // A code of that many bytes is refused before it is there.
    if length > 4 {
        return Err(Malformed::Form);
    }
    let digits = content.get(head..head + length);
    digits.map(whole_number).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wrong name or password, with a long form of lengths and a text.
    const REFUSED: &[u8] =
        b"\x30\x84\x00\x00\x00\x12\x02\x01\x07\x61\x84\x00\x00\x00\x09\x0a\x01\x31\x04\x00\x04\x02no";

    #[test]
    fn the_answer_to_a_bind_tells_its_code_before_it_is_whole() {
        let expected = Reply {
            id: 7,
            len: REFUSED.len(),
            bound: Some(49),
            is_entry: false,
        };
        for end in 0..=REFUSED.len() {
            let expected = (end >= 18).then_some(expected);
            assert_eq!(reply(&REFUSED[..end]), Ok(expected), "{end}");
        }
        assert_eq!(reply(&[REFUSED, b"\x30"].concat()), Ok(Some(expected)));
    }

    #[test]
    fn other_messages_are_known_by_their_length_however_long() {
        let entry = b"\x30\x84\x7f\x00\x00\x00\x02\x01\x02\x64\x84\x7e\x00\x00\x00\x04\x01";
        let expected = Reply {
            id: 2,
            len: 0x7f00_0000 + 6,
            bound: None,
            is_entry: true,
        };
        assert_eq!(reply(entry), Ok(Some(expected)));
        // The root has no name.
        let root = b"\x30\x09\x02\x01\x02\x64\x04\x04\x00\x30\x00";
        assert!(!reply(root).unwrap().unwrap().is_entry);
        // Unasked: it hangs up.
        let notice = b"\x30\x0c\x02\x01\x00\x78\x07\x0a\x01\x34\x04\x00\x04\x00";
        assert_eq!(reply(notice).unwrap().unwrap().id, 0);
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for bytes in [
            &b"HTTP/1.1 400"[..],
            b"\x30\x03\x02\x01\x01",
            b"\x30\x05\x02\x01\x01\x61\x00",
            b"\x30\x08\x02\x01\x01\x61\x03\x02\x01\x00",
            b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x05\x00\x00\x00\x00\x00",
        ] {
            assert_eq!(reply(bytes), Err(Malformed::Form), "{bytes:?}");
        }
    }

    #[test]
    fn no_bytes_make_it_panic() {
        for at in 0..REFUSED.len() {
            for byte in 0..=255 {
                let mut other = REFUSED.to_vec();
                other[at] = byte;
                for end in at..=other.len() {
                    let _ = reply(&other[..end]);
                }
            }
        }
    }
}
