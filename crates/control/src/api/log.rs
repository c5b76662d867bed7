//! Which part of the log is wanted.

use serde::{Deserialize, Serialize};

/// Which records of the log are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Only what came after the record of this id.
    pub after: Option<u64>,
    /// Only the last so many of what is there already; what comes later is not counted.
    pub last: Option<usize>,
    /// Only what this service says.
    pub service: Option<String>,
    /// Go on with what comes.
    #[serde(default)]
    pub follow: bool,
}
