//! From an error of `httparse` to the reason an operator can use. Never on the common path.

use httparse::Error;

use super::{Malformed, is_token_byte};

/// Who sent a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Request,
    Response,
}

/// Says why `httparse` refused a head.
pub(super) fn diagnose(head: &[u8], error: Error, side: Side) -> Malformed {
    match (error, side) {
        (Error::Version | Error::Status | Error::Token, Side::Response) => Malformed::StatusLine,
        (Error::NewLine, Side::Response) => Malformed::LineEnd,
        (Error::TooManyHeaders, _) => Malformed::TooManyFields,
        (Error::HeaderName | Error::HeaderValue, _) => of_fields(head, error),
        (Error::Token | Error::Version | Error::Status | Error::NewLine, Side::Request) => {
            of_request_line(head, error)
        }
    }
}

fn of_request_line(head: &[u8], error: Error) -> Malformed {
    // A record of type "handshake" and a version that begins with 3 (RFC 8446 section 5.1).
    if let [0x16] | [0x16, 0x03, ..] = head {
        return Malformed::TlsOnPlainPort;
    }
    let line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let mut words = line.split(|&byte| byte == b' ');
    let (method, target, version) = (words.next(), words.next(), words.next());
    let is_token = |word: &[u8]| !word.is_empty() && word.iter().copied().all(is_token_byte);
    let is_graphic = |word: &[u8]| word.iter().all(u8::is_ascii_graphic);
    match (method, target, version) {
        _ if error == Error::NewLine && line.contains(&b'\r') => Malformed::LineEnd,
        (Some(method), _, _) if !is_token(method) => Malformed::Method,
        (_, Some(target), _) if !is_graphic(target) => Malformed::Target,
        (_, None | Some([]), _) | (_, _, None) => Malformed::RequestLine,
        (_, _, Some(b"HTTP/1.0" | b"HTTP/1.1")) if words.next().is_some() => Malformed::RequestLine,
        (_, _, Some(b"HTTP/1.0" | b"HTTP/1.1")) => Malformed::LineEnd,
        _ => Malformed::Version,
    }
}

/// Finds the first field line that is at fault, and says what is wrong with it.
fn of_fields(head: &[u8], error: Error) -> Malformed {
    for line in head.split(|&byte| byte == b'\n').skip(1) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let [b' ' | b'\t', ..] = line {
            return Malformed::Folded;
        }
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        if name.is_empty() || !name.iter().copied().all(is_token_byte) {
            break;
        }
        if line.contains(&b'\r') {
            return Malformed::LineEnd;
        }
    }
    match error {
        Error::HeaderValue => Malformed::FieldValue,
        _ => Malformed::FieldName,
    }
}
