//! Servers that did not answer are asked last for a while, so that not every login waits for them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a server that was silent is asked last.
const LAST: Duration = Duration::from_mins(1);

/// When each server was silent last, if it has not answered since.
pub(super) struct Silence(Mutex<Vec<Option<Instant>>>);

impl Silence {
    /// All of so many servers are believed to answer.
    pub(super) fn new(servers: usize) -> Self {
        Self(Mutex::new(vec![None; servers]))
    }

    /// In which order to ask now.
    pub(super) fn order(&self, now: Instant) -> Vec<usize> {
        let since = self.lock();
        let silent = |index: &usize| {
            let at = since.get(*index).copied().flatten();
            at.is_some_and(|at| now.saturating_duration_since(at) < LAST)
        };
        let (last, mut order): (Vec<_>, Vec<_>) = (0..since.len()).partition(silent);
        order.extend(last);
        order
    }

    /// This one has answered.
    pub(super) fn heard(&self, index: usize) {
        self.set(index, None);
    }

    /// This one has not.
    pub(super) fn unheard(&self, index: usize, now: Instant) {
        self.set(index, Some(now));
    }

    fn set(&self, index: usize, to: Option<Instant>) {
        if let Some(since) = self.lock().get_mut(index) {
            *since = to;
        }
    }

    /// Whoever panicked while he held it has left times, which are as good as any.
    fn lock(&self) -> MutexGuard<'_, Vec<Option<Instant>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_was_silent_is_asked_last_for_a_minute_or_until_he_answers() {
        let start = Instant::now();
        let silence = Silence::new(3);
        assert_eq!(silence.order(start), [0, 1, 2]);
        silence.unheard(0, start);
        assert_eq!(silence.order(start), [1, 2, 0]);
        silence.unheard(1, start + Duration::from_secs(30));
        assert_eq!(silence.order(start + Duration::from_secs(59)), [2, 0, 1]);
        assert_eq!(silence.order(start + LAST), [0, 2, 1]);
        silence.heard(1);
        assert_eq!(silence.order(start + LAST), [0, 1, 2]);
    }
}
