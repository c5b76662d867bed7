//! Via: the way that a response takes (RFC 3261 section 20.42, RFC 3581).

use crate::Span;
use crate::address::{BadAddress, HostPort};
use crate::lex::{self, skip_space, skip_token, trim};

/// One hop of a Via: `SIP/2.0/TLS host:port;parameters`; borrowed from the value it was read from, where its spans count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    text: &'a [u8],
    /// `UDP`, `TCP`, `TLS`, `WS`, `WSS`, ..., as it was written.
    pub transport_span: Span,
    /// The host of who wrote it.
    pub host_span: Span,
    /// The port that is named.
    pub port: Option<u16>,
    /// Host and port, with what stands between.
    pub sent_by_span: Span,
    /// From the first ";" to the end.
    pub parameters_span: Span,
}

impl<'a> Via<'a> {
    /// Reads the first hop of a value, which may hold several.
    ///
    /// # Errors
    /// The sender's: it is none.
    pub fn parse(text: &'a [u8]) -> Result<Self, BadAddress> {
        let first = lex::split(text, Span::all(text), b',').next();
        Self::parse_at(text, first.unwrap_or_default())
    }

    /// Reads the hop that fills a span of a value.
    ///
    /// # Errors
    /// The sender's: it is none.
    pub fn parse_at(text: &'a [u8], span: Span) -> Result<Self, BadAddress> {
        let span = trim(text, span);
        let end = span.end;
        let (name, at) = word(text, span.start, end);
        let at = slash(text, at, end)?;
        let (version, at) = word(text, at, end);
        let at = slash(text, at, end)?;
        let (transport_span, behind) = word(text, at, end);
        let is_sip = name.of(text).eq_ignore_ascii_case(b"SIP") && version.of(text) == b"2.0";
        if !is_sip || transport_span.is_empty() || behind == transport_span.end {
            return Err(BadAddress::Form);
        }
        let place = HostPort::parse(text, behind, end, true)?;
        let parameters_span = trim(text, Span::new(place.whole.end, end));
        let is_apart = matches!(parameters_span.of(text), [] | [b';', ..]);
        if !is_apart || !lex::is_balanced(text, parameters_span) {
            return Err(BadAddress::Form);
        }
        Ok(Self {
            text,
            transport_span,
            host_span: place.host,
            port: place.port,
            sent_by_span: place.whole,
            parameters_span,
        })
    }

    /// The transport as it was written.
    pub fn transport(&self) -> &'a [u8] {
        self.transport_span.of(self.text)
    }

    /// Whether the hop is one over TLS.
    pub fn is_secure(&self) -> bool {
        let secure: [&[u8]; 2] = [b"TLS", b"WSS"];
        secure
            .iter()
            .any(|one| self.transport().eq_ignore_ascii_case(one))
    }

    /// The host of who wrote it.
    pub fn host(&self) -> &'a [u8] {
        self.host_span.of(self.text)
    }

    /// `branch`.
    pub fn branch(&self) -> Option<&'a [u8]> {
        self.parameter("branch")
    }

    /// `received`: where the request came from.
    pub fn received(&self) -> Option<&'a [u8]> {
        self.parameter("received")
    }

    /// `rport`; empty where the port is asked for.
    pub fn rport(&self) -> Option<&'a [u8]> {
        self.parameter("rport")
    }

    /// Where `rport` stands, which asks for the port.
    pub(crate) fn asks_for_port(&self) -> Option<Span> {
        let found = lex::parameter(self.text, self.parameters_span, "rport")?;
        found.value.is_none().then_some(found.name)
    }

    /// The value of a parameter; empty where it has none.
    pub fn parameter(&self, name: &str) -> Option<&'a [u8]> {
        let found = lex::parameter(self.text, self.parameters_span, name)?;
        Some(found.value.unwrap_or_default().of(self.text))
    }
}

/// A token, and the first place behind it and the space that follows.
fn word(text: &[u8], at: usize, end: usize) -> (Span, usize) {
    let word = Span::new(at, skip_token(text, at, end));
    (word, skip_space(text, word.end, end))
}

/// The first place behind a "/" and the space that follows.
fn slash(text: &[u8], at: usize, end: usize) -> Result<usize, BadAddress> {
    if at < end && text[at] == b'/' {
        Ok(skip_space(text, at + 1, end))
    } else {
        Err(BadAddress::Form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hop_is_read_in_its_parts() {
        let via = Via::parse(b"SIP/2.0/TLS 10.1.2.3:5061;rport;branch=z9hG4bKa;received=192.0.2.1")
            .unwrap();
        assert_eq!(
            (via.transport(), via.host(), via.port),
            (&b"TLS"[..], &b"10.1.2.3"[..], Some(5061))
        );
        assert_eq!(via.branch(), Some(&b"z9hG4bKa"[..]));
        assert_eq!(via.rport(), Some(&b""[..]));
        assert_eq!(via.received(), Some(&b"192.0.2.1"[..]));
        assert!(via.is_secure() && via.asks_for_port().is_some());
    }

    #[test]
    fn space_and_folds_may_stand_almost_anywhere() {
        let text = b"SIP  / 2.0\r\n / tcp     first.example.com  : 4000 ;\r\n  branch  =   z9hG4bK1 , SIP/2.0/UDP b";
        let via = Via::parse(text).unwrap();
        assert_eq!(
            (via.transport(), via.host(), via.port),
            (&b"tcp"[..], &b"first.example.com"[..], Some(4000))
        );
        assert_eq!(via.branch(), Some(&b"z9hG4bK1"[..]));
        assert_eq!(via.sent_by_span.of(text), b"first.example.com  : 4000");
        let six = Via::parse(b"SIP/2.0/WSS [2001:db8::9:1];branch=z9hG4bK2").unwrap();
        assert_eq!(
            (six.host(), six.port, six.is_secure()),
            (&b"[2001:db8::9:1]"[..], None, true)
        );
    }

    #[test]
    fn what_is_no_hop_is_refused() {
        for text in [
            "",
            "SIP/2.0/UDP",
            "SIP/2.0/UDP ",
            "SIP/2.0 host",
            "HTTP/2.0/UDP host",
            "SIP/3.0/UDP host",
            "SIP/2.0/UDPhost",
            "SIP/2.0/UDP ho st",
            "SIP/2.0/UDP h:x",
            "SIP/2.0/UDP h:0",
            "SIP/2.0/UDP h:65536",
            "SIP/2.0/UDP 2001:db8::1",
            "SIP/2.0/UDP [2001:db8::1",
            "SIP/2.0/UDP h;a=\"b",
        ] {
            assert!(Via::parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
