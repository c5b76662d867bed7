use memchr::{memchr, memchr3};

use super::{Malformed, Name, name};
use crate::Span;
use crate::lex::{is_token, trim};

/// One header of a message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header<'a> {
    bytes: &'a [u8],
    /// What it is.
    pub name: Name,
    /// Where its name stands in the message.
    pub name_span: Span,
    /// Where its value stands in the message, without space around it; folds within are part of it.
    pub value_span: Span,
}

impl<'a> Header<'a> {
    /// The name as it was written.
    pub fn written_name(&self) -> &'a [u8] {
        self.name_span.of(self.bytes)
    }

    /// The value as it was written, without space around it.
    pub fn value(&self) -> &'a [u8] {
        self.value_span.of(self.bytes)
    }

    /// Whether it stands on more than one line.
    pub(super) fn is_folded(&self) -> bool {
        let whole = Span::new(self.name_span.start, self.value_span.end);
        whole.of(self.bytes).contains(&b'\n')
    }

    /// Whether it is the header of this long name, in its short form or in any case.
    pub fn is(&self, long: &str) -> bool {
        name::is_same(self.written_name(), long)
    }
}

/// The headers of a message in order.
#[derive(Clone)]
pub struct Headers<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Headers<'a> {
    /// The headers of a head that has been looked at, from `at` on.
    pub(super) const fn new(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at }
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.get(self.at) == Some(&b'\r') {
            return None;
        }
        let (header, next) = known(self.bytes, self.at)?;
        debug_assert!(self::header(self.bytes, self.at) == Ok(Some((header, next))));
        self.at = next;
        Some(header)
    }
}

/// The same as [`header`] for one that it has found to be one: messages are gone through several times, and judged once.
fn known(bytes: &[u8], at: usize) -> Option<(Header<'_>, usize)> {
    let mut next = at;
    loop {
        next += memchr(b'\n', bytes.get(next..)?)? + 1;
        if !matches!(bytes.get(next), Some(b' ' | b'\t')) {
            break;
        }
    }
    let end = next.saturating_sub(2);
    let colon = at + memchr(b':', Span::new(at, end).of(bytes))?;
    let mut name_span = Span::new(at, colon);
    while !name_span.is_empty() && matches!(bytes[name_span.end - 1], b' ' | b'\t') {
        name_span.end -= 1;
    }
    let header = Header {
        bytes,
        name: Name::of(name_span.of(bytes)),
        name_span,
        value_span: trim(bytes, Span::new(colon + 1, end)),
    };
    Some((header, next))
}

/// The header that begins at `at`, and where the next line begins; none while it is not known to be whole.
///
/// # Errors
/// The sender's: it is none.
pub(super) fn header(bytes: &[u8], at: usize) -> Result<Option<(Header<'_>, usize)>, Malformed> {
    let mut line = at;
    let end = loop {
        let Some(end) = line_end(bytes, line)? else {
            return Ok(None);
        };
        if line != at && trim(bytes, Span::new(line, end)).is_empty() {
            return Err(Malformed::EmptyFold);
        }
        match bytes.get(end + 2) {
            None => return Ok(None),
            Some(b' ' | b'\t') => line = end + 2,
            Some(_) => break end,
        }
    };
    let whole = Span::new(at, end).of(bytes);
    let colon = memchr(b':', whole);
    let colon = at + colon.ok_or(Malformed::Header)?;
    let mut name_span = Span::new(at, colon);
    while !name_span.is_empty() && matches!(bytes[name_span.end - 1], b' ' | b'\t') {
        name_span.end -= 1;
    }
    let written = name_span.of(bytes);
    if !is_token(written) {
        return Err(Malformed::Header);
    }
    let header = Header {
        bytes,
        name: Name::of(written),
        name_span,
        value_span: trim(bytes, Span::new(colon + 1, end)),
    };
    Ok(Some((header, end + 2)))
}

/// Where the line that begins at `at` ends, before its CR LF; none while that has not come.
///
/// # Errors
/// The sender's: a CR, LF or NUL that does not belong there.
pub(super) fn line_end(bytes: &[u8], at: usize) -> Result<Option<usize>, Malformed> {
    let rest = bytes.get(at..).unwrap_or_default();
    let found = memchr3(b'\r', b'\n', b'\0', rest);
    match found.map(|found| &rest[found..]) {
        None | Some([b'\r']) => Ok(None),
        Some([b'\r', b'\n', ..]) => Ok(found.map(|found| at + found)),
        Some([b'\0', ..]) => Err(Malformed::Nul),
        Some(_) => Err(Malformed::LineEnd),
    }
}
