//! How often the password of one user may be guessed, however many addresses the guesses come from.
//!
//! What one address guesses is the business of bans. A try counts as failed from the moment it is let in, so that a hundred at once are
//! one after the other; success takes it back. Whoever knows only a name must not be able to lock its owner out: the wait is short, an
//! address from which he was let in lately does not wait at all, and who has just had a turn does not get the next where another
//! address has asked meanwhile.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::factor::folded;
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
/// For so long an address is one of the user's: others may have it later.
const KNOWN: Duration = Duration::from_hours(30 * 24);
/// Failures in a row from an address after which it is no longer one of the user's.
const KNOWN_FREE: u32 = 30;

/// The failures of all users of what is published.
#[derive(Debug, Default)]
pub struct Guesses {
    /// Names are hashed: what is typed into the field of the name may be a password.
    names: RandomState,
    failures: HashMap<u64, Failures>,
    /// Who was let in from where.
    known: HashMap<(u64, ClientKey), Known>,
}

/// A try that was let in.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Guess {
    user: u64,
    client: ClientKey,
    /// When the one before it failed; `None`: it is not counted, since it comes from where the user was let in.
    before: Option<Instant>,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
    /// Who had the last turn.
    client: ClientKey,
    /// Whether somebody else has asked since.
    is_wanted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    last: Instant,
    failures: u32,
}

impl Guesses {
    /// Lets a try in and counts it as failed.
    ///
    /// `user` is the name as it was sent, however written; the same name is somebody else in another `realm`.
    ///
    /// # Errors
    /// How long to wait; whoever tries is to blame.
    pub fn begin(
        &mut self,
        realm: &str,
        user: &str,
        client: IpAddr,
        now: Instant,
    ) -> Result<Guess, Duration> {
        let user = self.names.hash_one((realm, folded(user)));
        let client = ClientKey::of(client);
        let mut guess = Guess {
            user,
            client,
            before: None,
        };
        if self.is_known(&guess, now) {
            return Ok(guess);
        }
        if self.failures.len() >= MAX_USERS && !self.failures.contains_key(&user) {
            make_room(&mut self.failures, |failures| failures.last, MEMORY, now);
        }
        let failures = self.failures.entry(user).or_insert(Failures {
            count: 0,
            last: now,
            client,
            is_wanted: false,
        });
        if now.saturating_duration_since(failures.last) >= MEMORY {
            failures.count = 0;
        }
        let wait = failures.wait(client, now);
        if !wait.is_zero() {
            failures.is_wanted |= failures.client != client;
            return Err(wait);
        }
        guess.before = Some(failures.last);
        *failures = Failures {
            count: failures.count.saturating_add(1),
            last: now,
            client,
            is_wanted: false,
        };
        Ok(guess)
    }

    /// Whether the user was let in from there lately, and has not failed there too often since; this one counts as failed there.
    fn is_known(&mut self, guess: &Guess, now: Instant) -> bool {
        let key = (guess.user, guess.client);
        let Some(known) = self.known.get_mut(&key) else {
            return false;
        };
        known.failures += 1;
        let is_known =
            known.failures <= KNOWN_FREE && now.saturating_duration_since(known.last) < KNOWN;
        if !is_known {
            self.known.remove(&key);
        }
        is_known
    }

    /// The try was good: what failed before is forgiven, and its address waits no more for this user.
    pub fn succeeded(&mut self, guess: Guess, now: Instant) {
        self.failures.remove(&guess.user);
        let key = (guess.user, guess.client);
        if self.known.len() >= MAX_KNOWN && !self.known.contains_key(&key) {
            make_room(&mut self.known, |known| known.last, KNOWN, now);
        }
        let known = Known {
            last: now,
            failures: 0,
        };
        self.known.insert(key, known);
    }

    /// The try was neither good nor bad: it was not looked at.
    pub fn take_back(&mut self, guess: Guess) {
        let Some(before) = guess.before else {
            if let Some(known) = self.known.get_mut(&(guess.user, guess.client)) {
                known.failures = known.failures.saturating_sub(1);
            }
            return;
        };
        if let Some(failures) = self.failures.get_mut(&guess.user) {
            failures.count = failures.count.saturating_sub(1);
            // Unless somebody has had a turn since: nobody waits for what was not looked at.
            if failures.client == guess.client {
                failures.last = before;
            }
        }
    }
}

impl Failures {
    fn wait(&self, client: ClientKey, now: Instant) -> Duration {
        let Some(beyond) = self.count.checked_sub(FREE) else {
            return Duration::ZERO;
        };
        let seconds = 1_u64.checked_shl(beyond).unwrap_or(u64::MAX);
        let wait = Duration::from_secs(seconds).min(LONGEST_WAIT);
        let turns = if self.is_wanted && self.client == client {
            2
        } else {
            1
        };
        (self.last + turns * wait).saturating_duration_since(now)
    }
}

/// Forgets what is of that `age`; where nothing is, a sixteenth of all, the oldest, so that a flood does not search the table at each try.
fn make_room<K: Copy + Eq + std::hash::Hash, V>(
    table: &mut HashMap<K, V>,
    last: impl Fn(&V) -> Instant,
    age: Duration,
    now: Instant,
) {
    let before = table.len();
    table.retain(|_, value| now.saturating_duration_since(last(value)) < age);
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
            let _ = guesses.begin("", "max", client(number), now).unwrap();
        }
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            let refused = guesses.begin("", "Max", client(99), now).unwrap_err();
            assert_eq!(refused, second(wait));
            // Who is refused is not counted.
            assert_eq!(
                guesses.begin("", "max", client(99), now).unwrap_err(),
                refused
            );
            assert!(guesses.begin("", "moritz", client(99), now).is_ok());
            now += second(wait);
            let _ = guesses.begin("", "max", client(99), now).unwrap();
        }
        now += MEMORY;
        for number in 0..FREE {
            assert!(guesses.begin("", "max", client(number), now).is_ok());
        }
    }

    #[test]
    fn whoever_was_let_in_lately_does_not_wait_for_others() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let good = guesses.begin("", "max", client(1), now).unwrap();
        guesses.succeeded(good, now);
        for _ in 0..FREE {
            let _ = guesses.begin("", "max", client(2), now).unwrap();
        }
        assert!(guesses.begin("", "max", client(3), now).is_err());
        for _ in 0..KNOWN_FREE {
            assert!(guesses.begin("", "max", client(1), now).is_ok());
        }
    }

    #[test]
    fn who_asks_all_the_time_does_not_take_every_turn() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        for _ in 0..FREE + 6 {
            while guesses.begin("", "max", client(1), now).is_err() {
                now += second(1);
            }
        }
        // The wait is 30 seconds by now; the owner asks once, and the other one ten times a second.
        assert!(guesses.begin("", "max", client(2), now).is_err());
        for _ in 0..300 {
            assert!(guesses.begin("", "max", client(1), now).is_err());
            now += Duration::from_millis(100);
        }
        assert!(guesses.begin("", "max", client(1), now).is_err());
        let good = guesses.begin("", "max", client(2), now).unwrap();
        guesses.succeeded(good, now);
    }

    #[test]
    fn what_was_not_looked_at_makes_nobody_wait() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        for _ in 0..FREE + 6 {
            while guesses.begin("", "max", client(1), now).is_err() {
                now += second(1);
            }
        }
        now += LONGEST_WAIT;
        // The password was right, and a code is asked for.
        let asked = guesses.begin("", "max", client(2), now).unwrap();
        guesses.take_back(asked);
        assert!(guesses.begin("", "max", client(2), now + second(5)).is_ok());
    }

    #[test]
    fn an_address_is_the_users_for_a_while_and_not_for_guesses() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        let let_in = |guesses: &mut Guesses| {
            let good = guesses.begin("", "max", client(1), now).unwrap();
            guesses.succeeded(good, now);
        };
        let_in(&mut guesses);
        let free = (0..200).take_while(|_| guesses.begin("", "max", client(1), now).is_ok());
        assert_eq!(free.count(), (KNOWN_FREE + FREE) as usize);
        let mut guesses = Guesses::default();
        let_in(&mut guesses);
        let later = now + KNOWN;
        let free = (0..200).take_while(|_| guesses.begin("", "max", client(1), later).is_ok());
        assert_eq!(free.count(), FREE as usize);
    }

    #[test]
    fn success_forgives_and_what_was_not_looked_at_is_taken_back() {
        let (mut guesses, now) = (Guesses::default(), Instant::now());
        for _ in 0..100 {
            let guess = guesses.begin("", "max", client(1), now).unwrap();
            guesses.take_back(guess);
        }
        let mut last = None;
        for _ in 0..FREE {
            last = Some(guesses.begin("", "max", client(2), now).unwrap());
        }
        guesses.succeeded(last.unwrap(), now);
        assert!(guesses.begin("", "max", client(3), now).is_ok());
    }

    #[test]
    fn a_flood_of_names_and_addresses_is_forgotten() {
        let (mut guesses, mut now) = (Guesses::default(), Instant::now());
        for number in 0..3 * MAX_KNOWN {
            now += Duration::from_millis(1);
            let client = client(u32::try_from(number).unwrap());
            let _ = guesses
                .begin("", &format!("nobody{number}"), client, now)
                .unwrap();
            let good = guesses.begin("", "max", client, now).unwrap();
            guesses.succeeded(good, now);
            assert!(guesses.failures.len() <= MAX_USERS);
            assert!(guesses.known.len() <= MAX_KNOWN);
        }
        // The latest are still known.
        assert!(guesses.known.len() >= MAX_KNOWN / 2 && guesses.failures.len() >= MAX_USERS / 2);
    }
}
