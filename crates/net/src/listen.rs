//! Listening sockets: opened by the supervisor, handed to the process that serves them.

use crate::connect::keep_alive;
use nix::libc;
use nix::net::if_::if_nametoindex;
use serde::{Deserialize, Serialize};
use socket2::{Domain, Protocol, Socket, Type};
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// How many connections may wait to be accepted on one socket; the kernel's `somaxconn` caps it.
const BACKLOG: i32 = 4096;

/// What a listener is known by; two listeners of one key are the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ListenKey {
    /// The service it is for, `proxy` for instance.
    pub service: String,
    /// What is spoken on it: `http`, `https`, …
    pub protocol: String,
    /// How it is carried.
    pub transport: Transport,
    /// Where it listens. IPv6 sockets take IPv6 only.
    pub addr: SocketAddr,
    /// The network interface it is bound to; `None` for all.
    pub device: Option<Device>,
}

/// How what is spoken on a listener is carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// In connections.
    Tcp,
    /// In datagrams.
    Udp,
}

/// A network interface as it is now. One that was deleted and made anew under its name is another: sockets
/// bound to the old one hear nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Device {
    /// Its name.
    pub name: Box<str>,
    /// The kernel's number of it; `None`: there is none of that name.
    pub index: Option<u32>,
}

impl Device {
    /// The interface that is called `name` now.
    pub fn named(name: &str) -> Self {
        Self {
            name: name.into(),
            index: if_nametoindex(name).ok(),
        }
    }

    /// Whether the name still means this interface.
    pub fn is_current(&self) -> bool {
        *self == Self::named(&self.name)
    }
}

impl fmt::Display for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Display for ListenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let datagrams = match self.transport {
            Transport::Tcp => "",
            Transport::Udp => " udp",
        };
        write!(f, "{}{datagrams} {}", self.protocol, self.addr)?;
        match &self.device {
            Some(device) => write!(f, " on {device}"),
            None => Ok(()),
        }
    }
}

/// A listener: one socket for each worker, all on the same port (`SO_REUSEPORT`), not blocking.
///
/// Clones share the sockets.
#[derive(Clone, Debug)]
pub struct Listener {
    /// What it is known by.
    pub key: ListenKey,
    /// One socket for each worker.
    pub shards: Shards,
}

/// The sockets of a listener; they are what its key says.
#[derive(Clone, Debug)]
pub enum Shards {
    /// They accept connections.
    Tcp(Arc<[TcpListener]>),
    /// They take datagrams.
    Udp(Arc<[UdpSocket]>),
}

impl Shards {
    /// How many there are.
    pub fn count(&self) -> usize {
        match self {
            Self::Tcp(sockets) => sockets.len(),
            Self::Udp(sockets) => sockets.len(),
        }
    }

    /// Those that accept connections.
    pub fn tcp(&self) -> &[TcpListener] {
        match self {
            Self::Tcp(sockets) => sockets,
            Self::Udp(_) => &[],
        }
    }

    /// Those that take datagrams.
    pub fn udp(&self) -> &[UdpSocket] {
        match self {
            Self::Tcp(_) => &[],
            Self::Udp(sockets) => sockets,
        }
    }

    /// Their descriptors, to be handed over.
    pub fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        match self {
            Self::Tcp(sockets) => sockets.iter().map(AsFd::as_fd).collect(),
            Self::Udp(sockets) => sockets.iter().map(AsFd::as_fd).collect(),
        }
    }

    fn made_of(transport: Transport, sockets: impl Iterator<Item = OwnedFd>) -> Self {
        match transport {
            Transport::Tcp => Self::Tcp(sockets.map(TcpListener::from).collect()),
            Transport::Udp => Self::Udp(sockets.map(UdpSocket::from).collect()),
        }
    }
}

/// A listener could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Another program holds the port.
    #[error("{0}: another program listens there already; end it, or choose another port")]
    InUse(ListenKey),
    /// Ports below 1024 and some addresses need root.
    #[error("{0}: not allowed; run as root, or choose a port of 1024 or above")]
    Forbidden(ListenKey),
    /// No interface has that address.
    #[error("{0}: this machine does not have that address")]
    NoAddress(ListenKey),
    /// IPv6 is switched off.
    #[error("{0}: this machine has no IPv6; `ipv6 = false` in [proxy] leaves it out")]
    NoFamily(ListenKey),
    /// There is no such interface.
    #[error("{0}: this machine does not have that network interface")]
    NoDevice(ListenKey),
    /// Anything else the system says.
    #[error("{0}: {1}")]
    System(ListenKey, #[source] io::Error),
}

impl Listener {
    /// Binds `key` and, where there are connections to be accepted, listens, with `shards` sockets; `beside_ours` says that a listener of ours has the
    /// port already, perhaps on other addresses.
    ///
    /// # Errors
    /// What the system refuses; the operator's configuration or machine is to blame.
    pub fn open(key: &ListenKey, shards: usize, beside_ours: bool) -> Result<Self, ListenError> {
        let open = || -> io::Result<Shards> {
            // Sockets with SO_REUSEPORT share a port silently, even with another program's: ask
            // for the port alone first.
            if !beside_ours {
                drop(bound(key, false)?);
            }
            let sockets = (0..shards.max(1)).map(|_| listening(key));
            let sockets = sockets.collect::<io::Result<Vec<_>>>()?;
            Ok(Shards::made_of(key.transport, sockets.into_iter()))
        };
        open()
            .map(|shards| Self {
                key: key.clone(),
                shards,
            })
            .map_err(|error| explain(key, error))
    }

    /// A listener made of sockets that another process opened.
    pub fn received(key: ListenKey, sockets: Vec<OwnedFd>) -> Self {
        let shards = Shards::made_of(key.transport, sockets.into_iter());
        Self { key, shards }
    }
}

fn listening(key: &ListenKey) -> io::Result<OwnedFd> {
    let socket = bound(key, true)?;
    if key.transport == Transport::Tcp {
        // Accepted sockets inherit both.
        socket.set_tcp_nodelay(true)?;
        socket.set_tcp_keepalive(&keep_alive())?;
        socket.listen(BACKLOG)?;
    }
    Ok(socket.into())
}

fn bound(key: &ListenKey, shared: bool) -> io::Result<Socket> {
    let (kind, protocol) = match key.transport {
        Transport::Tcp => (Type::STREAM, Protocol::TCP),
        Transport::Udp => (Type::DGRAM, Protocol::UDP),
    };
    let domain = Domain::for_address(key.addr);
    let socket = Socket::new(domain, kind.nonblocking().cloexec(), Some(protocol))?;
    if key.addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    // With it, two sockets for datagrams would share the port even with another program.
    if key.transport == Transport::Tcp {
        socket.set_reuse_address(true)?;
    }
    socket.set_reuse_port(shared)?;
    if let Some(device) = &key.device {
        socket.bind_device(Some(device.name.as_bytes()))?;
    }
    socket.bind(&key.addr.into())?;
    Ok(socket)
}

pub(crate) fn explain(key: &ListenKey, error: io::Error) -> ListenError {
    let key = key.clone();
    match error.raw_os_error() {
        Some(libc::EADDRINUSE) => ListenError::InUse(key),
        Some(libc::EACCES | libc::EPERM) => ListenError::Forbidden(key),
        Some(libc::EAFNOSUPPORT) => ListenError::NoFamily(key),
        // With IPv6 switched off at run time there is not even the wildcard address.
        Some(libc::EADDRNOTAVAIL) if key.addr.ip().is_unspecified() => ListenError::NoFamily(key),
        Some(libc::EADDRNOTAVAIL) => ListenError::NoAddress(key),
        Some(libc::ENODEV) => ListenError::NoDevice(key),
        _ => ListenError::System(key, error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpStream;

    fn key(addr: &str) -> ListenKey {
        ListenKey {
            service: "proxy".into(),
            protocol: "http".into(),
            transport: Transport::Tcp,
            addr: addr.parse().unwrap(),
            device: None,
        }
    }

    #[test]
    fn opens_one_socket_a_worker_and_finds_a_port_in_use() {
        let first = Listener::open(&key("127.0.0.1:0"), 1, false).unwrap();
        let addr = first.shards.tcp()[0].local_addr().unwrap();
        drop(first);
        let group = Listener::open(&key(&addr.to_string()), 3, false).unwrap();
        assert_eq!(group.shards.count(), 3);
        assert!(TcpStream::connect(addr).is_ok());
        let error = Listener::open(&key(&addr.to_string()), 3, false).unwrap_err();
        assert!(matches!(error, ListenError::InUse(_)), "{error}");
        assert!(Listener::open(&key(&addr.to_string()), 3, true).is_ok());
    }

    #[test]
    fn takes_datagrams_beside_connections_and_finds_another_program() {
        let udp = |addr: &str| ListenKey {
            protocol: "dns".into(),
            transport: Transport::Udp,
            ..key(addr)
        };
        let beside = Listener::open(&key("127.0.0.1:0"), 1, false).unwrap();
        let addr = beside.shards.tcp()[0].local_addr().unwrap().to_string();
        let group = Listener::open(&udp(&addr), 2, false).unwrap();
        assert_eq!(group.shards.udp().len(), 2);
        assert_eq!(group.key.to_string(), format!("dns udp {addr}"));
        let error = Listener::open(&udp(&addr), 1, false).unwrap_err();
        assert!(matches!(error, ListenError::InUse(_)), "{error}");
        assert!(Listener::open(&udp(&addr), 1, true).is_ok());
        let sockets = group.shards.descriptors();
        let sockets = sockets.iter().map(|fd| fd.try_clone_to_owned().unwrap());
        let received = Listener::received(udp(&addr), sockets.collect());
        assert_eq!(
            received.shards.udp()[1].local_addr().unwrap().to_string(),
            addr
        );
    }

    #[test]
    fn says_what_the_machine_does_not_have() {
        let error = Listener::open(&key("192.0.2.77:8099"), 1, false).unwrap_err();
        assert!(matches!(error, ListenError::NoAddress(_)), "{error}");
        let nowhere = ListenKey {
            device: Some(Device::named("nosuchif0")),
            ..key("127.0.0.1:0")
        };
        let error = Listener::open(&nowhere, 1, false).unwrap_err();
        assert!(matches!(error, ListenError::NoDevice(_)), "{error}");
        let loopback = Device::named("lo");
        assert!(loopback.index.is_some() && loopback.is_current());
        let another = Device {
            index: Some(u32::MAX),
            ..loopback
        };
        assert!(!another.is_current());
    }
}
