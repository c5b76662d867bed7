//! Numbers for indications, which nobody answers: each one once, and not to be guessed without the seed.

use std::hash::BuildHasher as _;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

#[derive(Debug)]
pub(super) struct Transactions {
    hasher: SeedableRandomState,
    used: u32,
}

impl Transactions {
    pub(super) fn new(seed: u64) -> Self {
        let seed = seed.rotate_left(17);
        Self {
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
            used: 0,
        }
    }

    pub(super) fn next(&mut self) -> [u8; 12] {
        self.used = self.used.wrapping_add(1);
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.used.to_be_bytes());
        id[4..].copy_from_slice(&self.hasher.hash_one(self.used).to_be_bytes());
        id
    }
}
