//! The connections that are open: so many, and none of them for one client alone.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use guard::ClientKey;
use net::ListenKey;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

/// Connections at a time.
pub(crate) const MOST: usize = 256;

/// Connections of one address at a time; a browser opens a handful.
pub(crate) const MOST_OF_ONE: usize = 48;

/// Who is connected, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Crowd(VecDeque<Guest>);

#[derive(Debug)]
struct Guest {
    client: IpAddr,
    door: ListenKey,
    /// Turns true once somebody has signed in over this connection.
    known: Arc<AtomicBool>,
    visit: AbortHandle,
    leave: oneshot::Sender<()>,
}

impl Crowd {
    /// Takes note of a connection. Where there are too many, one is cut: of strangers rather than of somebody who has signed
    /// in, of the network that has most of them, the oldest. So nobody keeps an operator out, or throws one out, by opening
    /// connections.
    ///
    /// By `leave` it is told to end with what it has under way.
    pub(crate) fn enter(
        &mut self,
        client: IpAddr,
        door: ListenKey,
        known: Arc<AtomicBool>,
        visit: AbortHandle,
        leave: oneshot::Sender<()>,
    ) {
        self.0.retain(|guest| !guest.visit.is_finished());
        self.0.push_back(Guest {
            client,
            door,
            known,
            visit,
            leave,
        });
        if self.count(|guest| guest.client == client) > MOST_OF_ONE {
            self.cut_one_of(|guest| guest.client == client);
        } else if self.0.len() > MOST {
            self.cut_one_of(|_| true);
        }
    }

    /// Shows out the connections that would not be let in any more. What they asked is still answered: it may be the very
    /// change that shuts them out.
    pub(crate) fn keep(&mut self, stays: impl Fn(IpAddr, &ListenKey) -> bool) {
        let all = std::mem::take(&mut self.0);
        for guest in all {
            if stays(guest.client, &guest.door) {
                self.0.push_back(guest);
            } else {
                // It may have ended meanwhile.
                let _ = guest.leave.send(());
            }
        }
    }

    fn count(&self, is_meant: impl Fn(&Guest) -> bool) -> usize {
        self.0.iter().filter(|guest| is_meant(guest)).count()
    }

    fn cut_one_of(&mut self, is_meant: impl Fn(&Guest) -> bool) {
        let index = {
            let rank = |guest: &Guest| {
                let network = ClientKey::of(guest.client);
                let crowded = self.count(|other| ClientKey::of(other.client) == network);
                (!guest.known.load(Ordering::Relaxed), crowded)
            };
            // Of several that rank alike the last one is taken: backwards, the oldest.
            let meant = self.0.iter().enumerate().rev();
            let meant = meant.filter(|(_, guest)| is_meant(guest));
            meant
                .max_by_key(|(_, guest)| rank(guest))
                .map(|(index, _)| index)
        };
        if let Some(guest) = index.and_then(|index| self.0.remove(index)) {
            guest.visit.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn enter(crowd: &mut Crowd, client: impl Into<IpAddr>, known: bool) {
        let door = ListenKey {
            service: "admin".to_owned(),
            protocol: "https".to_owned(),
            transport: net::Transport::Tcp,
            addr: ([127, 0, 0, 1], 8443).into(),
            device: None,
        };
        let visit = tokio::spawn(std::future::pending::<()>()).abort_handle();
        let known = Arc::new(AtomicBool::new(known));
        crowd.enter(client.into(), door, known, visit, oneshot::channel().0);
    }

    fn of(crowd: &Crowd, client: impl Into<IpAddr>) -> usize {
        let client = client.into();
        crowd.count(|guest| guest.client == client)
    }

    #[tokio::test]
    async fn whoever_has_most_connections_loses_the_oldest() {
        let mut crowd = Crowd::default();
        let (one, many) = ([10, 0, 0, 1], [10, 0, 0, 2]);
        enter(&mut crowd, one, false);
        for _ in 0..MOST_OF_ONE + 5 {
            enter(&mut crowd, many, false);
        }
        assert_eq!((of(&crowd, one), of(&crowd, many)), (1, MOST_OF_ONE));
        for network in 3..60_u8 {
            for _ in 0..5 {
                enter(&mut crowd, [10, 0, 0, network], false);
            }
        }
        assert_eq!(crowd.0.len(), MOST);
        assert_eq!(of(&crowd, one), 1, "who has few keeps them");
        assert!(of(&crowd, many) < MOST_OF_ONE);
        crowd.keep(|client, _| client == IpAddr::from(one));
        assert_eq!(crowd.0.len(), 1);
    }

    #[tokio::test]
    async fn many_addresses_of_one_network_push_nobody_out() {
        let mut crowd = Crowd::default();
        let operator = [10, 0, 0, 1];
        enter(&mut crowd, operator, true);
        let strange = |host: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, host]);
        for host in 0..300 {
            enter(&mut crowd, strange(host), false);
        }
        assert_eq!(of(&crowd, operator), 1);
        enter(&mut crowd, [10, 0, 0, 3], false);
        assert_eq!(of(&crowd, [10, 0, 0, 3]), 1, "the newcomer is let in");
        for host in 0..300_u16 {
            let [high, low] = host.to_be_bytes();
            enter(&mut crowd, [10, 1, high, low], false);
        }
        assert_eq!(of(&crowd, operator), 1, "who has signed in stays");
    }
}
