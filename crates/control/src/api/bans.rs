//! Who is banned.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::Moment;

/// One banned client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// The count.
    pub cleared: u64,
}

/// Whose ban is meant.
#[derive(Serialize, Deserialize)]
pub(crate) struct BanQuery {
    pub(crate) client: Option<IpAddr>,
}
