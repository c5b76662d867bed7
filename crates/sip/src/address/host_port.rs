use std::net::{IpAddr, Ipv6Addr};

use super::BadAddress;
use crate::Span;
use crate::lex::skip_space;

/// The longest host, in bytes, with what follows a "/".
const MAX_HOST: usize = 255;

/// `host[:port]` in some text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HostPort {
    /// The host, in its brackets if it is IPv6, with a "/location" if it has one.
    pub(crate) host: Span,
    pub(crate) port: Option<u16>,
    /// Both, with what stands between.
    pub(crate) whole: Span,
}

impl HostPort {
    /// Reads it from `at` on, `end` at most; what stands behind it is not looked at. In Via there may be space around the colon.
    pub(crate) fn parse(
        text: &[u8],
        at: usize,
        end: usize,
        with_space: bool,
    ) -> Result<Self, BadAddress> {
        let host = Span::new(at, host_end(text, at, end)?);
        if !is_host(host.of(text)) {
            return Err(BadAddress::Host);
        }
        let alone = Self {
            host,
            port: None,
            whole: host,
        };
        let space = |at| {
            if with_space {
                skip_space(text, at, end)
            } else {
                at
            }
        };
        let colon = space(host.end);
        if colon >= end || text[colon] != b':' {
            return Ok(alone);
        }
        let first = space(colon + 1);
        let digits = (first..end).take_while(|at| text[*at].is_ascii_digit());
        let number = Span::new(first, first + digits.count());
        let port = std::str::from_utf8(number.of(text)).map_err(|_| BadAddress::Port)?;
        let port = port.parse().map_err(|_| BadAddress::Port)?;
        if port == 0 || number.len() > 5 {
            return Err(BadAddress::Port);
        }
        Ok(Self {
            host,
            port: Some(port),
            whole: Span::new(at, number.end),
        })
    }
}

/// The address that a host is, if it is one.
pub(crate) fn ip(host: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(host).ok()?;
    match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']')?.parse().ok().map(IpAddr::V6),
        None => text.parse().ok().map(IpAddr::V4),
    }
}

/// Whether a text is a host name or an IPv4 address, without a location.
pub(crate) fn is_domain(text: &[u8]) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let fits = |byte: &u8| is_first(byte) || matches!(byte, b'-' | b'.');
    text.first().is_some_and(is_first) && text.len() <= MAX_HOST && text.iter().all(fits)
}

fn host_end(text: &[u8], at: usize, end: usize) -> Result<usize, BadAddress> {
    let rest = Span::new(at, end).of(text);
    if rest.first() == Some(&b'[') {
        let close = rest.iter().position(|byte| *byte == b']');
        return close.map(|close| at + close + 1).ok_or(BadAddress::Host);
    }
    let is_end = |byte: &u8| {
        matches!(
            byte,
            b' ' | b'\t' | b'\r' | b'\n' | b':' | b';' | b'?' | b',' | b'>'
        )
    };
    Ok(at + rest.iter().position(is_end).unwrap_or(rest.len()))
}

/// `domain`, `domain/location`, an IPv4 address or an IPv6 address in brackets.
fn is_host(host: &[u8]) -> bool {
    if let Some(rest) = host.strip_prefix(b"[") {
        let inner = rest.strip_suffix(b"]").unwrap_or_default();
        return std::str::from_utf8(inner).is_ok_and(|text| text.parse::<Ipv6Addr>().is_ok());
    }
    let mut parts = host.splitn(2, |byte| *byte == b'/');
    let domain = parts.next().unwrap_or_default();
    let location = parts.next();
    let is_location = |location: &[u8]| {
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~%+!".contains(byte);
        !location.is_empty() && location.iter().all(fits)
    };
    host.len() <= MAX_HOST && is_domain(domain) && location.is_none_or(is_location)
}
