//! What a process is told.

use super::{LAST_PATIENCE, Order, PATIENCE, stopping};
use crate::message::{Port, ToRole};
use crate::supervisor::journal::Journal;
use crate::supervisor::uplink::OpenPort;
use net::ListenKey;
use net::link;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use uplink::acme::Wanted;

/// Says things to a process, and gives up where it does not take them.
pub(super) struct Mouth {
    pub(super) sender: link::Sender,
    pub(super) stop: watch::Receiver<Option<Duration>>,
}

impl Mouth {
    /// After an error the link is of no use any more: half a message may be in it.
    pub(super) async fn tell(
        &mut self,
        message: &ToRole,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let stop = &mut self.stop;
        let patience = async {
            tokio::select! {
                () = sleep(PATIENCE) => {}
                _ = stopping(stop) => sleep(LAST_PATIENCE).await,
            }
        };
        tokio::select! {
            sent = self.sender.send(message, descriptors) => sent,
            () = patience => Err(io::Error::new(
                io::ErrorKind::TimedOut,
                "it hangs: it takes no message",
            )),
        }
    }
}

/// What a failed message says against a process that may be running still.
pub(super) fn blame(error: &io::Error) -> Option<String> {
    match error.kind() {
        // It has ended or is about to, and how says more.
        io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset => None,
        _ => Some(error.to_string()),
    }
}

/// Gives a process what it is to serve, with those listeners that it does not have yet.
pub(super) async fn hand_over(
    mouth: &mut Mouth,
    order: &Order,
    handed: &mut BTreeSet<ListenKey>,
) -> io::Result<()> {
    let desired = &order.config;
    for listener in &desired.listeners {
        if handed.insert(listener.key.clone()) {
            let sockets = listener.shards.descriptors();
            mouth
                .tell(&ToRole::Listener(listener.key.clone()), &sockets)
                .await?;
        }
    }
    handed.retain(|key| desired.load.listeners.contains(key));
    let load = ToRole::Load {
        number: order.number,
        load: Box::new(desired.load.clone()),
    };
    mouth.tell(&load, &[]).await
}

/// Gives a process the ports whose address it is to ask for.
pub(super) async fn hand_over_ports(
    mouth: &mut Mouth,
    ports: &[Arc<OpenPort>],
    orders: Vec<Port>,
) -> io::Result<()> {
    let sockets: Vec<_> = ports.iter().map(|port| port.socket.as_fd()).collect();
    mouth.tell(&ToRole::Ports(orders), &sockets).await
}

/// Gives a process what it is to have from certificate authorities; `ordering`: whether it has anything to have. What is too
/// much for the link is said and not given: it would be too much for the next process, too.
pub(super) async fn hand_over_orders(
    mouth: &mut Mouth,
    wanted: &Wanted,
    ordering: &mut bool,
    journal: &Journal,
) -> io::Result<()> {
    let is_some = *wanted != Wanted::default();
    if !is_some && !*ordering {
        return Ok(());
    }
    *ordering = is_some;
    let wanted = Box::new(wanted.clone());
    match mouth.tell(&ToRole::Orders(wanted), &[]).await {
        // Nothing of it was sent.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
            let text = format!("the orders of certificates were not handed over: {error}");
            journal.notice("certs", text);
            Ok(())
        }
        told => told,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uplink::acme::Lookup;

    #[tokio::test]
    async fn orders_that_are_too_long_are_said_and_end_nothing() {
        let (ours, _theirs) = link::pair().unwrap();
        let (sender, _receiver) = link::open(ours, link::Side::Supervisor).unwrap();
        let stop = watch::channel(None).1;
        let mut mouth = Mouth { sender, stop };
        let lookup = Lookup {
            certificate: "a".repeat(32 << 20),
            directory: String::new(),
            roots: None,
        };
        let wanted = Wanted {
            orders: Vec::new(),
            lookups: vec![lookup],
        };
        let journal = Journal::new();
        let told = hand_over_orders(&mut mouth, &wanted, &mut false, &journal).await;
        assert!(told.is_ok(), "{told:?}");
        let small = Wanted::default();
        let told = hand_over_orders(&mut mouth, &small, &mut true, &journal).await;
        assert!(told.is_ok(), "{told:?}");
    }
}
