//! What a message is: class, method, transaction.

/// Request, indication or answer (RFC 8489 section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// The answer yes.
    Success,
    /// The answer no.
    Error,
}

impl Class {
    pub(super) const fn of(message_type: u16) -> Self {
        match (message_type & 0x100 != 0, message_type & 0x10 != 0) {
            (false, false) => Self::Request,
            (false, true) => Self::Indication,
            (true, false) => Self::Success,
            (true, true) => Self::Error,
        }
    }

    /// The type field of a message of this class and that method.
    pub(super) const fn with(self, method: Method) -> u16 {
        let class = match self {
            Self::Request => 0,
            Self::Indication => 0x10,
            Self::Success => 0x100,
            Self::Error => 0x110,
        };
        let Method(bits) = method;
        class | (bits & 0xf) | (bits & 0x70) << 1 | (bits & 0xf80) << 2
    }
}

/// What a message is about: 12 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Method(pub u16);

impl Method {
    /// RFC 8489 section 18.2.
    pub const BINDING: Self = Self(1);
    /// RFC 8656 section 17, as are those that follow.
    pub const ALLOCATE: Self = Self(3);
    /// Prolongs or ends an allocation.
    pub const REFRESH: Self = Self(4);
    /// Data to a peer.
    pub const SEND: Self = Self(6);
    /// Data from a peer.
    pub const DATA: Self = Self(7);
    /// Lets peers in.
    pub const CREATE_PERMISSION: Self = Self(8);
    /// Gives a peer a number.
    pub const CHANNEL_BIND: Self = Self(9);
    /// RFC 6062 section 6.1, as are those that follow.
    pub const CONNECT: Self = Self(10);
    /// Takes a connection over.
    pub const CONNECTION_BIND: Self = Self(11);
    /// A peer has connected.
    pub const CONNECTION_ATTEMPT: Self = Self(12);

    pub(super) const fn of(message_type: u16) -> Self {
        Self(message_type & 0xf | (message_type & 0xe0) >> 1 | (message_type & 0x3e00) >> 2)
    }
}

/// What ties an answer to its request: 96 bits that the client has chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransactionId(pub [u8; 12]);
