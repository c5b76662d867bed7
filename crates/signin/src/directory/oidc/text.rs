//! Text of and for strangers: what goes into an address, and what a provider says into a line of ours.

use std::fmt::Write as _;

/// What a stranger's text may take of a sentence of ours.
const LONGEST: usize = 200;

/// Names and values as a query or form has them (application/x-www-form-urlencoded).
pub(super) fn form(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(name, value)| format!("{}={}", encode(name), encode(value)))
        .collect();
    pairs.join("&")
}

/// Everything but what RFC 3986 section 2.3 leaves alone as `%XX`.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// `address` with more in its query.
pub(super) fn with_query(address: &str, pairs: &[(&str, &str)]) -> String {
    let before = if address.contains('?') { '&' } else { '?' };
    format!("{address}{before}{}", form(pairs))
}

/// A stranger's text, fit for a log: one line, no control characters, none that turn the direction of writing, not
/// too long.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::new();
    for c in text.chars() {
        if clean.len() + c.len_utf8() > LONGEST {
            clean.push('…');
            break;
        }
        let turns = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        let c = if c.is_control() || turns { ' ' } else { c };
        if c != ' ' || !clean.ends_with(' ') {
            clean.push(c);
        }
    }
    clean.truncate(clean.trim_end_matches([' ', '.']).len());
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_its_place() {
        let query = form(&[("a", "b&c=d#e+f g/ü"), ("q", "")]);
        assert_eq!(query, "a=b%26c%3Dd%23e%2Bf%20g%2F%C3%BC&q=");
        assert_eq!(
            with_query("https://a/?x=1", &[("b", "c")]),
            "https://a/?x=1&b=c"
        );
        assert_eq!(clean("one\r\n two\u{202e}.\u{7} "), "one two");
        assert!(clean(&"ü".repeat(500)).len() <= LONGEST + 3);
    }
}
