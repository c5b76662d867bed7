//! Paths that two servers could read differently.

use super::Malformed;

/// Makes sure that a raw path (without query) means the same to everybody who reads it.
///
/// Rules match the path as it was sent, and a target may decode, fold or shorten it before it
/// matches its own. So all that can be decoded, folded or shortened into another path is refused:
/// dot segments (also before a path parameter, as in "/..;/", and with encoded spaces), empty segments, backslashes,
/// fragments, and escapes that are broken, encode a slash, a control character or a character that needs
/// none, or hide one behind a second encoding. A rule with `path_policy = "as_is"` leaves this out.
///
/// # Errors
/// The client's, one of the `Path…` reasons.
pub fn path_is_unambiguous(path: &[u8]) -> Result<(), Malformed> {
    let [b'/', rest @ ..] = path else {
        return Err(Malformed::PathRelative);
    };
    let mut rest = rest;
    loop {
        let end = check_segment(rest)?;
        let (segment, tail) = rest.split_at_checked(end).unwrap_or((rest, &[]));
        if is_dots(segment) {
            return Err(Malformed::PathDots);
        }
        match (segment, tail) {
            // The last segment may be empty, the path then ends in "/".
            ([], []) => return Ok(()),
            ([] | [b';', ..], _) => return Err(Malformed::PathEmptySegment),
            (_, []) => return Ok(()),
            (_, [_, tail @ ..]) => rest = tail,
        }
    }
}

/// Checks the bytes up to the next slash; says where it is, or the end.
fn check_segment(path: &[u8]) -> Result<usize, Malformed> {
    for (at, &byte) in path.iter().enumerate() {
        match byte {
            b'/' => return Ok(at),
            b'%' => check_escape(path.get(at..).unwrap_or_default())?,
            b'\\' => return Err(Malformed::PathBackslash),
            b'#' => return Err(Malformed::PathFragment),
            0..=b' ' | 0x7f.. => return Err(Malformed::PathByte),
            _ => {}
        }
    }
    Ok(path.len())
}

/// Whether somebody may take a segment for "." or "..": who cuts parameters, a query or a fragment
/// off after decoding, or strips spaces (Windows strips them together with dots at the end).
fn is_dots(segment: &[u8]) -> bool {
    let mut dots = 0_usize;
    let mut spaces = false;
    let mut rest = segment;
    while let Some((byte, tail)) = decode_wholly(rest) {
        match byte {
            b'.' => dots += 1,
            b' ' => spaces = true,
            b';' | b'?' | b'#' => break,
            _ => return false,
        }
        rest = tail;
    }
    matches!(dots, 1 | 2) || dots > 0 && spaces
}

/// The first character of `text`, however often it is encoded, and what follows.
fn decode_wholly(text: &[u8]) -> Option<(u8, &[u8])> {
    let (&first, mut rest) = text.split_first()?;
    let mut byte = first;
    while byte == b'%'
        && let Some(decoded) = decode_digits(rest)
    {
        byte = decoded;
        rest = rest.get(2..).unwrap_or_default();
    }
    Some((byte, rest))
}

/// Checks an escape, which `text` begins with.
fn check_escape(text: &[u8]) -> Result<(), Malformed> {
    let next = text.get(3..).unwrap_or_default();
    match decode(text).ok_or(Malformed::PathEscape)? {
        b'/' => Err(Malformed::PathEncodedSlash),
        b'\\' => Err(Malformed::PathBackslash),
        0..0x20 | 0x7f => Err(Malformed::PathEncodedControl),
        byte if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') => {
            Err(Malformed::PathEncodedPlain)
        }
        // "%252e", "%25252e" and "%25c0%25ae"; "%2520" is a common mistake, and harmless.
        b'%' => match decode_digits(next) {
            Some(b'.' | b'/' | b'\\' | b'%' | 0..0x20 | 0x7f..) => Err(Malformed::PathDisguised),
            _ => Ok(()),
        },
        // Overlong UTF-8, as in "%c0%ae" for ".".
        lead @ (0xc0 | 0xc1 | 0xe0 | 0xf0) => match (lead, decode(next)) {
            (0xc0 | 0xc1, Some(0x80..=0xbf))
            | (0xe0, Some(0x80..=0x9f))
            | (0xf0, Some(0x80..=0x8f)) => Err(Malformed::PathDisguised),
            _ => Ok(()),
        },
        // No UTF-8 begins so, but some decode what was once meant to, overlong forms included.
        0xf8.. => Err(Malformed::PathDisguised),
        _ => Ok(()),
    }
}

/// The byte that "%XX" at the beginning of `text` stands for.
fn decode(text: &[u8]) -> Option<u8> {
    decode_digits(text.strip_prefix(b"%")?)
}

fn decode_digits(text: &[u8]) -> Option<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let [high, low, ..] = text else { return None };
    Some(digit(*high)? << 4 | digit(*low)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn honest_paths_pass() {
        for path in [
            "/",
            "/PBX0/APPS",
            "/PBX0/ADMIN/",
            "/a.b/..c/d../.e/...",
            "/a%20b",
            "/%C3%BC",
            "/a;b=c/d",
            "/50%25",
            "/a%2520b",
            "/~user",
            "/a:b@c,d+e!f$g&h'(i)*j=k",
            "/%E0%A4%95",
            "/%F0%9F%98%80",
            "/a|b^c{d}`e\"<>",
            "/%22%3C%3E",
            "/%23room:a.b/%3F/%3B/%20",
            "/a%20../..%20b/.%2520b/...;a/..a%3b",
        ] {
            assert_eq!(path_is_unambiguous(path.as_bytes()), Ok(()), "{path}");
        }
    }

    #[test]
    fn others_do_not() {
        let table = [
            ("", Malformed::PathRelative),
            ("a", Malformed::PathRelative),
            ("*", Malformed::PathRelative),
            ("/../", Malformed::PathDots),
            ("/a/..", Malformed::PathDots),
            ("/a/./b", Malformed::PathDots),
            ("/..;/b", Malformed::PathDots),
            ("/.;a=b", Malformed::PathDots),
            ("//", Malformed::PathEmptySegment),
            ("/a//b", Malformed::PathEmptySegment),
            ("/a/;/b", Malformed::PathEmptySegment),
            ("/;", Malformed::PathEmptySegment),
            ("/a\\b", Malformed::PathBackslash),
            ("/a%5cb", Malformed::PathBackslash),
            ("/a%5C..", Malformed::PathBackslash),
            ("/a#b", Malformed::PathFragment),
            ("/a b", Malformed::PathByte),
            ("/a\0b", Malformed::PathByte),
            ("/\u{fc}", Malformed::PathByte),
            ("/%", Malformed::PathEscape),
            ("/%2", Malformed::PathEscape),
            ("/%2/", Malformed::PathEscape),
            ("/%zz", Malformed::PathEscape),
            ("/%u002e", Malformed::PathEscape),
            ("/%2f", Malformed::PathEncodedSlash),
            ("/..%2F", Malformed::PathEncodedSlash),
            ("/%00", Malformed::PathEncodedControl),
            ("/%0d%0a", Malformed::PathEncodedControl),
            ("/%7f", Malformed::PathEncodedControl),
            ("/%2e%2e/", Malformed::PathEncodedPlain),
            ("/.%2E/", Malformed::PathEncodedPlain),
            ("/%61dmin", Malformed::PathEncodedPlain),
            ("/%7Euser", Malformed::PathEncodedPlain),
            ("/%252e", Malformed::PathDisguised),
            ("/%255c", Malformed::PathDisguised),
            ("/%25252e", Malformed::PathDisguised),
            ("/%c0%ae", Malformed::PathDisguised),
            ("/%C1%9C", Malformed::PathDisguised),
            ("/%e0%80%ae", Malformed::PathDisguised),
            ("/..%3b", Malformed::PathDots),
            ("/...%20", Malformed::PathDots),
            ("/..%253Ba/", Malformed::PathDots),
            ("/%25fc", Malformed::PathDisguised),
            ("/%2525252F", Malformed::PathDisguised),
            ("/%ff", Malformed::PathDisguised),
        ];
        for (path, fault) in table {
            assert_eq!(path_is_unambiguous(path.as_bytes()), Err(fault), "{path}");
        }
    }
}
