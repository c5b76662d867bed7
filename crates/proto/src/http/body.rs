//! How long a body is (RFC 9112 section 6.3).

use super::Malformed;

/// How the body of a request is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body, and nothing said about one.
    None,
    /// So many bytes; zero if the head says so.
    Length(u64),
    /// Chunks, and trailers after them.
    Chunked,
}

/// How the body of a response is framed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseFraming {
    /// No body follows, whatever the fields say about the one that a GET would have had.
    None,
    /// So many bytes.
    Length(u64),
    /// Chunks, and trailers after them.
    Chunked,
    /// All that comes until the target closes.
    UntilClose,
}

/// Reads a Content-Length: one decimal number below 2^63 without sign, list or leading zero.
pub(super) fn content_length(value: &[u8]) -> Result<u64, Malformed> {
    let plain = value == b"0" || value.first().is_some_and(|&digit| digit != b'0');
    if !plain || value.len() > 19 {
        return Err(Malformed::ContentLength);
    }
    let mut length = 0_u64;
    for &byte in value {
        if !byte.is_ascii_digit() {
            return Err(Malformed::ContentLength);
        }
        // Nineteen digits stay below 10^19, which fits.
        length = length * 10 + u64::from(byte - b'0');
    }
    if length > i64::MAX.unsigned_abs() {
        return Err(Malformed::ContentLength);
    }
    Ok(length)
}

/// Reads a Transfer-Encoding: a single `chunked`, for nothing else is read alike by everybody.
pub(super) fn is_chunked(value: &[u8]) -> Result<bool, Malformed> {
    if value.eq_ignore_ascii_case(b"chunked") {
        Ok(true)
    } else {
        Err(Malformed::TransferEncoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_plain_numbers() {
        for (text, length) in [("0", 0), ("5", 5), ("1234567890", 1_234_567_890)] {
            assert_eq!(content_length(text.as_bytes()), Ok(length));
        }
        assert_eq!(content_length(b"9223372036854775807"), Ok(u64::MAX / 2));
        for text in [
            "",
            "+5",
            "-5",
            "0x5",
            "5,5",
            " 5",
            "5 ",
            "05",
            "00",
            "5.",
            "५",
            "9223372036854775808",
            "99999999999999999999",
        ] {
            assert_eq!(
                content_length(text.as_bytes()),
                Err(Malformed::ContentLength),
                "{text}"
            );
        }
    }
}
