//! Messages that are written into the caller's buffer.

use std::net::SocketAddr;

use thiserror::Error;

use super::{
    COOKIE, Class, Digest, HEADER, Key, Method, TransactionId, address, attribute, fingerprint,
};

/// The buffer is too small for the message: ours, since we know how long our answers are.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the buffer is too small for the message")]
pub struct Full;

/// A message that is being written. What does not fit is told at the end, by [`Writer::finish`].
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut [u8],
    length: usize,
    is_full: bool,
    transaction: TransactionId,
}

impl<'a> Writer<'a> {
    /// Begins a message at the beginning of the buffer.
    pub fn new(
        out: &'a mut [u8],
        class: Class,
        method: Method,
        transaction: TransactionId,
    ) -> Self {
        let mut writer = Self {
            out,
            length: 0,
            is_full: false,
            transaction,
        };
        writer.put(&class.with(method).to_be_bytes());
        writer.put(&[0, 0]);
        writer.put(&COOKIE);
        writer.put(&transaction.0);
        writer
    }

    /// An attribute, padded with zeros.
    pub fn attribute(&mut self, kind: u16, value: &[u8]) -> &mut Self {
        let Ok(length) = u16::try_from(value.len()) else {
            self.is_full = true;
            return self;
        };
        self.put(&kind.to_be_bytes());
        self.put(&length.to_be_bytes());
        self.put(value);
        self.put(&[0; 3][..value.len().next_multiple_of(4) - value.len()])
    }

    /// An address, as attributes of the XOR kind write it.
    pub fn xor_address(&mut self, kind: u16, value: SocketAddr) -> &mut Self {
        let mut bytes = [0; 20];
        let length = address::write(value, Some(self.transaction), &mut bytes);
        self.attribute(kind, &bytes[..length])
    }

    /// An address as it is.
    pub fn address(&mut self, kind: u16, value: SocketAddr) -> &mut Self {
        let mut bytes = [0; 20];
        let length = address::write(value, None, &mut bytes);
        self.attribute(kind, &bytes[..length])
    }

    /// A number of 32 bits.
    pub fn number(&mut self, kind: u16, value: u32) -> &mut Self {
        self.attribute(kind, &value.to_be_bytes())
    }

    /// ERROR-CODE without a reason phrase: a program needs none, and an answer is not to be longer than its request.
    pub fn error(&mut self, code: u16) -> &mut Self {
        let [class, number] = [code / 100, code % 100].map(|part| part.to_be_bytes()[1]);
        self.attribute(attribute::ERROR_CODE, &[0, 0, class & 7, number])
    }

    /// Protects what was written so far.
    pub fn protect(&mut self, key: &Key, digest: Digest) -> &mut Self {
        let kind = match digest {
            Digest::Sha1 => attribute::MESSAGE_INTEGRITY,
            Digest::Sha256 => attribute::MESSAGE_INTEGRITY_SHA256,
        };
        let written = self.out.get(..self.length).unwrap_or_default();
        match key.sign(digest, written, digest.length()) {
            Some(made) if !self.is_full => self.attribute(kind, made.as_ref()),
            _ => {
                self.is_full = true;
                self
            }
        }
    }

    /// FINGERPRINT; nothing may follow.
    pub fn fingerprint(&mut self) -> &mut Self {
        self.set_length(8);
        let crc = fingerprint::of(&[self.out.get(..self.length).unwrap_or_default()]);
        self.attribute(attribute::FINGERPRINT, &crc)
    }

    /// Ends the message: how many bytes of the buffer it takes.
    ///
    /// # Errors
    /// Ours: the buffer is too small.
    pub fn finish(&mut self) -> Result<usize, Full> {
        self.set_length(0);
        if self.is_full {
            Err(Full)
        } else {
            Ok(self.length)
        }
    }

    /// Writes into the header how long the message is with so many bytes more.
    fn set_length(&mut self, more: usize) {
        let length = (self.length + more).checked_sub(HEADER);
        match (length.map(u16::try_from), self.out.get_mut(2..4)) {
            (Some(Ok(length)), Some(place)) => place.copy_from_slice(&length.to_be_bytes()),
            _ => self.is_full = true,
        }
    }

    fn put(&mut self, bytes: &[u8]) -> &mut Self {
        let end = self.length + bytes.len();
        match self.out.get_mut(self.length..end) {
            Some(place) if !self.is_full => {
                place.copy_from_slice(bytes);
                self.length = end;
            }
            _ => self.is_full = true,
        }
        self
    }
}
