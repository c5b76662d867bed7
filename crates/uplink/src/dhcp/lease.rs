//! What a server gives: an address for a time, and what goes with it; and what is not taken from it.

use std::net::Ipv4Addr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::message::{Answer, code};

/// The shortest prefix of the network of a lease: there is no larger one than those of class A.
const SHORTEST_PREFIX: u8 = 8;
/// The shortest time that a lease is taken for, in seconds; a shorter one would be nothing but renewals.
const SHORTEST: u32 = 30;
/// The soonest time to renew after, in seconds.
const SOONEST: u32 = 10;
/// A lease that does not end (RFC 2131 section 3.3).
const FOR_EVER: u32 = u32::MAX;
/// The most name servers, and the most time servers, that are kept.
const MOST_SERVERS: usize = 8;
/// The most routes that are kept.
const MOST_ROUTES: usize = 64;
/// An MTU outside of this is a mistake: hosts take 576 bytes whole (RFC 1122 section 3.3.3).
const MTU: std::ops::RangeInclusive<u16> = 576..=9216;

/// What a port has from a DHCP server. It can be stored, and be asked for again after a restart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The address, with the prefix of its network, at least 8. It may be of a network that another port has:
    /// only whoever sets it can know.
    pub address: Ipv4Net,
    /// The gateway of the default route. From option 121 where there is one, else from option 3 (RFC 3442).
    pub router: Option<Ipv4Addr>,
    /// All other routes, at most 64. Those without a gateway must be set first. They may lead anywhere: whoever sets
    /// them must leave out what would draw traffic away from the networks of other ports.
    pub routes: Vec<Route>,
    /// Name servers, the preferred first; at most 8.
    pub name_servers: Vec<Ipv4Addr>,
    /// The domain of the network: letters, digits, `-`, `_` and dots only.
    pub domain: Option<String>,
    /// Time servers (NTP), at most 8.
    pub time_servers: Vec<Ipv4Addr>,
    /// The largest packet of the network in bytes, 576 to 9216.
    pub mtu: Option<u16>,
    /// The server that gave it, and that is asked to renew it.
    pub server: Ipv4Addr,
    /// When it ends; `None`: never.
    pub times: Option<Times>,
}

/// A route that the server named (RFC 3442).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Route {
    /// Where it leads to.
    pub to: Ipv4Net,
    /// Over which router; it may be outside of the lease's network. `None`: hosts there are on the wire.
    pub via: Option<Ipv4Addr>,
}

/// The times of a lease that ends, in seconds since it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// After which the server is asked to renew it (T1).
    pub renew: u32,
    /// After which all servers are asked (T2).
    pub rebind: u32,
    /// After which the address must not be used any more; at least 30.
    pub lasts: u32,
    /// The same end by the calendar, in seconds since 1970, to be compared after a restart.
    pub expires: u64,
}

/// Why an answer is not taken; the server is to blame.
#[derive(Clone, Debug, Error, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Refusal {
    /// No server identifier, or one that is no host's address.
    #[error("the answer does not say which server it is from (option 54)")]
    Server,
    /// No lease time.
    #[error("the answer does not say for how long the address is given (option 51)")]
    LeaseTime,
    /// No subnet mask, one with holes, or one of less than 8 bits.
    #[error("the answer has no usable subnet mask (option 1)")]
    Mask,
    /// An address that no host can have in its network.
    #[error("{0} can not be the address of a host")]
    Address(Ipv4Net),
    /// A router that is not on the wire.
    #[error("the router {0} is not in the network {1}")]
    Router(Ipv4Addr, Ipv4Net),
    /// Another address than was asked for.
    #[error("{0} was given, but {1} was asked for")]
    Another(Ipv4Addr, Ipv4Addr),
}

impl Lease {
    /// What an answer gives; `asked` is when it was asked for.
    pub(super) fn read(answer: &Answer, asked: SystemTime) -> Result<Self, Refusal> {
        let server = answer
            .address(code::SERVER)
            .filter(|server| is_host(*server));
        let server = server.ok_or(Refusal::Server)?;
        let mask = answer.address(code::MASK).ok_or(Refusal::Mask)?;
        let address = Ipv4Net::with_netmask(answer.given, mask)
            .ok()
            .filter(|net| net.prefix_len() >= SHORTEST_PREFIX)
            .ok_or(Refusal::Mask)?;
        if !can_be_ours(address) {
            return Err(Refusal::Address(address));
        }
        let lasts = answer.number(code::LEASE_TIME).ok_or(Refusal::LeaseTime)?;
        let (router, routes) = routes(answer, address)?;
        Ok(Self {
            address,
            router,
            routes,
            name_servers: servers(answer, code::NAME_SERVERS),
            domain: answer.bytes(code::DOMAIN).and_then(domain),
            time_servers: servers(answer, code::TIME_SERVERS),
            mtu: answer.bytes(code::MTU).and_then(mtu),
            server,
            times: (lasts != FOR_EVER).then(|| {
                let asked = seconds(asked);
                let given = (answer.number(code::RENEW), answer.number(code::REBIND));
                Times::new(lasts, given, asked)
            }),
        })
    }

    /// How much of it is left by the calendar; `None`: it does not end. Never more than it was given for, so that a
    /// clock that stands wrong does not make it longer.
    pub(super) fn left(&self, wall: SystemTime) -> Option<Duration> {
        self.times.map(|times| {
            let left = times.expires.saturating_sub(seconds(wall));
            Duration::from_secs(left.min(u64::from(times.lasts)))
        })
    }

    /// Whether the client could have read it from an answer. What was stored, or told by another process, is
    /// to be used only if it is.
    pub fn is_sound(&self) -> bool {
        let own = self.address;
        let are_hosts = |list: &[Ipv4Addr]| {
            list.len() <= MOST_SERVERS && list.iter().all(|server| is_host(*server))
        };
        own.prefix_len() >= SHORTEST_PREFIX
            && can_be_ours(own)
            && is_host(self.server)
            && self.router.is_none_or(|via| is_gateway(via, own))
            && self.routes.len() <= MOST_ROUTES
            && self.routes.iter().all(|route| route.is_sound(own))
            && are_hosts(&self.name_servers)
            && are_hosts(&self.time_servers)
            && self.domain.as_deref().is_none_or(is_domain)
            && self.mtu.is_none_or(|mtu| MTU.contains(&mtu))
            && self.times.is_none_or(Times::is_sound)
    }
}

impl Route {
    fn is_sound(&self, own: Ipv4Net) -> bool {
        let first = self.to.network().octets()[0];
        let is_reachable = self.to.prefix_len() == 0 || (first != 127 && first < 224);
        is_reachable && self.via.is_none_or(|via| is_gateway(via, own))
    }
}

impl Times {
    fn new(lasts: u32, given: (Option<u32>, Option<u32>), asked: u64) -> Self {
        let lasts = lasts.max(SHORTEST);
        let (renew, rebind) = match given {
            (Some(renew), Some(rebind))
                if (SOONEST..=rebind).contains(&renew) && rebind <= lasts =>
            {
                (renew, rebind)
            }
            // RFC 2131 section 4.4.5.
            _ => (lasts / 2, lasts - lasts / 8),
        };
        Self {
            renew,
            rebind,
            lasts,
            expires: asked.saturating_add(u64::from(lasts)),
        }
    }

    fn is_sound(self) -> bool {
        SHORTEST <= self.lasts
            && SOONEST <= self.renew
            && self.renew <= self.rebind
            && self.rebind <= self.lasts
    }
}

/// The default gateway and all other routes. Where there are classless routes, the routers of option 3 do not count.
fn routes(answer: &Answer, own: Ipv4Net) -> Result<(Option<Ipv4Addr>, Vec<Route>), Refusal> {
    if let Some(mut routes) = answer.bytes(code::ROUTES).and_then(classless) {
        routes.retain(|route| route.is_sound(own));
        let default = routes
            .iter()
            .position(|route| route.to.prefix_len() == 0 && route.via.is_some());
        let router = default.and_then(|index| routes.remove(index).via);
        // A second default route would be in the way of the first.
        if router.is_some() {
            routes.retain(|route| route.to.prefix_len() != 0);
        }
        routes.truncate(MOST_ROUTES);
        return Ok((router, routes));
    }
    let routers = answer.addresses(code::ROUTERS);
    let is_near = |router: &Ipv4Addr| own.contains(router) && is_gateway(*router, own);
    match (routers.iter().copied().find(is_near), routers.first()) {
        (None, Some(far)) => Err(Refusal::Router(*far, own.trunc())),
        (near, _) => Ok((near, Vec::new())),
    }
}

/// The routes of option 121; `None` if it is not well formed: then it counts as not sent.
fn classless(mut bytes: &[u8]) -> Option<Vec<Route>> {
    let mut routes = Vec::new();
    while let Some((&prefix, rest)) = bytes.split_first() {
        // Only as many bytes of the network are written as its prefix needs.
        let (network, rest) = rest.split_at_checked(usize::from(prefix).div_ceil(8))?;
        let (via, rest) = rest.split_first_chunk::<4>()?;
        let mut octets = [0; 4];
        octets.get_mut(..network.len())?.copy_from_slice(network);
        let via = Ipv4Addr::from(*via);
        routes.push(Route {
            to: Ipv4Net::new(octets.into(), prefix).ok()?.trunc(),
            via: (!via.is_unspecified()).then_some(via),
        });
        bytes = rest;
    }
    Some(routes)
}

fn servers(answer: &Answer, code: u8) -> Vec<Ipv4Addr> {
    let mut list = answer.addresses(code);
    list.retain(|server| is_host(*server));
    list.truncate(MOST_SERVERS);
    list
}

fn domain(bytes: &[u8]) -> Option<String> {
    let text = str::from_utf8(bytes).ok()?;
    let name = text.trim_end_matches('\0').trim_end_matches('.');
    is_domain(name).then(|| name.to_owned())
}

/// A name that can be shown and asked for without looking at it again.
fn is_domain(name: &str) -> bool {
    let is_label = |label: &str| {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        (1..=63).contains(&label.len()) && label.bytes().all(is_plain)
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

fn mtu(bytes: &[u8]) -> Option<u16> {
    let mtu = u16::from_be_bytes(bytes.try_into().ok()?);
    MTU.contains(&mtu).then_some(mtu)
}

/// An address that a single host somewhere else can have.
fn is_host(address: Ipv4Addr) -> bool {
    let first = address.octets()[0];
    // "This network", loopback, multicast and everything reserved above it.
    first != 0 && first != 127 && first < 224
}

/// Whether packets can be sent on to this address by us.
fn is_gateway(address: Ipv4Addr, own: Ipv4Net) -> bool {
    is_host(address) && address != own.addr()
}

/// Whether a host can have this address in this network: not that of the network itself, nor its broadcast.
fn can_be_ours(address: Ipv4Net) -> bool {
    let is_edge = address.addr() == address.network() || address.addr() == address.broadcast();
    // RFC 3021: a network of two has no such addresses.
    is_host(address.addr()) && (address.prefix_len() >= 31 || !is_edge)
}

fn seconds(wall: SystemTime) -> u64 {
    wall.duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}
