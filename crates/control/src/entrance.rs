//! Who may use what is published, as the API asks for it.

use std::future::Future;
use std::net::IpAddr;

use crate::{
    AccessKey, AccessKeyMade, Actor, FactorsReset, Htpasswd, Imported, NewAccessKey, NewToken,
    NewVisitor, Refusal, Revoked, SsoEnded, SsoFactor, SsoSession, Token, TokenMade, Visitor,
    VisitorPassword, WhichFactors, WhichSessions,
};

/// Visitors, tokens, keys of applications, and sessions and second factors of users who sign in. Every method acts for whom [`crate::Operators::acting`] has named.
///
/// # Errors
/// Every method refuses by [`Refusal`], whose message is for the operator.
pub trait Entrance: Clone + Send + Sync + 'static {
    /// Whose key this is; `client` is the application's address, which is to blame where it is none's.
    fn authenticate_key(&self, text: &str, client: Option<IpAddr>) -> Result<Actor, Refusal>;

    /// All visitors.
    fn visitors(&self) -> impl Future<Output = Result<Vec<Visitor>, Refusal>> + Send;

    /// Makes a visitor.
    fn add_visitor(
        &self,
        visitor: NewVisitor,
    ) -> impl Future<Output = Result<Visitor, Refusal>> + Send;

    /// Gives a visitor another password.
    fn change_visitor(
        &self,
        name: String,
        password: VisitorPassword,
    ) -> impl Future<Output = Result<Visitor, Refusal>> + Send;

    /// Removes a visitor.
    fn remove_visitor(&self, name: String) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Makes the visitors of a file: all of them, or none.
    fn import_visitors(
        &self,
        file: Htpasswd,
    ) -> impl Future<Output = Result<Imported, Refusal>> + Send;

    /// The tokens of an access; none given: of all.
    fn tokens(
        &self,
        access: Option<String>,
    ) -> impl Future<Output = Result<Vec<Token>, Refusal>> + Send;

    /// Makes a token of an access.
    fn make_token(
        &self,
        access: String,
        token: NewToken,
    ) -> impl Future<Output = Result<TokenMade, Refusal>> + Send;

    /// Revokes a token; where an access is given, only one of that.
    fn revoke_token(
        &self,
        access: Option<String>,
        id: u64,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Revokes all tokens of an access.
    fn revoke_tokens(
        &self,
        access: String,
    ) -> impl Future<Output = Result<Revoked, Refusal>> + Send;

    /// The keys of an access.
    fn keys(&self, access: String) -> impl Future<Output = Result<Vec<AccessKey>, Refusal>> + Send;

    /// Makes a key of an access.
    fn make_key(
        &self,
        access: String,
        key: NewAccessKey,
    ) -> impl Future<Output = Result<AccessKeyMade, Refusal>> + Send;

    /// Revokes a key of an access.
    fn revoke_key(
        &self,
        access: String,
        id: u64,
    ) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// Who has signed in.
    fn sso_sessions(&self) -> impl Future<Output = Result<Vec<SsoSession>, Refusal>> + Send;

    /// Ends sessions of users who have signed in.
    fn end_sso_sessions(
        &self,
        which: WhichSessions,
    ) -> impl Future<Output = Result<SsoEnded, Refusal>> + Send;

    /// Who has a second factor.
    fn sso_factors(&self) -> impl Future<Output = Result<Vec<SsoFactor>, Refusal>> + Send;

    /// Takes second factors away: their users begin anew.
    fn reset_sso_factors(
        &self,
        which: WhichFactors,
    ) -> impl Future<Output = Result<FactorsReset, Refusal>> + Send;
}
