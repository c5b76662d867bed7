//! Requests that are passed on at a time: so many in all, and few of one client.
//!
//! All browsers share one line to the supervisor. What one of them asks must never keep another one waiting.

use std::collections::HashMap;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use guard::ClientKey;
use hyper::body::{Body, Frame, SizeHint};

/// Requests of strangers at a time. They are answered at once, but for a login that waits its turn to be checked.
const MOST_OF_STRANGERS: usize = 48;

/// Of one client among them.
const MOST_OF_A_STRANGER: usize = 12;

/// Requests of those who have signed in, followed logs among them.
const MOST_OF_KNOWN: usize = 192;

/// Of one address among them: some windows with a log each.
const MOST_OF_ONE_KNOWN: usize = 32;

/// One more request than all these must have room on the line: the look whether somebody has signed in.
const _: () = assert!(MOST_OF_STRANGERS + MOST_OF_KNOWN < control::MOST_REQUESTS as usize);

/// Whose request it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Asker {
    /// Somebody who has not shown a session: with the whole network that one subscriber has.
    Stranger(ClientKey),
    /// Somebody who has.
    Known(IpAddr),
}

impl Asker {
    pub(super) fn new(client: IpAddr, known: bool) -> Self {
        if known {
            Self::Known(client)
        } else {
            Self::Stranger(ClientKey::of(client))
        }
    }

    fn most(self) -> (usize, usize) {
        match self {
            Self::Stranger(_) => (MOST_OF_STRANGERS, MOST_OF_A_STRANGER),
            Self::Known(_) => (MOST_OF_KNOWN, MOST_OF_ONE_KNOWN),
        }
    }
}

/// Hands out permits. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Permits(Arc<Mutex<HashMap<Asker, usize>>>);

impl Permits {
    /// A permit for one request; none where too many are under way.
    pub(super) fn take(&self, asker: Asker) -> Option<Permit> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alike = |other: &Asker| std::mem::discriminant(other) == std::mem::discriminant(&asker);
        let counts = held.iter().filter(|(other, _)| alike(other));
        let all: usize = counts.map(|(_, count)| count).sum();
        let own = held.get(&asker).copied().unwrap_or_default();
        let (most, most_of_one) = asker.most();
        if all >= most || own >= most_of_one {
            return None;
        }
        held.insert(asker, own + 1);
        Some(Permit {
            permits: self.clone(),
            asker,
        })
    }
}

/// The right to have one request passed on; given back when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    permits: Permits,
    asker: Asker,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = self
            .permits
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.asker) {
            Some(count) if *count > 1 => *count -= 1,
            _ => drop(held.remove(&self.asker)),
        }
    }
}

/// A body with the permit that it was asked by.
pub(super) struct Permitted<B> {
    body: B,
    _permit: Permit,
}

impl<B> Permitted<B> {
    pub(super) fn new(body: B, permit: Permit) -> Self {
        Self {
            body,
            _permit: permit,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Permitted<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stranger(network: u8) -> Asker {
        Asker::new(IpAddr::from([10, 0, 0, network]), false)
    }

    #[test]
    fn strangers_leave_room_for_those_who_have_signed_in() {
        let permits = Permits::default();
        let mut held = Vec::new();
        for network in 0..20 {
            held.extend(std::iter::from_fn(|| permits.take(stranger(network))));
        }
        assert_eq!(held.len(), MOST_OF_STRANGERS);
        let one: Vec<_> = held
            .iter()
            .filter(|permit| permit.asker == stranger(0))
            .collect();
        assert_eq!(one.len(), MOST_OF_A_STRANGER);
        let known = Asker::new(IpAddr::from([10, 0, 0, 0]), true);
        let logs: Vec<_> = std::iter::from_fn(|| permits.take(known)).collect();
        assert_eq!(logs.len(), MOST_OF_ONE_KNOWN);
        held.pop();
        assert!(permits.take(stranger(30)).is_some(), "given back");
        drop((held, logs));
        assert!(permits.0.lock().unwrap().is_empty());
    }

    #[test]
    fn one_network_is_one_stranger() {
        let address = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
        assert_eq!(Asker::new(address(1), false), Asker::new(address(2), false));
        assert_ne!(Asker::new(address(1), true), Asker::new(address(2), true));
    }
}
