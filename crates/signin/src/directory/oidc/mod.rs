//! An OIDC provider (Core 1.0): the browser signs in there, and brings back a code that becomes an ID token.
//!
//! ```text
//! begin ─ address ─> browser ─ signs in ─> provider ─ redirect ─> GET /.gatehouse/oidc/callback?code&state ─> finish
//! provider ─ POST /.gatehouse/oidc/logout, logout_token=… ─> logged_out          (Back-Channel Logout 1.0)
//! ```
//!
//! What the browser brings is believed once its state is that of a [`Pending`] login of the same browser ([`Waiting`]), and
//! what the provider says once its signature, its addressee and its nonce are right. What decides is pure: answers, claims and
//! keys know neither a clock nor a socket.
//!
//! Tokens are verified here, with the one library of cryptography that the box has: the crate `openidconnect` brings a second
//! one (`rsa`, with RUSTSEC-2023-0071 and no fixed version, `p256`, `p384`, `ed25519-dalek`).

mod ask;
mod chew;
mod claims;
mod flow;

mod json;
mod jws;
mod keys;
mod known;
mod logout;
mod person;
mod provider;
mod text;
mod waiting;

pub use chew::chew;
pub use flow::{Callback, PATIENCE, Pending};
pub use jws::TokenFault;
pub use logout::LoggedOut;
pub use waiting::{Waiting, Waits};

use super::{Fault, Person};
use ask::{Http, Question};
use claims::{IdToken, Parties, id_token};
use flow::Returned;
use guard::entrance::Typed;
use json::{Object, object};
use known::{Asked, Known};
use logout::{Seen, logout_token};
use net::resolve::Names;
use person::ClaimNames;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use thiserror::Error;

/// A provider, and what was agreed with it.
pub struct Oidc {
    issuer: String,
    client: String,
    key: Typed,
    scopes: Vec<String>,
    claims: ClaimNames,
    provider_logout: bool,
    http: Http,
    asked: Asked,
    seen: Mutex<Seen>,
}

/// How a login ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Finished {
    /// It is he.
    Known(SignedIn),
    /// He was not let in, or this is no answer to the login; for the operator, nothing secret.
    Refused(String),
}

/// Somebody whom the provider knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who it is.
    pub person: Person,
    /// The provider's name of its session (claim `sid`).
    pub issuer_session: Option<String>,
    /// The provider's name of him (claim `sub`).
    pub subject: String,
    /// Until when the ID token is good, in Unix seconds. It says nothing of how long he may stay.
    pub expires: u64,
}

/// A logout is not taken.
#[derive(Debug, Error)]
pub enum LogoutFault {
    /// Its token is not believed; whoever sent it is to blame.
    #[error("the logout token is not believed: {0}")]
    Token(#[from] TokenFault),
    /// The provider's keys can not be had.
    #[error(transparent)]
    Provider(#[from] Fault),
}

impl Oidc {
    /// The provider that `login` names; `roots` is the content of its `issuer_ca`, `key` our client secret there.
    ///
    /// # Errors
    /// [`Fault::Unfit`]: `roots` are none; the configuration's fault.
    pub fn new(
        login: &config::OidcLogin,
        roots: Option<&str>,
        key: Typed,
        names: Names,
    ) -> Result<Self, Fault> {
        let asked = Asked::new(&login.issuer);
        let http = Http::new(roots, names).map_err(|why| asked.unfit(why))?;
        Ok(Self {
            issuer: login.issuer.clone(),
            client: login.client.clone(),
            key,
            scopes: login.scopes.clone(),
            claims: ClaimNames {
                user: login.user_claim.clone(),
                groups: login.groups_claim.clone(),
            },
            provider_logout: login.provider_logout,
            http,
            asked,
            seen: Mutex::default(),
        })
    }

    /// Where a browser goes that wants to sign in and come back to `redirect_uri`, and what has to be kept until then.
    ///
    /// # Errors
    /// [`Fault`]; the provider's. [`Fault::Unfit`], too, if the system gives no randomness.
    pub async fn begin(&self, redirect_uri: &str, now: u64) -> Result<(String, Pending), Fault> {
        let known = self.asked.there(&self.http, now).await?;
        let mut random = [[0; 32]; 3];
        for bytes in &mut random {
            aws_lc_rs::rand::fill(bytes)
                .map_err(|_| self.asked.unfit("the system gives no randomness".into()))?;
        }
        let pending = Pending::new(&random, redirect_uri, now);
        let address = pending.address(&known.provider, &self.client, &self.scopes);
        Ok((address, pending))
    }

    /// What has become of the login `pending`, by what the browser brought back.
    ///
    /// # Errors
    /// [`Fault`]; the provider's.
    pub async fn finish(
        &self,
        pending: &Pending,
        callback: &Callback,
        now: u64,
    ) -> Result<Finished, Fault> {
        let known = self.asked.known(&self.http, now).await?;
        let names_itself = known.provider.names_itself;
        let code = match callback.returned(pending, &self.issuer, names_itself, now) {
            Ok(Returned::Code(code)) => code,
            Ok(Returned::Refused(error, told)) => return self.refused(error, told),
            Err(why) => return Ok(Finished::Refused(why.to_owned())),
        };
        let tokens = match self.tokens(&known, pending, code).await? {
            Ok(tokens) => tokens,
            Err(refused) => return Ok(Finished::Refused(refused)),
        };
        let token = json::text(&tokens, "id_token");
        let token = token.ok_or_else(|| self.asked.unfit("it sent no id_token".into()))?;
        let check =
            |known: &Known| id_token(token, &known.keys, self.parties(), pending.nonce(), now);
        let id = match check(&known) {
            Err(TokenFault::Key) => match self.newer(&known, now).await? {
                Some(newer) => check(&newer),
                None => Err(TokenFault::Key),
            },
            checked => checked,
        };
        let id = id.map_err(|fault| self.asked.unfit(format!("its id_token: {fault}")))?;
        let more = self.more(&known, &id, &tokens).await?;
        let person = self.claims.person(&id.claims, more.as_ref());
        Ok(Finished::Known(SignedIn {
            person: person.map_err(|why| self.asked.unfit(why))?,
            issuer_session: id.session,
            subject: id.subject,
            expires: id.expires,
        }))
    }

    /// Whose sessions end, by a logout token of the provider.
    ///
    /// # Errors
    /// [`LogoutFault`].
    pub async fn logged_out(&self, token: &str, now: u64) -> Result<LoggedOut, LogoutFault> {
        let known = self.asked.known(&self.http, now).await?;
        let check = |known: &Known| logout_token(token, &known.keys, self.parties(), now);
        let token = match check(&known) {
            Err(TokenFault::Key) => match self.newer(&known, now).await? {
                Some(newer) => check(&newer),
                None => Err(TokenFault::Key),
            },
            checked => checked,
        }?;
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.take(&token, now)?;
        Ok(token.whom)
    }

    /// Where a browser goes to sign out at the provider, too (RP-Initiated Logout 1.0), if it offers that and the operator
    /// wants it. From there it comes back to `back`, if the provider knows that address.
    ///
    /// # Errors
    /// [`Fault`]; the provider's.
    pub async fn end_session(&self, back: Option<&str>, now: u64) -> Result<Option<String>, Fault> {
        if !self.provider_logout {
            return Ok(None);
        }
        let known = self.asked.known(&self.http, now).await?;
        Ok(known.provider.end_session.as_ref().map(|address| {
            let mut pairs = vec![("client_id", &*self.client)];
            pairs.extend(back.map(|back| ("post_logout_redirect_uri", back)));
            text::with_query(address, &pairs)
        }))
    }

    fn parties(&self) -> Parties<'_> {
        Parties {
            issuer: &self.issuer,
            client: &self.client,
        }
    }

    async fn newer(&self, known: &Known, now: u64) -> Result<Option<Known>, Fault> {
        self.asked.with_newer_keys(&self.http, known, now).await
    }

    /// An error that the browser brought (RFC 6749 section 4.1.2.1).
    fn refused(&self, error: &str, told: String) -> Result<Finished, Fault> {
        match error {
            "server_error" | "temporarily_unavailable" => Err(self.asked.unreachable(told)),
            "unauthorized_client"
            | "unsupported_response_type"
            | "invalid_scope"
            | "invalid_request" => Err(self.asked.unfit(told)),
            _ => Ok(Finished::Refused(told)),
        }
    }

    /// What a code is exchanged for (Core 1.0 section 3.1.3), or why it is none.
    async fn tokens(
        &self,
        known: &Known,
        pending: &Pending,
        code: &str,
    ) -> Result<Result<Object, String>, Fault> {
        let provider = &known.provider;
        let (form, field) = pending.token_request(code, &self.client, &self.key, provider.client);
        let question = Question {
            form: Some(form),
            authorization: field,
        };
        let answer = self.http.ask(&provider.token, question).await;
        let answer = answer.map_err(|why| self.asked.unreachable(why))?;
        let said = object(&answer.body);
        match (answer.status, said) {
            (200, Some(said)) => Ok(Ok(said)),
            (500.., _) => {
                let why = format!("its token endpoint has status {}", answer.status);
                Err(self.asked.unreachable(why))
            }
            (status, said) => {
                let said = said.unwrap_or_default();
                let part = |name| json::text(&said, name).unwrap_or_default();
                let why = text::clean(&format!("{} {}", part("error"), part("error_description")));
                if part("error") == "invalid_grant" {
                    // Whoever brought a code that is none.
                    return Ok(Err(format!("the provider does not take the code: {why}")));
                }
                let why = format!("its token endpoint has status {status}: {why}");
                Err(self.asked.unfit(text::clean(why.trim_end_matches(": "))))
            }
        }
    }

    /// What the provider knows of him beside the ID token (Core 1.0 section 5.3), where that does not say enough.
    async fn more(
        &self,
        known: &Known,
        id: &IdToken,
        tokens: &Object,
    ) -> Result<Option<Object>, Fault> {
        let token = json::text(tokens, "access_token");
        let (Some(address), Some(token)) = (&known.provider.userinfo, token) else {
            return Ok(None);
        };
        if !self.claims.miss(&id.claims) {
            return Ok(None);
        }
        let question = Question {
            form: None,
            authorization: Some(Typed::from(format!("Bearer {token}"))),
        };
        let answer = self.http.ask(address, question).await;
        let answer = answer.map_err(|why| self.asked.unreachable(why))?;
        if answer.status != 200 {
            let why = format!("its userinfo endpoint has status {}", answer.status);
            return Err(self.asked.unfit(why));
        }
        let said = object(&answer.body);
        let said = said.ok_or_else(|| self.asked.unfit("its userinfo is no JSON object".into()))?;
        // Section 5.3.2: it must be about him.
        if json::text(&said, "sub") != Some(&id.subject) {
            return Err(self
                .asked
                .unfit("its userinfo is about somebody else".into()));
        }
        Ok(Some(said))
    }
}

impl fmt::Debug for Oidc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Oidc")
            .field("issuer", &self.issuer)
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(crate) mod tests;
