//! The called party number of Q.931 (section 4.5.8).

use super::{Alias, NotH323, Read};

/// The number in the element's content: one or two octets about it, then its digits.
pub(super) fn number(content: &[u8]) -> Read<Alias> {
    let ([0x80..=0xff, digits @ ..] | [_, 0x80..=0xff, digits @ ..]) = content else {
        return Err(NotH323::Malformed);
    };
    let is_number = |digit: &u8| digit.is_ascii_digit() || b"#*,".contains(digit);
    if digits.is_empty() || !digits.iter().all(is_number) {
        return Err(NotH323::Alias);
    }
    let digits = digits.iter().copied().map(char::from).collect();
    Ok(Alias::Digits(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_stands_behind_what_is_said_about_it() {
        let digits = Ok(Alias::Digits("0711".to_owned()));
        assert_eq!(number(b"\x810711"), digits);
        assert_eq!(number(b"\x01\x800711"), digits);
        assert_eq!(number(b"\x81"), Err(NotH323::Alias));
        assert_eq!(number(b"\x81hq"), Err(NotH323::Alias));
        assert_eq!(number(b""), Err(NotH323::Malformed));
        assert_eq!(number(b"0711"), Err(NotH323::Malformed));
    }
}
