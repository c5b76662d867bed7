//! The connections that are open: so many, and none of them for one address alone.

use std::collections::VecDeque;
use std::net::IpAddr;

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
    visit: AbortHandle,
    leave: oneshot::Sender<()>,
}

impl Crowd {
    /// Takes note of a connection. Where there are too many, the oldest of whoever has most of them is cut: nobody can keep
    /// an operator out by opening connections.
    ///
    /// By `leave` it is told to end with what it has under way.
    pub(crate) fn enter(
        &mut self,
        client: IpAddr,
        door: ListenKey,
        visit: AbortHandle,
        leave: oneshot::Sender<()>,
    ) {
        self.0.retain(|guest| !guest.visit.is_finished());
        self.0.push_back(Guest {
            client,
            door,
            visit,
            leave,
        });
        let of_this = self.count(client);
        if of_this > MOST_OF_ONE {
            self.cut_oldest_of(client);
        } else if self.0.len() > MOST {
            let busiest = self.0.iter().map(|guest| guest.client);
            if let Some(busiest) = busiest.max_by_key(|client| self.count(*client)) {
                self.cut_oldest_of(busiest);
            }
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

    fn count(&self, client: IpAddr) -> usize {
        let of_this = |guest: &&Guest| guest.client == client;
        self.0.iter().filter(of_this).count()
    }

    fn cut_oldest_of(&mut self, client: IpAddr) {
        let oldest = self.0.iter().position(|guest| guest.client == client);
        if let Some(guest) = oldest.and_then(|index| self.0.remove(index)) {
            guest.visit.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn door() -> ListenKey {
        ListenKey {
            service: "admin".to_owned(),
            protocol: "https".to_owned(),
            addr: ([127, 0, 0, 1], 8443).into(),
            device: None,
        }
    }

    fn visit() -> AbortHandle {
        tokio::spawn(std::future::pending::<()>()).abort_handle()
    }

    fn leave() -> oneshot::Sender<()> {
        oneshot::channel().0
    }

    #[tokio::test]
    async fn whoever_has_most_connections_loses_the_oldest() {
        let mut crowd = Crowd::default();
        let (one, many) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        crowd.enter(one, door(), visit(), leave());
        for _ in 0..MOST_OF_ONE + 5 {
            crowd.enter(many, door(), visit(), leave());
        }
        assert_eq!((crowd.count(one), crowd.count(many)), (1, MOST_OF_ONE));
        for network in 3..60_u8 {
            for _ in 0..5 {
                crowd.enter(IpAddr::from([10, 0, 0, network]), door(), visit(), leave());
            }
        }
        assert_eq!(crowd.0.len(), MOST);
        assert_eq!(crowd.count(one), 1, "who has few keeps them");
        assert!(crowd.count(many) < MOST_OF_ONE);
        crowd.keep(|client, _| client == one);
        assert_eq!(crowd.0.len(), 1);
    }
}
