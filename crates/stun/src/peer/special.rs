//! The special-purpose address registries of IANA, as of October 2025. Ranges that are globally reachable by intent but in which
//! nobody's phone is (AS112, AMT, anycast of PCP and TURN) are refused, too.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// First address and length of the prefix.
const SPECIAL_V4: &[([u8; 4], u32)] = &[
    ([0, 0, 0, 0], 8),       // this network (RFC 791)
    ([10, 0, 0, 0], 8),      // private (RFC 1918)
    ([100, 64, 0, 0], 10),   // shared by carriers (RFC 6598)
    ([127, 0, 0, 0], 8),     // loopback (RFC 1122)
    ([169, 254, 0, 0], 16),  // link-local (RFC 3927)
    ([172, 16, 0, 0], 12),   // private (RFC 1918)
    ([192, 0, 0, 0], 24),    // IETF protocols (RFC 6890)
    ([192, 0, 2, 0], 24),    // documents (RFC 5737)
    ([192, 31, 196, 0], 24), // AS112 (RFC 7535)
    ([192, 52, 193, 0], 24), // AMT (RFC 7450)
    ([192, 88, 99, 0], 24),  // relays of 6to4 (RFC 7526)
    ([192, 168, 0, 0], 16),  // private (RFC 1918)
    ([192, 175, 48, 0], 24), // AS112 (RFC 7534)
    ([198, 18, 0, 0], 15),   // benchmarks (RFC 2544)
    ([198, 51, 100, 0], 24), // documents (RFC 5737)
    ([203, 0, 113, 0], 24),  // documents (RFC 5737)
    ([224, 0, 0, 0], 4),     // multicast (RFC 5771)
    ([240, 0, 0, 0], 4),     // reserved, broadcast (RFC 1112)
];

/// Inside of `2000::/3`, outside of which nothing is public but the well-known prefix of NAT64.
const SPECIAL_V6: &[([u16; 4], u32)] = &[
    ([0x2001, 0, 0, 0], 23), // IETF protocols, Teredo, ORCHID, benchmarks (RFC 2928)
    ([0x2001, 0xdb8, 0, 0], 32), // documents (RFC 3849)
    ([0x2002, 0, 0, 0], 16), // 6to4 (RFC 3056)
    ([0x2620, 0x4f, 0x8000, 0], 48), // AS112 (RFC 7534)
    ([0x3fff, 0, 0, 0], 20), // documents (RFC 9637)
];

/// Whether it is an address of the Internet.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => !SPECIAL_V4
            .iter()
            .any(|(first, length)| same_v4(ip, Ipv4Addr::from(*first), *length)),
        IpAddr::V6(ip) => match ip.segments() {
            [0x64, 0xff9b, 0, 0, 0, 0, ..] => true,
            [0x2000..=0x3fff, ..] => !SPECIAL_V6.iter().any(|([a, b, c, d], length)| {
                let first = Ipv6Addr::new(*a, *b, *c, *d, 0, 0, 0, 0);
                (ip.to_bits() ^ first.to_bits()) >> (128 - length) == 0
            }),
            _ => false,
        },
    }
}

/// Whether a packet to it would stay here or go to many, so that no operator can have meant it.
pub(super) fn is_never_a_peer(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            ip.octets()[0] == 0 || ip.is_loopback() || ip.is_multicast() || ip.is_broadcast()
        }
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_loopback() || ip.is_multicast(),
    }
}

fn same_v4(ip: Ipv4Addr, first: Ipv4Addr, length: u32) -> bool {
    (ip.to_bits() ^ first.to_bits()) >> (32 - length) == 0
}
