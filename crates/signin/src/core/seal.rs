//! What ties a form to the browser it was shown in, so that no foreign page can send it (login CSRF).

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of the key, and of the value in the cookie.
pub(crate) const BYTES: usize = 32;

/// The key under which the mark of a form is made.
pub(crate) struct Seal([u8; BYTES]);

impl Seal {
    /// The key that these random bytes are.
    pub(crate) fn new(random: [u8; BYTES]) -> Self {
        Self(random)
    }

    /// What the form holds that is shown for `host` to the browser with this cookie.
    pub(crate) fn mark(&self, cookie: &str, host: &str) -> String {
        BASE64URL_NOPAD.encode(&self.mac(cookie, host).finalize().into_bytes())
    }

    /// Whether a form holds that mark; takes equally long wherever it is wrong.
    pub(crate) fn is_mark(&self, mark: &str, cookie: &str, host: &str) -> bool {
        let bytes = BASE64URL_NOPAD.decode(mark.as_bytes());
        bytes.is_ok_and(|bytes| self.mac(cookie, host).verify_slice(&bytes).is_ok())
    }

    fn mac(&self, cookie: &str, host: &str) -> Hmac<Sha256> {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(cookie.as_bytes());
        // No cookie of ours holds it, so that no other pair says the same.
        mac.update(b"\n");
        mac.update(host.as_bytes());
        mac
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_good_for_its_cookie_and_host() {
        let seal = Seal::new([1; BYTES]);
        let mark = seal.mark("cookie", "pbx.example.com");
        assert!(seal.is_mark(&mark, "cookie", "pbx.example.com"));
        for (mark, cookie, host) in [
            (mark.as_str(), "other", "pbx.example.com"),
            (&mark, "cookie", "wiki.example.com"),
            (&mark[1..], "cookie", "pbx.example.com"),
            ("", "cookie", "pbx.example.com"),
            ("ä", "cookie", "pbx.example.com"),
        ] {
            assert!(!seal.is_mark(mark, cookie, host));
        }
        assert!(!Seal::new([2; BYTES]).is_mark(&mark, "cookie", "pbx.example.com"));
        assert_eq!(format!("{seal:?}"), "Seal(..)");
    }
}
