//! Requests of a client, read as far as they say whom they are meant for.

use super::ber::{Elements, INTEGER, OCTETS, whole_number};
use super::envelope::{Envelope, envelope};
use super::{BindName, Malformed};

/// The longest bind or extended request, in bytes.
pub const LONGEST_REQUEST: usize = 16 * 1024;

/// The longest name of a bind, in bytes.
const LONGEST_NAME: usize = 1024;
/// The longest name of a SASL mechanism or of an extended operation, in bytes.
const LONGEST_WORD: usize = 64;
/// StartTLS (section 4.14.1).
pub(super) const START_TLS_NAME: &str = "1.3.6.1.4.1.1466.20037";

const BIND: u8 = 0x60;
const EXTENDED: u8 = 0x77;
const SIMPLE: u8 = 0x80;
const SASL: u8 = 0xa3;
const REQUEST_NAME: u8 = 0x80;
const REQUEST_VALUE: u8 = 0x81;
const CONTROLS: u8 = 0xa0;

/// One message of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its number, from 1 on.
    pub id: u32,
    /// What it asks for.
    pub asks: Asks,
    /// How many bytes the message takes; of what is not looked into, more than there are yet.
    pub len: usize,
    /// Where behind its number the operation begins.
    pub operation: usize,
}

/// What a client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asks {
    /// To be known as somebody.
    Bind(Bind),
    /// To go on over TLS. Bytes behind it were sent before the answer: somebody has put them there.
    StartTls,
    /// Another extended operation.
    Extended,
    /// To end the connection.
    Unbind,
    /// To give a request up.
    Abandon,
    /// Whether an attribute has a value.
    Compare,
    /// To find entries.
    Search,
    /// To add an entry.
    Add,
    /// To remove an entry.
    Delete,
    /// To change an entry.
    Modify,
    /// To give an entry another name.
    Rename,
}

/// How somebody wants to be known; the password is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Bind {
    /// As nobody: without a name.
    Anonymous,
    /// By name and password.
    Simple(BindName),
    /// As nobody, with a name for the log and no password (RFC 4513 section 5.1.2).
    Unauthenticated(BindName),
    /// By a SASL mechanism.
    Sasl {
        /// Its name.
        mechanism: String,
        /// The name beside it, which is usually empty: who it is stands in the credentials.
        name: Option<BindName>,
    },
    /// In a way that RFC 4511 does not know.
    Unknown,
}

/// The first message of `bytes`; none while it is not whole. What a proxy has no need to look into (a search, a
/// change) is known by its beginning.
///
/// # Errors
/// The client's: it is no request, or a bind longer than [`LONGEST_REQUEST`].
pub fn request(bytes: &[u8]) -> Result<Option<Request>, Malformed> {
    let Some(envelope) = envelope(bytes)? else {
        return Ok(None);
    };
    let Envelope {
        id, len, operation, ..
    } = envelope;
    if id == 0 {
        // Only servers use it, to say something unasked (section 4.1.1.1).
        return Err(Malformed::Form);
    }
    let asks = match operation.first().copied() {
        // Nothing is left for the operation.
        None if envelope.is_whole => return Err(Malformed::Form),
        None => return Ok(None),
        Some(tag @ (BIND | EXTENDED)) => {
            if len > LONGEST_REQUEST {
                return Err(Malformed::Long);
            }
            if !envelope.is_whole {
                return Ok(None);
            }
            let content = content(operation)?;
            if tag == BIND {
                Asks::Bind(bind(content)?)
            } else {
                extended(content)?
            }
        }
        Some(0x42) => Asks::Unbind,
        Some(0x4a) => Asks::Delete,
        Some(0x50) => Asks::Abandon,
        Some(0x63) => Asks::Search,
        Some(0x66) => Asks::Modify,
        Some(0x68) => Asks::Add,
        Some(0x6c) => Asks::Rename,
        Some(0x6e) => Asks::Compare,
        Some(_) => return Err(Malformed::Form),
    };
    Ok(Some(Request {
        id,
        asks,
        len,
        operation: envelope.begin,
    }))
}

/// The content of the operation that `bytes` begins with, behind which there may be controls.
fn content(bytes: &[u8]) -> Result<&[u8], Malformed> {
    let mut parts = Elements(bytes);
    let (_, content) = parts.next().ok_or(Malformed::Form)??;
    if let Some(controls) = parts.next() {
        let (CONTROLS, _) = controls? else {
            return Err(Malformed::Form);
        };
    }
    parts.end()?;
    Ok(content)
}

/// A bind (section 4.2): version, name, and how the client proves it.
fn bind(content: &[u8]) -> Result<Bind, Malformed> {
    let mut parts = Elements(content);
    if !(1..=127).contains(&whole_number(parts.need(INTEGER)?)?) {
        return Err(Malformed::Form);
    }
    let name = bind_name(parts.need(OCTETS)?)?;
    let (proof, content) = parts.next().ok_or(Malformed::Form)??;
    parts.end()?;
    match (proof, name) {
        (SIMPLE, None) => Ok(Bind::Anonymous),
        (SIMPLE, Some(name)) if content.is_empty() => Ok(Bind::Unauthenticated(name)),
        (SIMPLE, Some(name)) => Ok(Bind::Simple(name)),
        (SASL, name) => {
            let mut parts = Elements(content);
            let mechanism = word(parts.need(OCTETS)?)?;
            if let Some(credentials) = parts.next()
                && credentials?.0 != OCTETS
            {
                return Err(Malformed::Form);
            }
            parts.end()?;
            Ok(Bind::Sasl { mechanism, name })
        }
        _ => Ok(Bind::Unknown),
    }
}

/// The name of a bind, none if it is empty; text that can stand in a line of the log.
fn bind_name(bytes: &[u8]) -> Result<Option<BindName>, Malformed> {
    if bytes.len() > LONGEST_NAME {
        return Err(Malformed::Long);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Malformed::Form)?;
    if text.contains(char::is_control) {
        return Err(Malformed::Form);
    }
    Ok((!text.is_empty()).then(|| BindName::new(text)))
}

/// An extended operation (section 4.12): its name, and a value that StartTLS does not have.
fn extended(content: &[u8]) -> Result<Asks, Malformed> {
    let mut parts = Elements(content);
    let name = word(parts.need(REQUEST_NAME)?)?;
    let value = parts.next().transpose()?;
    parts.end()?;
    match value {
        None if name == START_TLS_NAME => Ok(Asks::StartTls),
        None => Ok(Asks::Extended),
        Some((REQUEST_VALUE, _)) if name != START_TLS_NAME => Ok(Asks::Extended),
        Some(_) => Err(Malformed::Form),
    }
}

/// A short word of printable ASCII.
fn word(bytes: &[u8]) -> Result<String, Malformed> {
    let sound = (1..=LONGEST_WORD).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic);
    if !sound {
        return Err(Malformed::Form);
    }
    Ok(bytes.iter().copied().map(char::from).collect())
}
