//! Secrets, which go in and never come out.

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::schema::{must_ask, secret_name};

/// A secret on its way into the store; there is no way out.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Secret {
    /// The name the configuration refers to.
    #[schema(schema_with = secret_name)]
    pub name: String,
    /// The value; at most 64 KiB.
    #[schema(min_length = 1, max_length = 65_536)]
    pub value: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Which secret is meant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SecretQuery {
    pub(crate) name: String,
}

impl IntoParams for SecretQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![must_ask("name", "The name of the secret.", secret_name())]
    }
}
