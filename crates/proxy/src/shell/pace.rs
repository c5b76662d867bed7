//! How fast a body moves while only the client is waited for.

use crate::shell::limits::Limits;
use std::time::Duration;
use tokio::time::Instant;

/// Measures it. The time in which the target is waited for does not count, nor that in which
/// nothing is to be moved: a download of events may be silent for hours.
#[derive(Default)]
pub(crate) struct Pace {
    /// How long the client was waited for since `bytes` was noted.
    waited: Duration,
    /// Since when it is waited for.
    since: Option<Instant>,
    bytes: u64,
}

impl Pace {
    /// Whether nobody is waited for.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.since.is_none()
    }

    /// Takes note of whether the client is `waiting`ed for from `now` on, and of all `bytes` that
    /// have moved; false once they were too few over the whole grace.
    pub(crate) fn is_kept(
        &mut self,
        waiting: bool,
        bytes: u64,
        now: Instant,
        limits: &Limits,
    ) -> bool {
        if let Some(since) = self.since.take() {
            self.waited += now - since;
        }
        self.since = waiting.then_some(now);
        if self.waited < limits.body_rate_grace {
            return true;
        }
        let enough = limits.body_rate.saturating_mul(self.waited.as_secs());
        let moved = bytes.saturating_sub(self.bytes);
        self.waited = Duration::ZERO;
        self.bytes = bytes;
        moved >= enough
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_time_in_which_the_client_is_waited_for_counts() {
        let limits = Limits {
            body_rate: 100,
            body_rate_grace: Duration::from_secs(10),
            ..Limits::default()
        };
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pace = Pace::default();
        assert!(pace.is_kept(true, 0, at(0), &limits));
        assert!(pace.is_kept(false, 10, at(9), &limits));
        assert!(
            pace.is_kept(true, 10, at(500), &limits),
            "the target's time"
        );
        assert!(!pace.is_kept(true, 900, at(501), &limits));
        assert!(pace.is_kept(true, 1900, at(511), &limits), "measured anew");
    }
}
