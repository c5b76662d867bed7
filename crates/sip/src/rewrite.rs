//! The addresses of one side shown as those of the other: towards a client outside, the private address of the target is the
//! public one; on the way back it is what the target has written, byte for byte.
//!
//! A reverse proxy is no hop: it has no Via and no Record-Route of its own, and only addresses that the *target* has
//! written are exchanged, and exchanged back where a client repeats them. What is exchanged where is the table of `rules`;
//! docs/protocols/sip.md explains it. All else stays as it is, so that the length of the body does, too.
//!
//! The way back is exact: where the public spelling alone would not lead to what the target has written, a parameter
//! (`mark`) goes with it, which clients have to repeat like any other (RFC 3261 sections 12.2.1.1, 18.2.2 and 19.1.1).

mod element;
mod mark;
mod place;
mod rules;

use std::borrow::Cow;

pub use place::Place;

use crate::Span;
use crate::message::Message;
use element::{Element, Parts};
use mark::Mark;
use place::{Kind, default_port};

/// Which way a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the target to the client.
    ToClient,
    /// From the client to the target.
    ToTarget,
}

/// Which of the two connections use TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Legs {
    /// Neither.
    Plain,
    /// Both.
    Secure,
    /// That of the client; the target is reached over TCP, and what it calls TCP is TLS for the client.
    SecureToPlain,
}

/// The addresses of both sides of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    inside: Vec<Place>,
    outside: Vec<Place>,
    legs: Legs,
}

/// A piece of a message that is written differently; the span counts from the beginning of the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Splice {
    /// What is replaced.
    pub span: Span,
    /// By what.
    pub text: Cow<'static, str>,
}

impl Mapping {
    /// A mapping between what is `inside` (the target first, then its other addresses and those that the proxy listens on)
    /// and what is `outside` (the public address or name that clients are shown first, then whatever else clients can call
    /// the proxy by); none where one of them is empty. The addresses that the proxy listens on belong to both: from
    /// the target they are hidden, from a client they mean the target.
    pub fn new(inside: Vec<Place>, outside: Vec<Place>, legs: Legs) -> Option<Self> {
        let is_whole = !inside.is_empty() && !outside.is_empty();
        is_whole.then_some(Self {
            inside,
            outside,
            legs,
        })
    }

    /// The message as the other side is to see it; the bytes that were read where nothing changes.
    pub fn rewritten<'a>(&self, direction: Direction, message: &Message<'a>) -> Cow<'a, [u8]> {
        let mut splices = self.splices(direction, message).peekable();
        let bytes = message.bytes();
        if splices.peek().is_none() {
            return Cow::Borrowed(bytes);
        }
        let mut out = Vec::with_capacity(bytes.len() + 64);
        let mut at = 0;
        for splice in splices {
            out.extend_from_slice(Span::new(at, splice.span.start).of(bytes));
            out.extend_from_slice(splice.text.as_bytes());
            at = splice.span.end;
        }
        out.extend_from_slice(Span::new(at, bytes.len()).of(bytes));
        Cow::Owned(out)
    }

    /// What changes in a message, in the order of its bytes; no two overlap.
    pub fn splices<'a>(
        &'a self,
        direction: Direction,
        message: &Message<'a>,
    ) -> impl Iterator<Item = Splice> + use<'a> {
        let bytes = message.bytes();
        let elements = rules::elements(direction, message);
        elements.flat_map(move |element| {
            let change = match direction {
                Direction::ToClient => self.to_client(bytes, &element),
                Direction::ToTarget => self.to_target(bytes, &element),
            };
            change.into_iter().flat_map(Change::splices)
        })
    }

    fn to_client(&self, bytes: &[u8], element: &Element) -> Option<Change> {
        let parts = element.parts(bytes);
        let whole = element.host_port;
        let Some((mut text, transport)) = self.outward(&parts) else {
            return self.kept(element, &parts);
        };
        let written = whole.of(bytes);
        let there = Parts::read(text.as_bytes(), &parts, transport)?;
        let is_exact = self.inward(&there).is_some_and(|(back, back_transport)| {
            let back_transport = back_transport.map(str::as_bytes).or(there.transport);
            back.as_bytes() == written && back_transport == parts.transport
        });
        if !is_exact || element.mark.is_some() {
            let mark = Mark::of(written, &self.inside, transport.is_some())?;
            text.push_str(&mark.parameter());
        }
        Some(Change {
            host_port: (written != text.as_bytes()).then(|| Splice::new(whole, text)),
            transport: element.transport_splice(transport),
            mark: None,
        })
    }

    /// Where the target itself writes the public address, the way back must leave it alone.
    fn kept(&self, element: &Element, parts: &Parts<'_>) -> Option<Change> {
        let (number, _) = self.named(&self.outside, parts)?;
        if self.outside[number].is_shared() && element.mark.is_none() {
            return None;
        }
        let end = element.host_port.end;
        let mark = Splice::new(Span::new(end, end), Mark::Keep.parameter());
        Some(Change::of(mark))
    }

    fn to_target(&self, bytes: &[u8], element: &Element) -> Option<Change> {
        let parts = element.parts(bytes);
        self.named(&self.outside, &parts)?;
        let mark = element.mark.and_then(|at| {
            let mark = Mark::read(at.value.of(bytes))?;
            // In a URI a space would begin something else.
            if !element.is_via && mark.holds_space() {
                return None;
            }
            Some((mark, Splice::new(at.whole, String::new())))
        });
        let (text, transport, without) = match mark {
            Some((Mark::Keep, without)) => return Some(Change::of(without)),
            Some((mark, without)) => match self.before(&mark, &parts) {
                Some((text, transport)) => (text, transport, Some(without)),
                None => self.unmarked(&parts)?,
            },
            None => self.unmarked(&parts)?,
        };
        let whole = element.host_port;
        Some(Change {
            host_port: (whole.of(bytes) != text.as_bytes()).then(|| Splice::new(whole, text)),
            transport: element.transport_splice(transport),
            mark: without,
        })
    }

    fn unmarked(
        &self,
        parts: &Parts<'_>,
    ) -> Option<(String, Option<&'static str>, Option<Splice>)> {
        let (text, transport) = self.inward(parts)?;
        Some((text, transport, None))
    }

    /// What a mark says that the target had written, if it can have.
    fn before(&self, mark: &Mark, parts: &Parts<'_>) -> Option<(String, Option<&'static str>)> {
        let text = match mark {
            Mark::Keep => return None,
            Mark::Was { text, .. } => text.clone(),
            Mark::Number { number, port, .. } => self.inside.get(*number)?.written(port.as_deref()),
        };
        let transport = if mark.is_exchanged() {
            parts.plain_transport()
        } else {
            None
        };
        let was = Parts::read(text.as_bytes(), parts, transport)?;
        self.named(&self.inside, &was)?;
        Some((text, transport))
    }

    /// An address of the inside as the outside sees it: host and port, and the transport if it is another.
    fn outward(&self, parts: &Parts<'_>) -> Option<(String, Option<&'static str>)> {
        let (_, kind) = self.named(&self.inside, parts)?;
        let place = self.outside.first()?;
        let (transport, kind) = match self.legs {
            Legs::SecureToPlain => (parts.secure_transport(), Kind::Secure),
            Legs::Plain | Legs::Secure => (None, kind),
        };
        Some(place.like(parts, kind, transport))
    }

    /// An address of the outside as the target would have written it.
    fn inward(&self, parts: &Parts<'_>) -> Option<(String, Option<&'static str>)> {
        let (number, kind) = self.named(&self.outside, parts)?;
        if self.outside[number].is_shared() {
            return None;
        }
        let place = self.inside.first()?;
        let (transport, kind) = match self.legs {
            Legs::SecureToPlain => (parts.plain_transport(), Kind::Plain),
            Legs::Plain | Legs::Secure => (None, kind),
        };
        Some(place.like(parts, kind, transport))
    }

    /// Which of some places an address names, and which of its ports.
    fn named(&self, places: &[Place], parts: &Parts<'_>) -> Option<(usize, Kind)> {
        let port = parts.port.unwrap_or(default_port(parts.is_secure()));
        let prefer = match self.legs {
            Legs::Plain => Kind::Plain,
            Legs::Secure | Legs::SecureToPlain => Kind::Secure,
        };
        let mut named = places
            .iter()
            .enumerate()
            .filter(|(_, place)| place.is_host(parts.host));
        named.find_map(|(number, place)| Some((number, place.kind(port, prefer)?)))
    }
}

impl Splice {
    fn new(span: Span, text: String) -> Self {
        Self {
            span,
            text: Cow::Owned(text),
        }
    }
}

/// What happens to one address.
struct Change {
    host_port: Option<Splice>,
    transport: Option<Splice>,
    mark: Option<Splice>,
}

impl Change {
    const fn of(splice: Splice) -> Self {
        Self {
            host_port: Some(splice),
            transport: None,
            mark: None,
        }
    }

    /// In the order of the bytes: clients may have moved the mark.
    fn splices(self) -> impl Iterator<Item = Splice> {
        let mut behind = [self.transport, self.mark];
        behind.sort_by_key(|splice| splice.as_ref().map(|splice| splice.span.start));
        self.host_port
            .into_iter()
            .chain(behind.into_iter().flatten())
    }
}
