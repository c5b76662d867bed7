//! The TLS hello of a client, read only to know whom it is meant for (RFC 8446 section 4.1.2).

mod extensions;

use std::borrow::Cow;

use thiserror::Error;

/// The most bytes of a hello; one with post-quantum keys has about two thousand.
pub const MAX_HELLO: usize = 16 * 1024;
/// The most records a hello may be spread over.
pub const MAX_RECORDS: usize = 32;
/// The most bytes that are looked at before the answer is certain.
pub const MAX_BUFFERED: usize = MAX_HELLO + MAX_RECORDS * RECORD_HEADER;

/// Type, version and length (RFC 8446 section 5.1).
const RECORD_HEADER: usize = 5;
/// The most bytes of a record (RFC 8446 section 5.1).
const MAX_RECORD: usize = 1 << 14;
/// Type and length (RFC 8446 section 4).
const HANDSHAKE_HEADER: usize = 4;

/// What a hello says about whom it wants to reach.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The server name in lower case; a valid DNS name without a dot at its end.
    pub server_name: Option<String>,
    /// The protocols the client offers, in its order (ALPN, RFC 7301).
    pub alpn: Vec<Vec<u8>>,
    /// The bytes of its records, headers included.
    pub len: usize,
}

/// Why bytes are no hello; the client that sent them is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotHello {
    /// The first record is no TLS handshake.
    #[error("not TLS")]
    NotTls,
    /// A record that can not be part of a hello: wrong type, empty, or too long.
    #[error("a TLS record that is empty, too long or of the wrong type")]
    Record,
    /// The handshake begins with another message.
    #[error("the TLS handshake does not begin with a client hello")]
    Message,
    /// Larger than [`MAX_HELLO`] or [`MAX_RECORDS`].
    #[error("the TLS hello is too large")]
    TooLong,
    /// The record of the hello holds more than the hello.
    #[error("something follows the TLS hello in its record")]
    Trailing,
    /// The lengths inside do not fit, or a field has a value it can not have.
    #[error("the TLS hello is malformed")]
    Malformed,
    /// An extension stands twice.
    #[error("an extension of the TLS hello is repeated")]
    Repeated,
    /// The server name is no DNS name.
    #[error("the server name of the TLS hello is not a DNS name")]
    ServerName,
}

/// Reads the client hello that `buf` begins with, over as many records as it takes; `None` when more
/// bytes are needed.
///
/// # Errors
/// The client's: no TLS, no hello, a malformed one, or one beyond the limits.
pub fn client_hello(buf: &[u8]) -> Result<Option<Hello>, NotHello> {
    let Some(message) = Message::collect(buf)? else {
        return Ok(None);
    };
    let body = message.bytes.get(HANDSHAKE_HEADER..).unwrap_or_default();
    let mut hello = read_hello(body).ok_or(NotHello::Malformed)??;
    hello.len = message.records_len;
    Ok(Some(hello))
}

/// The first handshake message, its header included, borrowed if it lies in one record.
struct Message<'b> {
    bytes: Cow<'b, [u8]>,
    records_len: usize,
}

impl<'b> Message<'b> {
    fn collect(buf: &'b [u8]) -> Result<Option<Self>, NotHello> {
        let mut bytes: Cow<'b, [u8]> = Cow::Borrowed(&[]);
        let mut rest = buf;
        for index in 0..MAX_RECORDS {
            let Some((fragment, complete)) = record(rest, index == 0)? else {
                return Ok(None);
            };
            if bytes.is_empty() {
                bytes = Cow::Borrowed(fragment);
            } else {
                bytes.to_mut().extend_from_slice(fragment);
            }
            let wanted = wanted(&bytes)?;
            if wanted.is_some_and(|wanted| bytes.len() > wanted) {
                return Err(NotHello::Trailing);
            }
            if !complete {
                return Ok(None);
            }
            rest = rest
                .get(RECORD_HEADER + fragment.len()..)
                .unwrap_or_default();
            if wanted == Some(bytes.len()) {
                let records_len = buf.len() - rest.len();
                return Ok(Some(Self { bytes, records_len }));
            }
        }
        Err(NotHello::TooLong)
    }
}

/// The fragment of the record that `buf` begins with, as far as it is there, and whether that is
/// all of it; `None` if not even its header is there.
fn record(buf: &[u8], first: bool) -> Result<Option<(&[u8], bool)>, NotHello> {
    let fault = if first {
        NotHello::NotTls
    } else {
        NotHello::Record
    };
    // The minor version says nothing (RFC 8446 section 5.1); the major one is 3.
    if buf.first().is_some_and(|&kind| kind != 22) || buf.get(1).is_some_and(|&major| major != 3) {
        return Err(fault);
    }
    let Some((&[_, _, _, high, low], rest)) = buf.split_first_chunk::<RECORD_HEADER>() else {
        return Ok(None);
    };
    let len = usize::from(u16::from_be_bytes([high, low]));
    if !(1..=MAX_RECORD).contains(&len) {
        return Err(NotHello::Record);
    }
    Ok(Some(match rest.get(..len) {
        Some(fragment) => (fragment, true),
        None => (rest, false),
    }))
}

/// How long the message is, header included, as soon as that is known.
fn wanted(message: &[u8]) -> Result<Option<usize>, NotHello> {
    if message.first().is_some_and(|&kind| kind != 1) {
        return Err(NotHello::Message);
    }
    let Some(&[_, high, middle, low]) = message.first_chunk::<HANDSHAKE_HEADER>() else {
        return Ok(None);
    };
    let len = usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low);
    if len + HANDSHAKE_HEADER > MAX_HELLO {
        return Err(NotHello::TooLong);
    }
    Ok(Some(len + HANDSHAKE_HEADER))
}

/// Reads the body of a hello; `None` if a length does not fit.
fn read_hello(body: &[u8]) -> Option<Result<Hello, NotHello>> {
    let mut body = Reader(body);
    let [major, _] = *body.take(2)?.first_chunk()?;
    body.take(32)?;
    let session = body.vector8()?;
    let suites = body.vector16()?;
    let compressions = body.vector8()?;
    let shape = major == 3
        && session.len() <= 32
        && !suites.is_empty()
        && suites.len().is_multiple_of(2)
        && !compressions.is_empty();
    if !shape {
        return None;
    }
    // Without extensions it is a hello of TLS 1.2 or older (RFC 5246 section 7.4.1.2).
    let listed = if body.is_empty() {
        &[][..]
    } else {
        body.vector16()?
    };
    if !body.is_empty() {
        return None;
    }
    Some(extensions::read(listed))
}

/// Takes length-prefixed vectors (RFC 8446 section 3.4) off a slice.
struct Reader<'b>(&'b [u8]);

impl<'b> Reader<'b> {
    const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn u8(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    fn u16(&mut self) -> Option<u16> {
        self.take(2)?.first_chunk().copied().map(u16::from_be_bytes)
    }

    fn vector8(&mut self) -> Option<&'b [u8]> {
        let len = self.u8()?;
        self.take(usize::from(len))
    }

    fn vector16(&mut self) -> Option<&'b [u8]> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }
}
