//! A request that somebody has proven to be his, and answers.

use super::client::Client;
use super::verdict::Verdict;
use crate::Now;
use crate::credentials::Proven;
use crate::message::{Class, Message, Method, TransactionId, Writer, attribute};

/// The most kinds of attributes that are told to be unknown.
const MOST_UNKNOWN: usize = 16;

/// A request with all that its answer needs.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) client: Client,
    pub(super) message: Message<'a>,
    pub(super) proven: Proven,
    pub(super) now: Now,
}

impl Request<'_> {
    pub(super) fn seconds(&self) -> u32 {
        self.now.seconds()
    }

    /// What the answer to it is.
    pub(super) fn reply(&self) -> Reply<'_> {
        Reply {
            client: self.client,
            method: self.message.method(),
            transaction: self.message.transaction(),
            has_fingerprint: self.message.fingerprint().is_some(),
            proven: Some(&self.proven),
        }
    }

    /// The answer no.
    pub(super) fn deny(&self, code: u16, out: &mut [u8]) -> Verdict {
        self.reply().error(code, out)
    }

    /// 420, if there is something that has to be understood and is not.
    pub(super) fn unknown(&self, out: &mut [u8]) -> Option<Verdict> {
        self.reply().unknown(&self.message, out)
    }
}

/// What ties an answer to its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply<'a> {
    pub(super) client: Client,
    pub(super) method: Method,
    pub(super) transaction: TransactionId,
    pub(super) has_fingerprint: bool,
    /// Its key makes the answer, too.
    pub(super) proven: Option<&'a Proven>,
}

impl Reply<'_> {
    /// Writes an answer.
    pub(super) fn write(
        &self,
        class: Class,
        out: &mut [u8],
        body: impl FnOnce(&mut Writer<'_>),
    ) -> Verdict {
        let mut writer = Writer::new(out, class, self.method, self.transaction);
        body(&mut writer);
        if let Some(proven) = self.proven {
            writer.protect(&proven.key, proven.digest);
        }
        if self.has_fingerprint {
            writer.fingerprint();
        }
        match writer.finish() {
            Ok(length) => Verdict::Answer {
                client: self.client,
                length,
            },
            Err(_) => Verdict::Drop(super::verdict::Reason::Size),
        }
    }

    pub(super) fn error(&self, code: u16, out: &mut [u8]) -> Verdict {
        self.write(Class::Error, out, |writer| {
            writer.error(code);
        })
    }

    pub(super) fn unknown(&self, message: &Message<'_>, out: &mut [u8]) -> Option<Verdict> {
        let mut kinds = [0; 2 * MOST_UNKNOWN];
        let mut length = 0;
        let unknown = message.not_understood(is_understood);
        for (place, kind) in kinds.chunks_exact_mut(2).zip(unknown) {
            place.copy_from_slice(&kind.to_be_bytes());
            length += 2;
        }
        (length > 0).then(|| {
            self.write(Class::Error, out, |writer| {
                writer.error(420);
                writer.attribute(attribute::UNKNOWN_ATTRIBUTES, &kinds[..length]);
            })
        })
    }
}

/// What a relay understands of that which has to be understood.
pub(super) fn is_understood(kind: u16) -> bool {
    matches!(
        kind,
        attribute::USERNAME
            | attribute::MESSAGE_INTEGRITY
            | attribute::ERROR_CODE
            | attribute::UNKNOWN_ATTRIBUTES
            | attribute::CHANNEL_NUMBER
            | attribute::LIFETIME
            | attribute::XOR_PEER_ADDRESS
            | attribute::DATA
            | attribute::REALM
            | attribute::NONCE
            | attribute::XOR_RELAYED_ADDRESS
            | attribute::REQUESTED_ADDRESS_FAMILY
            | attribute::EVEN_PORT
            | attribute::REQUESTED_TRANSPORT
            | attribute::DONT_FRAGMENT
            | attribute::MESSAGE_INTEGRITY_SHA256
            | attribute::PASSWORD_ALGORITHM
            | attribute::USERHASH
            | attribute::MAPPED_ADDRESS
            | attribute::XOR_MAPPED_ADDRESS
            | attribute::RESERVATION_TOKEN
    )
}
