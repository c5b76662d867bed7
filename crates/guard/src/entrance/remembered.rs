//! What became of passwords that were looked at lately.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// How many random bytes the key of the hashes has.
pub const PROOF_KEY_BYTES: usize = 32;
/// How long a password that was right needs no further look; each time it is used in the second half, it begins anew.
const RIGHT: Duration = Duration::from_mins(10);
/// How long one that was wrong is wrong without a look: a phone with an old password tries for hours, and is one guess. With another
/// password of the user it is another proof.
const WRONG: Duration = Duration::from_mins(15);
/// How many are remembered at the most, of those that were right and of those that were wrong each.
const MOST: usize = 4096;

/// The key of [`Proof`]s: random, and known to this process alone, so that what is remembered is of no use elsewhere.
#[derive(Clone)]
pub struct ProofKey(Hmac<Sha256>);

/// A user and a password under a keyed hash.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proof([u8; 32]);

impl ProofKey {
    /// The key that these random bytes make.
    pub fn new(random: [u8; PROOF_KEY_BYTES]) -> Self {
        Self(Hmac::new_from_slice(&random).expect("a key of HMAC may have any length"))
    }

    /// That of a user and a password. `version` is the number of the password that the user has: with another one, what was
    /// remembered of the old is not found any more.
    pub fn proof(&self, user: &str, password: &str, version: u64) -> Proof {
        let mut hash = self.0.clone();
        hash.update(&version.to_be_bytes());
        hash.update(&(user.len() as u64).to_be_bytes());
        hash.update(user.as_bytes());
        hash.update(password.as_bytes());
        Proof(hash.finalize().into_bytes().into())
    }
}

/// What became of [`Proof`]s lately: those that were wrong can not push out those that were right.
#[derive(Debug, Default)]
pub struct Remembered {
    right: Table,
    wrong: Table,
}

impl Remembered {
    /// Whether it was right, if that is still known.
    pub fn recall(&mut self, proof: &Proof, now: Instant) -> Option<bool> {
        if let Some(until) = self.right.ends(proof, now) {
            if until.saturating_duration_since(now) < RIGHT / 2 {
                self.right.keep(*proof, now + RIGHT, now);
            }
            return Some(true);
        }
        self.wrong.ends(proof, now).map(|_| false)
    }

    /// Keeps what became of it.
    pub fn keep(&mut self, proof: Proof, right: bool, now: Instant) {
        if right {
            self.right.keep(proof, now + RIGHT, now);
        } else {
            self.wrong.keep(proof, now + WRONG, now);
        }
    }
}

#[derive(Debug, Default)]
struct Table {
    until: HashMap<Proof, Instant>,
    /// In the order of their ends, which are all equally far away when they are kept.
    order: VecDeque<(Instant, Proof)>,
}

impl Table {
    fn ends(&self, proof: &Proof, now: Instant) -> Option<Instant> {
        self.until.get(proof).copied().filter(|until| now < *until)
    }

    fn keep(&mut self, proof: Proof, until: Instant, now: Instant) {
        if self.until.insert(proof, until) != Some(until) {
            self.order.push_back((until, proof));
        }
        while let Some((ends, first)) = self.order.front()
            && (*ends <= now || self.order.len() > MOST)
        {
            // Kept anew meanwhile, it has another end.
            if self.until.get(first) == Some(ends) {
                self.until.remove(first);
            }
            self.order.pop_front();
        }
    }
}

impl fmt::Debug for ProofKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProofKey(..)")
    }
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_holds_for_a_while_and_for_this_password_alone() {
        let key = ProofKey::new([1; PROOF_KEY_BYTES]);
        let mut remembered = Remembered::default();
        let now = Instant::now();
        let right = key.proof("anna", "secret", 1);
        assert_eq!(remembered.recall(&right, now), None);
        remembered.keep(right, true, now);
        assert_eq!(remembered.recall(&right, now + RIGHT), None);
        let late = now + RIGHT.saturating_sub(Duration::from_millis(1));
        assert_eq!(remembered.recall(&right, late), Some(true));
        // From then on it holds anew.
        assert_eq!(remembered.recall(&right, now + RIGHT), Some(true));
        assert_eq!(remembered.recall(&right, late + RIGHT), None);
        for other in [
            key.proof("anna", "secret", 2),
            key.proof("anna", "Secret", 1),
            key.proof("annas", "ecret", 1),
            ProofKey::new([2; PROOF_KEY_BYTES]).proof("anna", "secret", 1),
        ] {
            assert_eq!(remembered.recall(&other, now), None);
        }
        let wrong = key.proof("anna", "guess", 1);
        remembered.keep(wrong, false, now);
        assert_eq!(remembered.recall(&wrong, now), Some(false));
        assert_eq!(remembered.recall(&wrong, now + WRONG), None);
    }

    #[test]
    fn a_flood_of_wrong_ones_stays_small_and_pushes_out_none_that_was_right() {
        let key = ProofKey::new([1; PROOF_KEY_BYTES]);
        let mut remembered = Remembered::default();
        let now = Instant::now();
        let right = key.proof("anna", "secret", 1);
        remembered.keep(right, true, now);
        for guess in 0..3 * MOST as u64 {
            let guess = key.proof("anna", &guess.to_string(), 1);
            remembered.keep(guess, false, now);
            remembered.keep(right, true, now);
        }
        assert_eq!(remembered.recall(&right, now), Some(true));
        for table in [&remembered.right, &remembered.wrong] {
            assert!(table.until.len() <= MOST && table.order.len() <= MOST);
        }
    }
}
