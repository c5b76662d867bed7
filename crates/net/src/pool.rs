//! Idle connections to targets, one pool per worker: last in, first out.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// How many connections are kept, and how long.
#[derive(Clone, Copy, Debug)]
pub struct PoolLimits {
    /// Idle connections per target.
    pub per_target: usize,
    /// Idle connections in all.
    pub total: usize,
    /// How long a connection may be idle.
    pub idle: Duration,
}

/// Idle connections `T` by target `K`. The one used last is given out first, so that
/// those beyond what is needed grow old and are closed.
#[derive(Debug)]
pub struct Pool<K, T> {
    idle: HashMap<K, Vec<Idle<T>>>,
    count: usize,
    limits: PoolLimits,
}

#[derive(Debug)]
struct Idle<T> {
    connection: T,
    since: Instant,
}

impl<K: Hash + Eq, T> Pool<K, T> {
    /// An empty pool.
    pub fn new(limits: PoolLimits) -> Self {
        Self {
            idle: HashMap::new(),
            count: 0,
            limits,
        }
    }

    /// How many connections are idle.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether none is idle.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The youngest idle connection to `key` that `alive` still finds good; the dead are dropped.
    pub fn take<Q>(
        &mut self,
        key: &Q,
        now: Instant,
        mut alive: impl FnMut(&mut T) -> bool,
    ) -> Option<T>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        let idle = self.idle.get_mut(key)?;
        while let Some(mut candidate) = idle.pop() {
            self.count -= 1;
            let young = now.saturating_duration_since(candidate.since) < self.limits.idle;
            if young && alive(&mut candidate.connection) {
                return Some(candidate.connection);
            }
        }
        None
    }

    /// Keeps `connection` for the next one who needs `key`; where there is no room, drops it.
    pub fn put(&mut self, key: K, connection: T, now: Instant) {
        if self.count >= self.limits.total {
            return;
        }
        let idle = self.idle.entry(key).or_default();
        if idle.len() < self.limits.per_target {
            idle.push(Idle {
                connection,
                since: now,
            });
            self.count += 1;
        }
    }

    /// Drops what is too old or that `alive` finds dead, and every target for which `wanted` is false.
    pub fn sweep(
        &mut self,
        now: Instant,
        mut wanted: impl FnMut(&K) -> bool,
        mut alive: impl FnMut(&mut T) -> bool,
    ) {
        let limit = self.limits.idle;
        let mut count = 0;
        self.idle.retain(|key, idle| {
            if !wanted(key) {
                return false;
            }
            idle.retain_mut(|idle| {
                now.saturating_duration_since(idle.since) < limit && alive(&mut idle.connection)
            });
            count += idle.len();
            !idle.is_empty()
        });
        self.count = count;
    }

    /// Drops everything.
    pub fn clear(&mut self) {
        self.idle.clear();
        self.count = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: PoolLimits = PoolLimits {
        per_target: 2,
        total: 3,
        idle: Duration::from_secs(4),
    };

    #[test]
    fn gives_the_youngest_living_one() {
        let now = Instant::now();
        let mut pool = Pool::new(LIMITS);
        pool.put("a", 1, now);
        pool.put("a", 2, now);
        pool.put("a", 3, now);
        assert_eq!(pool.len(), 2, "the third has no room");
        assert_eq!(pool.take("a", now, |c| *c != 2), Some(1));
        assert_eq!(pool.take("a", now, |_| true), None);
        assert!(pool.is_empty());
    }

    #[test]
    fn holds_no_more_than_the_total() {
        let now = Instant::now();
        let mut pool = Pool::new(LIMITS);
        for (key, connection) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            pool.put(key, connection, now);
        }
        assert_eq!(pool.len(), 3);
        assert_eq!(pool.take("d", now, |_| true), None);
    }

    #[test]
    fn forgets_what_is_old_dead_or_unwanted() {
        let start = Instant::now();
        let later = start + Duration::from_secs(5);
        let mut pool = Pool::new(LIMITS);
        pool.put("a", 1, start);
        pool.put("a", 2, later);
        pool.put("b", 3, later);
        assert_eq!(pool.take("a", later, |_| true), Some(2));
        assert_eq!(pool.take("a", later, |_| true), None, "too old");
        pool.put("a", 4, later);
        pool.sweep(later, |key| *key != "b", |connection| *connection != 9);
        assert_eq!(pool.len(), 1);
        pool.sweep(later, |_| true, |_| false);
        assert!(pool.is_empty());
    }
}
