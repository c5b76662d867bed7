//! RADIUS as a client speaks it that asks for a password (RFC 2865, RFC 3579 section 3.2).
//!
//! MD5 is what the protocol has. What keeps a forger between the server and us from turning a refusal into a
//! welcome (CVE-2024-3596) is the Message-Authenticator, an HMAC: it comes first in each request, and an answer
//! without it, or with a wrong one, is none.

mod answer;
mod digest;
mod request;
#[cfg(test)]
mod tests;

pub use answer::{Answer, Attribute, Fault, Verdict};
pub use request::{MAX_PASSWORD, Request, Unsayable};

/// The most bytes of a packet (RFC 2865 section 3).
pub const MAX_PACKET: usize = 4096;
/// The most bytes of an attribute's value.
pub const MAX_VALUE: usize = 253;

/// Code, identifier, length, authenticator.
const HEADER: usize = 20;
/// Type and length of an attribute.
const ATTRIBUTE_HEADER: usize = 2;
/// Bytes of an authenticator, of a Message-Authenticator and of a block of a hidden password: those of an MD5 digest.
const DIGEST: usize = 16;
/// The type of a Message-Authenticator (RFC 2869 section 5.14).
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// What ties an answer to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Nonce {
    /// Tells requests of one socket apart.
    pub identifier: u8,
    /// The Request Authenticator: random, and never used twice with one secret (RFC 2865 section 3).
    pub authenticator: [u8; DIGEST],
}

/// Appends an attribute; a value that is too long for one is cut off.
fn push(packet: &mut Vec<u8>, kind: u8, value: &[u8]) {
    let value = value.get(..MAX_VALUE).unwrap_or(value);
    let len = u8::try_from(ATTRIBUTE_HEADER + value.len()).expect("253 and 2 fit into a byte");
    packet.extend_from_slice(&[kind, len]);
    packet.extend_from_slice(value);
}

/// Writes the length of a whole packet into its header.
fn set_length(packet: &mut [u8]) {
    let len = u16::try_from(packet.len()).unwrap_or(u16::MAX);
    if let Some(field) = packet.get_mut(2..4) {
        field.copy_from_slice(&len.to_be_bytes());
    }
}
