//! What the command line asks about visitors, tokens, keys and who has signed in.

use hyper::Method;

use crate::api::{FactorQuery, NumberQuery, VisitorQuery, WhichQuery};
use crate::{
    AccessKey, AccessKeyMade, Client, ClientError, FactorsReset, Htpasswd, Imported, NewAccessKey,
    NewToken, NewVisitor, Revoked, SsoEnded, SsoFactor, SsoSession, Token, TokenMade, Visitor,
    VisitorPassword, WhichFactors, WhichSessions,
};

impl Client {
    /// All visitors.
    ///
    /// # Errors
    /// Every method: [`ClientError`].
    pub async fn visitors(&self) -> Result<Vec<Visitor>, ClientError> {
        self.ask(Method::GET, "/v1/visitors", &()).await
    }

    /// Makes a visitor.
    pub async fn add_visitor(&self, visitor: &NewVisitor) -> Result<Visitor, ClientError> {
        self.tell(Method::POST, "/v1/visitors", visitor).await
    }

    /// Gives a visitor another password.
    pub async fn change_visitor(
        &self,
        name: &str,
        password: &VisitorPassword,
    ) -> Result<Visitor, ClientError> {
        let query = serde_urlencoded::to_string(named(name))
            .map_err(|error| ClientError::Protocol(error.to_string()))?;
        let path = format!("/v1/visitors?{query}");
        self.tell(Method::PATCH, &path, password).await
    }

    /// Removes a visitor.
    pub async fn remove_visitor(&self, name: &str) -> Result<(), ClientError> {
        self.ask(Method::DELETE, "/v1/visitors", &named(name)).await
    }

    /// Makes the visitors of a file: all of them, or none.
    pub async fn import_visitors(&self, file: &Htpasswd) -> Result<Imported, ClientError> {
        self.tell(Method::POST, "/v1/visitors/import", file).await
    }

    /// The tokens of an access; none given: of all.
    pub async fn tokens(&self, access: Option<&str>) -> Result<Vec<Token>, ClientError> {
        let path = access.map_or_else(
            || "/v1/tokens".to_owned(),
            |access| of_access(access, "tokens"),
        );
        self.ask(Method::GET, &path, &()).await
    }

    /// Makes a token of an access.
    pub async fn make_token(
        &self,
        access: &str,
        token: &NewToken,
    ) -> Result<TokenMade, ClientError> {
        self.tell(Method::POST, &of_access(access, "tokens"), token)
            .await
    }

    /// Revokes a token.
    pub async fn revoke_token(&self, id: u64) -> Result<(), ClientError> {
        let query = NumberQuery { id };
        self.ask(Method::DELETE, "/v1/tokens", &query).await
    }

    /// Revokes all tokens of an access.
    pub async fn revoke_tokens(&self, access: &str) -> Result<Revoked, ClientError> {
        self.ask(Method::DELETE, &of_access(access, "tokens"), &())
            .await
    }

    /// Who has signed in.
    pub async fn sso_sessions(&self) -> Result<Vec<SsoSession>, ClientError> {
        self.ask(Method::GET, "/v1/sso/sessions", &()).await
    }

    /// Ends sessions of users who have signed in.
    pub async fn end_sso_sessions(&self, which: &WhichSessions) -> Result<SsoEnded, ClientError> {
        let query = WhichQuery::of(which);
        self.ask(Method::DELETE, "/v1/sso/sessions", &query).await
    }

    /// Who has a second factor.
    pub async fn sso_factors(&self) -> Result<Vec<SsoFactor>, ClientError> {
        self.ask(Method::GET, "/v1/sso/factors", &()).await
    }

    /// Takes second factors away.
    pub async fn reset_sso_factors(
        &self,
        which: &WhichFactors,
    ) -> Result<FactorsReset, ClientError> {
        let query = FactorQuery::of(which);
        self.ask(Method::DELETE, "/v1/sso/factors", &query).await
    }

    /// The keys of an access.
    pub async fn keys(&self, access: &str) -> Result<Vec<AccessKey>, ClientError> {
        self.ask(Method::GET, &of_access(access, "keys"), &()).await
    }

    /// Makes a key of an access.
    pub async fn make_key(
        &self,
        access: &str,
        key: &NewAccessKey,
    ) -> Result<AccessKeyMade, ClientError> {
        self.tell(Method::POST, &of_access(access, "keys"), key)
            .await
    }

    /// Revokes a key of an access.
    pub async fn revoke_key(&self, access: &str, id: u64) -> Result<(), ClientError> {
        let path = format!("{}/{id}", of_access(access, "keys"));
        self.ask(Method::DELETE, &path, &()).await
    }
}

fn named(name: &str) -> VisitorQuery {
    VisitorQuery {
        name: name.to_owned(),
    }
}

/// The path of what an access has (RFC 3986 section 2.1).
fn of_access(name: &str, what: &str) -> String {
    let encoded = |byte: u8| match byte {
        b'-' | b'_' | b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    let name: String = name.bytes().map(encoded).collect();
    format!("/v1/access/{name}/{what}")
}
