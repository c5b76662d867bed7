//! Who talks to us: the five-tuple.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};

/// How a client reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams: nothing proves the address but a nonce.
    Udp,
    /// A stream.
    Tcp,
    /// A stream inside TLS.
    Tls,
}

/// A client, as its address and the socket that has heard of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address, an IPv4 one never as an IPv6 one.
    pub address: SocketAddr,
    /// How.
    pub transport: Transport,
    /// Which of our sockets; the caller numbers them.
    pub listener: u16,
    /// Which connection of it; 0 for UDP.
    pub connection: u32,
}

impl Client {
    /// Whether it talks over a stream, so that its address is proven and padding is wanted.
    pub const fn is_stream(&self) -> bool {
        !matches!(self.transport, Transport::Udp)
    }
}

impl Hash for Client {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let (high, low) = halves(self.address.ip());
        let rest = u64::from(self.address.port()) << 48
            | u64::from(self.listener) << 32
            | u64::from(self.connection);
        state.write_u64(high);
        state.write_u64(low);
        state.write_u64(rest);
    }
}

/// Whom a limit counts: one IPv4 address, or the first 64 bits of an IPv6 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Source(u64, bool);

impl Source {
    /// The source of an address.
    pub fn of(ip: IpAddr) -> Self {
        let ip = ip.to_canonical();
        let (high, low) = halves(ip);
        match ip {
            IpAddr::V4(_) => Self(low, false),
            IpAddr::V6(_) => Self(high, true),
        }
    }
}

/// The upper and the lower 64 bits; of an IPv4 address only lower ones.
fn halves(ip: IpAddr) -> (u64, u64) {
    let bits = match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    };
    let half = |bits: u128| u64::try_from(bits & u128::from(u64::MAX)).expect("64 bits");
    (half(bits >> 64), half(bits))
}
