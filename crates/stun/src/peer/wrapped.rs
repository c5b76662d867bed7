//! IPv4 addresses inside IPv6 addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Every IPv4 address that a packet to this one could end at.
pub(super) fn within(ip: Ipv6Addr) -> [Option<Ipv4Addr>; 3] {
    let at = |place: usize| {
        let octets = ip.octets();
        let four = octets.get(place..place + 4)?;
        <[u8; 4]>::try_from(four).ok().map(Ipv4Addr::from)
    };
    let last = at(12);
    let first = match ip.segments() {
        // Compatible (RFC 4291 section 2.5.5.1), mapped (2.5.5.2), translated (RFC 2765); NAT64, by the well-known (RFC 6052)
        // and the local-use prefix (RFC 8215).
        [0, 0, 0, 0, 0, 0 | 0xffff, ..]
        | [0, 0, 0, 0, 0xffff, 0, ..]
        | [0x64, 0xff9b, 0, 0, 0, 0, ..]
        | [0x64, 0xff9b, 1, ..] => last,
        // 6to4 (RFC 3056).
        [0x2002, ..] => at(2),
        // Teredo (RFC 4380): the server.
        [0x2001, 0, ..] => at(4),
        _ => None,
    };
    let teredo_client = match ip.segments() {
        [0x2001, 0, ..] => last.map(|ip| Ipv4Addr::from_bits(!ip.to_bits())),
        _ => None,
    };
    // ISATAP (RFC 5214 section 6.1): in the interface identifier, under any prefix.
    let isatap = match ip.segments() {
        [_, _, _, _, 0 | 0x0200, 0x5efe, ..] => last,
        _ => None,
    };
    [first, teredo_client, isatap]
}
