//! The provider ends a session (OIDC Back-Channel Logout 1.0).

use super::claims::{LEEWAY, Parties, addressed, issued, name, not_over, time};
use super::json::Object;
use super::jws::{TokenFault, verified};
use super::keys::Keys;
use std::collections::VecDeque;

/// The event that a logout token tells of.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// How long after it was issued one that does not say until when it may be used is taken; in seconds.
const LIFE: u64 = 300;
/// The most tokens remembered.
const MOST: usize = 1024;

/// Whose sessions the provider has ended; at least one of both is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedOut {
    /// The one session (claim `sid`), or all of the subject.
    pub issuer_session: Option<String>,
    /// Who has been signed in (claim `sub`).
    pub subject: Option<String>,
}

/// A logout token that is believed if it was not seen before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LogoutToken {
    pub(super) whom: LoggedOut,
    pub(super) id: String,
    /// When it is worth nothing by itself; Unix seconds.
    pub(super) over: u64,
}

/// The logout token that `token` is (section 2.6).
///
/// # Errors
/// [`TokenFault`].
pub(super) fn logout_token(
    token: &str,
    keys: &Keys,
    parties: Parties<'_>,
    now: u64,
) -> Result<LogoutToken, TokenFault> {
    let claims = verified(token, &["jwt", "logout+jwt"], keys)?;
    read(&claims, parties, now)
}

/// The same, of the claims of a token with a right signature.
pub(super) fn read(
    claims: &Object,
    parties: Parties<'_>,
    now: u64,
) -> Result<LogoutToken, TokenFault> {
    addressed(claims, parties)?;
    let oldest = issued(claims, now)?.saturating_add(LIFE);
    let expires = time(claims, "exp")?.unwrap_or(oldest);
    not_over(expires, now)?;
    let events = claims.get("events").and_then(|events| events.as_object());
    let event = events.and_then(|events| events.get(EVENT)?.as_object());
    event.ok_or(TokenFault::Claim("events"))?;
    // An ID token must never do for one of these.
    if claims.contains_key("nonce") {
        return Err(TokenFault::Wrong("nonce"));
    }
    let whom = LoggedOut {
        issuer_session: name(claims, "sid")?,
        subject: name(claims, "sub")?,
    };
    if whom.issuer_session.is_none() && whom.subject.is_none() {
        return Err(TokenFault::Claim("sub"));
    }
    Ok(LogoutToken {
        whom,
        id: name(claims, "jti")?.ok_or(TokenFault::Claim("jti"))?,
        over: expires.saturating_add(LEEWAY),
    })
}

/// The logout tokens that were taken and could come again.
#[derive(Debug, Default)]
pub(super) struct Seen(VecDeque<(String, u64)>);

impl Seen {
    /// Remembers a token.
    ///
    /// # Errors
    /// [`TokenFault::Again`].
    pub(super) fn take(&mut self, token: &LogoutToken, now: u64) -> Result<(), TokenFault> {
        self.0.retain(|(_, over)| *over > now);
        if self.0.iter().any(|(id, _)| *id == token.id) {
            return Err(TokenFault::Again);
        }
        // Only the provider can fill this, and what is told again ends a session that has ended already.
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        self.0.push_back((token.id.clone(), token.over));
        Ok(())
    }
}
