//! Whom a client may reach through us: public addresses, our own relayed ones, and what the operator has named.
//!
//! A relay that reaches more is a door into the network behind it. Every form in which an IPv6 address carries an IPv4 address is
//! unwrapped before anything is compared, and both have to be reachable.

mod special;
mod wrapped;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::ops::RangeInclusive;

use ipnet::IpNet;
use thiserror::Error;

/// A network, and the ports there that may be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The network.
    pub network: IpNet,
    /// The UDP ports.
    pub ports: RangeInclusive<u16>,
}

/// Why a peer may not be reached: the client is to blame, or the operator has not named it.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Refused {
    /// Port 0.
    #[error("no port")]
    NoPort,
    /// Loopback, "this network", multicast, broadcast: never, whatever the operator has named.
    #[error("an address that no peer can have")]
    NotAPeer,
    /// An address of this box, on a port that is not relayed.
    #[error("an address of this box")]
    Ours,
    /// Private, link-local, for documents, reserved, and not named.
    #[error("an address that is not public, and not allowed by [[turn.allow]]")]
    NotPublic,
}

/// The rules of who may be reached.
#[derive(Clone, Debug, Default)]
pub struct Peers {
    allowed: Vec<Allowed>,
    own: Vec<IpAddr>,
    relayed: Vec<IpAddr>,
    relay_ports: Option<RangeInclusive<u16>>,
}

impl Peers {
    /// Public addresses only.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the operator has named, and what follows from it. It does not open our own addresses.
    #[must_use]
    pub fn allowing(mut self, allowed: impl IntoIterator<Item = Allowed>) -> Self {
        self.allowed.extend(allowed);
        self
    }

    /// All addresses of this box, as it has them and as the world sees them.
    #[must_use]
    pub fn own(mut self, own: impl IntoIterator<Item = IpAddr>) -> Self {
        self.own.extend(own.into_iter().map(|ip| ip.to_canonical()));
        self
    }

    /// The addresses and ports where we relay: as clients are told them and as the sockets are bound.
    #[must_use]
    pub fn relaying(
        mut self,
        at: impl IntoIterator<Item = IpAddr>,
        ports: RangeInclusive<u16>,
    ) -> Self {
        self.relayed
            .extend(at.into_iter().map(|ip| ip.to_canonical()));
        self.relay_ports = Some(ports);
        self
    }

    /// Whether the peer may be reached; its address, with an IPv4-mapped one as what it is.
    ///
    /// # Errors
    /// The client's: it may not.
    pub fn judge(&self, peer: SocketAddr) -> Result<SocketAddr, Refused> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        match peer.port() {
            0 => Err(Refused::NoPort),
            port => self.may_reach(peer.ip(), Some(port)).map(|()| peer),
        }
    }

    /// Whether any port of the peer may be reached: what a permission, which knows no port, is asked with.
    ///
    /// # Errors
    /// The client's: none may.
    pub fn judge_address(&self, peer: IpAddr) -> Result<IpAddr, Refused> {
        let peer = peer.to_canonical();
        self.may_reach(peer, None).map(|()| peer)
    }

    /// Whether this is where we relay.
    pub fn is_relayed(&self, peer: SocketAddr) -> bool {
        self.relays(peer.ip(), Some(peer.port()))
    }

    fn may_reach(&self, ip: IpAddr, port: Option<u16>) -> Result<(), Refused> {
        if special::is_never_a_peer(ip) {
            return Err(Refused::NotAPeer);
        }
        if self.relays(ip, port) {
            return Ok(());
        }
        if self.own.contains(&ip) || self.relayed.contains(&ip) {
            return Err(Refused::Ours);
        }
        if !special::is_public(ip) && !self.is_named(ip, port) {
            return Err(Refused::NotPublic);
        }
        match ip {
            IpAddr::V4(_) => Ok(()),
            IpAddr::V6(ip) => self.may_reach_within(ip, port),
        }
    }

    /// Whether what the address carries may be reached, too.
    fn may_reach_within(&self, ip: Ipv6Addr, port: Option<u16>) -> Result<(), Refused> {
        for within in wrapped::within(ip).into_iter().flatten() {
            // Through a tunnel nobody comes to a relayed address.
            if self.own.contains(&within.into()) || self.relayed.contains(&within.into()) {
                return Err(Refused::Ours);
            }
            self.may_reach(within.into(), port)?;
        }
        Ok(())
    }

    fn is_named(&self, ip: IpAddr, port: Option<u16>) -> bool {
        self.allowed.iter().any(|allowed| {
            allowed.network.contains(&ip)
                && match port {
                    Some(port) => allowed.ports.contains(&port),
                    None => !allowed.ports.is_empty(),
                }
        })
    }

    fn relays(&self, ip: IpAddr, port: Option<u16>) -> bool {
        self.relay_ports.as_ref().is_some_and(|ports| {
            port.is_none_or(|port| ports.contains(&port)) && self.relayed.contains(&ip)
        })
    }
}
