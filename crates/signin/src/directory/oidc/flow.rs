//! The login by way of the browser (OIDC Core 1.0 section 3.1) with PKCE (RFC 7636): what is asked, and what comes back.

use super::provider::{ClientProof, Provider};
use super::text::{clean, encode, form, with_query};
use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, BASE64URL_NOPAD as BASE64URL};
use guard::entrance::Typed;
use std::fmt;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// How long a login may take, in seconds: somebody may have to look for his telephone.
pub const PATIENCE: u64 = 600;
/// The longest query that comes back.
const LONGEST_QUERY: usize = 8192;

/// A login under way. What it holds never leaves the box, but for the state and the nonce in the address that the browser
/// is sent to.
pub struct Pending {
    state: String,
    nonce: String,
    verifier: Zeroizing<String>,
    redirect_uri: String,
    begun: u64,
}

impl Pending {
    /// One that begins at `now`, in Unix seconds, and comes back to `redirect_uri`.
    pub(super) fn new(random: &[[u8; 32]; 3], redirect_uri: &str, now: u64) -> Self {
        let [state, nonce, verifier] = random.map(|bytes| BASE64URL.encode(&bytes));
        Self {
            state,
            nonce,
            verifier: Zeroizing::new(verifier),
            redirect_uri: redirect_uri.to_owned(),
            begun: now,
        }
    }

    /// By what it is found again; 43 letters, digits, `-` and `_`.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// Whether it is over at `now`.
    pub fn is_over(&self, now: u64) -> bool {
        now.abs_diff(self.begun) >= PATIENCE
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Where the browser goes.
    pub(super) fn address(&self, provider: &Provider, client: &str, scopes: &[String]) -> String {
        let challenge = digest(&SHA256, self.verifier.as_bytes());
        let pairs = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", &self.redirect_uri),
            ("scope", &scopes.join(" ")),
            ("state", &self.state),
            ("nonce", &self.nonce),
            ("code_challenge", &BASE64URL.encode(challenge.as_ref())),
            ("code_challenge_method", "S256"),
        ];
        with_query(&provider.authorization, &pairs)
    }

    /// The body of the request for a token and, where that is how it is done, the value of its `Authorization` field
    /// (Core 1.0 section 3.1.3.1, RFC 6749 section 2.3.1).
    pub(super) fn token_request(
        &self,
        code: &str,
        client: &str,
        key: &Typed,
        proof: ClientProof,
    ) -> (Typed, Option<Typed>) {
        let mut pairs = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", &self.verifier),
        ];
        let field = match proof {
            ClientProof::Basic => {
                let both = Zeroizing::new(format!("{}:{}", encode(client), encode(key.as_str())));
                Some(Typed::from(format!(
                    "Basic {}",
                    BASE64.encode(both.as_bytes())
                )))
            }
            ClientProof::Post => {
                pairs.push(("client_id", client));
                pairs.push(("client_secret", key.as_str()));
                None
            }
        };
        (Typed::from(form(&pairs)), field)
    }
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("begun", &self.begun)
            .finish_non_exhaustive()
    }
}

/// What the browser brings back from the provider (RFC 6749 sections 4.1.2 and 4.1.2.1).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Callback {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// What a [`Callback`] says, once it is known to belong to a login.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Returned<'a> {
    /// He has signed in, and this proves it.
    Code(&'a str),
    /// He has not: the error, and what can be told of it.
    Refused(&'a str, String),
}

impl Callback {
    /// What the query says, without its "?"; nothing where it says something twice, or is too long.
    pub fn of(query: &str) -> Option<Self> {
        if query.len() > LONGEST_QUERY {
            return None;
        }
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).ok()?;
        let mut callback = Self::default();
        for (name, value) in pairs {
            let place = match &*name {
                "code" => &mut callback.code,
                "state" => &mut callback.state,
                "iss" => &mut callback.iss,
                "error" => &mut callback.error,
                "error_description" => &mut callback.error_description,
                // RFC 6749 section 4.1.2: what is not known is ignored.
                _ => continue,
            };
            if place.replace(value).is_some() {
                return None;
            }
        }
        Some(callback)
    }

    /// Whether it brings a code; else it says why there is none, in words that the browser may have made up.
    pub fn is_code(&self) -> bool {
        self.code.is_some()
    }

    /// By what the login is found that this belongs to.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref()
    }

    /// What it says, if it belongs to `pending` and comes from `issuer`.
    ///
    /// # Errors
    /// Why it does not; whoever sent the browser here is to blame.
    pub(super) fn returned(
        &self,
        pending: &Pending,
        issuer: &str,
        names_itself: bool,
        now: u64,
    ) -> Result<Returned<'_>, &'static str> {
        let state = self.state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(pending.state.as_bytes())) {
            return Err("the answer belongs to another login");
        }
        if pending.is_over(now) {
            return Err("the login has taken too long");
        }
        // RFC 9207 section 2.4: another provider's answer is not taken to this one.
        match &self.iss {
            Some(iss) if iss != issuer => return Err("the answer is from another provider"),
            None if names_itself => {
                return Err("the answer does not say from which provider it is");
            }
            _ => {}
        }
        match (&self.error, self.code.as_deref()) {
            (Some(error), None) => {
                let more = self.error_description.as_deref().unwrap_or_default();
                let told = clean(&format!("{error}: {more}"));
                Ok(Returned::Refused(
                    error,
                    told.trim_end_matches(':').to_owned(),
                ))
            }
            (None, Some(code)) if !code.is_empty() => Ok(Returned::Code(code)),
            _ => Err("the answer holds no code"),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callback")
            .field("error", &self.error.as_deref().map(clean))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
