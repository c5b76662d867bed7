use crate::{Event, Registry, RollWatch, Workers};
use arc_swap::ArcSwap;
use guard::BanSet;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::mpsc;

/// What every service is given beside its configuration. Cloning is cheap.
#[derive(Clone)]
pub struct Context {
    /// Where news go.
    pub events: EventSender,
    /// Where offences of clients go.
    pub offences: OffenceSender,
    /// Who is banned right now.
    pub bans: BanWatch,
    /// Who may enter: visitors, tokens and sessions.
    pub entrance: RollWatch,
    /// Where instruments are registered.
    pub metrics: Registry,
    /// The threads of the data path.
    pub workers: Workers,
}

/// One offence of a client whose address is proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offence {
    /// The client.
    pub client: IpAddr,
    /// How much it counts; 1 is one rejected request.
    pub weight: u32,
}

/// The receiving ends of what services send out.
pub struct Outbox {
    /// Events, in order.
    pub events: mpsc::Receiver<Event>,
    /// Offences, in order.
    pub offences: mpsc::Receiver<Offence>,
    dropped: Arc<AtomicU64>,
}

impl Outbox {
    /// How many events are waiting at most, and how many offences.
    const CAPACITY: usize = 4096;

    /// Makes the channels: two sending ends and the outbox that receives from both.
    pub fn new() -> (EventSender, OffenceSender, Self) {
        let (event_sender, events) = mpsc::channel(Self::CAPACITY);
        let (offence_sender, offences) = mpsc::channel(Self::CAPACITY);
        let dropped = Arc::new(AtomicU64::new(0));
        (
            EventSender {
                channel: event_sender,
                dropped: Arc::clone(&dropped),
            },
            OffenceSender {
                channel: offence_sender,
            },
            Self {
                events,
                offences,
                dropped,
            },
        )
    }

    /// How many events were lost since the last call.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::Relaxed)
    }
}

/// Sends events; never blocks. What does not fit is counted and told as [`Event::Dropped`].
#[derive(Clone, Debug)]
pub struct EventSender {
    channel: mpsc::Sender<Event>,
    dropped: Arc<AtomicU64>,
}

impl EventSender {
    /// Sends `event`, or counts it as dropped.
    pub fn send(&self, event: Event) {
        if self.channel.try_send(event).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Reports offences to the one guard of the box; never blocks.
#[derive(Clone, Debug)]
pub struct OffenceSender {
    channel: mpsc::Sender<Offence>,
}

impl OffenceSender {
    /// Reports that `client`, whose address is proven, did something that counts `weight`.
    ///
    /// While thousands of offences wait to be counted a further one is not: the flood that filled
    /// the queue is counted already, and bans its senders.
    pub fn report(&self, client: IpAddr, weight: u32) {
        let _ = self.channel.try_send(Offence { client, weight });
    }
}

/// The ban list, as services see it: read on every connection and request.
#[derive(Clone, Debug, Default)]
pub struct BanWatch {
    set: Arc<ArcSwap<BanSet>>,
}

impl BanWatch {
    /// Whether `client` is banned now.
    pub fn contains(&self, client: IpAddr) -> bool {
        self.set.load().contains(client)
    }

    /// Puts a new list into force for every clone of this watch.
    pub fn publish(&self, set: BanSet) {
        self.set.store(Arc::new(set));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn events_beyond_the_capacity_are_counted() {
        let (events, _offences, mut outbox) = Outbox::new();
        for _ in 0..=Outbox::CAPACITY {
            events.send(Event::Dropped { count: 0 });
        }
        assert_eq!(outbox.take_dropped(), 1);
        assert_eq!(outbox.take_dropped(), 0);
        assert_eq!(
            outbox.events.recv().await,
            Some(Event::Dropped { count: 0 })
        );
    }
}
