//! How many logins are under way.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use guard::ClientKey;

/// Logins at a time.
const MOST: usize = 64;
/// Those of one list: its directory may be silent, and must not keep those of another from signing in.
const MOST_OF_LIST: usize = 40;
/// Those of one address; an office has one, and confirms on its telephones.
const MOST_OF_ADDRESS: usize = 8;
/// Those of one /48 of IPv6, which anybody gets for nothing.
const MOST_OF_SITE: usize = 16;

/// Counts them. Cloning is cheap, clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<Vec<(u64, Place)>>>);

#[derive(Debug, PartialEq, Eq)]
struct Place {
    list: Box<str>,
    address: ClientKey,
    site: Site,
}

/// The first 48 bits of an IPv6 address, or a whole IPv4 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Site(IpAddr);

/// A login that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Underway {
    crowd: Crowd,
    number: u64,
}

impl Crowd {
    /// Lets one at `list` in; none: there are too many.
    pub(crate) fn enter(&self, list: &str, client: IpAddr) -> Option<Underway> {
        let place = Place {
            list: list.into(),
            address: ClientKey::of(client),
            site: Site::of(client),
        };
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |is_alike: fn(&Place, &Place) -> bool| {
            let alike = inside.iter().filter(|(_, other)| is_alike(other, &place));
            alike.count()
        };
        let is_full = inside.len() >= MOST
            || count(|a, b| a.list == b.list) >= MOST_OF_LIST
            || count(|a, b| a.address == b.address) >= MOST_OF_ADDRESS
            || count(|a, b| a.site == b.site) >= MOST_OF_SITE;
        if is_full {
            return None;
        }
        let number = inside.last().map_or(0, |(last, _)| last + 1);
        inside.push((number, place));
        drop(inside);
        Some(Underway {
            crowd: self.clone(),
            number,
        })
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut inside = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        inside.retain(|(number, _)| *number != self.number);
    }
}

impl Site {
    /// That of a client.
    pub(crate) fn of(client: IpAddr) -> Self {
        Self(match client.to_canonical() {
            IpAddr::V4(address) => address.into(),
            IpAddr::V6(address) => {
                let [a, b, c, ..] = address.segments();
                [a, b, c, 0, 0, 0, 0, 0].into()
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_one_site_and_one_list_leave_room_for_others() {
        let crowd = Crowd::default();
        let client = |last: u8| IpAddr::from([192, 0, 2, last]);
        let subnet = |number: u16| IpAddr::from([0x2001, 0xdb8, 1, number, 0, 0, 0, 1]);
        let mut inside: Vec<_> = (0..20)
            .filter_map(|_| crowd.enter("a", client(1)))
            .collect();
        assert_eq!(inside.len(), MOST_OF_ADDRESS);
        inside.extend((0..100).filter_map(|number| crowd.enter("a", subnet(number))));
        assert_eq!(inside.len(), MOST_OF_ADDRESS + MOST_OF_SITE);
        inside.extend((2..100).filter_map(|last| crowd.enter("a", client(last))));
        assert_eq!(inside.len(), MOST_OF_LIST);
        inside.extend((2..100).filter_map(|last| crowd.enter("b", client(last))));
        assert_eq!(inside.len(), MOST);
        inside.pop();
        assert!(crowd.enter("a", client(200)).is_none());
        assert!(crowd.enter("b", client(200)).is_some());
        inside.clear();
        assert!(crowd.0.lock().unwrap().is_empty());
    }
}
