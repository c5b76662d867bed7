//! Messages on a stream: TCP and TLS (RFC 3261 sections 7 and 18.3), and what stands between them to keep it open
//! (RFC 5626 section 3.5.1).
//!
//! Where two programs could read a message differently, so that one could hide in another, it is refused: a header
//! twice that may stand there once, a NUL, a CR or LF alone, an empty fold, a body of unknown length. Elsewhere it is taken as it
//! comes: nothing but the headers that frame it is looked at before somebody asks.

mod header;
mod malformed;
mod name;
mod scan;

use std::fmt;

pub use header::{Header, Headers};
pub use malformed::Malformed;
pub use name::Name;
pub use scan::next;

use crate::Span;
use crate::address::{Address, BadAddress};

/// The most bytes of a method.
pub const MAX_METHOD: usize = 64;

/// What a message may cost; sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The head, from its first byte to the empty line.
    pub head: usize,
    /// Head and body.
    pub message: usize,
    /// The number of headers.
    pub headers: usize,
}

impl Limits {
    /// The first message of a connection, while nobody knows where it goes.
    pub const FIRST: Self = Self {
        head: 16 * 1024,
        message: 16 * 1024,
        ..Self::LATER
    };
    /// Those behind it.
    pub const LATER: Self = Self {
        head: 64 * 1024,
        message: 64 * 1024,
        headers: 128,
    };
}

/// What a stream is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item<'a> {
    /// Line ends between messages.
    KeepAlive(KeepAlive),
    /// A message.
    Message(Message<'a>),
}

impl Item<'_> {
    /// How many bytes it takes.
    pub fn length(&self) -> usize {
        match self {
            Self::KeepAlive(KeepAlive::One) => 2,
            Self::KeepAlive(KeepAlive::Two) => 4,
            Self::Message(message) => message.bytes.len(),
        }
    }
}

/// Line ends between messages (RFC 5626 section 3.5.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeepAlive {
    /// CR LF: the answer to a ping, half of one, or nothing (RFC 3261 section 7.5).
    One,
    /// Twice: a ping, which is answered by [`crate::answer::PONG`].
    Two,
}

/// A message with its body; its bytes are where they were read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    bytes: &'a [u8],
    head: usize,
    start: Start<'a>,
    first_header: usize,
    from: Span,
    to: Span,
    call_id: Span,
    cseq: Span,
}

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// `METHOD uri SIP/2.0`
    Request {
        /// As it was written: case counts.
        method: &'a str,
        /// Where the URI stands in the message.
        uri_span: Span,
    },
    /// `SIP/2.0 status reason`
    Response {
        /// 100 to 699.
        status: u16,
    },
}

impl<'a> Message<'a> {
    /// All of it, head and body.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The body.
    pub fn body(&self) -> &'a [u8] {
        self.bytes.get(self.head..).unwrap_or_default()
    }

    /// The first line.
    pub const fn start(&self) -> Start<'a> {
        self.start
    }

    /// The method of a request.
    pub const fn method(&self) -> Option<&'a str> {
        match self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }

    /// The status of a response.
    pub const fn status(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { status } => Some(status),
        }
    }

    /// The URI of a request as it was written.
    pub fn uri(&self) -> Option<&'a [u8]> {
        match self.start {
            Start::Request { uri_span, .. } => Some(uri_span.of(self.bytes)),
            Start::Response { .. } => None,
        }
    }

    /// The headers in order.
    pub const fn headers(&self) -> Headers<'a> {
        Headers::new(self.bytes, self.first_header)
    }

    /// The values of the headers of a name, in order.
    pub fn values(&self, name: Name) -> impl Iterator<Item = &'a [u8]> {
        let named = self.headers().filter(move |header| header.name == name);
        named.map(|header| header.value())
    }

    /// Who sends the request, or has sent the one that this is the response to.
    ///
    /// # Errors
    /// The sender's: it is no address.
    pub fn from(&self) -> Result<Address<'a>, BadAddress> {
        Address::parse(self.from.of(self.bytes))
    }

    /// Whom the request is for.
    ///
    /// # Errors
    /// The sender's: it is no address.
    pub fn to(&self) -> Result<Address<'a>, BadAddress> {
        Address::parse(self.to.of(self.bytes))
    }

    /// The Call-ID.
    pub fn call_id(&self) -> &'a [u8] {
        self.call_id.of(self.bytes)
    }

    /// The number and the method of `CSeq`.
    pub fn cseq(&self) -> (u32, &'a str) {
        scan::split_cseq(self.cseq.of(self.bytes)).unwrap_or_default()
    }
}

/// Tells what it is, and nothing that it holds: passwords go in headers.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = out.debug_struct("Message");
        match self.start {
            Start::Request { method, .. } => shown.field("method", &method),
            Start::Response { status } => shown.field("status", &status),
        };
        let length = &self.bytes.len();
        shown.field("length", length).finish_non_exhaustive()
    }
}

impl fmt::Debug for Header<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.written_name().escape_ascii().to_string();
        out.debug_tuple("Header").field(name).finish()
    }
}
