//! What an ID token must say to be believed (OIDC Core 1.0 section 3.1.3.7).

use super::json::{Object, text};
use super::jws::{TokenFault, verified};
use super::keys::Keys;
use serde_json::Value;
use std::time::Duration;
use subtle::ConstantTimeEq as _;

/// How far two clocks may be apart, in seconds.
pub(super) const LEEWAY: u64 = 60;
/// The longest subject (Core 1.0 section 2), and as much for a session's name.
const LONGEST_NAME: usize = 255;

/// Whom a token is from and for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parties<'a> {
    /// The provider, letter for letter.
    pub(super) issuer: &'a str,
    /// Us.
    pub(super) client: &'a str,
}

/// An ID token that is believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IdToken {
    /// Who it is, by a name that the provider never gives to another one.
    pub(super) subject: String,
    /// The provider's session (Back-Channel Logout 1.0 section 2.1).
    pub(super) session: Option<String>,
    /// Unix seconds.
    pub(super) expires: u64,
    pub(super) claims: Object,
}

/// The ID token that `token` is, for the login with this `nonce`.
///
/// # Errors
/// [`TokenFault`].
pub(super) fn id_token(
    token: &str,
    keys: &Keys,
    parties: Parties<'_>,
    nonce: &str,
    now: u64,
) -> Result<IdToken, TokenFault> {
    read(verified(token, &["jwt"], keys)?, parties, nonce, now)
}

/// The same, of the claims of a token with a right signature.
pub(super) fn read(
    claims: Object,
    parties: Parties<'_>,
    nonce: &str,
    now: u64,
) -> Result<IdToken, TokenFault> {
    addressed(&claims, parties)?;
    issued(&claims, now)?;
    let expires = time(&claims, "exp")?.ok_or(TokenFault::Claim("exp"))?;
    not_over(expires, now)?;
    if let Some(begins) = time(&claims, "nbf")?
        && begins > now.saturating_add(LEEWAY)
    {
        return Err(TokenFault::Early);
    }
    let told = text(&claims, "nonce").ok_or(TokenFault::Claim("nonce"))?;
    if !bool::from(told.as_bytes().ct_eq(nonce.as_bytes())) {
        return Err(TokenFault::Wrong("nonce"));
    }
    Ok(IdToken {
        subject: name(&claims, "sub")?.ok_or(TokenFault::Claim("sub"))?,
        session: name(&claims, "sid")?,
        expires,
        claims,
    })
}

/// Whether it is from the provider and for us.
pub(super) fn addressed(claims: &Object, parties: Parties<'_>) -> Result<(), TokenFault> {
    if text(claims, "iss").ok_or(TokenFault::Claim("iss"))? != parties.issuer {
        return Err(TokenFault::Wrong("iss"));
    }
    let (ours, others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == parties.client, false),
        Some(Value::Array(all)) => (all.iter().any(|one| one == parties.client), all.len() > 1),
        _ => return Err(TokenFault::Claim("aud")),
    };
    if !ours {
        return Err(TokenFault::Wrong("aud"));
    }
    match claims.get("azp") {
        Some(party) if party != parties.client => Err(TokenFault::Wrong("azp")),
        // For several, it must say who has asked for it.
        None if others => Err(TokenFault::Claim("azp")),
        _ => Ok(()),
    }
}

/// When it was issued, which is not in the future; in Unix seconds.
pub(super) fn issued(claims: &Object, now: u64) -> Result<u64, TokenFault> {
    let at = time(claims, "iat")?.ok_or(TokenFault::Claim("iat"))?;
    if at > now.saturating_add(LEEWAY) {
        return Err(TokenFault::Early);
    }
    Ok(at)
}

/// Whether it may be used until after `now`.
pub(super) fn not_over(expires: u64, now: u64) -> Result<(), TokenFault> {
    if expires.saturating_add(LEEWAY) <= now {
        return Err(TokenFault::Over);
    }
    Ok(())
}

/// A point in time (RFC 7519 section 2, `NumericDate`), in whole Unix seconds.
pub(super) fn time(claims: &Object, key: &'static str) -> Result<Option<u64>, TokenFault> {
    let Some(value) = claims.get(key) else {
        return Ok(None);
    };
    let parts = || Duration::try_from_secs_f64(value.as_f64()?).ok();
    let seconds = value.as_u64().or_else(|| Some(parts()?.as_secs()));
    seconds.map(Some).ok_or(TokenFault::Claim(key))
}

/// The name of a subject or session.
pub(super) fn name(claims: &Object, key: &'static str) -> Result<Option<String>, TokenFault> {
    let Some(value) = claims.get(key) else {
        return Ok(None);
    };
    let fits = |name: &&str| {
        !name.is_empty() && name.len() <= LONGEST_NAME && !name.chars().any(char::is_control)
    };
    let name = value.as_str().filter(fits).ok_or(TokenFault::Claim(key))?;
    Ok(Some(name.to_owned()))
}
