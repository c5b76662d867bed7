//! A second factor: what somebody has who signs in, beside his password.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::session::is_name;
use crate::totp::TotpSecret;

/// Whose second factor it is: an access, and a user of it however he writes himself.
///
/// Directories take `Anna`, `ANNA`, `HQ\anna`, `anna@hq.example` and often `ännä` for one user. Were each of them somebody else here, whoever
/// has the password could begin a second factor of his own under another spelling. So case, accents, blanks, and what stands
/// before a `\` or `/` and after an `@` or `%`, tell nobody apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactorKey {
    access: Box<str>,
    user: Box<str>,
}

impl FactorKey {
    /// That of a user as a directory or an operator writes him.
    pub fn of(access: &str, user: &str) -> Self {
        Self {
            access: access.into(),
            user: folded(user).into(),
        }
    }

    /// The `[access.NAME]`.
    pub fn access(&self) -> &str {
        &self.access
    }

    /// The user, without what tells nobody apart.
    pub fn user(&self) -> &str {
        &self.user
    }
}

/// A user at an access, as he is told to people.
impl fmt::Display for FactorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}", self.user, self.access)
    }
}

/// A second factor that has shown its first code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Factor {
    /// The `[access.NAME]`.
    pub access: Box<str>,
    /// The user, as he was called when it began.
    pub user: Box<str>,
    /// What his app has, too.
    pub secret: TotpSecret,
    /// When it began, in Unix seconds.
    pub confirmed: u64,
    /// The step of the last code that was taken: none up to it is taken again.
    pub used: u64,
}

/// What can be no second factor; the directory that named the user is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "a name with a second factor has up to 256 bytes, no control characters, and letters or digits"
)]
pub struct UnfitFactor;

impl Factor {
    /// Whose it is.
    pub fn key(&self) -> FactorKey {
        FactorKey::of(&self.access, &self.user)
    }

    /// Whether it can be one, wherever it comes from.
    ///
    /// # Errors
    /// [`UnfitFactor`].
    pub fn check(&self) -> Result<(), UnfitFactor> {
        let is_sound =
            is_name(&self.access) && is_name(&self.user) && !folded(&self.user).is_empty();
        is_sound.then_some(()).ok_or(UnfitFactor)
    }

    /// Bytes of its names.
    pub(super) fn weight(&self) -> usize {
        self.access.len() + self.user.len()
    }
}

/// A code was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeUsed {
    /// Whose.
    pub key: FactorKey,
    /// Its step.
    pub step: u64,
}

/// A name without what tells nobody apart; empty, where nothing is left.
pub(super) fn folded(user: &str) -> String {
    let plain = |text: &str| -> String {
        let letters = text.nfkd().filter(|char| !is_combining_mark(*char));
        letters
            .filter(|char| char.is_alphanumeric() || char.is_ascii_graphic())
            .collect()
    };
    // Down, up and down again, as "ß" has no capital of its own, and two small letters stand for "Σ".
    let lower = plain(user).to_lowercase();
    let text = plain(&lower.to_uppercase().to_lowercase());
    // What stands behind an "@" is not his, whatever is in it.
    let local = text.split(['@', '%']).next().unwrap_or_default();
    let local = local.rsplit(['\\', '/']).next().unwrap_or_default();
    if local.is_empty() {
        text
    } else {
        local.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_is_one_however_he_writes_himself() {
        for spelling in [
            "anna",
            "ANNA",
            " An\u{a0}na ",
            "HQ\\anna",
            "anna@hq/x1",
            "hq/anna@x\\y",
            "hq/Anna",
            "anna@hq.example",
            "Anna%hq",
            "ännä",
            "a\u{308}nna",
            "ａｎｎａ",
            "an\u{ad}na",
            "an\u{200b}na",
            "HQ\\anna@hq.example",
        ] {
            assert_eq!(
                FactorKey::of("staff", spelling),
                FactorKey::of("staff", "anna"),
                "{spelling}"
            );
        }
        for (one, other, same) in [
            ("strauß", "STRAUSS", true),
            ("ΟΔΥΣΣΕΥΣ", "οδυσσευς", true),
            ("ınci", "inci", true),
            ("a.b", "ab", false),
            ("anna", "anne", false),
            ("@hq", "@lab", false),
            ("李", "王", false),
        ] {
            assert_eq!(folded(one) == folded(other), same, "{one} {other}");
        }
        assert_ne!(
            FactorKey::of("staff", "anna"),
            FactorKey::of("admins", "anna")
        );
        assert_eq!(folded(" \u{301}"), "");
        // Folding what is folded changes nothing.
        for name in ["Straße@hq", "@@a", "a\\b\\", "İnci"] {
            assert_eq!(folded(&folded(name)), folded(name), "{name}");
        }
    }
}
