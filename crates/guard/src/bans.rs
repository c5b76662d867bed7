//! The bans of one address family, in the order in which they end.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, Instant};

use crate::client::ClientKey;

/// One banned client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ban {
    /// Who is banned.
    pub client: ClientKey,
    /// When the ban began.
    pub since: Instant,
    /// When it ends.
    pub until: Instant,
    /// The offences of the minute that led to it.
    pub offences: u32,
    /// Whether the operator banned it, for a time of his own.
    pub by_hand: bool,
}

impl Ban {
    /// How long it may last where an offence may lead to one of `longest`.
    pub(crate) fn at_most(&self, longest: Duration) -> Duration {
        if self.by_hand {
            crate::MAX_BAN
        } else {
            longest
        }
    }
}

#[derive(Debug)]
pub(crate) struct Bans {
    cap: usize,
    by_client: HashMap<ClientKey, Ban>,
    by_end: BTreeSet<(Instant, ClientKey)>,
    evicted: u64,
}

impl Bans {
    pub(crate) fn new(cap: usize) -> Self {
        Self {
            cap,
            by_client: HashMap::new(),
            by_end: BTreeSet::new(),
            evicted: 0,
        }
    }

    /// Adds a ban or replaces that of the same client; returns whose ban had to make room.
    pub(crate) fn insert(&mut self, ban: Ban) -> Option<ClientKey> {
        self.remove(ban.client);
        let displaced = if self.by_client.len() >= self.cap {
            self.pop_first()
        } else {
            None
        };
        self.evicted += u64::from(displaced.is_some());
        self.by_end.insert((ban.until, ban.client));
        self.by_client.insert(ban.client, ban);
        displaced
    }

    pub(crate) fn get(&self, client: ClientKey) -> Option<&Ban> {
        self.by_client.get(&client)
    }

    pub(crate) fn remove(&mut self, client: ClientKey) -> Option<Ban> {
        let ban = self.by_client.remove(&client)?;
        self.by_end.remove(&(ban.until, client));
        Some(ban)
    }

    /// Removes and returns one client whose ban has ended.
    pub(crate) fn pop_ended(&mut self, now: Instant) -> Option<ClientKey> {
        if self.first_end()? > now {
            return None;
        }
        self.pop_first()
    }

    pub(crate) fn first_end(&self) -> Option<Instant> {
        self.by_end.first().map(|(until, _)| *until)
    }

    /// Empties the table and returns what was in it.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = Ban> + '_ {
        self.by_end.clear();
        self.by_client.drain().map(|(_, ban)| ban)
    }

    pub(crate) fn clear(&mut self) {
        self.by_end.clear();
        self.by_client.clear();
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Ban> {
        self.by_client.values()
    }

    pub(crate) fn len(&self) -> usize {
        self.by_client.len()
    }

    pub(crate) fn evicted(&self) -> u64 {
        self.evicted
    }

    fn pop_first(&mut self) -> Option<ClientKey> {
        let (_, client) = self.by_end.pop_first()?;
        self.by_client.remove(&client);
        Some(client)
    }
}
