//! What is kept about a configuration beside its text.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// One numbered configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Counts from 1; a number is never used twice.
    pub number: u32,
    /// When it was added, in Unix milliseconds.
    pub unix_ms: u64,
    /// Where the text came from: "file", "reload", "rollback to 3".
    pub origin: String,
    /// What became of it.
    pub state: State,
    /// The SHA-256 of the text, in hexadecimal.
    pub sha256: String,
    /// A sentence on why it is in its state, where there is something to say.
    pub note: Option<String>,
}

impl Generation {
    /// Whether it was confirmed, or needed no confirmation.
    pub fn is_confirmed(&self) -> bool {
        self.state == State::Confirmed
    }
}

/// What became of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// In force, but given up at the next start unless somebody confirms it.
    Pending,
    /// Confirmed, or it needed no confirmation. The newest of these is what the box starts with.
    Confirmed,
    /// Was pending and was not confirmed; kept so that the work in it is not lost.
    Reverted,
}

/// The SHA-256 of a text, in hexadecimal.
pub(crate) fn fingerprint(text: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let nibbles = Sha256::digest(text)
        .into_iter()
        .flat_map(|byte| [byte >> 4, byte & 15]);
    nibbles
        .map(|nibble| char::from(DIGITS[usize::from(nibble)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprint_is_sha256() {
        // FIPS 180-4, the example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint(b"abc"), expected);
    }
}
