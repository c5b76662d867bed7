//! The first message of an H.323 client, read only to know whom it is meant for: TPKT (RFC 1006), Q.931, H.225.0
//! in aligned PER, and the registration that H.460.17 tunnels in it.

mod alias;
mod called;
mod generic;
mod per;
mod q931;
mod ras;
mod skip;
mod user_information;

use thiserror::Error;

pub use alias::{Alias, Identifier};
use user_information::Content;

/// The most bytes that are looked at before the answer is certain, keep-alives included.
pub const MAX_BUFFERED: usize = 16 * 1024;
/// The most aliases of a message.
pub const MAX_ALIASES: usize = 64;

/// Version, reserved, length (RFC 1006 section 6).
const TPKT_HEADER: usize = 4;

/// What the first message says about whom it wants to reach, and who sends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// What it asks for.
    pub kind: Kind,
    /// The gatekeeper that it names.
    pub gatekeeper: Option<Identifier>,
    /// The names that the sender claims, at most [`MAX_ALIASES`]; of a bundle, those of all its requests.
    pub aliases: Vec<Alias>,
    /// Who the sender says that it is since an earlier registration.
    pub endpoint: Option<Identifier>,
    /// The bytes up to the end of its frame, keep-alives before it included.
    pub len: usize,
}

/// What the first message asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To be registered (RRQ); whatever stands in the same frame was read with it.
    Registration,
    /// Which gatekeeper will do it (GRQ). Without an alias, only the registration that follows names the sender.
    Discovery,
    /// A call by somebody who is not registered (SETUP).
    Setup {
        /// Whom it calls: the aliases, and the number of Q.931 if there is one.
        destinations: Vec<Alias>,
    },
}

/// Why bytes are no first message of H.323; the client that sent them is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum NotH323 {
    /// No TPKT, or one that is shorter than its own header.
    #[error("not H.323")]
    NotTpkt,
    /// More than [`MAX_BUFFERED`].
    #[error("the H.323 message is too large")]
    TooLong,
    /// What the TPKT holds is no Q.931 message.
    #[error("not a Q.931 message")]
    NotQ931,
    /// It begins with another message than a registration, a discovery or a call.
    #[error("the H.323 connection does not begin with a registration or a call")]
    Unexpected,
    /// The lengths inside do not fit, or a field has a value it can not have.
    #[error("the H.323 message is malformed")]
    Malformed,
    /// An address with a source route, which nobody sends.
    #[error("an H.323 address with a source route")]
    SourceRoute,
    /// A gatekeeper or endpoint identifier that is no text of the Basic Multilingual Plane.
    #[error("an identifier of the H.323 message is not text")]
    Identifier,
    /// An alias that is no text.
    #[error("an alias of the H.323 message is not text")]
    Alias,
    /// More than [`MAX_ALIASES`], or as many RAS messages in one frame.
    #[error("the H.323 message has too many aliases, or carries too many messages")]
    TooMany,
    /// The requests of one frame name different gatekeepers.
    #[error("the H.323 message names two gatekeepers")]
    TwoGatekeepers,
}

/// What reading gives, or the client's fault.
type Read<T> = Result<T, NotH323>;

/// Reads the first message that says whom it is meant for; `None` when more bytes are needed.
///
/// `buf` holds what the client has sent since the connection was opened, or since the end of an earlier
/// [`First`]: a discovery without aliases is followed by the registration.
///
/// # Errors
/// The client's: no H.323, another message, a malformed one, or one beyond the limits.
pub fn recognise(buf: &[u8]) -> Result<Option<First>, NotH323> {
    let mut rest = buf;
    loop {
        let before = buf.len() - rest.len();
        let Some(message) = tpkt(rest, MAX_BUFFERED.saturating_sub(before))? else {
            return Ok(None);
        };
        let len = TPKT_HEADER + message.len();
        rest = rest.get(len..).unwrap_or_default();
        // An empty one keeps a connection alive.
        if !message.is_empty() {
            let len = before + len;
            return read(message).map(|first| Some(First { len, ..first }));
        }
    }
}

/// One message of a client behind the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Later {
    /// What it asks for, if it asks to be registered: whoever was believed to be one may now claim to be another.
    pub request: Option<First>,
    /// Who calls, by the aliases of a SETUP.
    pub caller: Vec<Alias>,
    /// The bytes of its frame.
    pub len: usize,
}

/// Reads the message that `buf` begins with, behind the first; `None` when more bytes are needed, at most 65535. Messages of a call
/// are looked into only as far as they could hide a registration.
///
/// # Errors
/// The client's: no H.323, a message that carries RAS and is malformed, or one that carries RAS and should not.
pub fn later(buf: &[u8]) -> Result<Option<Later>, NotH323> {
    let Some(message) = tpkt(buf, usize::from(u16::MAX))? else {
        return Ok(None);
    };
    let len = TPKT_HEADER + message.len();
    let mut later = Later {
        request: None,
        caller: Vec::new(),
        len,
    };
    if message.is_empty() {
        return Ok(Some(later));
    }
    let is_carrier = q931::CARRIERS.contains(&q931::kind(message)?.0);
    match content(message) {
        Ok(Content::Ras(messages)) => {
            let request = ras::requests(&messages)?;
            later.request = request.map(|first| First { len, ..first });
        }
        Ok(Content::Setup { aliases, .. }) if !generic::may_hold_ras(message) => {
            later.caller = aliases;
        }
        // Something else of a call.
        Err(NotH323::Unexpected) if !generic::may_hold_ras(message) => {}
        Err(_) if !is_carrier && !generic::may_hold_ras(message) => {}
        Ok(Content::Setup { .. }) => return Err(NotH323::Malformed),
        Err(fault) => return Err(fault),
    }
    Ok(Some(later))
}

/// What the TPKT that `buf` begins with holds, if all of it is there; it takes at most `limit` bytes.
fn tpkt(buf: &[u8], limit: usize) -> Read<Option<&[u8]>> {
    if buf.first().is_some_and(|&version| version != 3)
        || buf.get(1).is_some_and(|&reserved| reserved != 0)
    {
        return Err(NotH323::NotTpkt);
    }
    if limit < TPKT_HEADER {
        return Err(NotH323::TooLong);
    }
    let Some((&[_, _, high, low], rest)) = buf.split_first_chunk::<TPKT_HEADER>() else {
        return Ok(None);
    };
    let whole = usize::from(u16::from_be_bytes([high, low]));
    let len = whole.checked_sub(TPKT_HEADER).ok_or(NotH323::NotTpkt)?;
    if whole > limit {
        return Err(NotH323::TooLong);
    }
    if len > 0 && rest.first().is_some_and(|&first| first != q931::Q931) {
        return Err(NotH323::NotQ931);
    }
    Ok(rest.get(..len))
}

/// Reads a whole Q.931 message as the first one.
fn read(message: &[u8]) -> Read<First> {
    match content(message)? {
        Content::Setup {
            aliases,
            destinations,
        } => Ok(First {
            kind: Kind::Setup { destinations },
            gatekeeper: None,
            aliases,
            endpoint: None,
            len: 0,
        }),
        Content::Ras(messages) => ras::first(&messages),
    }
}

/// What a whole Q.931 message is about; its type has to fit that.
fn content(message: &[u8]) -> Read<Content<'_>> {
    let message = q931::message(message)?;
    let mut content = user_information::read(message.user_information)?;
    let fits = match &mut content {
        Content::Setup { destinations, .. } => {
            destinations.extend(message.called.map(called::number).transpose()?);
            message.kind == q931::SETUP
        }
        Content::Ras(_) => q931::CARRIERS.contains(&message.kind),
    };
    if fits {
        Ok(content)
    } else {
        Err(NotH323::Malformed)
    }
}
