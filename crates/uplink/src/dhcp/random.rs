//! Transaction numbers and jitter from a seed, so that a test sees the same run twice.

use std::time::Duration;

/// A sequence of numbers that looks random (`SplitMix64`); no key material.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A transaction number.
    pub(super) fn xid(&mut self) -> u32 {
        let [a, b, c, d, ..] = self.next().to_be_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// `wait`, up to a second shorter or longer (RFC 2131 section 4.1).
    pub(super) fn around(&mut self, wait: Duration) -> Duration {
        let jitter = Duration::from_millis(self.next() % 2001);
        (wait + jitter).saturating_sub(Duration::from_secs(1))
    }
}
