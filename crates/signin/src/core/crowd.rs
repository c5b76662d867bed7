//! How many logins are under way.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use guard::ClientKey;

/// Logins at a time.
const MOST: usize = 32;
/// Those of one address.
const MOST_OF_ADDRESS: usize = 4;

/// Counts them. Cloning is cheap, clones are the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Crowd(Arc<Mutex<HashMap<ClientKey, usize>>>);

/// A login that is under way, until it is dropped.
#[derive(Debug)]
pub(crate) struct Underway {
    crowd: Crowd,
    key: ClientKey,
}

impl Crowd {
    /// Lets one in; none: there are too many.
    pub(crate) fn enter(&self, client: IpAddr) -> Option<Underway> {
        let key = ClientKey::of(client);
        let mut inside = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_address = inside.get(&key).copied().unwrap_or(0);
        if inside.values().sum::<usize>() >= MOST || of_address >= MOST_OF_ADDRESS {
            return None;
        }
        inside.insert(key, of_address + 1);
        drop(inside);
        Some(Underway {
            crowd: self.clone(),
            key,
        })
    }
}

impl Drop for Underway {
    fn drop(&mut self) {
        let mut inside = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_leaves_room_for_others() {
        let crowd = Crowd::default();
        let client = |last: u8| IpAddr::from([192, 0, 2, last]);
        let mut inside: Vec<_> = (0..10).filter_map(|_| crowd.enter(client(1))).collect();
        assert_eq!(inside.len(), MOST_OF_ADDRESS);
        inside.extend((2..100).filter_map(|last| crowd.enter(client(last))));
        assert_eq!(inside.len(), MOST);
        inside.pop();
        assert!(crowd.enter(client(1)).is_none());
        assert!(crowd.enter(client(200)).is_some());
        inside.clear();
        assert!(crowd.0.lock().unwrap().is_empty());
    }
}
