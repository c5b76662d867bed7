//! How much may pass: a bucket that fills with time.

/// Holds at most one second's worth; the rate is the caller's, so that it can change and takes no room.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    held: u32,
    /// Milliseconds, cut to 32 bits: a bucket that nobody has asked for weeks may be believed to be less full than it is.
    asked: u32,
}

impl Bucket {
    /// A full one.
    pub(super) const fn full(per_second: u32, milliseconds: u64) -> Self {
        Self {
            held: per_second,
            asked: cut(milliseconds),
        }
    }

    /// Takes so many; false: there are not so many, and none is taken.
    pub(super) fn take(&mut self, amount: u32, per_second: u32, milliseconds: u64) -> bool {
        let now = cut(milliseconds);
        let passed = u64::from(now.wrapping_sub(self.asked));
        if passed > 0 {
            self.fill(passed, per_second, now);
        }
        match self.held.checked_sub(amount) {
            Some(rest) => {
                self.held = rest;
                true
            }
            None => false,
        }
    }

    fn fill(&mut self, passed: u64, per_second: u32, now: u32) {
        let rate = u64::from(per_second);
        let held = u64::from(self.held) + rate * passed / 1000;
        self.held = u32::try_from(held.min(rate)).unwrap_or(per_second);
        // What has not filled a whole one counts next time; what was too much does not.
        let left = if held < rate { rate * passed % 1000 } else { 0 };
        let left = left.checked_div(rate).unwrap_or(0);
        self.asked = now.wrapping_sub(u32::try_from(left).unwrap_or(0));
    }
}

const fn cut(milliseconds: u64) -> u32 {
    (milliseconds & 0xffff_ffff) as u32
}
