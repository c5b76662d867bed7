//! What would happen to a request.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::schema::{address, address_or_null, may_ask, must_ask, text};

/// What would happen to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Explanation {
    /// For people, some lines.
    pub text: String,
    /// For programs: whatever the deciding service says of itself.
    #[schema(value_type = Object)]
    pub decision: serde_json::Value,
}

/// Which request is meant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExplainQuery {
    pub(crate) url: String,
    pub(crate) from: Option<IpAddr>,
}

impl IntoParams for ExplainQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        vec![
            must_ask(
                "url",
                "What a client would ask for: an http, https, ws or wss URL.",
                text(),
            ),
            may_ask(
                "from",
                "The address of the client; without it, somewhere outside.",
                address(),
            ),
        ]
    }
}

/// Which request of a client that shows a certificate is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainShown {
    /// What the client would ask for: an http, https, ws or wss URL.
    pub url: String,
    /// The address of the client; without it, somewhere outside.
    #[schema(schema_with = address_or_null)]
    pub from: Option<IpAddr>,
    /// The certificate that it shows and what leads to its CA, in PEM; no key.
    #[schema(min_length = 1, max_length = 65_536)]
    pub certificate: String,
}
