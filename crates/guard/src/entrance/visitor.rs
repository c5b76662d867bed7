//! Passwords of visitors, in every form in which they are kept.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::legacy::Legacy;
use crate::operators::PasswordHash;

/// The hash of a visitor's password, as text in the form that its prefix names.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum VisitorHash {
    /// What the box itself makes: argon2id.
    Argon2(PasswordHash),
    /// What another web server made: good until the visitor comes with his password, which is hashed anew then.
    Legacy(Legacy),
}

impl VisitorHash {
    /// A hash that no password has, for visitors that there are not: they shall cost as much as others.
    pub fn of_nobody() -> Self {
        Self::Argon2(PasswordHash::of_nobody())
    }

    /// Whether `password` has this hash; takes a hundredth of a second and more, but for hashes that were imported.
    pub fn matches(&self, password: &str) -> bool {
        match self {
            Self::Argon2(hash) => hash.matches(password),
            Self::Legacy(hash) => hash.matches(password),
        }
    }

    /// Whether it is to be made anew, the next time its password is at hand.
    pub fn is_outdated(&self) -> bool {
        match self {
            Self::Argon2(hash) => hash.is_outdated(),
            Self::Legacy(_) => true,
        }
    }

    /// The hash that `text` is.
    ///
    /// # Errors
    /// What it is instead; nothing of it is repeated.
    pub fn read(text: &str) -> Result<Self, &'static str> {
        if text.starts_with("$argon2") {
            PasswordHash::try_from(text.to_owned()).map(Self::Argon2)
        } else {
            Legacy::read(text).map(Self::Legacy)
        }
    }
}

impl From<VisitorHash> for String {
    fn from(hash: VisitorHash) -> Self {
        match hash {
            VisitorHash::Argon2(hash) => hash.into(),
            VisitorHash::Legacy(hash) => hash.to_string(),
        }
    }
}

impl TryFrom<String> for VisitorHash {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, &'static str> {
        Self::read(&text)
    }
}

impl fmt::Debug for VisitorHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VisitorHash(..)")
    }
}
