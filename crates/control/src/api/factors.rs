//! Second factors of users who sign in.

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::Moment;
use crate::schema::{may_ask, text, yes_or_no};

/// The second factor of a user of an `[access.NAME]` with `totp`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SsoFactor {
    /// The access.
    pub access: String,
    /// Whose it is.
    pub user: String,
    /// When it began.
    pub confirmed: Moment,
    /// When the last code was shown that was taken.
    pub used: Moment,
}

/// What came of a reset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FactorsReset {
    /// So many second factors are gone.
    pub reset: u64,
    /// So many sessions have ended.
    pub ended: u64,
}

/// Which second factors are reset: that of a user, or all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WhichFactors {
    /// That of a user of an access.
    One {
        /// The access.
        access: String,
        /// The user.
        user: String,
    },
    /// All.
    All,
}

/// Which second factors are meant: both of the first two, or the last.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FactorQuery {
    #[serde(skip_serializing_if = "Option::is_none")]
    access: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    all: Option<bool>,
}

impl FactorQuery {
    /// As a request asks.
    pub(crate) fn of(which: &WhichFactors) -> Self {
        match which {
            WhichFactors::One { access, user } => Self {
                access: Some(access.clone()),
                user: Some(user.clone()),
                all: None,
            },
            WhichFactors::All => Self {
                all: Some(true),
                ..Self::default()
            },
        }
    }

    /// What is asked; `None`: too much or too little.
    pub(crate) fn which(self) -> Option<WhichFactors> {
        match (self.access, self.user, self.all) {
            (Some(access), Some(user), None) => Some(WhichFactors::One { access, user }),
            (None, None, Some(true)) => Some(WhichFactors::All),
            _ => None,
        }
    }
}

impl IntoParams for FactorQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            may_ask("access", "The NAME of `[access.NAME]`.", text()),
            may_ask("user", "Whose is reset; with `access`.", text()),
            may_ask("all", "Whether all are reset.", yes_or_no()),
        ]
    }
}
