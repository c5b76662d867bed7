//! Version 1: one line of text.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Ends, Fault, Header, MAX_LINE};

/// What every line begins with.
pub(super) const START: &[u8] = b"PROXY ";
/// The line that names nobody.
pub(super) const LOCAL: &[u8] = b"PROXY UNKNOWN\r\n";

/// Reads the line that `bytes` begins with.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, Fault> {
    let window = bytes.get(..MAX_LINE).unwrap_or(bytes);
    let Some(end) = window.iter().position(|&byte| byte == b'\n') else {
        // A CR may only be the last byte until its LF comes.
        return match window {
            [before @ .., _] if before.contains(&b'\r') => Err(Fault::LineEnd),
            _ if window.len() == MAX_LINE => Err(Fault::TooLong),
            _ => Ok(None),
        };
    };
    let line = window.get(START.len()..end).unwrap_or_default();
    let line = line.strip_suffix(b"\r").ok_or(Fault::LineEnd)?;
    if line.contains(&b'\r') {
        return Err(Fault::LineEnd);
    }
    Ok(Some((read_words(line)?, end + 1)))
}

/// Reads what stands between `PROXY ` and the line end.
fn read_words(line: &[u8]) -> Result<Header, Fault> {
    let mut words = line.split(|&byte| byte == b' ');
    let is_ipv6 = match words.next() {
        Some(b"TCP4") => false,
        Some(b"TCP6") => true,
        // "The receiver must ignore anything presented before the CRLF is found."
        Some(b"UNKNOWN") => return Ok(Header::NOBODY),
        Some(b"") | None => return Err(Fault::Words),
        Some(_) => return Err(Fault::Protocol),
    };
    let mut word = || {
        let word = words.next().filter(|word| !word.is_empty());
        word.ok_or(Fault::Words)
    };
    let (source, destination, source_port, destination_port) = (word()?, word()?, word()?, word()?);
    if words.next().is_some() {
        return Err(Fault::Words);
    }
    let address = |word| read_address(word, is_ipv6).ok_or(Fault::Address);
    let port = |word| read_port(word).ok_or(Fault::Port);
    let source = SocketAddr::new(address(source)?, port(source_port)?);
    let destination = SocketAddr::new(address(destination)?, port(destination_port)?);
    Ok(Header::between(source, destination))
}

fn read_address(word: &[u8], is_ipv6: bool) -> Option<IpAddr> {
    let word = std::str::from_utf8(word).ok()?;
    if is_ipv6 {
        word.parse::<Ipv6Addr>().map(IpAddr::V6).ok()
    } else {
        // The parser refuses leading zeros, which some read as octal.
        word.parse::<Ipv4Addr>().map(IpAddr::V4).ok()
    }
}

fn read_port(word: &[u8]) -> Option<u16> {
    let plain = word == b"0" || !word.starts_with(b"0");
    if !plain || !word.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Appends the line that names both ends.
pub(super) fn write(out: &mut Vec<u8>, ends: &Ends) {
    let Ends {
        source,
        destination,
    } = ends;
    let family = if source.is_ipv4() { "TCP4" } else { "TCP6" };
    let (from, to) = (source.ip(), destination.ip());
    let (from_port, to_port) = (source.port(), destination.port());
    write!(out, "PROXY {family} {from} {to} {from_port} {to_port}\r\n")
        .expect("a vector takes all bytes");
}
