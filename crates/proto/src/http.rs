//! Strict HTTP/1: request heads, response heads, bodies (RFC 9110, RFC 9112).
//!
//! A proxy must read a message exactly as its target reads it, or a request can hide inside
//! another one. So whatever two servers are known to read differently is refused here, with the
//! reason, and what is accepted is meant to be written anew in one normal form. `httparse` finds
//! the pieces; this module checks the raw line ends, every field that frames or routes, and the
//! fields against each other.

mod authority;
mod authorization;
mod body;
mod chunked;
mod connection;
mod cookie;
mod diagnosis;
mod fields;
mod malformed;
mod name;
mod path;
mod progress;
mod request;
mod response;
mod target;
mod upgrade;

pub use authority::Authority;
pub use authorization::{BadCredentials, BasicCredentials, basic_challenge, is_basic};
pub use body::{Framing, ResponseFraming};
pub use chunked::{CHUNK_HEADER_MAX, ChunkDecoder, Decoded, LAST_CHUNK, write_chunk_header};
pub use cookie::{cookies, write_cookies};
pub use fields::{Field, Fields};
pub use malformed::Malformed;
pub use name::Name;
pub use path::path_is_unambiguous;
pub use progress::Progress;
pub use request::{Request, request};
pub use response::{Response, response};
pub use target::{RequestTarget, Scheme, TargetForm};
pub use upgrade::{Upgrade, WebSocket};

/// The most fields a head can have, whatever [`Limits::fields`] says.
pub const MAX_FIELDS: usize = 128;
/// The most bytes a head can have, whatever [`Limits::head`] says.
pub const MAX_HEAD: usize = u16::MAX as usize;
/// The most bytes of a field's name.
pub const MAX_NAME: usize = u8::MAX as usize;
/// The most bytes of a method.
pub const MAX_METHOD: usize = 32;

/// What a message may cost before it is refused; sizes in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A whole head, from its first byte to the empty line (at most [`MAX_HEAD`]).
    pub head: usize,
    /// The number of fields of a head (at most [`MAX_FIELDS`]).
    pub fields: usize,
    /// The request target.
    pub target: usize,
    /// The extensions of one chunk; a body's extensions together may not exceed four times
    /// this plus a sixteenth of its data.
    pub extension: usize,
    /// The whole trailer section of a chunked body.
    pub trailers: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: 32 * 1024,
            fields: 100,
            target: 16 * 1024,
            extension: 1024,
            trailers: 8 * 1024,
        }
    }
}

/// The version of a message; nothing else is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    Http11,
}

impl Version {
    const fn of_minor(minor: u8) -> Self {
        match minor {
            0 => Self::Http10,
            _ => Self::Http11,
        }
    }
}

/// Whether a byte may stand in a token (RFC 9110 section 5.6.2).
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'!' | b'#'
                | b'$'
                | b'%'
                | b'&'
                | b'\''
                | b'*'
                | b'+'
                | b'-'
                | b'.'
                | b'^'
                | b'_'
                | b'`'
                | b'|'
                | b'~'
        )
}

/// Cuts spaces and tabs off both ends (`OWS`, RFC 9110 section 5.6.3).
const fn trim_ows(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}
