//! Pieces of values: spaces, quotes, lists, parameters (RFC 3261 section 25.1).

use memchr::{memchr, memchr3};

use crate::Span;

/// Whether a byte may stand in a token.
pub(crate) const fn is_token_byte(byte: u8) -> bool {
    TOKEN[byte as usize]
}

/// Which bytes may stand in a token; every name of every header is looked up.
const TOKEN: [bool; 256] = {
    let mut table = [false; 256];
    let mut sign = 0_u8;
    loop {
        table[sign as usize] = sign.is_ascii_alphanumeric()
            || matches!(
                sign,
                b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~'
            );
        if sign == u8::MAX {
            break;
        }
        sign += 1;
    }
    table
};

/// Whether the text is a token.
pub(crate) fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Whether a byte of a value is space: the line ends in it belong to folds.
pub(crate) const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

/// The span without space at its ends.
pub(crate) fn trim(text: &[u8], mut span: Span) -> Span {
    while !span.is_empty() && is_space(text[span.start]) {
        span.start += 1;
    }
    while !span.is_empty() && is_space(text[span.end - 1]) {
        span.end -= 1;
    }
    span
}

/// The first place from `at` on that is no space, `end` at most.
pub(crate) fn skip_space(text: &[u8], mut at: usize, end: usize) -> usize {
    while at < end && is_space(text[at]) {
        at += 1;
    }
    at
}

/// The first place from `at` on that does not belong to a token, `end` at most.
pub(crate) fn skip_token(text: &[u8], mut at: usize, end: usize) -> usize {
    while at < end && is_token_byte(text[at]) {
        at += 1;
    }
    at
}

/// Where in quotes and angle brackets a walk through a value is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Nesting {
    quoted: bool,
    escaped: bool,
    angle: bool,
}

impl Nesting {
    /// Takes the next byte; whether it stands outside of both, and is none of their marks.
    pub(crate) fn takes(&mut self, byte: u8) -> bool {
        if self.quoted {
            if self.escaped {
                self.escaped = false;
            } else if byte == b'\\' {
                self.escaped = true;
            } else if byte == b'"' {
                self.quoted = false;
            }
            return false;
        }
        match byte {
            b'"' if !self.angle => self.quoted = true,
            b'<' => self.angle = true,
            b'>' => self.angle = false,
            _ => return !self.angle,
        }
        false
    }

    /// Whether the next byte is within quotes.
    pub(crate) const fn is_quoted(self) -> bool {
        self.quoted
    }

    /// Whether nothing is left open.
    pub(crate) const fn is_closed(self) -> bool {
        !self.quoted && !self.angle
    }
}

/// Whether every quote and every angle bracket of the span is closed.
pub(crate) fn is_balanced(text: &[u8], span: Span) -> bool {
    if memchr3(b'"', b'<', b'>', span.of(text)).is_none() {
        return true;
    }
    let mut nesting = Nesting::default();
    for byte in span.of(text) {
        nesting.takes(*byte);
    }
    nesting.is_closed()
}

/// The first byte of a kind that stands outside of quotes and angle brackets.
pub(crate) fn find_outside(text: &[u8], span: Span, wanted: u8) -> Option<usize> {
    let inner = span.of(text);
    let first = memchr(wanted, inner)?;
    if memchr3(b'"', b'<', b'>', &inner[..first]).is_none() {
        return Some(span.start + first);
    }
    let mut nesting = Nesting::default();
    let found = inner
        .iter()
        .position(|byte| nesting.takes(*byte) && *byte == wanted);
    found.map(|found| span.start + found)
}

/// The pieces of a span between separators that stand outside of quotes and angle brackets, without space around
/// them; an empty span has one empty piece.
pub(crate) fn split(text: &[u8], span: Span, separator: u8) -> impl Iterator<Item = Span> {
    let mut rest = Some(span);
    std::iter::from_fn(move || {
        let whole = rest?;
        let end = find_outside(text, whole, separator);
        rest = end.map(|end| Span::new(end + 1, whole.end));
        let piece = Span::new(whole.start, end.unwrap_or(whole.end));
        Some(trim(text, piece))
    })
}

/// One of `;name=value`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parameter {
    pub(crate) name: Span,
    /// None where there is no "=".
    pub(crate) value: Option<Span>,
}

/// The parameters of a span that begins with ";" or is empty.
pub(crate) fn parameters(text: &[u8], span: Span) -> impl Iterator<Item = Parameter> {
    split(text, span, b';').skip(1).map(|piece| {
        let equals = find_outside(text, piece, b'=');
        let name = Span::new(piece.start, equals.unwrap_or(piece.end));
        Parameter {
            name: trim(text, name),
            value: equals.map(|at| trim(text, Span::new(at + 1, piece.end))),
        }
    })
}

/// The first parameter of that name, which is compared without case.
pub(crate) fn parameter(text: &[u8], span: Span, name: &str) -> Option<Parameter> {
    parameters(text, span).find(|one| one.name.of(text).eq_ignore_ascii_case(name.as_bytes()))
}
