//! Echo requests to one address: `ping` for the operator, never on a data path.

use proto::icmp::{self, Version};
use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::net::UdpSocket;
use tokio::time::timeout_at;

/// How long an answer may take.
pub const PATIENCE: Duration = Duration::from_secs(1);
/// What a request carries; an answer must carry the same.
const DATA: &[u8; 16] = b"gatehouse ping..";
/// Longer answers are none to what we send; an IPv4 header may stand before them.
const LONGEST: usize = 256;

/// Why nothing can be sent at all.
#[derive(Debug, thiserror::Error)]
pub enum PingError {
    /// The machine lets only some users ping.
    #[error(
        "this user may not send ICMP; run it as root, or allow it with \
         `sysctl net.ipv4.ping_group_range=\"0 2147483647\"`"
    )]
    Forbidden,
    /// Anything else the system says, such as that no route leads there.
    #[error("{0}")]
    System(#[from] io::Error),
}

/// A socket that sends echo requests to one address.
#[derive(Debug)]
pub struct Pinger {
    socket: UdpSocket,
    address: IpAddr,
    version: Version,
    /// A raw socket sees the answers to everybody, with the IPv4 header in front.
    raw: bool,
    identifier: u16,
}

impl Pinger {
    /// A socket for `address`: one of datagrams, which any user of `net.ipv4.ping_group_range` may have, or a raw one.
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`PingError`]: this user may open neither, or nothing leads to `address`.
    pub fn open(address: IpAddr) -> Result<Self, PingError> {
        let (domain, protocol, version) = match address {
            IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4, Version::V4),
            IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6, Version::V6),
        };
        let denied = |error: &io::Error| error.kind() == io::ErrorKind::PermissionDenied;
        let (socket, raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
            Ok(socket) => (socket, false),
            Err(error) if denied(&error) => match Socket::new(domain, Type::RAW, Some(protocol)) {
                Ok(socket) => (socket, true),
                Err(error) if denied(&error) => return Err(PingError::Forbidden),
                Err(error) => return Err(error.into()),
            },
            Err(error) => return Err(error.into()),
        };
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::from(SocketAddr::new(address, 0)))?;
        // Of a datagram socket the kernel takes its own, which is the port that it gave it.
        let own = socket.local_addr()?.as_socket().map(|own| own.port());
        let identifier = match own {
            Some(port) if !raw => port,
            _ => u16::try_from(std::process::id() & 0xffff).unwrap_or_default(),
        };
        Ok(Self {
            // To tokio it is a socket of datagrams like any other.
            socket: UdpSocket::from_std(socket.into())?,
            address,
            version,
            raw,
            identifier,
        })
    }

    /// The address that is asked.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// Sends one request and waits for its answer, [`PATIENCE`] at most; how long it took, or none.
    ///
    /// # Errors
    /// The system's: the network is unreachable, or a router said so.
    pub async fn echo(&self, sequence: u16) -> io::Result<Option<Duration>> {
        let request = icmp::request(self.version, self.identifier, sequence, DATA);
        let sent = Instant::now();
        let deadline = tokio::time::Instant::now() + PATIENCE;
        self.socket.send(&request).await?;
        let answered = timeout_at(deadline, self.answer(sequence)).await;
        match answered {
            Ok(Ok(())) => Ok(Some(sent.elapsed())),
            Ok(Err(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    async fn answer(&self, sequence: u16) -> io::Result<()> {
        let mut bytes = [0; LONGEST];
        loop {
            let length = self.socket.recv(&mut bytes).await?;
            if self.is_answer(bytes.get(..length).unwrap_or_default(), sequence) {
                return Ok(());
            }
        }
    }

    fn is_answer(&self, packet: &[u8], sequence: u16) -> bool {
        let message = match (self.raw, self.version) {
            (true, Version::V4) => icmp::behind_ipv4_header(packet),
            _ => Some(packet),
        };
        message
            .and_then(|message| icmp::reply(self.version, message))
            .is_some_and(|reply| {
                (reply.identifier, reply.sequence, reply.data)
                    == (self.identifier, sequence, DATA.as_slice())
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where this user may ping at all; the lab does so as root, over a wire.
    #[tokio::test]
    async fn this_machine_answers_itself() {
        for address in ["127.0.0.1", "::1"] {
            let pinger = match Pinger::open(address.parse().unwrap()) {
                Ok(pinger) => pinger,
                // No right to it, or no IPv6.
                Err(PingError::Forbidden | PingError::System(_)) => continue,
            };
            for sequence in 1..3 {
                assert!(pinger.echo(sequence).await.unwrap().is_some(), "{address}");
            }
        }
    }

    #[tokio::test]
    async fn an_answer_to_somebody_else_is_none_to_us() {
        let Ok(pinger) = Pinger::open(IpAddr::from([127, 0, 0, 1])) else {
            return;
        };
        let mut answer = icmp::request(Version::V4, pinger.identifier, 3, DATA);
        answer[0] = 0;
        let header: &[u8] = if pinger.raw { &[0x45; 20] } else { &[] };
        let is_answer = |bytes: &[u8]| pinger.is_answer(&[header, bytes].concat(), 3);
        assert!(is_answer(&answer));
        for place in [0, 1, 5, 7, 9] {
            let mut other = answer.clone();
            other[place] ^= 1;
            assert!(!is_answer(&other), "{place}");
        }
        assert!(!is_answer(&answer[..answer.len() - 1]));
    }
}
