//! What would happen to a request.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// What would happen to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// For people, some lines.
    pub text: String,
    /// For programs: whatever the deciding service says of itself.
    pub decision: serde_json::Value,
}

/// Which request is meant.
#[derive(Serialize, Deserialize)]
pub(crate) struct ExplainQuery {
    pub(crate) url: String,
    pub(crate) from: Option<IpAddr>,
}
