//! Whether a directory answers, and when the operator is told of it.

use std::time::{Duration, Instant};

/// The operator is told no sooner after the last time.
const QUIET: Duration = Duration::from_mins(1);

/// What the operator was told last.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    is_away: bool,
    told: Option<Instant>,
}

impl Standing {
    /// Notes whether it is away, and says whether that is to be told: once for each change, and not more often than
    /// once a minute where it changes all the time.
    pub(crate) fn heard(&mut self, is_away: bool, now: Instant) -> bool {
        let is_early = |told| now.saturating_duration_since(told) < QUIET;
        if is_away == self.is_away || self.told.is_some_and(is_early) {
            return false;
        }
        self.is_away = is_away;
        self.told = Some(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_change_is_told_once() {
        let (mut standing, begin) = (Standing::default(), Instant::now());
        assert!(!standing.heard(false, begin));
        assert!(standing.heard(true, begin));
        assert!(!standing.heard(true, begin + 10 * QUIET));
        assert!(standing.heard(false, begin + 10 * QUIET));
        assert!(!standing.heard(true, begin + 10 * QUIET));
        assert!(standing.heard(true, begin + 11 * QUIET));
    }
}
