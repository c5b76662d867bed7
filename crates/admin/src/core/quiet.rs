//! How often the same kind of news is told: a stranger who repeats it must not wash everything else out of the log.

use std::time::{Duration, Instant};

/// Records in a period.
const MOST: u32 = 10;

/// The period.
const PERIOD: Duration = Duration::from_mins(1);

/// Counts what is told, and what is not.
#[derive(Debug, Default)]
pub(crate) struct Quiet {
    began: Option<Instant>,
    told: u32,
    held_back: u64,
}

impl Quiet {
    /// Whether a record may be told at `now`; then how many were held back since the last one.
    pub(crate) fn may_tell(&mut self, now: Instant) -> Option<u64> {
        let is_over = |began| now.saturating_duration_since(began) >= PERIOD;
        if self.began.is_none_or(is_over) {
            self.began = Some(now);
            self.told = 0;
        }
        if self.told == MOST {
            self.held_back = self.held_back.saturating_add(1);
            return None;
        }
        self.told += 1;
        Some(std::mem::take(&mut self.held_back))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_back_is_told_with_the_next_one() {
        let (mut quiet, begin) = (Quiet::default(), Instant::now());
        let told = (0..1000).filter_map(|_| quiet.may_tell(begin));
        assert_eq!(told.collect::<Vec<_>>(), vec![0; 10]);
        let later = begin + PERIOD;
        assert_eq!(quiet.may_tell(later), Some(990));
        assert_eq!(quiet.may_tell(later), Some(0));
    }
}
