//! Paths that two servers could read differently.

use super::Malformed;

/// Makes sure that a raw path (without query) means the same to everybody who reads it.
///
/// Rules match the path as it was sent, and a target may decode, fold or shorten it before it
/// matches its own. So all that can be decoded, folded or shortened into another path is refused:
/// dot segments (also before a path parameter, as in "/..;/"), empty segments, backslashes,
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
        let name = match segment.iter().position(|&byte| byte == b';') {
            Some(parameters) => segment.get(..parameters).unwrap_or_default(),
            None => segment,
        };
        match (name, tail) {
            (b"." | b"..", _) => return Err(Malformed::PathDots),
            // The last segment may be empty, the path then ends in "/".
            ([], []) if segment.is_empty() => return Ok(()),
            ([], _) => return Err(Malformed::PathEmptySegment),
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
        // "%252e" and "%25252e"; "%2520" is a common mistake, and harmless.
        b'%' => match decode_digits(next) {
            Some(b'.' | b'/' | b'\\' | b'%' | 0..0x20 | 0x7f) => Err(Malformed::PathDisguised),
            _ => Ok(()),
        },
        // Overlong UTF-8, as in "%c0%ae" for ".".
        lead @ (0xc0 | 0xc1 | 0xe0 | 0xf0) => match (lead, decode(next)) {
            (0xc0 | 0xc1, Some(0x80..=0xbf))
            | (0xe0, Some(0x80..=0x9f))
            | (0xf0, Some(0x80..=0x8f)) => Err(Malformed::PathDisguised),
            _ => Ok(()),
        },
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
        ];
        for (path, fault) in table {
            assert_eq!(path_is_unambiguous(path.as_bytes()), Err(fault), "{path}");
        }
    }
}
