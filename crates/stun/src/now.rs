//! The time, as the caller tells it.

use std::time::Duration;

/// What time it is. Both parts only ever grow, the first one evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Since some moment that is the same for all who share a key of nonces.
    pub running: Duration,
    /// Seconds since 1970, for credentials that end at a time.
    pub unix: u64,
}

impl Now {
    /// Whole seconds since the beginning, in the short form in which they are kept.
    pub(crate) fn seconds(self) -> u32 {
        u32::try_from(self.running.as_secs()).unwrap_or(u32::MAX)
    }

    /// Milliseconds since the beginning.
    pub(crate) fn milliseconds(self) -> u64 {
        u64::try_from(self.running.as_millis()).unwrap_or(u64::MAX)
    }
}
