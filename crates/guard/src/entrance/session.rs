//! A session: somebody has signed in, and is let in for a while.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::factor::{CodeUsed, Factor};
use super::factors::MAX_FACTORS;
use super::sessions::MAX_SESSIONS;
use super::token::TokenHash;
use super::tokens::TEXT_BYTES;

/// The most bytes of the name of a user or group, and of what an identity provider calls a session or user (its `sub` has
/// 255 at the most: OpenID Connect Core 1.0 section 2).
pub const LONGEST_SESSION_NAME: usize = 256;
/// The most groups that a session carries.
pub const MOST_GROUPS: usize = 256;
/// The most bytes of all their names together.
pub const LONGEST_GROUPS: usize = 8192;

const PREFIX: &str = "gs";
/// Bytes around a name in JSON.
const QUOTED: usize = 3;
/// Bytes of the fields of a session in JSON, without names.
const FIELDS: usize = 400;
/// Seconds by which the times of a session may lie ahead of the clock: where they do by more, the clock was wrong then, and nobody knows
/// how old it is.
pub const AHEAD: u64 = 300;

/// The text of a session: letters, digits, `-` and `_`, so that it can be the value of a cookie (RFC 6265 section 4.1.1).
pub fn session_text(random: [u8; TEXT_BYTES]) -> String {
    format!("{PREFIX}{}", BASE64URL_NOPAD.encode(&random))
}

/// The number of a session, by which it is listed and ended; it says nothing of its text.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct SessionId(pub u64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its number; later ones have larger ones.
    pub id: SessionId,
    /// The hash of its text.
    pub hash: TokenHash,
    /// The `[access.NAME]` that it opens.
    pub access: Box<str>,
    /// Who has signed in.
    pub user: Box<str>,
    /// The groups he is in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Box<str>>,
    /// Where he has signed in from.
    pub from: IpAddr,
    /// When it began, in Unix seconds.
    pub begun: u64,
    /// When it was used last, in Unix seconds.
    pub used: u64,
    /// What the identity provider calls its own session (`sid`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer_session: Option<Box<str>>,
    /// What the identity provider calls the user (`sub`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Box<str>>,
}

/// Who has signed in, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The `[access.NAME]` that is opened.
    pub access: Box<str>,
    /// Who it is.
    pub user: Box<str>,
    /// The groups he is in.
    pub groups: Vec<Box<str>>,
    /// Where he sits.
    pub from: IpAddr,
    /// What the identity provider calls its own session (`sid`).
    pub issuer_session: Option<Box<str>>,
    /// What the identity provider calls the user (`sub`).
    pub subject: Option<Box<str>>,
}

/// What can be no session; the directory that named the user is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UnfitSession {
    /// A name.
    #[error(
        "a name of a user, group or session has 1 to {LONGEST_SESSION_NAME} bytes, and no control characters"
    )]
    Name,
    /// All groups together.
    #[error(
        "a session has {MOST_GROUPS} groups at the most, and {LONGEST_GROUPS} bytes of their names"
    )]
    Groups,
    /// Its number; nobody is to blame but whoever has given the last one.
    #[error("the numbers of sessions are used up")]
    Number,
}

impl NewSession {
    /// The session that begins `now`, in Unix seconds.
    ///
    /// # Errors
    /// [`UnfitSession`].
    pub fn begin(self, id: SessionId, hash: TokenHash, now: u64) -> Result<Session, UnfitSession> {
        let session = Session {
            id,
            hash,
            access: self.access,
            user: self.user,
            groups: self.groups,
            from: self.from,
            begun: now,
            used: now,
            issuer_session: self.issuer_session,
            subject: self.subject,
        };
        session.check()?;
        Ok(session)
    }
}

impl Session {
    /// Whether it can be one, wherever it comes from.
    ///
    /// # Errors
    /// [`UnfitSession`].
    pub fn check(&self) -> Result<(), UnfitSession> {
        let issuers = [&self.issuer_session, &self.subject];
        let names = [&self.access, &self.user]
            .into_iter()
            .chain(&self.groups)
            .chain(issuers.into_iter().flatten());
        if names.into_iter().any(|name| !is_name(name)) {
            return Err(UnfitSession::Name);
        }
        let groups: usize = self.groups.iter().map(|group| group.len()).sum();
        if self.groups.len() > MOST_GROUPS || groups > LONGEST_GROUPS {
            return Err(UnfitSession::Groups);
        }
        Ok(())
    }

    /// Whether it is one of that user. Directories do not tell Alice from alice.
    pub fn is_of(&self, user: &str) -> bool {
        let lower = |name: &str| {
            name.chars()
                .flat_map(char::to_lowercase)
                .collect::<String>()
        };
        *self.user == *user || (self.user.len() == user.len() && lower(&self.user) == lower(user))
    }

    /// The most bytes that it has as JSON, every character of a name escaped.
    pub(super) fn weight(&self) -> usize {
        let issuers = [&self.issuer_session, &self.subject];
        let issuers = issuers.into_iter().flatten();
        let names = [&self.user, &self.access];
        let names = names.into_iter().chain(&self.groups).chain(issuers);
        let names: usize = names.map(|name| 2 * name.len() + QUOTED).sum();
        names + FIELDS
    }

    /// Whether it is the session that an identity provider means: that of this name, or all of a user.
    pub fn is_of_issuer(&self, issuer_session: Option<&str>, subject: Option<&str>) -> bool {
        let fits = |asked: Option<&str>, has: &Option<Box<str>>| {
            asked.is_none_or(|asked| has.as_deref() == Some(asked))
        };
        // Where the provider has not said what it calls the session, it is one of the user's.
        let known = issuer_session.filter(|_| self.issuer_session.is_some());
        (known.is_some() || subject.is_some())
            && fits(known, &self.issuer_session)
            && fits(subject, &self.subject)
    }
}

pub(super) fn is_name(name: &str) -> bool {
    (1..=LONGEST_SESSION_NAME).contains(&name.len()) && !name.chars().any(char::is_control)
}

/// How long sessions of an access last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionLimits {
    /// Without a request for so long, one ends.
    pub idle: Duration,
    /// After so long it ends in any case.
    pub longest: Duration,
}

impl SessionLimits {
    /// Whether a session that began and was used last then, in Unix seconds, lets in at `now`. Where its times lie far ahead, it does not: the
    /// clock was wrong then, or is now, and will be right again.
    pub fn allow(&self, begun: u64, used: u64, now: u64) -> bool {
        begun.max(used) <= now.saturating_add(AHEAD) && !self.are_over(begun, used, now)
    }

    /// Whether it can be forgotten: it lets in no more, whatever the clock.
    pub fn are_over(&self, begun: u64, used: u64, now: u64) -> bool {
        now.saturating_sub(begun) >= self.longest.as_secs()
            || now.saturating_sub(used) >= self.idle.as_secs()
    }
}

/// The most sessions that begin in one [`SessionNews`].
pub const MOST_BEGUN: usize = 16;

/// What edge tells the supervisor of sessions and second factors: to be believed in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionNews {
    /// Those that began.
    pub begun: Vec<Session>,
    /// Those that ended.
    pub ended: Vec<SessionId>,
    /// Those that were used, and when last, in Unix seconds.
    pub used: Vec<(SessionId, u64)>,
    /// Second factors that began.
    #[serde(default)]
    pub factors: Vec<Factor>,
    /// Codes that were taken.
    #[serde(default)]
    pub codes: Vec<CodeUsed>,
}

impl SessionNews {
    /// Whether it is no longer than what there can be to tell.
    pub fn is_sound(&self) -> bool {
        let most = 2 * MAX_SESSIONS;
        self.begun.len() <= MOST_BEGUN
            && self.ended.len() <= most
            && self.used.len() <= most
            && self.factors.len() <= MAX_FACTORS
            && self.codes.len() <= MAX_FACTORS
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.begun.is_empty()
            && self.ended.is_empty()
            && self.used.is_empty()
            && self.factors.is_empty()
            && self.codes.is_empty()
    }
}
