//! Names that hold until a time: `seconds since 1970`, or `seconds:name` (draft-uberti-behave-turn-rest-00 section 2.2).

use aws_lc_rs::hmac;
use data_encoding::BASE64;

use crate::message::Key;

/// A name with a time.
pub(super) struct Name<'a> {
    /// The second from which on it holds no more.
    pub(super) until: u64,
    /// Who has got it; the whole of it where nobody is named.
    pub(super) who: &'a [u8],
}

impl<'a> Name<'a> {
    pub(super) fn of(name: &'a [u8]) -> Option<Self> {
        let mut parts = name.splitn(2, |byte| *byte == b':');
        let digits = parts.next()?;
        if !digits.iter().all(u8::is_ascii_digit) || name.len() > super::LONGEST_NAME {
            return None;
        }
        let until = std::str::from_utf8(digits).ok()?.parse().ok()?;
        let who = parts.next().filter(|who| !who.is_empty());
        let who = who.unwrap_or(name);
        Some(Self { until, who })
    }
}

/// The password of such a name: what `gatehouse token new --turn` hands out.
pub fn password(secret: &str, name: &str) -> String {
    password_of(&Key::new(secret.as_bytes()), name.as_bytes())
}

pub(super) fn password_of(secret: &Key, name: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret.bytes());
    BASE64.encode(hmac::sign(&key, name).as_ref())
}
