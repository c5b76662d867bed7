//! Who has made a message (RFC 8489 sections 14.5 and 14.6).

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroize;

use super::HEADER;

/// The fewest bytes of SHA-256 that may be there.
pub const SHORTEST_SHA256: usize = 16;

/// By what a message is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digest {
    /// MESSAGE-INTEGRITY.
    Sha1,
    /// MESSAGE-INTEGRITY-SHA256.
    Sha256,
}

impl Digest {
    const fn algorithm(self) -> hmac::Algorithm {
        match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        }
    }

    /// How many bytes it has.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
        }
    }
}

/// What both sides know; see [`crate::credentials`] for where it comes from. Short-term credentials: the password itself.
#[derive(Clone)]
pub struct Key(Vec<u8>);

impl Key {
    /// The key of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this is what the key makes of the message that begins so, up to the attribute itself.
    pub(super) fn has_made(&self, digest: Digest, before: &[u8], told: &[u8]) -> bool {
        self.sign(digest, before, told.len()).is_some_and(|made| {
            let made = made.as_ref().get(..told.len()).unwrap_or_default();
            constant_time::verify_slices_are_equal(made, told).is_ok()
        })
    }

    /// Signs the message that begins so; its length is told as if the attribute, of so many bytes, were its last.
    pub(super) fn sign(&self, digest: Digest, before: &[u8], length: usize) -> Option<hmac::Tag> {
        let end = before.len() + 4 + length;
        let end = u16::try_from(end.checked_sub(HEADER)?).ok()?;
        let mut context = hmac::Context::with_key(&hmac::Key::new(digest.algorithm(), &self.0));
        context.update(before.get(..2)?);
        context.update(&end.to_be_bytes());
        context.update(before.get(4..)?);
        Some(context.sign())
    }
}

impl Drop for Key {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Key(..)")
    }
}
