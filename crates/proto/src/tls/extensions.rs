//! The two extensions that say whom a hello is meant for.

use std::net::IpAddr;

use super::{Hello, NotHello, Reader};

/// Server name (RFC 6066 section 3).
const SERVER_NAME: u16 = 0;
/// Application-layer protocol negotiation (RFC 7301).
const ALPN: u16 = 16;

/// The most extensions of a hello; real ones have about twenty.
const MAX_EXTENSIONS: usize = 64;

/// Reads the extensions of a hello.
pub(super) fn read(listed: &[u8]) -> Result<Hello, NotHello> {
    let mut hello = Hello::default();
    let mut seen = [0_u16; MAX_EXTENSIONS];
    let mut count = 0;
    let mut rest = Reader(listed);
    while !rest.is_empty() {
        let kind = rest.u16().ok_or(NotHello::Malformed)?;
        let data = rest.vector16().ok_or(NotHello::Malformed)?;
        if seen.get(..count).is_some_and(|seen| seen.contains(&kind)) {
            return Err(NotHello::Repeated);
        }
        *seen.get_mut(count).ok_or(NotHello::TooLong)? = kind;
        count += 1;
        match kind {
            SERVER_NAME => hello.server_name = server_name(data)?,
            ALPN => hello.alpn = protocols(data).ok_or(NotHello::Malformed)?,
            _ => {}
        }
    }
    Ok(hello)
}

/// The one host name of the extension. An address is against RFC 6066, but some clients send it; it
/// says nothing that the connection does not, and counts as no name.
fn server_name(data: &[u8]) -> Result<Option<String>, NotHello> {
    let name = host_name(data).ok_or(NotHello::Malformed)?;
    let name = std::str::from_utf8(name).map_err(|_| NotHello::ServerName)?;
    if name.parse::<IpAddr>().is_ok() {
        return Ok(None);
    }
    if is_dns_name(name) {
        Ok(Some(name.to_ascii_lowercase()))
    } else {
        Err(NotHello::ServerName)
    }
}

/// A list of one name of type 0; no other type was ever defined, nor a second name allowed.
fn host_name(data: &[u8]) -> Option<&[u8]> {
    let mut data = Reader(data);
    let mut list = Reader(data.vector16()?);
    let kind = list.u8()?;
    let name = list.vector16()?;
    (kind == 0 && list.is_empty() && data.is_empty()).then_some(name)
}

/// Letters, digits, "-" and "_" in labels of 1 to 63 bytes, 253 in all (RFC 1035 section 2.3.4); the
/// last label is no number.
fn is_dns_name(name: &str) -> bool {
    let label_is_good = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    name.len() <= 253
        && name.split('.').all(label_is_good)
        && !last.bytes().all(|byte| byte.is_ascii_digit())
}

fn protocols(data: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut data = Reader(data);
    let mut list = Reader(data.vector16()?);
    let mut protocols = Vec::new();
    while !list.is_empty() {
        let protocol = list.vector8().filter(|protocol| !protocol.is_empty())?;
        protocols.push(protocol.to_vec());
    }
    (data.is_empty() && !protocols.is_empty()).then_some(protocols)
}
