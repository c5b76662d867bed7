//! What a server says to an Access-Request: come in, stay out, or a question (RFC 2865 sections 4.2 to 4.4).

use thiserror::Error;

use super::{
    ATTRIBUTE_HEADER, DIGEST, HEADER, MAX_PACKET, MESSAGE_AUTHENTICATOR, Nonce, digest, push,
    set_length,
};

/// What it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Access-Accept: it is he.
    Accept = 2,
    /// Access-Reject: it is not, or he may not.
    Reject = 3,
    /// Access-Challenge: the server wants to know more.
    Challenge = 11,
}

/// Attributes that mean something to us; all others are passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// What the user is called.
    UserName = 1,
    /// The name of a filter list; many servers name groups in it.
    FilterId = 11,
    /// A text that is shown to the user.
    ReplyMessage = 18,
    /// What the server wants to have back with the answer to its challenge.
    State = 24,
    /// What the server wants to have back with accounting; some servers name groups in it.
    Class = 25,
}

/// An answer that came from the server, and to our request: all of it has been checked.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// What it comes to.
    pub verdict: Verdict,
    /// Attributes behind each other, whose lengths are right.
    attributes: &'a [u8],
}

/// Why a packet is no answer to the request; to be ignored as if it had not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// It is cut off, or says a length that no packet has.
    #[error("its length is wrong")]
    Length,
    /// An attribute is longer than what is left, or shorter than its own header.
    #[error("the length of an attribute is wrong")]
    Attribute,
    /// The code is no answer's.
    #[error("code {0} is no answer to a request")]
    Code(u8),
    /// The identifier is another request's.
    #[error("it is an answer to another request")]
    Identifier,
    /// The Response Authenticator is not one that the secret makes.
    #[error("its Response Authenticator is wrong, as with another shared secret")]
    Response,
    /// The server proves nothing, so that a forger could have made it.
    #[error("it has no Message-Authenticator")]
    Unproven,
    /// The Message-Authenticator is not one that the secret makes.
    #[error("its Message-Authenticator is wrong, as with another shared secret")]
    Message,
    /// An attribute that may be there once is there more often.
    #[error("attribute {0} is there more than once")]
    Repeated(u8),
}

impl<'a> Answer<'a> {
    /// Reads a datagram that came from the server as the answer to a request; bytes behind its length are padding.
    ///
    /// # Errors
    /// Why it is none. Whoever sent it is to blame, or whoever entered the secrets.
    pub fn read(datagram: &'a [u8], asked: &Nonce, secret: &[u8]) -> Result<Self, Fault> {
        let packet = packet(datagram)?;
        let (code, identifier) = (packet[0], packet[1]);
        let verdict = [Verdict::Accept, Verdict::Reject, Verdict::Challenge]
            .into_iter()
            .find(|verdict| *verdict as u8 == code)
            .ok_or(Fault::Code(code))?;
        if identifier != asked.identifier {
            return Err(Fault::Identifier);
        }
        let attributes = &packet[HEADER..];
        let proof = check(attributes)?;
        let authenticator = &packet[HEADER - DIGEST..HEADER];
        let expected = digest::response(packet, &asked.authenticator, secret);
        if !digest::same(authenticator, &expected) {
            return Err(Fault::Response);
        }
        // A proof is asked for only now: else its absence would be told of packets that anybody has sent.
        let at = HEADER + proof.ok_or(Fault::Unproven)?;
        let expected = digest::message(packet, at, &asked.authenticator, secret);
        if !digest::same(&packet[at..at + DIGEST], &expected) {
            return Err(Fault::Message);
        }
        let answer = Self {
            verdict,
            attributes,
        };
        for single in [Attribute::UserName, Attribute::State] {
            if answer.values(single).nth(1).is_some() {
                return Err(Fault::Repeated(single as u8));
            }
        }
        Ok(answer)
    }

    /// The values of an attribute in the order of the server, none of them empty; each has at most [`super::MAX_VALUE`] bytes.
    pub fn values(&self, attribute: Attribute) -> impl Iterator<Item = &'a [u8]> {
        each(self.attributes)
            .filter(move |(kind, value)| *kind == attribute as u8 && !value.is_empty())
            .map(|(_, value)| value)
    }

    /// The packet a server answers `asked` with: the counterpart that tests read.
    pub fn write(
        verdict: Verdict,
        attributes: &[(u8, &[u8])],
        asked: &Nonce,
        secret: &[u8],
    ) -> Vec<u8> {
        let mut packet = vec![verdict as u8, asked.identifier, 0, 0];
        packet.extend_from_slice(&[0; DIGEST]);
        push(&mut packet, MESSAGE_AUTHENTICATOR, &[0; DIGEST]);
        let behind = packet.len();
        for (kind, value) in attributes {
            push(&mut packet, *kind, value);
        }
        packet.truncate(MAX_PACKET);
        set_length(&mut packet);
        let at = behind - DIGEST;
        let proof = digest::message(&packet, at, &asked.authenticator, secret);
        packet.splice(at..behind, proof);
        let response = digest::response(&packet, &asked.authenticator, secret);
        packet.splice(HEADER - DIGEST..HEADER, response);
        packet
    }
}

/// The datagram up to its length, at least a header.
fn packet(datagram: &[u8]) -> Result<&[u8], Fault> {
    let &[_, _, high, low] = datagram.first_chunk().ok_or(Fault::Length)?;
    let len = usize::from(u16::from_be_bytes([high, low]));
    if !(HEADER..=MAX_PACKET).contains(&len) {
        return Err(Fault::Length);
    }
    datagram.get(..len).ok_or(Fault::Length)
}

/// Looks at the length of each attribute; where the value of the one Message-Authenticator begins, if there is one.
fn check(attributes: &[u8]) -> Result<Option<usize>, Fault> {
    let mut proof = None;
    let mut at = 0;
    while let Some(rest) = attributes.get(at..).filter(|rest| !rest.is_empty()) {
        let &[kind, len] = rest.first_chunk().ok_or(Fault::Attribute)?;
        let len = usize::from(len);
        if len < ATTRIBUTE_HEADER || len > rest.len() {
            return Err(Fault::Attribute);
        }
        if kind == MESSAGE_AUTHENTICATOR {
            if len != ATTRIBUTE_HEADER + DIGEST {
                return Err(Fault::Attribute);
            }
            if proof.replace(at + ATTRIBUTE_HEADER).is_some() {
                return Err(Fault::Repeated(kind));
            }
        }
        at += len;
    }
    Ok(proof)
}

/// Type and value of each attribute; it ends where a length is wrong.
fn each(mut rest: &[u8]) -> impl Iterator<Item = (u8, &[u8])> {
    std::iter::from_fn(move || {
        let &[kind, len] = rest.first_chunk()?;
        let (attribute, after) = rest.split_at_checked(usize::from(len))?;
        let value = attribute.get(ATTRIBUTE_HEADER..)?;
        rest = after;
        Some((kind, value))
    })
}
