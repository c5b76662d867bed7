//! Finds one message at the front of a stream.

use super::header::{header, line_end};
use super::{Header, Item, KeepAlive, Limits, MAX_METHOD, Malformed, Message, Name, Start};
use crate::Span;
use crate::lex::{is_space, is_token, is_token_byte, skip_space, trim};

const VERSION: &[u8] = b"SIP/2.0";
/// What a status line begins with.
const STATUS: &[u8] = b"SIP/2.0 ";

/// What the bytes of a stream begin with; none while more bytes are needed.
///
/// A CR LF is given at once, as [`KeepAlive::One`]: it may be the answer that somebody waits for. So the two halves of a
/// ping that come separately are given as two of them.
///
/// # Errors
/// The sender's: no message, and whatever follows does not make it one. Nothing behind it can be framed.
pub fn next<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<Item<'a>>, Malformed> {
    match bytes {
        [] | [b'\r'] => Ok(None),
        [b'\r', b'\n', b'\r', b'\n', ..] => Ok(Some(Item::KeepAlive(KeepAlive::Two))),
        [b'\r', b'\n', ..] => Ok(Some(Item::KeepAlive(KeepAlive::One))),
        _ => Ok(message(bytes, limits)?.map(Item::Message)),
    }
}

fn message<'a>(bytes: &'a [u8], limits: &Limits) -> Result<Option<Message<'a>>, Malformed> {
    let window = &bytes[..bytes.len().min(limits.head)];
    let Some((start, first_header)) = start_line(window)? else {
        return unfinished(bytes, limits);
    };
    let mut found = Found::default();
    let mut at = first_header;
    loop {
        match &window[at..] {
            [b'\r', b'\n', ..] => break,
            // The first line can not be folded.
            [b' ' | b'\t', ..] => return Err(Malformed::Header),
            _ => {}
        }
        let Some((header, next)) = header(window, at)? else {
            return unfinished(bytes, limits);
        };
        found.take(&header, limits)?;
        at = next;
    }
    let head = at + 2;
    let body = found.check(bytes, &start)?;
    let whole = head
        .checked_add(body)
        .filter(|whole| *whole <= limits.message);
    let whole = whole.ok_or(Malformed::TooLong)?;
    Ok(bytes.get(..whole).map(|bytes| Message {
        bytes,
        head,
        start,
        first_header,
        from: found.from.unwrap_or_default(),
        to: found.to.unwrap_or_default(),
        call_id: found.call_id.unwrap_or_default(),
        cseq: found.cseq.unwrap_or_default(),
    }))
}

/// The head has not ended: it still can, or it is too long.
fn unfinished<T>(bytes: &[u8], limits: &Limits) -> Result<Option<T>, Malformed> {
    if bytes.len() >= limits.head {
        Err(Malformed::HeadTooLong)
    } else {
        Ok(None)
    }
}

/// What the first line says, and where the line behind it begins.
fn start_line(bytes: &[u8]) -> Result<Option<(Start<'_>, usize)>, Malformed> {
    let end = line_end(bytes, 0).map_err(|_| Malformed::StartLine)?;
    let line = &bytes[..end.unwrap_or(bytes.len())];
    let line = if end.is_none() {
        line.strip_suffix(b"\r").unwrap_or(line)
    } else {
        line
    };
    if line.iter().any(u8::is_ascii_control) {
        return Err(Malformed::StartLine);
    }
    let common = line.len().min(STATUS.len());
    let is_status = line[..common].eq_ignore_ascii_case(&STATUS[..common]);
    let Some(end) = end else {
        let method = line.split(|byte| *byte == b' ').next().unwrap_or_default();
        let can_be = method.len() <= MAX_METHOD && method.iter().copied().all(is_token_byte);
        return if is_status || can_be && !method.is_empty() {
            Ok(None)
        } else {
            Err(Malformed::StartLine)
        };
    };
    let start = if is_status && common >= VERSION.len() {
        status_line(line)
    } else {
        request_line(line)
    };
    Ok(Some((start.ok_or(Malformed::StartLine)?, end + 2)))
}

/// `SIP/2.0 status reason`; the reason may be missing with the space before it.
fn status_line(line: &[u8]) -> Option<Start<'_>> {
    let rest = line.get(STATUS.len()..)?;
    let (digits, reason) = rest.split_at_checked(3)?;
    let is_apart = reason.is_empty() || reason[0] == b' ';
    if !is_apart || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = digits
        .iter()
        .fold(0, |sum, digit| sum * 10 + u16::from(digit - b'0'));
    (100..700)
        .contains(&status)
        .then_some(Start::Response { status })
}

/// `METHOD uri SIP/2.0` with one space between.
fn request_line(line: &[u8]) -> Option<Start<'_>> {
    let mut words = line.split(|byte| *byte == b' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    let is_uri = !uri.is_empty() && !uri.iter().any(|byte| b"<>\"".contains(byte));
    if words.next().is_some()
        || !version.eq_ignore_ascii_case(VERSION)
        || !is_uri
        || method.len() > MAX_METHOD
        || !is_token(method)
    {
        return None;
    }
    let uri_span = Span::new(method.len() + 1, method.len() + 1 + uri.len());
    let method = std::str::from_utf8(method).ok()?;
    Some(Start::Request { method, uri_span })
}

/// What is remembered of the headers.
#[derive(Default)]
struct Found {
    count: usize,
    from: Option<Span>,
    to: Option<Span>,
    call_id: Option<Span>,
    cseq: Option<Span>,
    has_via: bool,
    has_content_type: bool,
    length: Option<usize>,
}

impl Found {
    fn take(&mut self, header: &Header<'_>, limits: &Limits) -> Result<(), Malformed> {
        self.count += 1;
        if self.count > limits.headers {
            return Err(Malformed::TooManyHeaders);
        }
        let once = |slot: &mut Option<Span>| match slot.replace(header.value_span) {
            None => Ok(()),
            Some(_) => Err(Malformed::Twice),
        };
        // Who reads lengths line by line would see another one.
        if header.name == Name::ContentLength && header.is_folded() {
            return Err(Malformed::ContentLength);
        }
        match header.name {
            Name::From => once(&mut self.from),
            Name::To => once(&mut self.to),
            Name::CallId => once(&mut self.call_id),
            Name::CSeq => once(&mut self.cseq),
            Name::ContentLength => match self.length.replace(content_length(header.value())?) {
                None => Ok(()),
                Some(_) => Err(Malformed::Twice),
            },
            Name::Via => {
                self.has_via = true;
                Ok(())
            }
            Name::ContentType => {
                self.has_content_type = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What every message has; the length of the body.
    fn check(&self, bytes: &[u8], start: &Start<'_>) -> Result<usize, Malformed> {
        let all = [self.from, self.to, self.call_id, self.cseq];
        if !self.has_via || all.iter().any(|one| one.is_none_or(Span::is_empty)) {
            return Err(Malformed::Missing);
        }
        let cseq = self.cseq.unwrap_or_default().of(bytes);
        let (_, of) = split_cseq(cseq).ok_or(Malformed::CSeq)?;
        if matches!(start, Start::Request { method, .. } if *method != of) {
            return Err(Malformed::CSeq);
        }
        match self.length {
            Some(length) => Ok(length),
            None if self.has_content_type => Err(Malformed::NoContentLength),
            None => Ok(0),
        }
    }
}

/// A number of bytes; one that is larger than anything stays so.
fn content_length(value: &[u8]) -> Result<usize, Malformed> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::ContentLength);
    }
    Ok(value.iter().fold(0usize, |sum, digit| {
        sum.saturating_mul(10)
            .saturating_add(usize::from(digit - b'0'))
    }))
}

/// A number below 2^32 and a method.
pub(super) fn split_cseq(value: &[u8]) -> Option<(u32, &str)> {
    let end = value.iter().position(|byte| is_space(*byte))?;
    let digits = value.get(..end)?;
    if !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
    let at = skip_space(value, end, value.len());
    let method = trim(value, Span::new(at, value.len())).of(value);
    if !is_token(method) || method.len() > MAX_METHOD {
        return None;
    }
    Some((number, std::str::from_utf8(method).ok()?))
}
