//! How many allocations somebody may have, over all workers.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use super::client::Source;
use crate::credentials::Account;

/// The most allocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Of one user.
    pub user: u32,
    /// Of one IPv4 address or IPv6 /64.
    pub source: u32,
    /// Of all.
    pub all: u32,
}

/// Counts allocations; its clones count together. It is asked when an allocation begins and ends, never for a packet.
#[derive(Clone)]
pub struct Quotas(Arc<Mutex<Counts>>);

/// Why there may not be one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The user or the address has enough.
    Own,
    /// There are enough in all.
    All,
}

struct Counts {
    quota: Quota,
    users: HashMap<Account, u32>,
    sources: HashMap<Source, u32>,
    all: u32,
}

impl Quotas {
    /// Nobody has anything yet.
    pub fn new(quota: Quota) -> Self {
        Self(Arc::new(Mutex::new(Counts {
            quota,
            users: HashMap::new(),
            sources: HashMap::new(),
            all: 0,
        })))
    }

    /// Other quotas from now on; what there is stays.
    pub fn set(&self, quota: Quota) {
        self.counts(|counts| counts.quota = quota);
    }

    /// How many allocations there are.
    pub fn all(&self) -> u32 {
        self.counts(|counts| counts.all)
    }

    /// One more, if there may be one.
    pub(super) fn take(&self, account: Account, source: Source) -> Result<(), Over> {
        self.counts(|counts| {
            let of_user = counts.users.get(&account).copied().unwrap_or(0);
            let of_source = counts.sources.get(&source).copied().unwrap_or(0);
            if of_user >= counts.quota.user || of_source >= counts.quota.source {
                return Err(Over::Own);
            }
            if counts.all >= counts.quota.all {
                return Err(Over::All);
            }
            counts.all += 1;
            *counts.users.entry(account).or_default() += 1;
            *counts.sources.entry(source).or_default() += 1;
            Ok(())
        })
    }

    /// One less.
    pub(super) fn give_back(&self, account: Account, source: Source) {
        self.counts(|counts| {
            counts.all = counts.all.saturating_sub(1);
            less(&mut counts.users, &account);
            less(&mut counts.sources, &source);
        });
    }

    fn counts<T>(&self, with: impl FnOnce(&mut Counts) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Debug for Quotas {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Quotas")
            .field("all", &self.all())
            .finish_non_exhaustive()
    }
}

fn less<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}
