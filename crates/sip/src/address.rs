//! Addresses: what From, To, Contact and the routes hold (RFC 3261 sections 19.1 and 20.10).

mod host_port;
mod uri;

use thiserror::Error;

use crate::Span;
use crate::lex::{self, Nesting, trim};

pub(crate) use host_port::{HostPort, ip, is_domain};
pub(crate) use uri::hex;
pub use uri::{Scheme, Uri};

/// Why text is no address that everybody reads alike; whoever wrote it is to blame.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum BadAddress {
    /// Quotes or angle brackets that do not close, or something that stands outside of its place.
    #[error("an address has quotes, brackets or signs where they do not belong")]
    Form,
    /// More than one address where there is one.
    #[error("there are several addresses where one belongs")]
    Several,
    /// What stands for the URI is none.
    #[error("the URI of an address is none")]
    Uri,
    /// The host of a URI is none.
    #[error("the host of a URI is none")]
    Host,
    /// The port of a URI is not a number of 1 to 65535.
    #[error("the port of a URI is not a number of 1 to 65535")]
    Port,
}

/// `"display name" <uri>;parameters` or `uri;parameters`; borrowed from the value it was read from, where its spans count from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address<'a> {
    text: &'a [u8],
    /// The display name, in its quotes; empty where there is none.
    pub display_span: Span,
    /// The URI, without angle brackets.
    pub uri: Uri<'a>,
    /// From the first ";" behind the URI to the end.
    pub parameters_span: Span,
}

impl<'a> Address<'a> {
    /// Reads a value that holds one address.
    ///
    /// # Errors
    /// The sender's: it holds none, or it can be read in two ways.
    pub fn parse(text: &'a [u8]) -> Result<Self, BadAddress> {
        Self::parse_at(text, Span::all(text))
    }

    /// Reads the address that fills a span of a value.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_at(text: &'a [u8], span: Span) -> Result<Self, BadAddress> {
        let span = trim(text, span);
        if let Some(open) = bracket(text, span) {
            Self::in_brackets(text, span, open)
        } else {
            Self::bare(text, span)
        }
    }

    /// The display name as it is meant: without quotes and escapes.
    pub fn display(&self) -> String {
        let written = self.display_span.of(self.text);
        let Some(quoted) = written
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""))
        else {
            return String::from_utf8_lossy(written).into_owned();
        };
        let mut plain = Vec::with_capacity(quoted.len());
        let mut bytes = quoted.iter();
        while let Some(byte) = bytes.next() {
            let meant = if *byte == b'\\' { bytes.next() } else { None };
            plain.push(*meant.unwrap_or(byte));
        }
        String::from_utf8_lossy(&plain).into_owned()
    }

    /// The value of a parameter of the header (not of the URI), such as `tag`; empty where it has none.
    pub fn parameter(&self, name: &str) -> Option<&'a [u8]> {
        let found = lex::parameter(self.text, self.parameters_span, name)?;
        Some(found.value.unwrap_or_default().of(self.text))
    }

    fn in_brackets(text: &'a [u8], span: Span, open: usize) -> Result<Self, BadAddress> {
        let inner = Span::new(open + 1, span.end);
        let close = inner.of(text).iter().position(|byte| *byte == b'>');
        let close = open + 1 + close.ok_or(BadAddress::Form)?;
        let display_span = trim(text, Span::new(span.start, open));
        check_display(display_span.of(text))?;
        let parameters_span = trim(text, Span::new(close + 1, span.end));
        check_parameters(text, parameters_span, b"<>,")?;
        Ok(Self {
            text,
            display_span,
            uri: Uri::parse_at(text, Span::new(open + 1, close))?,
            parameters_span,
        })
    }

    /// Without brackets what follows ";" belongs to the header, and the URI has no "?" or "," (section 20).
    fn bare(text: &'a [u8], span: Span) -> Result<Self, BadAddress> {
        let end = span.of(text).iter().position(|byte| *byte == b';');
        let end = end.map_or(span.end, |end| span.start + end);
        let uri_span = trim(text, Span::new(span.start, end));
        if uri_span.of(text).contains(&b',') {
            return Err(BadAddress::Several);
        }
        if uri_span.of(text).contains(&b'?') {
            return Err(BadAddress::Form);
        }
        let parameters_span = Span::new(end, span.end);
        // "sip:a;b@c": some read the user "a;b", some the host "a".
        check_parameters(text, parameters_span, b"<>,@?")?;
        Ok(Self {
            text,
            display_span: Span::new(span.start, span.start),
            uri: Uri::parse_at(text, uri_span)?,
            parameters_span,
        })
    }
}

/// The first angle bracket outside of quotes.
fn bracket(text: &[u8], span: Span) -> Option<usize> {
    let mut nesting = Nesting::default();
    (span.start..span.end).find(|at| {
        let is_outside = !nesting.is_quoted();
        nesting.takes(text[*at]);
        is_outside && text[*at] == b'<'
    })
}

/// Nothing, one quoted text, or words without the signs by which lists and addresses are told apart.
fn check_display(display: &[u8]) -> Result<(), BadAddress> {
    let is_quoted = display.first() == Some(&b'"');
    if !is_quoted {
        return if display.contains(&b',') {
            Err(BadAddress::Several)
        } else if display.iter().any(|byte| b"\"<>;:@\\".contains(byte)) {
            Err(BadAddress::Form)
        } else {
            Ok(())
        };
    }
    let mut nesting = Nesting::default();
    for (at, byte) in display.iter().enumerate() {
        nesting.takes(*byte);
        if at > 0 && !nesting.is_quoted() {
            let is_last = at + 1 == display.len();
            return if is_last {
                Ok(())
            } else {
                Err(BadAddress::Form)
            };
        }
    }
    Err(BadAddress::Form)
}

/// Nothing, or a ";" and what has none of some signs outside of quotes.
fn check_parameters(text: &[u8], span: Span, without: &[u8]) -> Result<(), BadAddress> {
    if !matches!(span.of(text), [] | [b';', ..]) {
        let is_list = span.of(text).first() == Some(&b',');
        return Err(if is_list {
            BadAddress::Several
        } else {
            BadAddress::Form
        });
    }
    let mut nesting = Nesting::default();
    for byte in span.of(text) {
        let was_quoted = nesting.is_quoted();
        nesting.takes(*byte);
        if !was_quoted && without.contains(byte) {
            return Err(if *byte == b',' {
                BadAddress::Several
            } else {
                BadAddress::Form
            });
        }
    }
    if nesting.is_closed() {
        Ok(())
    } else {
        Err(BadAddress::Form)
    }
}

#[cfg(test)]
mod tests;
