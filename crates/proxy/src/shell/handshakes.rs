//! How many TLS handshakes an address makes within a minute: each costs us far more than the client.

use crate::core::Reason;
use crate::shell::caps::{Network, SITE, networks};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Locks of the table; threads seldom meet at one.
const SHARDS: usize = 16;
/// Networks that one shard counts within a minute. Those beyond it are not counted: an attack from so
/// many addresses is not stopped by a limit for one.
const MOST: usize = 4096;

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
}

impl Handshakes {
    /// Counts one of `client` at `now`, the time since the proxy has started, or says that it has had
    /// `most` in this minute. What is refused counts not.
    pub(crate) fn begin(&self, client: IpAddr, most: u32, now: Duration) -> Result<(), Reason> {
        let (host, site) = networks(client);
        let minute = now.as_secs() / 60;
        let full = |_| Reason::HandshakesFull(most);
        self.count(host, most, minute).map_err(full)?;
        if let Some(site) = site {
            let most = most.saturating_mul(SITE);
            self.count(site, most, minute).map_err(full)?;
        }
        Ok(())
    }

    fn count(&self, network: Network, most: u32, minute: u64) -> Result<(), ()> {
        let hash = self.hasher.hash_one(network).to_ne_bytes();
        let shard = &self.shards[usize::from(hash[0]) % SHARDS];
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if shard.number != minute {
            shard.number = minute;
            shard.counts.clear();
        }
        let known = shard.counts.len();
        match shard.counts.get_mut(&network) {
            Some(count) if *count >= most => Err(()),
            Some(count) => {
                *count += 1;
                Ok(())
            }
            None if known >= MOST => Ok(()),
            None => {
                shard.counts.insert(network, 1);
                Ok(())
            }
        }
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
        for n in 0..200_000_u32 {
            let client = IpAddr::from(n.to_be_bytes());
            assert_eq!(handshakes.begin(client, 1, Duration::ZERO), Ok(()));
        }
        let known = |shard: &Mutex<Minute>| shard.lock().unwrap().counts.len();
        let all: usize = handshakes.shards.iter().map(known).sum();
        assert_eq!(all, SHARDS * MOST);
    }
}
