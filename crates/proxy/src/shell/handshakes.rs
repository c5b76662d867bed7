//! How many TLS handshakes an address makes within a minute: each costs us far more than the client.

use crate::core::Reason;
use crate::shell::caps::{Network, SITE, networks};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Locks of the table; threads seldom meet at one.
const SHARDS: usize = 16;
/// Networks that one shard counts within a minute.
const MOST: usize = 4096;
/// Handshakes within a minute of all networks together that are beyond it: an attack from so many
/// addresses is not stopped by a limit for one.
const MOST_BEYOND: u32 = 4096;

/// Counts handshakes of the minute that runs.
#[derive(Default)]
pub(crate) struct Handshakes {
    shards: [Mutex<Minute>; SHARDS],
    hasher: RandomState,
}

#[derive(Default)]
struct Minute {
    number: u64,
    counts: HashMap<Network, u32>,
    /// Of networks that found no room.
    beyond: u32,
}

impl Handshakes {
    /// Counts one of `client` at `now`, the time since the proxy has started, or says that it has had
    /// `most` in this minute. What is refused counts not.
    pub(crate) fn begin(&self, client: IpAddr, most: u32, now: Duration) -> Result<(), Reason> {
        let (host, site) = networks(client);
        let minute = now.as_secs() / 60;
        let full = |()| Reason::HandshakesFull(most);
        let of_site = most.saturating_mul(SITE);
        // A site that has had its share must not fill the table with its networks.
        if site.is_some_and(|site| self.has_had(site, of_site, minute)) {
            return Err(full(()));
        }
        self.count(host, most, minute).map_err(full)?;
        match site {
            Some(site) => self.count(site, of_site, minute).map_err(full),
            None => Ok(()),
        }
    }

    fn has_had(&self, network: Network, most: u32, minute: u64) -> bool {
        let shard = self.shard(network, minute);
        shard.counts.get(&network).is_some_and(|had| *had >= most)
    }

    fn count(&self, network: Network, most: u32, minute: u64) -> Result<(), ()> {
        let mut shard = self.shard(network, minute);
        let shard = &mut *shard;
        let known = shard.counts.len();
        match shard.counts.get_mut(&network) {
            Some(count) if *count >= most => Err(()),
            Some(count) => {
                *count += 1;
                Ok(())
            }
            None if known < MOST => {
                shard.counts.insert(network, 1);
                Ok(())
            }
            None if shard.beyond >= MOST_BEYOND => Err(()),
            None => {
                shard.beyond += 1;
                Ok(())
            }
        }
    }

    /// The part of the table that `network` belongs to, empty at the begin of each minute.
    fn shard(&self, network: Network, minute: u64) -> MutexGuard<'_, Minute> {
        let hash = self.hasher.hash_one(network).to_ne_bytes();
        let shard = &self.shards[usize::from(hash[0]) % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.number != minute {
            shard.number = minute;
            shard.counts.clear();
            shard.beyond = 0;
        }
        shard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: Result<(), Reason> = Err(Reason::HandshakesFull(3));

    #[test]
    fn an_address_has_its_share_of_every_minute() {
        let handshakes = Handshakes::default();
        let at = |last: u8, now| {
            let client = IpAddr::from([192, 0, 2, last]);
            handshakes.begin(client, 3, Duration::from_secs(now))
        };
        assert_eq!([at(1, 0), at(1, 1), at(1, 59)], [Ok(()), Ok(()), Ok(())]);
        assert_eq!((at(1, 59), at(2, 59)), (FULL, Ok(())));
        assert_eq!(at(1, 60), Ok(()));
    }

    #[test]
    fn a_slash_64_is_one_and_a_site_has_four_times_as_much() {
        let handshakes = Handshakes::default();
        let at = |net: u16, last: u16| {
            let client = IpAddr::from([0x2001, 0xdb8, 7, net, 0, 0, 0, last]);
            handshakes.begin(client, 3, Duration::ZERO)
        };
        for net in 0..4 {
            for last in 0..3 {
                assert_eq!(at(net, last), Ok(()));
            }
            assert_eq!(at(net, 9), FULL);
        }
        assert_eq!(at(4, 0), FULL);
    }

    #[test]
    fn the_table_has_an_end() {
        let handshakes = Handshakes::default();
        let at = |n: u32, now| handshakes.begin(IpAddr::from(n.to_be_bytes()), 1, now);
        let begun = (0..200_000).filter(|n| at(*n, Duration::ZERO).is_ok());
        assert_eq!(begun.count(), SHARDS * (MOST + MOST_BEYOND as usize));
        assert_eq!(known(&handshakes), SHARDS * MOST);
        assert_eq!(at(300_000, Duration::ZERO), Err(Reason::HandshakesFull(1)));
        assert_eq!(at(300_000, Duration::from_mins(1)), Ok(()));
    }

    #[test]
    fn a_site_that_had_its_share_takes_no_room() {
        let handshakes = Handshakes::default();
        let begun = (0..1000).filter(|net| {
            let client = IpAddr::from([0x2001, 0xdb8, 7, *net, 0, 0, 0, 1]);
            handshakes.begin(client, 1, Duration::ZERO).is_ok()
        });
        assert_eq!(begun.count(), 4);
        assert_eq!(known(&handshakes), 5);
    }

    fn known(handshakes: &Handshakes) -> usize {
        let known = |shard: &Mutex<Minute>| shard.lock().unwrap().counts.len();
        handshakes.shards.iter().map(known).sum()
    }
}
