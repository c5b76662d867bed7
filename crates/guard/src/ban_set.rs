//! The banned clients as the data path sees them: a snapshot that costs nothing to ask and nothing to share.

use std::array;
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use serde::de::Deserializer;
use serde::ser::Serializer;
use serde::{Deserialize, Serialize};

use crate::client::ClientKey;

/// A snapshot of who is banned; a clone is one reference count.
///
/// It knows no end times: whoever publishes it publishes the next one when a ban ends ([`Guard::next_expiry`](crate::Guard::next_expiry)).
/// Asking an empty set is one comparison. Changing a set copies one part in 256 of it, whatever snapshots of it live elsewhere,
/// so that a flood of bans does not become a flood of copies. Serde writes it as a list of [`ClientKey`].
#[derive(Clone, Default)]
pub struct BanSet {
    /// `None` exactly when nobody is banned.
    filled: Option<Arc<Filled>>,
}

impl BanSet {
    /// Whether the client at this address is banned.
    #[inline]
    pub fn contains(&self, client: IpAddr) -> bool {
        match &self.filled {
            None => false,
            Some(filled) => filled.contains(client),
        }
    }

    /// Whether nobody is banned.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.filled.is_none()
    }

    /// The number of banned clients.
    pub fn len(&self) -> usize {
        self.filled.as_ref().map_or(0, |filled| filled.len)
    }

    /// Every banned client, in no order.
    pub fn iter(&self) -> impl Iterator<Item = ClientKey> + '_ {
        self.filled
            .iter()
            .flat_map(|filled| filled.parts.iter())
            .flat_map(|part| part.iter().copied())
    }

    /// Adds a client; false if it was there. Other snapshots do not change.
    pub fn insert(&mut self, key: ClientKey) -> bool {
        let filled = self.filled.get_or_insert_with(|| Arc::new(Filled::new()));
        let part = filled.part_of(key);
        let Err(place) = filled.parts[part].binary_search(&key) else {
            return false;
        };
        let filled = Arc::make_mut(filled);
        Arc::make_mut(&mut filled.parts[part]).insert(place, key);
        filled.len += 1;
        filled.single_v6 += usize::from(matches!(key, ClientKey::V6Address(_)));
        true
    }

    /// Removes a client; false if it was not there. Other snapshots do not change.
    pub fn remove(&mut self, key: ClientKey) -> bool {
        let Some(filled) = &mut self.filled else {
            return false;
        };
        let part = filled.part_of(key);
        let Ok(place) = filled.parts[part].binary_search(&key) else {
            return false;
        };
        if filled.len == 1 {
            self.filled = None;
            return true;
        }
        let filled = Arc::make_mut(filled);
        Arc::make_mut(&mut filled.parts[part]).remove(place);
        filled.len -= 1;
        filled.single_v6 -= usize::from(matches!(key, ClientKey::V6Address(_)));
        true
    }
}

impl FromIterator<ClientKey> for BanSet {
    fn from_iter<I: IntoIterator<Item = ClientKey>>(keys: I) -> Self {
        let mut set = Self::default();
        for key in keys {
            set.insert(key);
        }
        set
    }
}

impl PartialEq for BanSet {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .iter()
                .all(|key| other.filled.as_ref().is_some_and(|filled| filled.has(key)))
    }
}

impl Eq for BanSet {}

impl fmt::Debug for BanSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(|key| key.to_string()))
            .finish()
    }
}

impl Serialize for BanSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for BanSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Vec::<ClientKey>::deserialize(deserializer)?
            .into_iter()
            .collect())
    }
}

const PARTS: usize = 256;

#[derive(Clone)]
struct Filled {
    /// Keyed, so that nobody can choose addresses that all fall into one part.
    hash: RandomState,
    len: usize,
    /// How many keys are single IPv6 addresses; while there are none, an IPv6 client needs one look, not two.
    single_v6: usize,
    parts: [Arc<Vec<ClientKey>>; PARTS],
}

impl Filled {
    fn new() -> Self {
        let empty = Arc::new(Vec::new());
        Self {
            hash: RandomState::new(),
            len: 0,
            single_v6: 0,
            parts: array::from_fn(|_| Arc::clone(&empty)),
        }
    }

    fn contains(&self, client: IpAddr) -> bool {
        let key = ClientKey::of(client);
        if self.has(key) {
            return true;
        }
        match client {
            IpAddr::V6(address) if self.single_v6 > 0 => self.has(ClientKey::V6Address(address)),
            _ => false,
        }
    }

    fn has(&self, key: ClientKey) -> bool {
        self.parts[self.part_of(key)].binary_search(&key).is_ok()
    }

    fn part_of(&self, key: ClientKey) -> usize {
        usize::from(self.hash.hash_one(key).to_be_bytes()[0])
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn key(number: u32) -> ClientKey {
        ClientKey::V4(Ipv4Addr::from_bits(number))
    }

    #[test]
    fn a_snapshot_does_not_change() {
        let mut set = BanSet::default();
        assert!(set.is_empty());
        assert!(set.insert(key(1)));
        assert!(!set.insert(key(1)));
        let before = set.clone();
        assert!(set.insert(key(2)));
        assert!(set.remove(key(1)));
        assert!(!set.remove(key(1)));
        assert!(before.contains(Ipv4Addr::from_bits(1).into()));
        assert!(!before.contains(Ipv4Addr::from_bits(2).into()));
        assert!(!set.contains(Ipv4Addr::from_bits(1).into()));
        assert!(set.contains(Ipv4Addr::from_bits(2).into()));
        assert!(set.remove(key(2)));
        assert!(set.is_empty());
        assert_eq!(set, BanSet::default());
    }

    #[test]
    fn many_keys_are_all_found_and_counted() {
        let mut set: BanSet = (0..20_000).map(key).collect();
        assert_eq!(set.len(), 20_000);
        assert_eq!(set.iter().count(), 20_000);
        assert!((0..20_000).all(|n| set.contains(Ipv4Addr::from_bits(n).into())));
        assert!((20_000..40_000).all(|n| !set.contains(Ipv4Addr::from_bits(n).into())));
        for number in (0..20_000).step_by(2) {
            set.remove(key(number));
        }
        assert_eq!(set, (0..20_000).skip(1).step_by(2).map(key).collect());
    }

    #[test]
    fn ipv6_networks_single_addresses_and_mapped_addresses() {
        let set: BanSet = ["2001:db8::/64", "2001:db8:1::5", "192.0.2.1"]
            .iter()
            .map(|text| text.parse().unwrap())
            .collect();
        let cases = [
            ("2001:db8::1", true),
            ("2001:db8::ffff:0:0:1", true),
            ("2001:db8:0:1::1", false),
            ("2001:db8:1::5", true),
            ("2001:db8:1::6", false),
            ("192.0.2.1", true),
            ("::ffff:192.0.2.1", true),
            ("192.0.2.2", false),
        ];
        for (address, banned) in cases {
            assert_eq!(set.contains(address.parse().unwrap()), banned, "{address}");
        }
    }
}
