//! `Authorization: Basic` (RFC 7617).

use data_encoding::{BASE64, BASE64_NOPAD};
use std::fmt;
use zeroize::{Zeroize as _, Zeroizing};

/// The most bytes of user and password together.
const LONGEST: usize = 512;

/// A user and a password that a client has sent. Has no debug form, and is wiped from memory when it is not needed any more.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicCredentials {
    text: Zeroizing<String>,
    colon: usize,
}

impl BasicCredentials {
    /// Those of the value of an `Authorization` field: `None` where it is of another scheme.
    ///
    /// # Errors
    /// It is of this scheme, and its text is not base64, too long, without a colon, or has control characters; the client is to
    /// blame.
    pub fn read(value: &[u8]) -> Option<Result<Self, BadCredentials>> {
        let rest = basic(value)?;
        Some(Self::decoded(rest).ok_or(BadCredentials))
    }

    /// The user: what stands before the first colon.
    pub fn user(&self) -> &str {
        self.text.get(..self.colon).unwrap_or_default()
    }

    /// The password.
    pub fn password(&self) -> &str {
        self.text.get(self.colon + 1..).unwrap_or_default()
    }

    fn decoded(token: &[u8]) -> Option<Self> {
        if token.len() > LONGEST.div_ceil(3) * 4 {
            return None;
        }
        let decoded = BASE64.decode(token).or_else(|_| BASE64_NOPAD.decode(token));
        let decoded = decoded.ok().filter(|bytes| bytes.len() <= LONGEST)?;
        // Old clients write Latin-1, whatever we ask for (RFC 7617 section 2.1, `charset`).
        let text = Zeroizing::new(match String::from_utf8(decoded) {
            Ok(text) => text,
            Err(error) => {
                let mut bytes = error.into_bytes();
                let text = bytes.iter().map(|byte| char::from(*byte)).collect();
                bytes.zeroize();
                text
            }
        });
        let colon = text.find(':')?;
        (!text.chars().any(char::is_control)).then_some(Self { text, colon })
    }
}

/// Whether the value of an `Authorization` field is of the Basic scheme, whatever follows.
pub fn is_basic(value: &[u8]) -> bool {
    basic(value).is_some()
}

/// What follows the scheme `Basic`, in any case.
fn basic(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(5)?;
    let separated = rest.first().is_none_or(|byte| matches!(byte, b' ' | b'\t'));
    (separated && scheme.eq_ignore_ascii_case(b"basic")).then(|| rest.trim_ascii())
}

/// The field is of the Basic scheme, and what follows can not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("user and password can not be read")]
pub struct BadCredentials;

impl fmt::Debug for BasicCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BasicCredentials(..)")
    }
}

/// A challenge for user and password: the value of `WWW-Authenticate`. Of `realm`, what can not stand in a header is left out.
pub fn basic_challenge(realm: &str) -> String {
    let shown = realm.chars().filter(|c| !c.is_control() && c.is_ascii());
    let mut quoted = String::with_capacity(realm.len());
    for character in shown {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    format!("Basic realm=\"{quoted}\", charset=\"UTF-8\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Option<Result<(String, String), BadCredentials>> {
        let read = BasicCredentials::read(value.as_bytes())?;
        Some(read.map(|found| (found.user().to_owned(), found.password().to_owned())))
    }

    fn of(text: &[u8]) -> String {
        format!("Basic {}", BASE64.encode(text))
    }

    #[test]
    fn user_and_password_are_parted_at_the_first_colon() {
        let found = |user: &str, password: &str| Some(Ok((user.to_owned(), password.to_owned())));
        assert_eq!(
            read("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            found("Aladdin", "open sesame")
        );
        assert_eq!(
            read("basic  QWxhZGRpbjpvcGVuIHNlc2FtZQ"),
            found("Aladdin", "open sesame")
        );
        assert_eq!(read(&of(b"a:b:c")), found("a", "b:c"));
        assert_eq!(read(&of(b":")), found("", ""));
        assert_eq!(read(&of("ä:ö".as_bytes())), found("ä", "ö"));
        assert_eq!(read(&of(b"\xe4:\xf6")), found("ä", "ö"));
    }

    #[test]
    fn what_can_not_be_read_is_told_from_what_is_not_for_us() {
        for other in [
            "",
            "Bas",
            "Bearer x",
            "Basically QTpi",
            "Negotiate YII",
            "Basic\u{c}QTpi",
        ] {
            assert_eq!(read(other), None, "{other}");
        }
        let long = of(&[b'a'; LONGEST + 1]);
        let control = of(b"a:\n");
        for bad in [
            "Basic",
            "Basic ",
            "Basic ?",
            "Basic QTpi QTpi",
            "Basic QQ==",
            &long,
            &control,
        ] {
            assert_eq!(read(bad), Some(Err(BadCredentials)), "{bad}");
            assert!(is_basic(bad.as_bytes()));
        }
        let mut longest = vec![b'a'; LONGEST];
        longest[0] = b':';
        assert!(read(&of(&longest)).unwrap().is_ok());
    }

    #[test]
    fn a_challenge_can_not_be_broken_out_of() {
        assert_eq!(
            basic_challenge("A \"b\\\r\nX: y ü"),
            "Basic realm=\"A \\\"b\\\\X: y \", charset=\"UTF-8\""
        );
    }
}
