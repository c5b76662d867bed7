use std::borrow::Cow;
use std::fmt;

use super::{BadAddress, HostPort};
use crate::Span;
use crate::lex;

/// What a URI begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// `sip:`
    Sip,
    /// `sips:`
    Sips,
    /// `tel:`; it has a number for a user, and no host.
    Tel,
    /// Another one; nothing of it is looked at.
    Other,
}

/// `sip:user:password@host:port;parameters?headers` (RFC 3261 section 19.1), or a URI of another scheme; borrowed from the
/// text that it was read from, where its spans count from 0.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Uri<'a> {
    text: &'a [u8],
    /// All of it.
    pub span: Span,
    /// What it begins with.
    pub scheme: Scheme,
    /// The user, with its escapes and without the password.
    pub user_span: Option<Span>,
    /// The host; empty where the scheme has none.
    pub host_span: Span,
    /// Host and port; empty where the scheme has none.
    pub host_port_span: Span,
    /// The port that is named.
    pub port: Option<u16>,
    /// From the first ";" behind host and port to the end or a "?".
    pub parameters_span: Span,
}

impl<'a> Uri<'a> {
    /// Reads a text that is a URI.
    ///
    /// # Errors
    /// The sender's: it is none, or it can be read in two ways.
    pub fn parse(text: &'a [u8]) -> Result<Self, BadAddress> {
        Self::parse_at(text, Span::all(text))
    }

    /// Reads the URI that fills a span of a text.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_at(text: &'a [u8], span: Span) -> Result<Self, BadAddress> {
        let written = span.of(text);
        let is_odd =
            |byte: &u8| byte.is_ascii_control() || matches!(byte, b' ' | b'<' | b'>' | b'"');
        let colon = written.iter().position(|byte| *byte == b':');
        let colon = colon.filter(|_| !written.iter().any(is_odd));
        let (name, rest) = written.split_at(colon.ok_or(BadAddress::Uri)?);
        if name.is_empty() || !name.iter().all(|byte| is_scheme_byte(*byte)) || rest.len() < 2 {
            return Err(BadAddress::Uri);
        }
        let scheme = scheme(name);
        let at = span.start + name.len() + 1;
        match scheme {
            Scheme::Sip | Scheme::Sips => Self::sip(text, span, scheme, at),
            Scheme::Tel => {
                let end = find(text, at, span.end, b";?");
                Ok(Self {
                    user_span: Some(Span::new(at, end)),
                    parameters_span: Span::new(end, span.end),
                    ..Self::opaque(text, span, scheme)
                })
            }
            Scheme::Other => Ok(Self::opaque(text, span, scheme)),
        }
    }

    /// Whether TLS is asked for all the way.
    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Sips
    }

    /// The user (of `tel:`, the number) without escapes; what is no UTF-8 then is replaced by U+FFFD.
    pub fn user(&self) -> Option<Cow<'a, str>> {
        let written = self.user_span?.of(self.text);
        if !written.contains(&b'%') {
            return Some(String::from_utf8_lossy(written));
        }
        Some(Cow::Owned(
            String::from_utf8_lossy(&unescaped(written)).into_owned(),
        ))
    }

    /// The host as it was written; empty where the scheme has none.
    pub fn host(&self) -> &'a [u8] {
        self.host_span.of(self.text)
    }

    /// The host as hosts are compared: `domain` or `domain/location` in lower case, an IPv6 address in brackets; none where
    /// the scheme has none.
    pub fn domain(&self) -> Option<String> {
        let host = self.host();
        let text = std::str::from_utf8(host).ok()?.to_ascii_lowercase();
        (!text.is_empty()).then_some(text)
    }

    /// The value of a parameter of the URI; empty where it has none.
    pub fn parameter(&self, name: &str) -> Option<&'a [u8]> {
        let found = lex::parameter(self.text, self.parameters_span, name)?;
        Some(found.value.unwrap_or_default().of(self.text))
    }

    /// A URI of which nothing is known but its scheme.
    fn opaque(text: &'a [u8], span: Span, scheme: Scheme) -> Self {
        let nothing = Span::new(span.end, span.end);
        Self {
            text,
            span,
            scheme,
            user_span: None,
            host_span: nothing,
            host_port_span: nothing,
            port: None,
            parameters_span: nothing,
        }
    }

    fn sip(text: &'a [u8], span: Span, scheme: Scheme, at: usize) -> Result<Self, BadAddress> {
        let rest = Span::new(at, span.end).of(text);
        let mut signs = rest.iter().enumerate().filter(|(_, byte)| **byte == b'@');
        let sign = signs.next().map(|(sign, _)| at + sign);
        // With two of them, one program's user is another one's host.
        if signs.next().is_some() || sign == Some(at) {
            return Err(BadAddress::Uri);
        }
        let user_span = sign.map(|sign| Span::new(at, find(text, at, sign, b":")));
        let host_at = sign.map_or(at, |sign| sign + 1);
        let place = HostPort::parse(text, host_at, span.end, false)?;
        let behind = place.whole.end;
        if behind < span.end && !b";?".contains(&text[behind]) {
            return Err(BadAddress::Uri);
        }
        let parameters_end = find(text, behind, span.end, b"?");
        Ok(Self {
            text,
            span,
            scheme,
            user_span,
            host_span: place.host,
            host_port_span: place.whole,
            port: place.port,
            parameters_span: Span::new(behind, parameters_end),
        })
    }
}

/// Without the password that a URI can hold.
impl fmt::Debug for Uri<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Uri")
            .field("scheme", &self.scheme)
            .field("user", &self.user())
            .field("host", &self.host().escape_ascii().to_string())
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

const fn is_scheme_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.')
}

fn scheme(name: &[u8]) -> Scheme {
    const NAMES: &[(&[u8], Scheme)] = &[
        (b"sip", Scheme::Sip),
        (b"sips", Scheme::Sips),
        (b"tel", Scheme::Tel),
    ];
    let found = NAMES.iter().find(|(one, _)| name.eq_ignore_ascii_case(one));
    found.map_or(Scheme::Other, |(_, scheme)| *scheme)
}

/// The first of some bytes, or the end.
fn find(text: &[u8], at: usize, end: usize, wanted: &[u8]) -> usize {
    let rest = Span::new(at, end).of(text);
    let found = rest.iter().position(|byte| wanted.contains(byte));
    found.map_or(end, |found| at + found)
}

/// With `%41` as "A"; a "%" that begins no escape stands for itself.
fn unescaped(written: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(written.len());
    let mut rest = written;
    while let [first, tail @ ..] = rest {
        rest = tail;
        let escape = match (*first, tail) {
            (b'%', [high, low, behind @ ..]) => {
                hex(*high).zip(hex(*low)).map(|digits| (digits, behind))
            }
            _ => None,
        };
        if let Some(((high, low), behind)) = escape {
            plain.push(high << 4 | low);
            rest = behind;
        } else {
            plain.push(*first);
        }
    }
    plain
}

pub(crate) fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}
