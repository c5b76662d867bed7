//! When a refusal is told: nobody shall see by a clock whether there is such a user.

use std::time::Duration;

/// No refusal is told sooner after it was asked for.
const LEAST: Duration = Duration::from_secs(1);
/// Later ones are told in such steps.
const STEP: Duration = Duration::from_millis(500);

/// How long after the question a refusal is told that was ready after `taken`.
pub(crate) fn until_told(taken: Duration) -> Duration {
    let steps = taken.as_nanos().div_ceil(STEP.as_nanos());
    let steps = u32::try_from(steps).unwrap_or(u32::MAX);
    STEP.saturating_mul(steps).max(LEAST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_are_told_in_steps() {
        for (taken, told) in [
            (0, 1000),
            (3, 1000),
            (1000, 1000),
            (1001, 1500),
            (1500, 1500),
            (4820, 5000),
        ] {
            let told = Duration::from_millis(told);
            assert_eq!(until_told(Duration::from_millis(taken)), told);
        }
        assert!(until_told(Duration::MAX) > LEAST);
    }
}
