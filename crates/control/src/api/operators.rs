//! What the API speaks of where it is about operators: users, sessions, the claim of a new box.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::Moment;
use crate::schema::{address_or_null, must_ask, record_id, user_name};

/// What a user may do; each role may do what those before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Look at everything but the users.
    Viewer,
    /// Change the configuration, secrets and bans, and confirm what he changed.
    Operator,
    /// Everything.
    Admin,
}

impl Role {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }
}

impl From<guard::operators::Role> for Role {
    fn from(role: guard::operators::Role) -> Self {
        match role {
            guard::operators::Role::Viewer => Self::Viewer,
            guard::operators::Role::Operator => Self::Operator,
            guard::operators::Role::Admin => Self::Admin,
        }
    }
}

impl From<Role> for guard::operators::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Operator => Self::Operator,
            Role::Admin => Self::Admin,
        }
    }
}

/// Whether the box has operators.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClaimStatus {
    /// Whether somebody has claimed it; then nobody else can.
    pub claimed: bool,
    /// The code to claim it with, for command line and console only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Until when the code can be used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Moment>,
}

/// What makes somebody the first operator of a new box.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Claim {
    /// The code that console and command line show.
    pub code: String,
    /// The name of the new user, who is admin.
    #[schema(schema_with = user_name)]
    pub user: String,
    /// His password.
    pub password: String,
}

/// What signs somebody in.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The name of the user.
    pub user: String,
    /// His password.
    pub password: String,
    /// The code of his authenticator app, or a recovery code; where he has an app.
    #[serde(default)]
    pub code: Option<String>,
}

/// A session that has begun.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionStarted {
    /// What each further request is to bring along as `authorization: Bearer TOKEN`.
    pub token: String,
    /// The session.
    pub session: Session,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// Its name, by which it can be ended but not used.
    pub id: u64,
    /// The user.
    pub user: String,
    /// What he may do.
    pub role: Role,
    /// When it began.
    pub since: Moment,
    /// When it ends if it is not used any more.
    pub ends: Moment,
    /// The browser's address when it began.
    #[schema(schema_with = address_or_null)]
    pub client: Option<IpAddr>,
    /// Whether the user has an authenticator app.
    pub totp: bool,
}

/// A user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// His name.
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// When he was made.
    pub created: Moment,
    /// When he last signed in.
    pub last_login: Option<Moment>,
    /// Whether he has an authenticator app.
    pub totp: bool,
    /// How many of his recovery codes were not used yet.
    pub recovery_codes_left: u64,
}

/// A user to be made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// His name: letters of ASCII, digits, `.`, `-`, `_` and `@`.
    #[schema(schema_with = user_name)]
    pub name: String,
    /// What he may do.
    pub role: Role,
    /// His password.
    pub password: String,
}

/// What shall be different with a user.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserChange {
    /// What he may do from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// His new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// Another password for oneself.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// The present one.
    pub old: String,
    /// The new one.
    pub new: String,
}

/// The present password once more, before something that a forgotten browser must not do.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PasswordProof {
    /// The password.
    pub password: String,
    /// A code of the authenticator app, or a recovery code; where the app is to be ended.
    #[serde(default)]
    pub code: Option<String>,
}

/// A secret for an authenticator app, which is not asked for before a code of it was shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TotpOffer {
    /// As it is typed: base32.
    pub secret: String,
    /// As a QR code says it: `otpauth://totp/…`.
    pub uri: String,
}

/// A code of an authenticator app.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TotpCode {
    /// Six digits.
    pub code: String,
}

/// What lets in whoever loses his authenticator app; shown once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryCodes {
    /// The codes, each good once.
    pub codes: Vec<String>,
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
    ClaimStatus { claimed, expires }
    Claim {}
    Login {}
    SessionStarted { session }
    NewUser { name, role }
    UserChange { role }
    PasswordChange {}
    PasswordProof {}
    TotpOffer {}
    TotpCode {}
    RecoveryCodes {}
}

/// Which session is meant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SessionQuery {
    pub(crate) id: u64,
}

/// Which user is meant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UserQuery {
    pub(crate) name: String,
}

impl IntoParams for SessionQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![must_ask("id", "The name of the session.", record_id())]
    }
}

impl IntoParams for UserQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![must_ask("name", "The name of the user.", user_name())]
    }
}
