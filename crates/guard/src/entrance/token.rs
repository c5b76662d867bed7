//! Tokens: whoever has one is let in.

use std::fmt;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The number of a token, by which it is listed and revoked; it says nothing of its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TokenId(pub u64);

/// The hash by which a token is known. Its text is random, so that no slow one is needed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// That of a token's text.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> Self {
        HEXLOWER.encode(&hash.0)
    }
}

impl TryFrom<String> for TokenHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        let bytes = HEXLOWER.decode(text.as_bytes()).ok();
        let hash = bytes.and_then(|bytes| bytes.try_into().ok());
        hash.map(Self).ok_or("no SHA-256 hash in hexadecimal")
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(..)")
    }
}

/// A token that is good, as far as the data path needs to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveToken {
    /// Its number.
    pub id: TokenId,
    /// The `[access.NAME]` that it opens.
    pub access: Box<str>,
    /// Its hash.
    pub hash: TokenHash,
    /// When it expires, in Unix seconds; `None`: never.
    pub expires: Option<u64>,
}
