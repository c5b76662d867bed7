//! Messages (RFC 8489 sections 5 and 14), read where they lie and written into the caller's buffer.
//!
//! An attribute behind the one that protects the message is not seen by anybody who asks for attributes: whoever has checked
//! the integrity has checked what he reads.

mod address;
pub mod attribute;
mod fingerprint;
mod integrity;
mod kind;
mod writer;

use std::fmt;

use thiserror::Error;

pub use integrity::{Digest, Key, SHORTEST_SHA256};
pub use kind::{Class, Method, TransactionId};
pub use writer::{Full, Writer};

use attribute::{Attribute, Attributes};

/// Bytes of the header.
pub const HEADER: usize = 20;
/// What tells a message from everything else that may come on the same port.
pub const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
/// The most attributes of a message.
pub const MOST_ATTRIBUTES: usize = 64;

/// The bytes are no message that anybody should answer: the sender is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum Malformed {
    /// Shorter than a header.
    #[error("shorter than the header of a STUN message")]
    Short,
    /// The first two bits are not zero.
    #[error("no STUN message")]
    FirstBits,
    /// The magic cookie is missing: something else, or RFC 3489.
    #[error("no magic cookie")]
    Cookie,
    /// The length is not that of the bytes, or no multiple of four.
    #[error("the length in the header is wrong")]
    Length,
    /// An attribute goes beyond the end.
    #[error("an attribute goes beyond the end of the message")]
    Attribute,
    /// More attributes than [`MOST_ATTRIBUTES`].
    #[error("too many attributes")]
    TooMany,
    /// An integrity or fingerprint of a length that it can not have, or something behind the fingerprint.
    #[error("an integrity or fingerprint that can not be one")]
    Protection,
}

/// A message as it lies in the bytes that were received.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    bytes: &'a [u8],
    /// Where the attributes end that are looked at.
    end: usize,
    sha1: Option<usize>,
    sha256: Option<usize>,
    fingerprint: Option<usize>,
}

impl<'a> Message<'a> {
    /// Reads the message that fills the bytes.
    ///
    /// # Errors
    /// The sender's: these bytes are none. Such a datagram is dropped, such a stream ended.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let header = bytes.first_chunk::<HEADER>().ok_or(Malformed::Short)?;
        if header[0] & 0xc0 != 0 {
            return Err(Malformed::FirstBits);
        }
        if header[4..8] != COOKIE {
            return Err(Malformed::Cookie);
        }
        let length = usize::from(u16::from_be_bytes([header[2], header[3]]));
        if length % 4 != 0 || HEADER + length != bytes.len() {
            return Err(Malformed::Length);
        }
        let mut message = Self {
            bytes,
            end: bytes.len(),
            sha1: None,
            sha256: None,
            fingerprint: None,
        };
        message.walk()?;
        Ok(message)
    }

    /// All of it.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Request, indication or answer.
    pub fn class(&self) -> Class {
        Class::of(self.message_type())
    }

    /// What it is about.
    pub fn method(&self) -> Method {
        Method::of(self.message_type())
    }

    /// What ties an answer to its request.
    pub fn transaction(&self) -> TransactionId {
        let mut id = [0; 12];
        id.copy_from_slice(&self.bytes[8..HEADER]);
        TransactionId(id)
    }

    /// The attributes in order, up to the first that protects the message.
    pub fn attributes(&self) -> Attributes<'a> {
        Attributes::new(&self.bytes[..self.end], HEADER)
    }

    /// The value of the first attribute of a kind: later ones do not count (RFC 8489 section 14).
    pub fn first(&self, kind: u16) -> Option<&'a [u8]> {
        self.attributes()
            .find(|found| found.kind == kind)
            .map(|found| found.value)
    }

    /// Kinds that have to be understood (below 0x8000) and are not, in order.
    pub fn not_understood(
        &self,
        is_understood: fn(u16) -> bool,
    ) -> impl Iterator<Item = u16> + use<'a> {
        self.attributes()
            .map(|found| found.kind)
            .filter(move |kind| *kind < 0x8000 && !is_understood(*kind))
    }

    /// What protects it; the stronger one where it has both.
    pub fn protection(&self) -> Option<Digest> {
        self.sha256
            .map(|_| Digest::Sha256)
            .or(self.sha1.map(|_| Digest::Sha1))
    }

    /// Whether the message was made by somebody who knows the key; no is said in the same time wherever it differs.
    ///
    /// `shortest` is how many bytes of SHA-256 have to be there: 32, or fewer where a usage says so, never below
    /// [`SHORTEST_SHA256`] (RFC 8489 section 14.6).
    pub fn is_by(&self, key: &Key, digest: Digest, shortest: usize) -> bool {
        let at = match digest {
            Digest::Sha1 => self.sha1,
            Digest::Sha256 => self.sha256,
        };
        let Some(at) = at else { return false };
        let Some(found) = Attributes::new(self.bytes, at).next() else {
            return false;
        };
        let enough = match digest {
            Digest::Sha1 => true,
            Digest::Sha256 => found.value.len() >= shortest.max(SHORTEST_SHA256),
        };
        enough && key.has_made(digest, &self.bytes[..at], found.value)
    }

    /// Whether the fingerprint is right; none if there is no fingerprint.
    pub fn fingerprint(&self) -> Option<bool> {
        let at = self.fingerprint?;
        let told = self.bytes[at..].get(4..8)?;
        let length = u16::try_from(at + 8 - HEADER).ok()?.to_be_bytes();
        let right = fingerprint::of(&[&self.bytes[..2], &length, &self.bytes[4..at]]);
        Some(told == right)
    }

    fn message_type(&self) -> u16 {
        u16::from_be_bytes([self.bytes[0], self.bytes[1]])
    }

    /// Goes over the attributes once: they fit, they are not too many, and what protects stands where it may.
    fn walk(&mut self) -> Result<(), Malformed> {
        let mut attributes = Attributes::new(self.bytes, HEADER);
        let mut count = 0;
        loop {
            let at = attributes.position();
            let Some(Attribute { kind, value }) = attributes.next() else {
                break;
            };
            count += 1;
            if count > MOST_ATTRIBUTES {
                return Err(Malformed::TooMany);
            }
            if self.fingerprint.is_some() {
                return Err(Malformed::Protection);
            }
            let is_right = match kind {
                attribute::MESSAGE_INTEGRITY if self.sha1.or(self.sha256).is_none() => {
                    self.sha1 = Some(at);
                    value.len() == 20
                }
                attribute::MESSAGE_INTEGRITY_SHA256 if self.sha256.is_none() => {
                    self.sha256 = Some(at);
                    value.len() % 4 == 0 && (SHORTEST_SHA256..=32).contains(&value.len())
                }
                attribute::FINGERPRINT => {
                    self.fingerprint = Some(at);
                    value.len() == 4
                }
                _ => continue,
            };
            if !is_right {
                return Err(Malformed::Protection);
            }
            self.end = self.end.min(at);
        }
        if attributes.position() == self.bytes.len() {
            Ok(())
        } else {
            Err(Malformed::Attribute)
        }
    }
}

/// Tells what it is, and nothing that it holds.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Message")
            .field("class", &self.class())
            .field("method", &self.method())
            .field("length", &self.bytes.len())
            .finish_non_exhaustive()
    }
}
