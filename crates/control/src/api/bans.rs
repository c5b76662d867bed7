//! Who is banned.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::{IntoParams, ToSchema};

use super::whole;
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
    /// Whether an operator banned it; `ban_for` does not count for it then.
    #[serde(default)]
    #[schema(required)]
    pub by_hand: bool,
}

/// A ban by an operator's hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBan {
    /// Who is banned: an IPv4 address, or any of the IPv6 network of 64 bits.
    #[schema(schema_with = address)]
    pub client: IpAddr,
    /// For how long, in seconds: a minute to 30 days.
    #[serde(deserialize_with = "whole::number")]
    #[schema(minimum = 60, maximum = 2_592_000)]
    pub seconds: u32,
    /// Why, for the log; at most 200 characters.
    #[schema(min_length = 1, max_length = 200)]
    pub reason: String,
}

impl NewBan {
    /// For how long, in seconds.
    pub const SECONDS: RangeInclusive<u32> = 60..=30 * 86_400;
    /// Characters of the reason.
    pub const LONGEST_REASON: usize = 200;

    /// What is wrong with it, and what would be right.
    pub(crate) fn fault(&self) -> Option<String> {
        let seconds = self.seconds;
        if !Self::SECONDS.contains(&seconds) {
            let text = "a ban by hand takes a minute (60) to 30 days (2592000)";
            return Some(format!("{seconds} seconds: {text}"));
        }
        let length = self.reason.chars().count();
        (!(1..=Self::LONGEST_REASON).contains(&length)).then(|| {
            format!(
                "the reason has {length} characters, 1 to {} are taken",
                Self::LONGEST_REASON
            )
        })
    }
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
