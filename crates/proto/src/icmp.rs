//! ICMP echo: what `ping` sends, and what of the answers it believes (RFC 792, RFC 4443 section 4).

/// Bytes of an echo message before its data.
const HEADER: usize = 8;

/// Which ICMP it is: the types differ, and who makes the checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// RFC 792.
    V4,
    /// RFC 4443; the checksum covers addresses that only the kernel knows, which fills it in.
    V6,
}

/// An answer to an echo request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reply<'a> {
    /// Whose request it answers.
    pub identifier: u16,
    /// Which of its requests.
    pub sequence: u16,
    /// What the request carried.
    pub data: &'a [u8],
}

/// The bytes of an echo request.
pub fn request(version: Version, identifier: u16, sequence: u16, data: &[u8]) -> Vec<u8> {
    let kind = match version {
        Version::V4 => 8,
        Version::V6 => 128,
    };
    let mut message = vec![kind, 0, 0, 0];
    message.extend_from_slice(&identifier.to_be_bytes());
    message.extend_from_slice(&sequence.to_be_bytes());
    message.extend_from_slice(data);
    if version == Version::V4 {
        let sum = checksum(&message).to_be_bytes();
        message.splice(2..4, sum);
    }
    message
}

/// Recognises an echo reply; none: something else, or damaged.
///
/// The kernel has seen to the checksum of `ICMPv6`, and for datagram sockets to that of `ICMPv4`; a wrong one costs nothing but a
/// reply that carries the wrong data.
pub fn reply(version: Version, message: &[u8]) -> Option<Reply<'_>> {
    let kind = match version {
        Version::V4 => 0,
        Version::V6 => 129,
    };
    let (header, data) = message.split_at_checked(HEADER)?;
    let [found, 0, _, _, id_high, id_low, high, low] = *header else {
        return None;
    };
    (found == kind).then_some(Reply {
        identifier: u16::from_be_bytes([id_high, id_low]),
        sequence: u16::from_be_bytes([high, low]),
        data,
    })
}

/// What follows the IPv4 header that a raw socket delivers (RFC 791 section 3.1); none: it is no whole header.
pub fn behind_ipv4_header(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    let length = usize::from(first & 0x0f) * 4;
    (first >> 4 == 4 && length >= 20).then(|| packet.get(length..))?
}

/// RFC 1071.
fn checksum(message: &[u8]) -> u16 {
    let mut sum: u32 = 0;
    for pair in message.chunks(2) {
        let word = [pair.first().copied(), pair.get(1).copied()].map(Option::unwrap_or_default);
        sum = sum.wrapping_add(u32::from(u16::from_be_bytes(word)));
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_what_rfc_792_says() {
        // Recorded by hand: type 8, code 0, checksum, identifier 0x1234, sequence 1, "abc".
        let message = request(Version::V4, 0x1234, 1, b"abc");
        assert_eq!(message, b"\x08\x00\x21\x68\x12\x34\x00\x01abc");
        let message = request(Version::V6, 0x1234, 1, b"");
        assert_eq!(message, b"\x80\x00\x00\x00\x12\x34\x00\x01");
        // A whole message sums up to nothing.
        assert_eq!(checksum(&request(Version::V4, 7, 65535, &[0xff; 57])), 0);
    }

    #[test]
    fn only_whole_replies_are_believed() {
        let v4 = b"\x00\x00\xab\xcd\x12\x34\x00\x05data";
        let expected = Reply {
            identifier: 0x1234,
            sequence: 5,
            data: b"data",
        };
        assert_eq!(reply(Version::V4, v4), Some(expected));
        assert_eq!(reply(Version::V6, v4), None);
        for end in 0..HEADER {
            assert_eq!(reply(Version::V4, &v4[..end]), None, "{end}");
        }
        // Unreachable, a request, an unknown code.
        for other in [&b"\x03\x00"[..], b"\x08\x00", b"\x00\x01"] {
            let mut message = v4.to_vec();
            message.splice(..2, other.iter().copied());
            assert_eq!(reply(Version::V4, &message), None);
        }
        let v6 = b"\x81\x00\x00\x00\x12\x34\x00\x05data";
        assert_eq!(reply(Version::V6, v6), Some(expected));
    }

    #[test]
    fn the_ip_header_in_front_may_have_options_or_be_none() {
        let mut packet = vec![0x45; 20];
        packet.extend(b"rest");
        assert_eq!(behind_ipv4_header(&packet), Some(&b"rest"[..]));
        packet[0] = 0x46;
        assert_eq!(behind_ipv4_header(&packet), Some(&b""[..]));
        for first in [0x44, 0x40, 0x65, 0x4f] {
            packet[0] = first;
            assert_eq!(behind_ipv4_header(&packet), None, "{first:x}");
        }
        assert_eq!(behind_ipv4_header(&[]), None);
        assert_eq!(behind_ipv4_header(&[0x45; 19]), None);
    }
}
