//! Version 2: sixteen bytes, the addresses, and extensions of type, length and value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::checksum::Crc32c;
use super::{Ends, Fault, Header, MAX_BINARY};

/// What every header begins with.
pub(super) const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
pub(super) const FIXED: usize = 16;

/// Version 2 with the command LOCAL: the sender speaks for itself.
const LOCAL: u8 = 0x20;
/// Version 2 with the command PROXY.
const PROXY: u8 = 0x21;

const UNSPECIFIED: u8 = 0x00;
const TCP_OVER_IPV4: u8 = 0x11;
const TCP_OVER_IPV6: u8 = 0x21;

/// The extension that holds a checksum over the whole header.
const CRC32C: u8 = 0x03;
/// Type and length.
const EXTENSION_HEADER: usize = 3;

/// Reads the header that `bytes` begins with.
pub(super) fn read(bytes: &[u8]) -> Result<Option<(Header, usize)>, Fault> {
    let fixed = bytes.get(SIGNATURE.len()..).unwrap_or_default();
    let Some(&command) = fixed.first() else {
        return Ok(None);
    };
    match command {
        LOCAL | PROXY => {}
        _ if command >> 4 != PROXY >> 4 => return Err(Fault::Version),
        _ => return Err(Fault::Command),
    }
    let Some(&family) = fixed.get(1) else {
        return Ok(None);
    };
    // With LOCAL the family means nothing.
    let known = matches!(family, UNSPECIFIED | TCP_OVER_IPV4 | TCP_OVER_IPV6);
    if command == PROXY && !known {
        return Err(Fault::Protocol);
    }
    let Some(&[_, _, high, low]) = fixed.first_chunk() else {
        return Ok(None);
    };
    let len = FIXED + usize::from(u16::from_be_bytes([high, low]));
    let room = match (command, family) {
        (PROXY, TCP_OVER_IPV4) => 12,
        (PROXY, TCP_OVER_IPV6) => 36,
        _ => 0,
    };
    if len > MAX_BINARY {
        return Err(Fault::TooLong);
    }
    if len < FIXED + room {
        return Err(Fault::Length);
    }
    let Some(whole) = bytes.get(..len) else {
        return Ok(None);
    };
    // Whoever names nobody may leave anything in place of addresses: it is skipped, not read.
    if room == 0 {
        return Ok(Some((Header::NOBODY, len)));
    }
    let mut rest = whole.get(FIXED..).unwrap_or_default();
    let header = addresses(&mut rest, family).ok_or(Fault::Length)?;
    check_extensions(whole, FIXED + room)?;
    Ok(Some((header, len)))
}

fn addresses(rest: &mut &[u8], family: u8) -> Option<Header> {
    let mut address = || -> Option<IpAddr> {
        if family == TCP_OVER_IPV4 {
            Some(Ipv4Addr::from(take::<4>(rest)?).into())
        } else {
            Some(Ipv6Addr::from(take::<16>(rest)?).into())
        }
    };
    let (source, destination) = (address()?, address()?);
    let mut port = || take::<2>(rest).map(u16::from_be_bytes);
    let (source_port, destination_port) = (port()?, port()?);
    Some(Header::between(
        SocketAddr::new(source, source_port),
        SocketAddr::new(destination, destination_port),
    ))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*taken)
}

/// Walks the extensions of a whole header, from `at` to its end; what they say does not matter here,
/// but for the checksum, which may stand once.
fn check_extensions(header: &[u8], mut at: usize) -> Result<(), Fault> {
    let mut summed = false;
    while at < header.len() {
        let start = header.get(at..).and_then(<[u8]>::first_chunk);
        let &[kind, high, low]: &[u8; EXTENSION_HEADER] = start.ok_or(Fault::Extension)?;
        let value = at + EXTENSION_HEADER;
        at = value + usize::from(u16::from_be_bytes([high, low]));
        let bytes = header.get(value..at).ok_or(Fault::Extension)?;
        if kind == CRC32C {
            let sum = <[u8; 4]>::try_from(bytes).map_err(|_| Fault::Extension)?;
            if std::mem::replace(&mut summed, true) {
                return Err(Fault::Extension);
            }
            // The sum was made while four zeros stood in its place.
            let mut crc = Crc32c::default();
            crc.add(header.get(..value).unwrap_or_default());
            crc.add(&[0; 4]);
            crc.add(header.get(at..).unwrap_or_default());
            if crc.value() != u32::from_be_bytes(sum) {
                return Err(Fault::Checksum);
            }
        }
    }
    Ok(())
}

/// Appends a header without extensions that names both ends.
pub(super) fn write(out: &mut Vec<u8>, ends: &Ends) {
    let Ends {
        source,
        destination,
    } = ends;
    let (family, len) = if source.is_ipv4() {
        (TCP_OVER_IPV4, 12)
    } else {
        (TCP_OVER_IPV6, 36)
    };
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&[PROXY, family, 0, len]);
    for end in [source, destination] {
        match end.ip() {
            IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
            IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
        }
    }
    out.extend_from_slice(&source.port().to_be_bytes());
    out.extend_from_slice(&destination.port().to_be_bytes());
}

/// Appends a header that names nobody.
pub(super) fn write_local(out: &mut Vec<u8>) {
    out.extend_from_slice(SIGNATURE);
    out.extend_from_slice(&[LOCAL, UNSPECIFIED, 0, 0]);
}
