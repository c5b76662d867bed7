//! How many connections there are, in all and of each address, and how many requests of an
//! address wait for each target.

use crate::core::{Reason, TargetKey};
use crate::shell::limits::Limits;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Locks of the table; accepting threads seldom meet at one.
const SHARDS: usize = 16;
/// A provider gives a customer a /48 or less: all its /64s together may have so many times what one has.
pub(super) const SITE: u32 = 4;

/// Targets of a network that are kept in mind although nobody waits for them.
const REMEMBERED: usize = 16;

/// Counts connections; touched when one is accepted and when it ends.
pub(crate) struct Caps {
    open: AtomicU32,
    shards: [Mutex<HashMap<Network, Entry>>; SHARDS],
    hasher: RandomState,
    /// Told when a connection ends, its streams included.
    pub(crate) closed: Notify,
}

/// What is counted as one: an address with the length of its prefix.
pub(super) type Network = (IpAddr, u8);

/// What is known of a network while it has a connection.
#[derive(Default)]
struct Entry {
    connections: u32,
    share: Arc<Share>,
}

/// How many requests of a network are under way, by target; targets that nobody waits for are kept up
/// to [`REMEMBERED`].
#[derive(Default)]
struct Share(Mutex<Vec<(TargetKey, u32)>>);

/// The right to be connected; dropping it gives it back.
pub(crate) struct Admitted {
    caps: Arc<Caps>,
    networks: Option<(Network, Option<Network>)>,
    share: Arc<Share>,
    /// That of the site, where there is one.
    site: Option<Arc<Share>>,
}

/// The right to wait for a target; dropping it gives it back.
pub(crate) struct Waiting<'a> {
    _own: Counted<'a>,
    _site: Option<Counted<'a>>,
}

/// A request that is counted.
struct Counted<'a> {
    share: &'a Share,
    target: &'a TargetKey,
}

impl Caps {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self {
            open: AtomicU32::new(0),
            shards: Default::default(),
            hasher: RandomState::new(),
            closed: Notify::new(),
        })
    }

    /// How many connections are open.
    pub(crate) fn open(&self) -> u32 {
        self.open.load(Ordering::Acquire)
    }

    /// Whether idle connections had better make room.
    pub(crate) fn is_nearly_full(&self, limits: &Limits) -> bool {
        self.open() >= limits.connections - limits.connections / 8
    }

    /// Counts a connection from `client`, or says why there may be none.
    pub(crate) fn admit(
        self: &Arc<Self>,
        client: IpAddr,
        limits: &Limits,
    ) -> Result<Admitted, Reason> {
        let mut admitted = self.admit_unnamed(limits)?;
        admitted.name(client, limits)?;
        Ok(admitted)
    }

    /// Counts a connection whose client is yet to be named.
    pub(crate) fn admit_unnamed(self: &Arc<Self>, limits: &Limits) -> Result<Admitted, Reason> {
        if self.open.fetch_add(1, Ordering::AcqRel) >= limits.connections {
            self.open.fetch_sub(1, Ordering::AcqRel);
            return Err(Reason::Full(limits.connections));
        }
        Ok(Admitted {
            caps: Arc::clone(self),
            networks: None,
            share: Arc::default(),
            site: None,
        })
    }

    fn enter(&self, network: Network, most: u32) -> Result<Arc<Share>, Reason> {
        let mut shard = self.shard(network);
        let entry = shard.entry(network).or_default();
        if entry.connections >= most {
            return Err(Reason::AddressFull(most));
        }
        entry.connections += 1;
        Ok(Arc::clone(&entry.share))
    }

    fn leave(&self, network: Network) {
        let mut shard = self.shard(network);
        if let Some(entry) = shard.get_mut(&network) {
            entry.connections -= 1;
            if entry.connections == 0 {
                shard.remove(&network);
            }
        }
    }

    fn shard(&self, network: Network) -> MutexGuard<'_, HashMap<Network, Entry>> {
        let hash = self.hasher.hash_one(network).to_ne_bytes();
        self.shards[usize::from(hash[0]) % SHARDS]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Admitted {
    /// Counts it for `client`, too, or says why there may be none from there.
    pub(crate) fn name(&mut self, client: IpAddr, limits: &Limits) -> Result<(), Reason> {
        let (host, site) = networks(client);
        let most = limits.connections_per_address;
        let share = self.caps.enter(host, most)?;
        let all = site.map(|site| self.caps.enter(site, most.saturating_mul(SITE)));
        let all = all.transpose().inspect_err(|_| self.caps.leave(host))?;
        self.networks = Some((host, site));
        self.share = share;
        self.site = all;
        Ok(())
    }

    /// Counts a request to `target`, or says why there may be none: `most` wait for it.
    pub(crate) fn wait_for<'a>(
        &'a self,
        target: &'a TargetKey,
        most: u32,
    ) -> Result<Waiting<'a>, Reason> {
        let own = Counted::new(&self.share, target, most)?;
        let site = self.site.as_deref();
        let site = site.map(|site| Counted::new(site, target, most.saturating_mul(SITE)));
        Ok(Waiting {
            _own: own,
            _site: site.transpose()?,
        })
    }
}

impl<'a> Counted<'a> {
    fn new(share: &'a Share, target: &'a TargetKey, most: u32) -> Result<Self, Reason> {
        let mut waiting = share.lock();
        match waiting.iter_mut().find(|(known, _)| known == target) {
            Some((_, count)) if *count >= most => return Err(Reason::RequestsFull(most)),
            Some((_, count)) => *count += 1,
            None => {
                if waiting.len() >= REMEMBERED {
                    waiting.retain(|(_, count)| *count > 0);
                }
                waiting.push((target.clone(), 1));
            }
        }
        drop(waiting);
        Ok(Self { share, target })
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        let mut waiting = self.share.lock();
        let known = waiting.iter_mut().find(|(known, _)| known == self.target);
        if let Some((_, count)) = known {
            *count -= 1;
        }
    }
}

impl Share {
    fn lock(&self) -> MutexGuard<'_, Vec<(TargetKey, u32)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        if let Some((host, site)) = self.networks {
            self.caps.leave(host);
            site.inspect(|site| self.caps.leave(*site));
        }
        self.caps.open.fetch_sub(1, Ordering::AcqRel);
        self.caps.closed.notify_waiters();
    }
}

/// What `client` is counted as: IPv6 hosts have a /64 each, and sites a /48.
pub(super) fn networks(client: IpAddr) -> (Network, Option<Network>) {
    let prefix = |v6: Ipv6Addr, len: u8| {
        let rest = 128 - u32::from(len);
        let bits = v6.to_bits() >> rest << rest;
        (IpAddr::V6(Ipv6Addr::from_bits(bits)), len)
    };
    match client.to_canonical() {
        IpAddr::V6(v6) => (prefix(v6, 64), Some(prefix(v6, 48))),
        v4 @ IpAddr::V4(_) => ((v4, 32), None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::Routes;
    use std::collections::BTreeMap;

    fn admit(caps: &Arc<Caps>, client: impl Into<IpAddr>) -> Result<Admitted, Reason> {
        let limits = Limits {
            connections: 100,
            connections_per_address: 10,
            ..Limits::default()
        };
        caps.admit(client.into(), &limits)
    }

    #[test]
    fn an_address_has_its_share_and_a_slash_64_is_one() {
        let caps = Caps::new();
        let client = |last| [0x2001, 0xdb8, 0, 1, 0, 0, 0, last];
        let held: Vec<_> = (0..10).map(|n| admit(&caps, client(n)).unwrap()).collect();
        let full = admit(&caps, client(0xffff)).err();
        assert_eq!(full, Some(Reason::AddressFull(10)));
        let other = admit(&caps, [203, 0, 113, 9]).unwrap();
        assert_eq!(caps.open(), 11);
        drop((held, other));
        assert_eq!(caps.open(), 0);
        let empty = |shard: &Mutex<HashMap<_, _>>| shard.lock().unwrap().is_empty();
        assert!(caps.shards.iter().all(empty));
        assert!(admit(&caps, client(1)).is_ok());
    }

    #[test]
    fn many_slash_64s_of_one_site_do_not_help() {
        let caps = Caps::new();
        let client = |net| [0x2001, 0xdb8, 7, net, 0, 0, 0, 1];
        let held: Vec<_> = (0..40).map(|n| admit(&caps, client(n)).unwrap()).collect();
        let full = admit(&caps, client(99)).err();
        assert_eq!(full, Some(Reason::AddressFull(40)));
        assert!(admit(&caps, [0x2001, 0xdb8, 8, 1, 0, 0, 0, 1]).is_ok());
        assert_eq!(caps.open(), 40);
        drop(held);
    }

    #[test]
    fn all_slash_64s_of_a_site_share_what_may_wait_for_a_target() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
             interface = \"lo\"\naddresses = [\"192.0.2.1/24\"]\n[site]\ndomain = \"example\"\n\
             [[host]]\nname = \"a.example\"\n[[host.http]]\ntarget = \"http://10.0.0.1\"\n";
        let config = config::check(text, "test.toml").unwrap().config;
        let routes = Routes::new(&config, &BTreeMap::new()).unwrap();
        let (_, target) = routes.targets().next().unwrap();
        let caps = Caps::new();
        let client = |site, net| [0x2001, 0xdb8, site, net, 0, 0, 0, 1];
        let clients: Vec<_> = (0..5)
            .map(|net| admit(&caps, client(7, net)).unwrap())
            .collect();
        let two = |client: &'_ Admitted| client.wait_for(target, 2).map(drop);
        let mut waiting = Vec::new();
        for client in &clients[..4] {
            waiting.push(client.wait_for(target, 2).unwrap());
            waiting.push(client.wait_for(target, 2).unwrap());
            assert_eq!(two(client), Err(Reason::RequestsFull(2)));
        }
        // It has none itself, but its site has four times what one may have.
        assert_eq!(two(&clients[4]), Err(Reason::RequestsFull(8)));
        let elsewhere = admit(&caps, client(8, 0)).unwrap();
        assert_eq!(two(&elsewhere), Ok(()));
        drop(waiting.pop());
        assert_eq!(two(&clients[4]), Ok(()));
        assert_eq!(two(&clients[4]), Ok(()), "what has ended is given back");
    }

    #[test]
    fn all_together_have_an_end() {
        let caps = Caps::new();
        let held: Vec<_> = (0..100)
            .map(|n| admit(&caps, [192, 0, 2, n]).unwrap())
            .collect();
        let full = admit(&caps, [198, 51, 100, 1]).err();
        assert_eq!(full, Some(Reason::Full(100)));
        drop(held);
    }
}
