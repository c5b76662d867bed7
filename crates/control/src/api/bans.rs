//! Who is banned.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use crate::Moment;
use crate::schema::{address, may_ask};

/// One banned client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Ban {
    /// An IPv4 address, or an IPv6 network of 64 bits.
    pub client: String,
    /// Since when.
    pub since: Moment,
    /// Until when.
    pub until: Moment,
    /// The offences of the minute that led to it.
    pub offences: u32,
}

/// How many bans were lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Cleared {
    /// The count.
    pub cleared: u64,
}

/// Whose ban is meant.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct BanQuery {
    pub(crate) client: Option<IpAddr>,
}

impl IntoParams for BanQuery {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let said =
            "An address; of IPv6, any within the banned /64. Without one, all bans are lifted.";
        vec![may_ask("client", said, address())]
    }
}
