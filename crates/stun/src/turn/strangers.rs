//! How often somebody is answered who has proven nothing: a table of fixed size, whoever asks.

use std::hash::BuildHasher as _;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use super::bucket::Bucket;
use super::client::Source;
use super::config::Strangers;

/// How many sources are known at a time.
const PLACES: usize = 4096;
/// In how many places the one of a source can be.
const WAYS: usize = 4;

/// Counts answers per source, and all of them.
#[derive(Debug)]
pub(super) struct Limiter {
    rates: Strangers,
    hasher: SeedableRandomState,
    places: Box<[Place]>,
    all: Bucket,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    source: Option<Source>,
    bucket: Bucket,
    used: u64,
}

impl Limiter {
    pub(super) fn new(rates: Strangers, seed: u64) -> Self {
        let empty = Place {
            source: None,
            bucket: Bucket::full(0, 0),
            used: 0,
        };
        Self {
            rates,
            hasher: SeedableRandomState::with_seed(seed, SharedSeed::global_fixed()),
            places: vec![empty; PLACES].into_boxed_slice(),
            all: Bucket::full(rates.all, 0),
        }
    }

    /// Whether the source gets one more answer.
    pub(super) fn admits(&mut self, source: Source, milliseconds: u64) -> bool {
        let each = self.rates.each;
        let place = self.place(source, milliseconds);
        place.used = milliseconds;
        place.bucket.take(1, each, milliseconds) && self.all.take(1, self.rates.all, milliseconds)
    }

    /// The place of the source; where there is none yet, that of the one that was not heard of for the longest time.
    fn place(&mut self, source: Source, milliseconds: u64) -> &mut Place {
        let each = self.rates.each;
        let hash = self.hasher.hash_one(source);
        let sets = u64::try_from(PLACES / WAYS).expect("a small number");
        let set = usize::try_from(hash % sets).expect("less than a small number");
        let ways = &mut self.places[set * WAYS..(set + 1) * WAYS];
        let known = ways.iter().position(|place| place.source == Some(source));
        let oldest = || {
            let ages = ways.iter().enumerate();
            ages.min_by_key(|(_, place)| place.used).map(|(at, _)| at)
        };
        let at = known.or_else(oldest).unwrap_or_default();
        let place = &mut ways[at];
        if known.is_none() {
            *place = Place {
                source: Some(source),
                bucket: Bucket::full(each, milliseconds),
                used: milliseconds,
            };
        }
        place
    }
}
