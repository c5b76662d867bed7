use super::{Splice, mark};
use crate::Span;
use crate::address::{Address, HostPort, Uri};
use crate::lex;
use crate::via::Via;

/// One address of a message; spans count from the beginning of the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element {
    pub(super) host_port: Span,
    host: Span,
    port: Option<u16>,
    /// `sips:`, or a Via over TLS.
    secure_by_itself: bool,
    /// The value of the parameter `transport` of a URI.
    transport: Option<Span>,
    pub(super) mark: Option<MarkAt>,
    /// Whether it is a hop, which may hold space around its colon.
    pub(super) is_via: bool,
}

/// Where a mark stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct MarkAt {
    /// With its ";".
    pub(super) whole: Span,
    pub(super) value: Span,
}

/// What of an address decides which one it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parts<'a> {
    pub(super) host: &'a [u8],
    pub(super) port: Option<u16>,
    secure_by_itself: bool,
    pub(super) transport: Option<&'a [u8]>,
}

impl Element {
    /// One of the addresses of Contact and the routes.
    pub(super) fn of_address(bytes: &[u8], span: Span) -> Option<Self> {
        let address = Address::parse_at(bytes, span).ok()?;
        let is_bare = bytes.get(address.uri.span.end) != Some(&b'>');
        let parameters = if is_bare {
            address.parameters_span
        } else {
            address.uri.parameters_span
        };
        Self::of_uri(bytes, &address.uri, parameters)
    }

    /// The URI of a request.
    pub(super) fn of_request(bytes: &[u8], span: Span) -> Option<Self> {
        let uri = Uri::parse_at(bytes, span).ok()?;
        Self::of_uri(bytes, &uri, uri.parameters_span)
    }

    /// A hop.
    pub(super) fn of_via(bytes: &[u8], span: Span) -> Option<Self> {
        let via = Via::parse_at(bytes, span).ok()?;
        Self {
            host_port: via.sent_by_span,
            host: via.host_span,
            port: via.port,
            secure_by_itself: via.is_secure(),
            transport: None,
            mark: mark_at(bytes, via.parameters_span),
            is_via: true,
        }
        .on_one_line(bytes)
    }

    pub(super) fn parts<'a>(&self, bytes: &'a [u8]) -> Parts<'a> {
        Parts {
            host: self.host.of(bytes),
            port: self.port,
            secure_by_itself: self.secure_by_itself,
            transport: self.transport.map(|span| span.of(bytes)),
        }
    }

    pub(super) fn transport_splice(&self, text: Option<&'static str>) -> Option<Splice> {
        let (span, text) = self.transport.zip(text)?;
        Some(Splice {
            span,
            text: text.into(),
        })
    }

    fn of_uri(bytes: &[u8], uri: &Uri<'_>, parameters: Span) -> Option<Self> {
        if uri.host_span.is_empty() {
            return None;
        }
        let transport = lex::parameter(bytes, parameters, "transport");
        Self {
            host_port: uri.host_port_span,
            host: uri.host_span,
            port: uri.port,
            secure_by_itself: uri.is_secure(),
            transport: transport.and_then(|found| found.value),
            mark: mark_at(bytes, parameters),
            is_via: false,
        }
        .on_one_line(bytes)
    }

    /// A fold between host and port can not be repeated by a mark.
    fn on_one_line(self, bytes: &[u8]) -> Option<Self> {
        let is_folded = self.host_port.of(bytes).contains(&b'\n');
        (!is_folded).then_some(self)
    }
}

impl<'a> Parts<'a> {
    /// The parts of `host[:port]`, with all else as in `other`.
    pub(super) fn read(
        text: &'a [u8],
        other: &Parts<'a>,
        transport: Option<&'static str>,
    ) -> Option<Self> {
        let place = HostPort::parse(text, 0, text.len(), true).ok()?;
        (place.whole == Span::all(text)).then_some(Self {
            host: place.host.of(text),
            port: place.port,
            ..other.with_transport(transport)
        })
    }

    pub(super) fn with_transport(&self, transport: Option<&'static str>) -> Self {
        Self {
            transport: transport.map(str::as_bytes).or(self.transport),
            ..*self
        }
    }

    pub(super) fn is_secure(&self) -> bool {
        let says_tls = |text: &[u8]| text.eq_ignore_ascii_case(b"tls");
        self.secure_by_itself || self.transport.is_some_and(says_tls)
    }

    /// What is written over TCP, for TLS.
    pub(super) fn secure_transport(&self) -> Option<&'static str> {
        match self.transport? {
            b"tcp" => Some("tls"),
            b"TCP" => Some("TLS"),
            _ => None,
        }
    }

    /// What is written over TLS, for TCP.
    pub(super) fn plain_transport(&self) -> Option<&'static str> {
        match self.transport? {
            b"tls" => Some("tcp"),
            b"TLS" => Some("TCP"),
            _ => None,
        }
    }
}

fn mark_at(bytes: &[u8], parameters: Span) -> Option<MarkAt> {
    let found = lex::parameter(bytes, parameters, mark::NAME)?;
    let value = found.value?;
    let before = Span::new(parameters.start, found.name.start).of(bytes);
    let from_sign = before.iter().rev().position(|byte| *byte == b';')?;
    Some(MarkAt {
        whole: Span::new(found.name.start - from_sign - 1, value.end),
        value,
    })
}
