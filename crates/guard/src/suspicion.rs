//! How often each client has offended in the last minute.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::time::Instant;

use crate::client::ClientKey;

/// A minute, in seconds of the window.
const WINDOW: usize = 60;
/// How many records are looked at to find the one that must go.
const SAMPLE: usize = 8;
/// How many records are looked at, per offence, for being over; each removal moves the newest record under the hand,
/// so that half of the looks remove.
const SWEEP: usize = 4;

/// The records of one address family, never more than `cap`.
///
/// A record is a fixed array, one cell per second, so that memory depends neither on the policy nor on what clients do.
/// An offence is forgotten 59 to 60 seconds later.
#[derive(Debug)]
pub(crate) struct Suspicion {
    cap: usize,
    /// What second 0 is; the first time that was seen.
    epoch: Option<Instant>,
    /// The latest second; a `now` that is older, from another thread, counts as this.
    latest: u64,
    places: HashMap<ClientKey, usize>,
    records: Vec<Record>,
    /// Where the search for records that are over goes on.
    hand: usize,
    random: u64,
    evicted: u64,
}

impl Suspicion {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            cap,
            epoch: None,
            latest: 0,
            places: HashMap::new(),
            records: Vec::new(),
            hand: 0,
            // Never 0, where the generator would stay.
            random: RandomState::new().hash_one(cap) | 1,
            evicted: 0,
        }
    }

    /// Adds `weight` to what the client did in this second; returns the sum of the minute.
    pub(crate) fn count(&mut self, key: ClientKey, weight: u32, now: Instant) -> u32 {
        let second = self.second(now);
        self.sweep(second);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None if weight == 0 => return 0,
            None => self.make_record(key, second),
        };
        self.records[place].add(weight, second)
    }

    pub(crate) fn forget(&mut self, key: ClientKey) {
        if let Some(place) = self.places.get(&key) {
            self.remove_at(*place);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.places.clear();
        self.records.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn second(&mut self, now: Instant) -> u64 {
        let epoch = *self.epoch.get_or_insert(now);
        self.latest = self
            .latest
            .max(now.saturating_duration_since(epoch).as_secs());
        self.latest
    }

    fn make_record(&mut self, key: ClientKey, second: u64) -> usize {
        if self.records.len() >= self.cap {
            self.evict(second);
        }
        let place = self.records.len();
        self.records.push(Record::new(key, second));
        self.places.insert(key, place);
        place
    }

    /// Removes the least suspicious of a random sample, the oldest of these.
    ///
    /// Least suspicious, so that a flood of fresh addresses displaces itself and not those who are near a ban. A sample, so that
    /// nobody can tell which record his next request will displace; and because it takes the same time however many there are.
    fn evict(&mut self, second: u64) {
        let mut victim = self.random_place();
        for _ in 1..SAMPLE {
            let other = self.random_place();
            let rank = |place: usize| (self.records[place].sum(second), self.records[place].newest);
            if rank(other) < rank(victim) {
                victim = other;
            }
        }
        self.evicted += u64::from(self.records[victim].sum(second) > 0);
        self.remove_at(victim);
    }

    /// Looks at the next few records and removes those whose minute is over: more of them per offence than one,
    /// so that the table shrinks faster than it can be filled.
    fn sweep(&mut self, second: u64) {
        for _ in 0..SWEEP {
            if self.hand >= self.records.len() {
                self.hand = 0;
            }
            match self.records.get(self.hand) {
                Some(record) if record.is_over(second) => self.remove_at(self.hand),
                Some(_) => self.hand += 1,
                None => return,
            }
        }
    }

    fn remove_at(&mut self, place: usize) {
        let gone = self.records.swap_remove(place);
        self.places.remove(&gone.key);
        if let Some(moved) = self.records.get(place) {
            self.places.insert(moved.key, place);
        }
    }

    /// The xorshift64* generator; unpredictable enough for an attacker who sees none of its output.
    fn random_place(&mut self) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let scaled = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        usize::try_from((scaled * self.records.len() as u64) >> 32)
            .expect("smaller than the length")
    }
}

#[derive(Debug)]
struct Record {
    key: ClientKey,
    /// The second of the latest offence.
    newest: u64,
    /// The weight per second, at the place `second % WINDOW`; those up to `newest` are true.
    cells: [u16; WINDOW],
}

impl Record {
    fn new(key: ClientKey, second: u64) -> Self {
        Self {
            key,
            newest: second,
            cells: [0; WINDOW],
        }
    }

    /// A cell holds up to 65 535; what a client does beyond that in one second is not counted.
    fn add(&mut self, weight: u32, second: u64) -> u32 {
        let passed = usize::try_from(second - self.newest)
            .unwrap_or(WINDOW)
            .min(WINDOW);
        for step in 0..passed {
            self.cells[cell(second - step as u64)] = 0;
        }
        self.newest = second;
        let this = &mut self.cells[cell(second)];
        *this = this.saturating_add(u16::try_from(weight).unwrap_or(u16::MAX));
        self.cells.iter().map(|count| u32::from(*count)).sum()
    }

    fn sum(&self, second: u64) -> u32 {
        let oldest = (second + 1).saturating_sub(WINDOW as u64);
        let first = (self.newest + 1).saturating_sub(WINDOW as u64).max(oldest);
        (first..=self.newest)
            .map(|second| u32::from(self.cells[cell(second)]))
            .sum()
    }

    fn is_over(&self, second: u64) -> bool {
        second - self.newest >= WINDOW as u64
    }
}

fn cell(second: u64) -> usize {
    usize::try_from(second % WINDOW as u64).expect("below 60")
}
