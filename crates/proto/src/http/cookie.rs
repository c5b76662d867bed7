//! The cookies of a request (RFC 6265 section 4.2).

use super::{Fields, Name};

/// The values of all cookies called `name`, in order, without quotes around them. Names are compared byte by byte.
pub fn cookies<'b, 'n>(
    fields: &'n Fields<'b>,
    name: &'n str,
) -> impl Iterator<Item = &'b [u8]> + 'n {
    fields
        .all(Name::Cookie)
        .flat_map(pairs)
        .filter(move |pair| pair.name == name.as_bytes())
        .map(|pair| unquoted(pair.value))
}

/// Appends one `Cookie` field with all cookies that `keep` wants by their names, or nothing if there is none.
pub fn write_cookies(out: &mut Vec<u8>, fields: &Fields<'_>, keep: impl Fn(&[u8]) -> bool) {
    let mut begun = false;
    for pair in fields.all(Name::Cookie).flat_map(pairs) {
        if !keep(pair.name) {
            continue;
        }
        out.extend_from_slice(if begun { b"; " } else { b"Cookie: " });
        out.extend_from_slice(pair.text);
        begun = true;
    }
    if begun {
        out.extend_from_slice(b"\r\n");
    }
}

/// One cookie; what has no "=" is all name, as some servers take it.
struct Pair<'b> {
    text: &'b [u8],
    name: &'b [u8],
    value: &'b [u8],
}

fn pairs(value: &[u8]) -> impl Iterator<Item = Pair<'_>> {
    let texts = value.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
    texts.filter(|text| !text.is_empty()).map(|text| {
        let equals = text.iter().position(|byte| *byte == b'=');
        let (name, value) = match equals {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, &[] as &[u8]),
        };
        Pair {
            text,
            name: name.trim_ascii(),
            value: value.trim_ascii(),
        }
    })
}

fn unquoted(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inner @ .., b'"'] => inner,
        _ => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, request};

    fn head(lines: &str) -> Vec<u8> {
        format!("GET / HTTP/1.1\r\nHost: a\r\n{lines}\r\n").into_bytes()
    }

    #[test]
    fn cookies_are_found_by_their_whole_name() {
        for (lines, expected) in [
            ("", vec![]),
            ("Cookie: AUTH=x\r\n", vec!["x"]),
            ("cookie: a=1; AUTH=x;b=2\r\n", vec!["x"]),
            (
                "Cookie: AUTH=x; AUTH=\"y\"\r\nCookie: AUTH=z=\r\n",
                vec!["x", "y", "z="],
            ),
            ("Cookie: XAUTH=x; AUTHX=y; auth=z; AUTH\r\n", vec![""]),
            ("Cookie:  ;; AUTH = x ;=;\r\n", vec!["x"]),
            ("Cookie: AUTH=\"\r\n", vec!["\""]),
        ] {
            let head = head(lines);
            let request = request(&head, &Limits::default()).unwrap().unwrap();
            let found: Vec<&[u8]> = cookies(&request.fields, "AUTH").collect();
            let expected: Vec<&[u8]> = expected.iter().map(|text| text.as_bytes()).collect();
            assert_eq!(found, expected, "{lines}");
        }
    }

    #[test]
    fn what_is_taken_out_leaves_the_rest_in_one_field() {
        for (lines, expected) in [
            ("", ""),
            ("Cookie: AUTH=x\r\n", ""),
            ("Cookie: a=1; AUTH=x; b=2\r\n", "Cookie: a=1; b=2\r\n"),
            (
                "Cookie: a=\"1;2\"\r\nCookie: AUTH=x\r\nCookie: b\r\n",
                "Cookie: a=\"1; 2\"; b\r\n",
            ),
        ] {
            let head = head(lines);
            let request = request(&head, &Limits::default()).unwrap().unwrap();
            let mut out = Vec::new();
            write_cookies(&mut out, &request.fields, |name| name != b"AUTH");
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{lines}");
        }
    }
}
