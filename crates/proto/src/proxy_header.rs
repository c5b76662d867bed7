//! The PROXY header: who the client is, in the words of a load balancer in front of us, or in ours
//! towards a target (the PROXY protocol of HAProxy, versions 1 and 2).
//!
//! It stands before the first byte of a connection, and is believed as it stands. So only listed
//! addresses may send it, and what is not exactly in its form is refused.

mod binary;
mod checksum;
mod line;

use std::net::{IpAddr, SocketAddr};

use thiserror::Error;

/// The most bytes of a header of version 1, its line end included.
pub const MAX_LINE: usize = 107;
/// The most bytes of a header of version 2: sixteen, and 2048 for addresses and extensions.
pub const MAX_BINARY: usize = binary::FIXED + 2048;
/// The most bytes that are looked at before the answer is certain.
pub const MAX_BUFFERED: usize = MAX_BINARY;

/// Who is at the ends of the connection that the sender speaks for.
///
/// Both are `None` where the sender speaks for itself (a health check), or does not know. IPv4 in
/// IPv6 form is told as IPv4, so that the two may be of different families.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The client.
    pub source: Option<SocketAddr>,
    /// The address that the client has connected to.
    pub destination: Option<SocketAddr>,
}

/// Why bytes are no PROXY header; the sender in front of us is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The connection begins with something else.
    #[error("the connection does not begin with a PROXY header")]
    NotProxyHeader,
    /// Larger than [`MAX_LINE`] or [`MAX_BINARY`].
    #[error("the PROXY header is too long")]
    TooLong,
    /// Version 1: a bare CR or LF.
    #[error("the PROXY line does not end in CR LF, or a CR or LF stands elsewhere")]
    LineEnd,
    /// Version 1: not five words with one space between.
    #[error("the PROXY line is not a protocol, two addresses and two ports with one space between")]
    Words,
    /// Version 2: a version other than 2.
    #[error("the PROXY header has a version other than 1 and 2")]
    Version,
    /// Version 2: a command other than LOCAL and PROXY.
    #[error("the PROXY header has a command other than LOCAL and PROXY")]
    Command,
    /// Another protocol than TCP over IPv4 or IPv6.
    #[error("the PROXY header speaks of another protocol than TCP over IPv4 or IPv6")]
    Protocol,
    /// An address that is none, or of the other family.
    #[error("an address of the PROXY header is not one of the family it names")]
    Address,
    /// A port that is no plain number up to 65535.
    #[error("a port of the PROXY header is not a plain number of 0 to 65535")]
    Port,
    /// Version 2: no room for the addresses.
    #[error("the PROXY header is too short for the addresses it names")]
    Length,
    /// Version 2: an extension that does not fit.
    #[error("an extension of the PROXY header does not fit into it")]
    Extension,
    /// Version 2: the checksum of the header is another.
    #[error("the checksum of the PROXY header is wrong")]
    Checksum,
}

impl Header {
    /// The sender speaks for itself, or does not know.
    const NOBODY: Self = Self {
        source: None,
        destination: None,
    };

    fn between(source: SocketAddr, destination: SocketAddr) -> Self {
        Self {
            source: Some(canonical(source)),
            destination: Some(canonical(destination)),
        }
    }
}

/// Reads the PROXY header that `bytes` begins with, and how many bytes it takes; `None` when more
/// bytes are needed.
///
/// # Errors
/// The sender's: no header, or one that is not exactly in its form. At [`MAX_BUFFERED`] bytes the
/// answer is certain.
pub fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, Fault> {
    if begins_alike(bytes, line::START) {
        line::read(bytes)
    } else if begins_alike(bytes, binary::SIGNATURE) {
        binary::read(bytes)
    } else {
        Err(Fault::NotProxyHeader)
    }
}

/// Appends a header of version 1 that names both ends of a connection.
///
/// Where one is IPv4 and the other IPv6, the first is written in IPv6 form.
pub fn write_v1(out: &mut Vec<u8>, source: SocketAddr, destination: SocketAddr) {
    line::write(out, &Ends::of(source, destination));
}

/// Appends a header of version 1 that names nobody: we speak for ourselves.
pub fn write_v1_local(out: &mut Vec<u8>) {
    out.extend_from_slice(line::LOCAL);
}

/// Appends a header of version 2 that names both ends of a connection.
///
/// Where one is IPv4 and the other IPv6, the first is written in IPv6 form.
pub fn write_v2(out: &mut Vec<u8>, source: SocketAddr, destination: SocketAddr) {
    binary::write(out, &Ends::of(source, destination));
}

/// Appends a header of version 2 that names nobody: we speak for ourselves.
pub fn write_v2_local(out: &mut Vec<u8>) {
    binary::write_local(out);
}

/// Whether one of the two begins with the other.
fn begins_alike(bytes: &[u8], start: &[u8]) -> bool {
    let common = bytes.len().min(start.len());
    bytes.get(..common) == start.get(..common)
}

/// As they are written: of one family.
struct Ends {
    source: SocketAddr,
    destination: SocketAddr,
}

impl Ends {
    fn of(source: SocketAddr, destination: SocketAddr) -> Self {
        let (source, destination) = (canonical(source), canonical(destination));
        if source.is_ipv4() == destination.is_ipv4() {
            Self {
                source,
                destination,
            }
        } else {
            Self {
                source: in_ipv6_form(source),
                destination: in_ipv6_form(destination),
            }
        }
    }
}

/// Without IPv4 in IPv6 form, flow and scope.
fn canonical(end: SocketAddr) -> SocketAddr {
    SocketAddr::new(end.ip().to_canonical(), end.port())
}

fn in_ipv6_form(end: SocketAddr) -> SocketAddr {
    match end.ip() {
        IpAddr::V4(address) => SocketAddr::new(address.to_ipv6_mapped().into(), end.port()),
        IpAddr::V6(_) => end,
    }
}
