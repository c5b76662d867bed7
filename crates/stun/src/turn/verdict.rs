//! What goes in and comes out.

use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use thiserror::Error;

use super::client::Client;
use crate::channel_data;

/// The most bytes that an answer takes.
pub const LONGEST_ANSWER: usize = 1024;

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Number 1.
    V4,
    /// Number 2.
    V6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: SocketAddr) -> Self {
        match address {
            SocketAddr::V4(_) => Self::V4,
            SocketAddr::V6(_) => Self::V6,
        }
    }

    /// The family of an IP address.
    pub const fn of_ip(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    pub(super) const fn index(self) -> usize {
        match self {
            Self::V4 => 0,
            Self::V6 => 1,
        }
    }
}

/// An allocation: its place, and which one of those that have had it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AllocationId {
    /// Small numbers, used again.
    pub place: u32,
    /// Grows with every allocation in the place.
    pub generation: u32,
}

/// A socket at a relayed address; the caller keeps the number with the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relay {
    /// Whose.
    pub allocation: AllocationId,
    /// Which of its two.
    pub family: Family,
}

/// Names a port that waits for its allocation (RFC 8656 section 18.7).
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub [u8; 8]);

impl std::fmt::Debug for Token {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Token(..)")
    }
}

/// What has happened.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A datagram of a client, or one message or frame of its stream.
    FromClient {
        /// Who.
        client: Client,
        /// All of it.
        bytes: &'a [u8],
    },
    /// A datagram has come to a relayed address.
    FromPeer {
        /// Where.
        relay: Relay,
        /// From whom.
        peer: SocketAddr,
        /// How many bytes.
        length: usize,
    },
    /// An ICMP error has come back for what was sent from a relayed address (RFC 8656 section 11.5).
    Icmp {
        /// From where it was sent.
        relay: Relay,
        /// To whom it was sent.
        peer: SocketAddr,
        /// Type, below 128.
        kind: u8,
        /// Code.
        code: u8,
        /// What else the error says, such as the MTU.
        data: [u8; 4],
    },
    /// What [`Output::Open`] wanted.
    Opened {
        /// For which allocation.
        allocation: AllocationId,
        /// The addresses, as clients are to be told them.
        result: Result<Opened, CanNotOpen>,
    },
    /// The connection of a client has ended.
    Gone {
        /// Whose.
        client: Client,
    },
}

/// Sockets that were opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// The IPv4 address.
    pub v4: Option<SocketAddr>,
    /// The IPv6 address.
    pub v6: Option<SocketAddr>,
    /// Whether the port above is kept for the token.
    pub is_reserved: bool,
}

/// No socket could be opened: ours, or all ports are taken.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("no port is left for a relayed address")]
pub struct CanNotOpen;

/// What is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    /// An IPv4 address.
    pub v4: bool,
    /// An IPv6 address; where both are wanted, one of them may be missing.
    pub v6: bool,
    /// An even port; where both are wanted, for both.
    pub is_even: bool,
    /// Keep the port above for whoever shows the token.
    pub reserve: Option<Token>,
    /// Take the port that was kept for this token, of whatever family; nothing else is told then.
    pub reserved: Option<Token>,
}

/// What is to be done beside the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// Open sockets, and say so by [`Input::Opened`].
    Open {
        /// For whom.
        allocation: AllocationId,
        /// What.
        open: Open,
    },
    /// Close a socket.
    Close {
        /// Which.
        relay: Relay,
    },
    /// Close the port that waits, if it still does.
    Release {
        /// For whom it waited.
        token: Token,
    },
    /// A wrong password came from here; the address is proven.
    Offence {
        /// From where.
        client: IpAddr,
    },
}

/// What is to be done with the bytes at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing; there may be outputs.
    Nothing,
    /// The beginning of the caller's buffer goes to the client.
    Answer {
        /// To whom.
        client: Client,
        /// How many bytes.
        length: usize,
    },
    /// A part of the bytes goes to a peer.
    ToPeer {
        /// From which socket.
        relay: Relay,
        /// To whom.
        peer: SocketAddr,
        /// Which part.
        payload: Range<usize>,
        /// Whether routers must not cut it up.
        dont_fragment: bool,
    },
    /// A part of the bytes goes to a relayed address of ours: [`Input::FromPeer`] there, without a socket.
    ToOwnRelay {
        /// Where; none if it is none of this worker's.
        relay: Option<Relay>,
        /// Its address.
        to: SocketAddr,
        /// From which relayed address.
        from: SocketAddr,
        /// Which part.
        payload: Range<usize>,
    },
    /// A header and the bytes of the peer go to a client.
    ToClient {
        /// To whom.
        client: Client,
        /// What goes before them.
        header: Header,
        /// How many zeros go behind them.
        padding: usize,
    },
    /// Nothing goes anywhere.
    Drop(Reason),
}

/// Why something was dropped, for a count of each.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
pub enum Reason {
    /// No message and no channel data.
    #[error("no STUN message and no channel data")]
    NotStun,
    /// A message, but none that a relay is sent, or its fingerprint is wrong.
    #[error("a STUN message that a relay is not sent")]
    NotForUs,
    /// There is no such allocation.
    #[error("no allocation")]
    NoAllocation,
    /// The channel is not bound.
    #[error("no such channel")]
    NoChannel,
    /// The peer was not let in by the client.
    #[error("no permission for this peer")]
    NoPermission,
    /// The peer may not be reached.
    #[error("a peer that may not be reached")]
    Peer,
    /// Too many bytes in a second.
    #[error("more bytes than allowed")]
    Bandwidth,
    /// Too many answers to somebody who has proven nothing.
    #[error("too many requests without credentials")]
    Stranger,
    /// What it wants is under way.
    #[error("a request that is under way")]
    Busy,
    /// It does not fit where it has to go.
    #[error("it does not fit")]
    Size,
}

/// What goes before the bytes of a peer: the header of channel data, or a Data indication up to its data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header {
    bytes: [u8; Self::LONGEST],
    length: u8,
}

impl Header {
    /// Message, XOR-PEER-ADDRESS of IPv6, DATA.
    pub const LONGEST: usize = 20 + 24 + 4;

    pub(super) fn channel_data(header: [u8; channel_data::HEADER]) -> Self {
        Self::new(&header)
    }

    /// At most [`Header::LONGEST`] bytes of it.
    pub(super) fn new(from: &[u8]) -> Self {
        let mut bytes = [0; Self::LONGEST];
        let length = from.len().min(Self::LONGEST);
        bytes[..length].copy_from_slice(&from[..length]);
        Self {
            bytes,
            length: u8::try_from(length).expect("at most 48"),
        }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Header").field(&self.length).finish()
    }
}
