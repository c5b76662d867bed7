//! What every message begins with (section 4.1.1), whoever sends it.

use super::Malformed;
use super::ber::{INTEGER, SEQUENCE, header, whole_number};

/// A message as far as it is there.
pub(super) struct Envelope<'a> {
    /// Its number.
    pub(super) id: u32,
    /// How many bytes the message takes.
    pub(super) len: usize,
    /// Whether they are all there.
    pub(super) is_whole: bool,
    /// Where the operation begins.
    pub(super) begin: usize,
    /// The operation and the controls behind it.
    pub(super) operation: &'a [u8],
}

/// The first message of `bytes`; none while its number is not there.
pub(super) fn envelope(bytes: &[u8]) -> Result<Option<Envelope<'_>>, Malformed> {
    if bytes.first().is_some_and(|first| *first != SEQUENCE) {
        return Err(Malformed::Form);
    }
    let Some((head, length)) = header(bytes)? else {
        return Ok(None);
    };
    let len = head.saturating_add(length);
    let end = bytes.len().min(len);
    let there = &bytes[head..end];
    let number = number(there, length)?;
    Ok(number.map(|(id, operation)| Envelope {
        id,
        len,
        is_whole: there.len() == length,
        begin: end - operation.len(),
        operation,
    }))
}

/// The number of a message and what follows it, of a message of `length` bytes that is there in part; none while the
/// number is not whole.
fn number(there: &[u8], length: usize) -> Result<Option<(u32, &[u8])>, Malformed> {
    if length < 3 || there.first().is_some_and(|first| *first != INTEGER) {
        return Err(Malformed::Form);
    }
    let Some((head, digits)) = header(there)? else {
        return Ok(None);
    };
    // A number of that many bytes is refused before it is there.
    if digits > 4 || head + digits > length {
        return Err(Malformed::Form);
    }
    let Some((number, behind)) = there.split_at_checked(head + digits) else {
        return Ok(None);
    };
    Ok(Some((whole_number(&number[head..])?, behind)))
}
