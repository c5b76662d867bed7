//! How far the word of a process that may have been captured goes.

use std::time::{Duration, Instant};

/// New bans in a minute at the most on hearsay; far above what a small company sees of an attack.
pub const HEARSAY_BANS: u32 = 256;
/// What one reported offence counts at the most.
pub(crate) const WEIGHT: u32 = 5;

const MINUTE: Duration = Duration::from_mins(1);

/// The bans of the current minute.
#[derive(Debug, Default)]
pub(crate) struct Hearsay {
    began: Option<Instant>,
    bans: u32,
    withheld: bool,
}

impl Hearsay {
    /// Counts a ban.
    ///
    /// # Errors
    /// There were enough in this minute; whether this is the first that is withheld.
    pub(crate) fn spend(&mut self, now: Instant) -> Result<(), bool> {
        let fresh = |began: Instant| now.saturating_duration_since(began) < MINUTE;
        if !self.began.is_some_and(fresh) {
            *self = Self {
                began: Some(now),
                ..Self::default()
            };
        }
        if self.bans < HEARSAY_BANS {
            self.bans += 1;
            return Ok(());
        }
        let first = !std::mem::replace(&mut self.withheld, true);
        Err(first)
    }
}
