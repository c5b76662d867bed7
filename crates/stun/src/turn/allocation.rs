//! One allocation (RFC 8656 section 3.2), with whom it lets in. Nothing here has a timer: what is over is seen when it is used.
//! Most have one peer or two, so that the lists grow one by one; they are short.

use std::net::{IpAddr, SocketAddr};

use super::bucket::Bucket;
use super::client::Client;
use super::verdict::{Family, Open, Token};
use crate::channel_data::Channel;
use crate::credentials::{Account, Proven};
use crate::message::TransactionId;

/// Seconds that a permission lasts (RFC 8656 section 3.3).
pub(super) const PERMISSION: u32 = 300;
/// Seconds that a channel lasts (section 3.4).
pub(super) const CHANNEL: u32 = 600;

#[derive(Debug)]
pub(super) struct Allocation {
    pub(super) client: Client,
    pub(super) account: Account,
    /// Of the request that has made it, whose answer may have been lost.
    pub(super) transaction: TransactionId,
    /// The lifetime of that answer.
    pub(super) lifetime: u32,
    pub(super) token: Option<Token>,
    /// Which families were wanted.
    pub(super) wanted: [bool; 2],
    /// There while its sockets are being opened.
    pub(super) pending: Option<Box<Pending>>,
    pub(super) relayed: [Option<Relayed>; 2],
    pub(super) permissions: Vec<Permission>,
    pub(super) channels: Vec<Bound>,
    pub(super) up: Bucket,
    pub(super) down: Bucket,
    pub(super) traffic: Traffic,
}

/// What the answer will need.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) open: Open,
    pub(super) proven: Proven,
    pub(super) has_fingerprint: bool,
}

/// A relayed address, as clients are told it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Relayed {
    pub(super) told: SocketAddr,
    pub(super) until: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Permission {
    pub(super) peer: IpAddr,
    pub(super) until: u32,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    pub(super) channel: Channel,
    pub(super) peer: SocketAddr,
    pub(super) until: u32,
}

/// What an allocation has relayed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Packets from the client.
    pub packets_up: u64,
    /// Their bytes.
    pub bytes_up: u64,
    /// Packets to the client.
    pub packets_down: u64,
    /// Their bytes.
    pub bytes_down: u64,
}

impl Allocation {
    /// The relayed address of a family, while it lasts.
    pub(super) fn relayed(&self, family: Family, now: u32) -> Option<SocketAddr> {
        self.relayed[family.index()]
            .filter(|relayed| relayed.until > now)
            .map(|relayed| relayed.told)
    }

    pub(super) fn is_over(&self, now: u32) -> bool {
        self.pending.is_none() && self.relayed.iter().flatten().all(|held| held.until <= now)
    }

    pub(super) fn permits(&self, peer: IpAddr, now: u32) -> bool {
        let mut held = self.permissions.iter();
        held.any(|held| held.peer == peer && held.until > now)
    }

    pub(super) fn channel(&self, channel: Channel, now: u32) -> Option<SocketAddr> {
        let mut bound = self.channels.iter();
        bound
            .find(|bound| bound.channel == channel && bound.until > now)
            .map(|bound| bound.peer)
    }

    pub(super) fn channel_of(&self, peer: SocketAddr, now: u32) -> Option<Channel> {
        let mut bound = self.channels.iter();
        bound
            .find(|bound| bound.peer == peer && bound.until > now)
            .map(|bound| bound.channel)
    }

    /// Whether permissions for all of these fit.
    pub(super) fn has_room_for(&mut self, peers: &[IpAddr], most: usize, now: u32) -> bool {
        self.permissions.retain(|held| held.until > now);
        let new = peers.iter().enumerate().filter(|(at, peer)| {
            !peers[..*at].contains(peer) && !self.permissions.iter().any(|held| held.peer == **peer)
        });
        self.permissions.len() + new.count() <= most
    }

    /// Lets a peer in, from now on for [`PERMISSION`] seconds.
    pub(super) fn permit(&mut self, peer: IpAddr, now: u32) {
        let until = now.saturating_add(PERMISSION);
        if let Some(held) = self.permissions.iter_mut().find(|held| held.peer == peer) {
            held.until = until;
        } else {
            self.permissions.reserve_exact(1);
            self.permissions.push(Permission { peer, until });
        }
    }

    /// Binds a channel; the code of the error where it can not be.
    pub(super) fn bind(
        &mut self,
        channel: Channel,
        peer: SocketAddr,
        most: usize,
        now: u32,
    ) -> Result<(), u16> {
        self.channels.retain(|bound| bound.until > now);
        let until = now.saturating_add(CHANNEL);
        let has_room = self.channels.len() < most;
        let touched = |bound: &Bound| bound.channel == channel || bound.peer == peer;
        match self.channels.iter().position(touched) {
            Some(at) => {
                let bound = &mut self.channels[at];
                if bound.channel != channel || bound.peer != peer {
                    return Err(400);
                }
                bound.until = until;
                Ok(())
            }
            None if has_room => {
                self.channels.reserve_exact(1);
                self.channels.push(Bound {
                    channel,
                    peer,
                    until,
                });
                Ok(())
            }
            None => Err(508),
        }
    }
}
