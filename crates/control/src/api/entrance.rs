//! What the API speaks of where it is about who may use what is published: visitors, tokens, keys of applications, who has signed in.

use std::fmt;
use std::net::IpAddr;

use guard::entrance::LONGEST_NOTE;
use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::operators::UserQuery;
use crate::Moment;
use crate::schema::{address, in_path, may_ask, must_ask, record_id, text, user_name, yes_or_no};

/// Somebody who has a password for what is published, by `[access.NAME]` of the kind "basic".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Visitor {
    /// His name.
    pub name: String,
    /// When he was made.
    pub created: Moment,
    /// Whether his password is kept as another web server has hashed it; that ends when he comes.
    pub imported: bool,
}

/// A visitor to be made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewVisitor {
    /// His name: letters of ASCII, digits, `.`, `-`, `_` and `@`.
    #[schema(schema_with = user_name)]
    pub name: String,
    /// His password.
    pub password: String,
}

/// Another password for a visitor.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VisitorPassword {
    /// The password.
    pub password: String,
}

/// A file of `htpasswd`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Htpasswd {
    /// Its text: a line `NAME:HASH` for each visitor.
    pub text: String,
}

/// The visitors of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Imported {
    /// Their names.
    pub names: Vec<String>,
}

/// A token: whoever has its text is let in by an `[access.NAME]` of the kind "cookie".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Token {
    /// Its number, by which it is revoked.
    pub id: u64,
    /// The access that it opens.
    pub access: String,
    /// When it was made.
    pub created: Moment,
    /// When it expires; none: never.
    pub expires: Option<Moment>,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub by: String,
}

/// A token to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewToken {
    /// For how many seconds it is good; none: until it is revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1)]
    pub expires_seconds: Option<u64>,
    /// What it is for, in 200 characters at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub note: Option<String>,
}

const _: () = assert!(LONGEST_NOTE == 200);

/// A token that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TokenMade {
    /// The token.
    pub token: Token,
    /// The value of the cookie; it is shown this once, and not kept.
    pub text: String,
}

/// How many were revoked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Revoked {
    /// So many.
    pub revoked: u64,
}

/// A key by which an application makes, lists and revokes the tokens of one access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessKey {
    /// Its number, by which it is revoked.
    pub id: u64,
    /// The access.
    pub access: String,
    /// When it was made.
    pub created: Moment,
    /// What it is for.
    pub note: String,
    /// Who made it.
    pub by: String,
}

/// A key to be made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAccessKey {
    /// What it is for, in 200 characters at the most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 200)]
    pub note: Option<String>,
}

/// A key that was made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AccessKeyMade {
    /// The key.
    pub key: AccessKey,
    /// What the application shows as `authorization: Bearer TEXT`; it is shown this once, and not kept.
    pub text: String,
}

/// Somebody who is signed in by an `[access.NAME]` of the kind "sso".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SsoSession {
    /// Its number, by which it is ended.
    pub id: u64,
    /// The access that it opens.
    pub access: String,
    /// Who it is.
    pub user: String,
    /// The groups he is in.
    pub groups: Vec<String>,
    /// Where he has signed in from.
    #[schema(schema_with = address)]
    pub from: IpAddr,
    /// When it began.
    pub begun: Moment,
    /// When it was used last, a minute ago at the most.
    pub used: Moment,
}

/// How many were ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SsoEnded {
    /// So many.
    pub ended: u64,
}

/// Which sessions are ended: one, those of a user, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichSessions {
    /// That of this number.
    One(u64),
    /// Those of a user, of every access.
    OfUser(String),
    /// All.
    All,
}

/// Whoever prints one of these for a look at it must not print what is secret in it.
macro_rules! without_secrets {
    ($($name:ident { $($shown:ident),* })*) => { $(
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))$(.field(stringify!($shown), &self.$shown))*.finish_non_exhaustive()
            }
        }
    )* };
}

without_secrets! {
    NewVisitor { name }
    VisitorPassword {}
    Htpasswd {}
    TokenMade { token }
    AccessKeyMade { key }
}

/// Which visitor is meant.
pub(crate) type VisitorQuery = UserQuery;

/// Which token or key is meant, of all.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NumberQuery {
    pub(crate) id: u64,
}

/// Which sessions are meant: one of these is given.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<bool>,
}

impl WhichQuery {
    /// As a request asks.
    pub(crate) fn of(which: &WhichSessions) -> Self {
        let none = Self::default();
        match which {
            WhichSessions::One(id) => Self {
                id: Some(*id),
                ..none
            },
            WhichSessions::OfUser(user) => Self {
                user: Some(user.clone()),
                ..none
            },
            WhichSessions::All => Self {
                all: Some(true),
                ..none
            },
        }
    }

    /// What is asked; `None`: too much or too little.
    pub(crate) fn which(self) -> Option<WhichSessions> {
        match (self.id, self.user, self.all) {
            (Some(id), None, None) => Some(WhichSessions::One(id)),
            (None, Some(user), None) => Some(WhichSessions::OfUser(user)),
            (None, None, Some(true)) => Some(WhichSessions::All),
            _ => None,
        }
    }
}

/// Whose tokens or keys are meant.
#[derive(Serialize, Deserialize)]
pub(crate) struct AccessPath {
    pub(crate) name: String,
}

/// Which of them.
#[derive(Serialize, Deserialize)]
pub(crate) struct NumberPath {
    pub(crate) name: String,
    pub(crate) id: u64,
}

impl IntoParams for NumberQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![must_ask("id", "The number.", record_id())]
    }
}

impl IntoParams for WhichQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            may_ask("id", "The number of the one that is ended.", record_id()),
            may_ask("user", "Whose sessions are ended.", text()),
            may_ask("all", "Whether all are ended.", yes_or_no()),
        ]
    }
}

impl IntoParams for AccessPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![in_path("name", "The NAME of `[access.NAME]`.", text())]
    }
}

impl IntoParams for NumberPath {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            in_path("name", "The NAME of `[access.NAME]`.", text()),
            in_path("id", "The number.", record_id()),
        ]
    }
}
