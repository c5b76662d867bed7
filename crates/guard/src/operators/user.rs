//! One operator.

use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::password::PasswordHash;
use super::totp::Totp;

/// The most characters of a name.
pub const LONGEST_NAME: usize = 64;

/// What somebody may do; each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look at everything but the users.
    Viewer,
    /// Change the configuration, secrets and bans.
    Operator,
    /// Everything.
    Admin,
}

/// The name of a user: letters of ASCII, digits, `.`, `-`, `_` and `@`, a letter first; capitals are written small.
///
/// Nothing in it can end a line, a tag or a word of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct UserName(String);

/// The text can be no name of a user; whoever wrote it is to blame. It is not repeated: people type passwords into the wrong field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "this is no name for a user; use letters from a to z, digits, \".\", \"-\", \"_\" and \"@\", a letter first, {LONGEST_NAME} \
     characters at the most"
)]
pub struct BadName;

impl UserName {
    /// The name that `text` is.
    ///
    /// # Errors
    /// [`BadName`].
    pub fn new(text: &str) -> Result<Self, BadName> {
        let fits = text.len() <= LONGEST_NAME
            && text.starts_with(|first: char| first.is_ascii_alphabetic())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-_@".contains(&byte));
        if fits {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(BadName)
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for UserName {
    type Error = BadName;

    fn try_from(text: String) -> Result<Self, BadName> {
        Self::new(&text)
    }
}

impl From<UserName> for String {
    fn from(name: UserName) -> Self {
        name.0
    }
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// What he may do.
    pub role: Role,
    /// His password.
    pub password: PasswordHash,
    /// His authenticator app, where he has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub totp: Option<Totp>,
    /// When he was made, in Unix seconds.
    pub created: u64,
    /// When he last signed in, in Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_login: Option<u64>,
}

impl User {
    /// A user who has not signed in yet.
    pub fn new(role: Role, password: PasswordHash, created: u64) -> Self {
        Self {
            role,
            password,
            totp: None,
            created,
            last_login: None,
        }
    }
}
