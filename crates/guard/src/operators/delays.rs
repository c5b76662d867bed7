//! How often somebody may guess: after some failures each further try has to wait.
//!
//! A try counts as failed from the moment it is let in, before anything is computed, so that a hundred at once are one
//! after the other; success takes it back. What has to wait is told so without a look at the password, and is not counted.
//!
//! Whoever knows only a name must not be able to lock its owner out. The wait of an account is short; and an address from which
//! its owner signed in lately waits neither for the account nor for all others, but only for its own failures.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::ClientKey;

/// The longest wait that failures at one account lead to.
pub const LONGEST_ACCOUNT_DELAY: Duration = Duration::from_secs(30);
/// The longest wait that failures from one address lead to.
pub const LONGEST_ADDRESS_DELAY: Duration = Duration::from_mins(15);
/// The longest wait that failures of everybody together lead to.
pub const LONGEST_DELAY_IN_ALL: Duration = Duration::from_secs(8);

/// Failures of an account or an address that cost no wait, less one.
const FREE: u32 = 3;
/// The same for a whole /64 in which operators are.
const FREE_OF_NETWORK: u32 = 64;
/// The same for everybody together.
const FREE_IN_ALL: u32 = 30;
/// Failures are forgotten after so long without another.
const ACCOUNT_MEMORY: Duration = Duration::from_mins(15);
const ADDRESS_MEMORY: Duration = Duration::from_hours(1);
const MEMORY_IN_ALL: Duration = Duration::from_mins(1);
/// The most accounts that are remembered, those that do not exist among them.
const MAX_ACCOUNTS: usize = 1024;
/// The most addresses, of IPv4 and of IPv6 each: who owns many of the one pushes out none of the other.
const MAX_ADDRESSES: usize = 4096;
/// The most addresses from which owners signed in.
const MAX_KNOWN: usize = 256;

/// The failures of the box.
#[derive(Debug, Default)]
pub struct Delays {
    /// Names are hashed: what is typed into the field of the name may be a password.
    names: RandomState,
    accounts: Table<u64>,
    v4: Table<ClientKey>,
    v6: Table<ClientKey>,
    all: Failures,
    /// Who signed in from where, the latest last.
    known: Vec<(u64, ClientKey)>,
}

/// Where a try comes from.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    key: ClientKey,
    /// The network around it, which is counted as well.
    network: Option<ClientKey>,
}

impl Origin {
    /// A client of the world: of IPv6 the /64, which is what one subscriber has.
    pub fn outside(client: IpAddr) -> Self {
        Self {
            key: ClientKey::of(client),
            network: None,
        }
    }

    /// A client of a network in which operators are, and which is one /64: of IPv6 the address. Whoever makes up others in it comes
    /// to an end by what the /64 has in all, and holds nobody up for long by that.
    pub fn inside(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(_) => Self::outside(client),
            IpAddr::V6(address) => Self {
                key: ClientKey::V6Address(address),
                network: Some(ClientKey::of(client)),
            },
        }
    }
}

/// A try that was let in.
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Attempt {
    account: u64,
    address: Option<Origin>,
    /// Its address is one from which the owner signed in: not held against others at the account, nor theirs against it.
    is_known: bool,
}

impl Delays {
    /// Lets a try in and counts it as failed.
    ///
    /// `account` is the name as it was typed, `address` that of the client, none where it has none.
    ///
    /// # Errors
    /// How long to wait; whoever tries is to blame.
    pub fn begin(
        &mut self,
        account: &str,
        address: Option<Origin>,
        now: Instant,
    ) -> Result<Attempt, Duration> {
        let account = self.names.hash_one(account.to_ascii_lowercase());
        let is_known = address.is_some_and(|from| self.known.contains(&(account, from.key)));
        let mut wait = Duration::ZERO;
        if !is_known {
            let of_account = self.accounts.wait(&account, LONGEST_ACCOUNT_DELAY, now);
            let in_all = self.all.wait(FREE_IN_ALL, LONGEST_DELAY_IN_ALL, now);
            let network = address.and_then(|from| from.network);
            let failures = network.and_then(|network| self.v6.0.get(&network));
            let of_network = failures.map_or(Duration::ZERO, |failures| {
                failures.wait(FREE_OF_NETWORK, LONGEST_DELAY_IN_ALL, now)
            });
            wait = of_account.max(in_all).max(of_network);
        }
        if let Some(from) = address {
            wait = wait.max(self.own_wait(from, now));
        }
        if !wait.is_zero() {
            return Err(wait);
        }
        if !is_known {
            self.accounts
                .count(account, account, ACCOUNT_MEMORY, MAX_ACCOUNTS, now);
        }
        for key in keys(address) {
            self.of(key)
                .count(key, account, ADDRESS_MEMORY, MAX_ADDRESSES, now);
        }
        self.all.count(account, MEMORY_IN_ALL, now);
        Ok(Attempt {
            account,
            address,
            is_known,
        })
    }

    /// The try was good: the failures of its account are forgiven, and those of its address if they were all at this account.
    pub fn succeeded(&mut self, attempt: Attempt) {
        if !attempt.is_known {
            self.accounts.forget(&attempt.account);
        }
        self.all.take_back();
        let Some(Origin { key, network }) = attempt.address else {
            return;
        };
        if let Some(network) = network {
            self.of(network).take_back(&network);
        }
        let address = key;
        let table = self.of(address);
        if table.is_only_at(&address, attempt.account) {
            table.forget(&address);
        } else {
            // Whoever has an account of his own must not guess at others' between two good tries.
            table.take_back(&address);
        }
        self.known
            .retain(|known| *known != (attempt.account, address));
        if self.known.len() >= MAX_KNOWN {
            self.known.remove(0);
        }
        self.known.push((attempt.account, address));
    }

    /// The try was neither good nor bad: it was right as far as it went, or could not be looked at.
    pub fn take_back(&mut self, attempt: Attempt) {
        if !attempt.is_known {
            self.accounts.take_back(&attempt.account);
        }
        for key in keys(attempt.address) {
            self.of(key).take_back(&key);
        }
        self.all.take_back();
    }

    /// How long a client has to wait for its own failures.
    pub fn own_wait(&mut self, from: Origin, now: Instant) -> Duration {
        let table = self.of(from.key);
        table.wait(&from.key, LONGEST_ADDRESS_DELAY, now)
    }

    /// Forgets from where the owner of an account signed in: it has another owner now, or another password.
    pub fn forget(&mut self, account: &str) {
        let account = self.names.hash_one(account.to_ascii_lowercase());
        self.known.retain(|(known, _)| *known != account);
    }

    fn of(&mut self, address: ClientKey) -> &mut Table<ClientKey> {
        match address {
            ClientKey::V4(_) => &mut self.v4,
            ClientKey::V6Network(_) | ClientKey::V6Address(_) => &mut self.v6,
        }
    }

    /// Forgives everybody together one failure, for tests of the other tables.
    #[cfg(test)]
    pub(crate) fn all_take_back(&mut self) {
        self.all.take_back();
    }

    /// How many accounts and addresses are remembered, for tests of the caps.
    #[cfg(test)]
    pub(crate) fn sizes(&self) -> [usize; 4] {
        [
            self.accounts.0.len(),
            self.v4.0.len(),
            self.v6.0.len(),
            self.known.len(),
        ]
    }
}

/// What is counted of an address.
fn keys(from: Option<Origin>) -> impl Iterator<Item = ClientKey> {
    from.into_iter()
        .flat_map(|from| [Some(from.key), from.network])
        .flatten()
}

/// Failures by account or by address.
#[derive(Debug)]
struct Table<K>(HashMap<K, Failures>);

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: std::hash::Hash + Eq + Copy> Table<K> {
    fn wait(&self, key: &K, longest: Duration, now: Instant) -> Duration {
        let failures = self.0.get(key);
        failures.map_or(Duration::ZERO, |failures| failures.wait(FREE, longest, now))
    }

    fn count(&mut self, key: K, account: u64, memory: Duration, most: usize, now: Instant) {
        if !self.0.contains_key(&key) && self.0.len() >= most {
            self.make_room(memory, most, now);
        }
        let failures = self.0.entry(key).or_default();
        failures.count(account, memory, now);
    }

    /// Forgets what is old; where nothing is, who has the fewest failures, the longest ago.
    fn make_room(&mut self, memory: Duration, most: usize, now: Instant) {
        self.0.retain(|_, failures| !failures.is_over(memory, now));
        let least = self
            .0
            .iter()
            .min_by_key(|(_, failures)| (failures.count, failures.last));
        // Some places at once, so that a flood does not search the table at each try.
        if let Some((_, least)) = least.filter(|_| self.0.len() >= most) {
            let (count, mut left) = (least.count, self.0.len() / 16);
            self.0.retain(|_, failures| {
                let goes = failures.count == count && left > 0;
                left -= usize::from(goes);
                !goes
            });
        }
    }

    fn is_only_at(&self, key: &K, account: u64) -> bool {
        self.0
            .get(key)
            .is_some_and(|failures| failures.only == Some(account))
    }

    fn take_back(&mut self, key: &K) {
        if let Some(failures) = self.0.get_mut(key) {
            failures.take_back();
            if failures.count == 0 {
                self.0.remove(key);
            }
        }
    }

    fn forget(&mut self, key: &K) {
        self.0.remove(key);
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last: Option<Instant>,
    /// The account that all of them were at, while there is only one.
    only: Option<u64>,
}

impl Failures {
    /// How long is left to wait.
    fn wait(&self, free: u32, longest: Duration, now: Instant) -> Duration {
        let (Some(last), true) = (self.last, self.count >= free) else {
            return Duration::ZERO;
        };
        let seconds = 1_u64.checked_shl(self.count - free).unwrap_or(u64::MAX);
        let due = last + Duration::from_secs(seconds).min(longest);
        due.saturating_duration_since(now)
    }

    fn count(&mut self, account: u64, memory: Duration, now: Instant) {
        if self.is_over(memory, now) {
            *self = Self::default();
        }
        self.only = match self.count {
            0 => Some(account),
            _ => self.only.filter(|only| *only == account),
        };
        self.count = self.count.saturating_add(1);
        self.last = Some(now);
    }

    fn take_back(&mut self) {
        self.count = self.count.saturating_sub(1);
    }

    fn is_over(&self, memory: Duration, now: Instant) -> bool {
        self.last
            .is_none_or(|last| now.saturating_duration_since(last) >= memory)
    }
}
