//! How many connections there are, in all and of each address.

use crate::core::Reason;
use crate::shell::limits;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Locks of the table; accepting threads seldom meet at one.
const SHARDS: usize = 16;

/// Counts connections; touched when one is accepted and when it ends.
pub(crate) struct Caps {
    open: AtomicU32,
    shards: [Mutex<HashMap<IpAddr, u32>>; SHARDS],
    hasher: RandomState,
}

/// The right to be connected; dropping it gives it back.
pub(crate) struct Admitted {
    caps: Arc<Caps>,
    address: IpAddr,
}

impl Caps {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: AtomicU32::new(0),
            shards: Default::default(),
            hasher: RandomState::new(),
        })
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::Acquire)
    }

    /// Counts a connection from `client`, or says why there may be none.
    pub(crate) fn admit(self: &Arc<Self>, client: IpAddr) -> Result<Admitted, Reason> {
        if self.open.fetch_add(1, Ordering::AcqRel) >= limits::CONNECTIONS {
            self.open.fetch_sub(1, Ordering::AcqRel);
            return Err(Reason::Full(limits::CONNECTIONS));
        }
        let address = network(client);
        let mut shard = self.shard(address);
        let count = shard.entry(address).or_insert(0);
        if *count >= limits::CONNECTIONS_PER_ADDRESS {
            drop(shard);
            self.open.fetch_sub(1, Ordering::AcqRel);
            return Err(Reason::AddressFull(limits::CONNECTIONS_PER_ADDRESS));
        }
        *count += 1;
        drop(shard);
        Ok(Admitted {
            caps: Arc::clone(self),
            address,
        })
    }

    fn shard(&self, address: IpAddr) -> std::sync::MutexGuard<'_, HashMap<IpAddr, u32>> {
        let hash = self.hasher.hash_one(address).to_ne_bytes();
        self.shards[usize::from(hash[0]) % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut shard = self.caps.shard(self.address);
        if let Some(count) = shard.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                shard.remove(&self.address);
            }
        }
        drop(shard);
        self.caps.open.fetch_sub(1, Ordering::AcqRel);
    }
}

/// What is counted as one address: IPv6 hosts have a /64 each.
fn network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_a_slash_64_is_one() {
        let caps = Caps::new();
        let client = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let held: Vec<_> = (0..limits::CONNECTIONS_PER_ADDRESS)
            .map(|index| caps.admit(client(u16::try_from(index).unwrap())).unwrap())
            .collect();
        assert!(matches!(
            caps.admit(client(0xffff)),
            Err(Reason::AddressFull(_))
        ));
        let other = caps.admit("203.0.113.9".parse().unwrap()).unwrap();
        assert_eq!(caps.open(), limits::CONNECTIONS_PER_ADDRESS + 1);
        drop((held, other));
        assert_eq!(caps.open(), 0);
        assert!(
            caps.shards
                .iter()
                .all(|shard| shard.lock().unwrap().is_empty())
        );
        assert!(caps.admit(client(1)).is_ok());
    }
}
