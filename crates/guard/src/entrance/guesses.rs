//! How often the password of one user may be guessed, however many addresses the guesses come from.
//!
//! What one address guesses is the business of bans. A try counts as failed from the moment it is let in, so that a hundred at once are
//! one after the other; success takes it back. Whoever knows only a name must not be able to lock its owner out: the wait is short, and
//! an address from which he was let in lately does not wait at all.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::ClientKey;

/// The longest wait.
pub const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Failures that cost no wait: a phone or a mail program that has an old password tries some times at once.
const FREE: u32 = 10;
/// Failures are forgotten after so long without another.
const MEMORY: Duration = Duration::from_mins(15);
/// The most users whose failures are remembered, those that there are not among them.
const MAX_USERS: usize = 4096;
/// The most pairs of a user and an address from which he was let in.
const MAX_KNOWN: usize = 8192;

/// The failures of all users of what is published.
#[derive(Debug, Default)]
pub struct Guesses {
    /// Names are hashed: what is typed into the field of the name may be a password.
    names: RandomState,
    failures: HashMap<u64, Failures>,
    /// Who was let in from where, and when that was last.
    known: HashMap<(u64, ClientKey), Instant>,
}

/// A try that was let in.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Guess {
    user: u64,
    client: ClientKey,
    is_counted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

impl Guesses {
    /// Lets a try in and counts it as failed.
    ///
    /// `user` is the name as it was sent, at whatever list.
    ///
    /// # Errors
    /// How long to wait; whoever tries is to blame.
    pub fn begin(&mut self, user: &str, client: IpAddr, now: Instant) -> Result<Guess, Duration> {
        let user = self.names.hash_one(user.to_ascii_lowercase());
        let client = ClientKey::of(client);
        let is_counted = !self.known.contains_key(&(user, client));
        let guess = Guess {
            user,
            client,
            is_counted,
        };
        if !is_counted {
            return Ok(guess);
        }
        if self.failures.len() >= MAX_USERS && !self.failures.contains_key(&user) {
            make_room(&mut self.failures, |failures| failures.last, now);
        }
        let failures = self.failures.entry(user).or_insert(Failures {
            count: 0,
            last: now,
        });
        if now.saturating_duration_since(failures.last) >= MEMORY {
            failures.count = 0;
        }
        let wait = failures.wait(now);
        if !wait.is_zero() {
            return Err(wait);
        }
        failures.count = failures.count.saturating_add(1);
        failures.last = now;
        Ok(guess)
    }

    /// The try was good: what failed before is forgiven, and its address waits no more for this user.
    pub fn succeeded(&mut self, guess: Guess, now: Instant) {
        self.failures.remove(&guess.user);
        let key = (guess.user, guess.client);
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&key) {
            make_room(&mut self.known, |last| *last, now);
        }
        self.known.insert(key, now);
    }

    /// The try was neither good nor bad: it was not looked at.
    pub fn take_back(&mut self, guess: Guess) {
        if !guess.is_counted {
            return;
        }
        if let Some(failures) = self.failures.get_mut(&guess.user) {
            failures.count = failures.count.saturating_sub(1);
        }
    }
}

impl Failures {
    fn wait(&self, now: Instant) -> Duration {
        let Some(beyond) = self.count.checked_sub(FREE) else {
            return Duration::ZERO;
        };
        let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
        let due = self.last + Duration::from_secs(seconds).min(LONGEST_WAIT);
        due.saturating_duration_since(now)
    }
}

/// Forgets what is old; where nothing is, a sixteenth of all, the oldest, so that a flood does not search the table at each try.
fn make_room<K: Copy + Eq + std::hash::Hash, V>(
    table: &mut HashMap<K, V>,
    last: impl Fn(&V) -> Instant,
    now: Instant,
) {
    let before = table.len();
    table.retain(|_, value| now.saturating_duration_since(last(value)) < MEMORY);
    if table.len() < before {
        return;
    }
    let mut times: Vec<Instant> = table.values().map(&last).collect();
    let (_, middle, _) = times.select_nth_unstable(before / 16);
    let (oldest, mut left) = (*middle, before / 16);
    table.retain(|_, value| {
        let goes = last(value) <= oldest && left > 0;
        left -= usize::from(goes);
        !goes
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn client(number: u32) -> IpAddr {
        Ipv4Addr::from(0xc000_0200 + number).into()
    }

    fn second(number: u64) -> Duration {
        Duration::from_secs(number)
    }

    #[test]
    fn guesses_from_many_addresses_wait_longer_and_longer() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        for number in 0..FREE {
            let _ = guesses.begin("max", client(number), now).unwrap();
        }
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            let refused = guesses.begin("Max", client(99), now).unwrap_err();
            assert_eq!(refused, second(wait));
            // Who is refused is not counted.
            assert_eq!(guesses.begin("max", client(9), now).unwrap_err(), refused);
            assert!(guesses.begin("moritz", client(99), now).is_ok());
            now += second(wait);
            let _ = guesses.begin("max", client(99), now).unwrap();
        }
        now += MEMORY;
        for number in 0..FREE {
            assert!(guesses.begin("max", client(number), now).is_ok());
        }
    }

    #[test]
    fn whoever_was_let_in_lately_does_not_wait_for_others() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let good = guesses.begin("max", client(1), now).unwrap();
        guesses.succeeded(good, now);
        for _ in 0..FREE {
            let _ = guesses.begin("max", client(2), now).unwrap();
        }
        assert!(guesses.begin("max", client(3), now).is_err());
        for _ in 0..100 {
            assert!(guesses.begin("max", client(1), now).is_ok());
        }
    }

    #[test]
    fn success_forgives_and_what_was_not_looked_at_is_taken_back() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..100 {
            let guess = guesses.begin("max", client(1), now).unwrap();
            guesses.take_back(guess);
        }
        let mut last = None;
        for _ in 0..FREE {
            last = Some(guesses.begin("max", client(2), now).unwrap());
        }
        guesses.succeeded(last.unwrap(), now);
        assert!(guesses.begin("max", client(3), now).is_ok());
    }

    #[test]
    fn a_flood_of_names_and_addresses_is_forgotten() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        for number in 0..3 * MAX_KNOWN {
            now += Duration::from_millis(1);
            let client = client(u32::try_from(number).unwrap());
            let _ = guesses
                .begin(&format!("nobody{number}"), client, now)
                .unwrap();
            let good = guesses.begin("max", client, now).unwrap();
            guesses.succeeded(good, now);
            assert!(guesses.failures.len() <= MAX_USERS);
            assert!(guesses.known.len() <= MAX_KNOWN);
        }
        // The latest are still known.
        assert!(guesses.known.len() >= MAX_KNOWN / 2 && guesses.failures.len() >= MAX_USERS / 2);
    }
}
