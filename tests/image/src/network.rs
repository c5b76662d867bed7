//! A network of a test's own, with one server in it that gives the box its address by DHCP, answers its echo requests, and has an
//! address for every name. QEMU's own network tells a machine that is kept from the world neither router nor name server.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread;

use anyhow::Result;

/// Who answers.
pub const SERVER: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 1);
/// What the box gets.
pub const BOX: Ipv4Addr = Ipv4Addr::new(10, 9, 0, 15);
/// What every name has.
pub const NAMED: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 77);

const MAC: [u8; 6] = [0x52, 0x54, 0, 9, 0, 1];
const IPV4: [u8; 2] = [0x08, 0x00];
const ARP: [u8; 2] = [0x08, 0x06];
/// Bytes of headers; that of IPv4 without options.
const ETHERNET_HEADER: usize = 14;
const IPV4_HEADER: usize = 20;
const UDP_HEADER: usize = 8;
const DNS_HEADER: usize = 12;

/// Such a network; it is there for as long as the process lives.
pub struct Network {
    /// Where QEMU sends frames to.
    pub(crate) frames: SocketAddr,
    /// The port of 127.0.0.1 that QEMU sends from.
    pub(crate) end: u16,
}

impl Network {
    /// A new one.
    ///
    /// # Errors
    /// There is no port left.
    pub fn start() -> Result<Self> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        let frames = socket.local_addr()?;
        // Free a moment ago: nobody else asks for ports so fast that it would be taken.
        let end = UdpSocket::bind("127.0.0.1:0")?.local_addr()?.port();
        thread::spawn(move || {
            let mut frame = [0; 2048];
            while let Ok((length, from)) = socket.recv_from(&mut frame) {
                if let Some(answer) = answer(&frame[..length]) {
                    socket.send_to(&answer, from).ok();
                }
            }
        });
        Ok(Self { frames, end })
    }
}

/// The frame that answers this one, if any.
fn answer(frame: &[u8]) -> Option<Vec<u8>> {
    let (ethernet, packet) = frame.split_at_checked(ETHERNET_HEADER)?;
    let kind: [u8; 2] = ethernet[12..].try_into().ok()?;
    let content = match kind {
        ARP => to_arp(packet)?,
        IPV4 => to_ipv4(packet)?,
        _ => return None,
    };
    Some([&ethernet[6..12], &MAC, &kind, &content].concat())
}

/// RFC 826: who has the server's address.
fn to_arp(packet: &[u8]) -> Option<Vec<u8>> {
    let is_asked = packet.get(6..8)? == [0, 1] && packet.get(24..28)? == SERVER.octets();
    let head = [0, 1, 8, 0, 6, 4, 0, 2];
    is_asked.then(|| [&head, &MAC[..], &SERVER.octets(), &packet[8..18]].concat())
}

fn to_ipv4(packet: &[u8]) -> Option<Vec<u8>> {
    let (head, content) = packet.split_at_checked(IPV4_HEADER)?;
    if head[0] != 0x45 {
        return None;
    }
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    let content = content.get(..length.checked_sub(IPV4_HEADER)?)?;
    let client = Ipv4Addr::new(head[12], head[13], head[14], head[15]);
    let (to, content) = match (head[9], content) {
        (1, [8, 0, _, _, rest @ ..]) => (client, echo(rest)),
        (17, udp) => {
            let (ports, message) = udp.split_at_checked(UDP_HEADER)?;
            let (to, message) = match u16::from_be_bytes([ports[2], ports[3]]) {
                53 => (client, to_question(message)?),
                67 => (Ipv4Addr::BROADCAST, to_dhcp(message)?),
                _ => return None,
            };
            let length = u16::try_from(UDP_HEADER + message.len())
                .ok()?
                .to_be_bytes();
            // Without a checksum, as IPv4 allows.
            (
                to,
                [&ports[2..4], &ports[..2], &length, &[0, 0], &message].concat(),
            )
        }
        _ => return None,
    };
    let length = u16::try_from(IPV4_HEADER + content.len()).ok()?;
    let mut out = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, head[9], 0, 0];
    out[2..4].copy_from_slice(&length.to_be_bytes());
    out.extend([SERVER.octets(), to.octets()].concat());
    let sum = checksum(&out);
    out[10..12].copy_from_slice(&sum);
    out.extend(content);
    Some(out)
}

/// RFC 792: the same data back.
fn echo(rest: &[u8]) -> Vec<u8> {
    let mut out = [&[0; 4], rest].concat();
    let sum = checksum(&out);
    out[2..4].copy_from_slice(&sum);
    out
}

/// RFC 1035: one question, whose name ends with an empty label, and then come type and class.
fn to_question(query: &[u8]) -> Option<Vec<u8>> {
    let name = query
        .get(DNS_HEADER..)?
        .iter()
        .position(|byte| *byte == 0)?;
    let question = query.get(DNS_HEADER..DNS_HEADER + name + 5)?;
    let is_a = question[name + 1..name + 3] == [0, 1];
    let mut out = query[..2].to_vec();
    out.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    out.extend(question);
    if is_a {
        out.extend([0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
        out.extend(NAMED.octets());
    }
    Some(out)
}

/// RFC 2131: an offer to who looks for one, and yes to everything else.
fn to_dhcp(request: &[u8]) -> Option<Vec<u8>> {
    let (head, options) = request.split_at_checked(240)?;
    let wanted = options.windows(3).find(|option| option[..2] == [53, 1])?;
    let kind = if wanted[2] == 1 { 2 } else { 5 };
    let mut out = head.to_vec();
    out[0] = 2;
    out[16..20].copy_from_slice(&BOX.octets());
    out.extend([53, 1, kind, 51, 4, 0, 0, 14, 16, 1, 4, 255, 255, 255, 0]);
    // Server, router, name server.
    for option in [54, 3, 6] {
        out.extend([option, 4]);
        out.extend(SERVER.octets());
    }
    out.push(255);
    Some(out)
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> [u8; 2] {
    let words = bytes.chunks(2).map(|pair| {
        let low = pair.get(1).copied().unwrap_or_default();
        u32::from(u16::from_be_bytes([pair[0], low]))
    });
    let sum = words.sum::<u32>();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = (sum & 0xffff) + (sum >> 16);
    (!u16::try_from(sum).unwrap_or_default()).to_be_bytes()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_question_gets_its_answer_and_other_frames_none() {
        let mut frame = [[1; 6], [2; 6]].concat();
        frame.extend([8, 0, 0x45, 0, 0, 47, 0, 0, 0, 0, 64, 17, 0, 0]);
        frame.extend([10, 9, 0, 15, 10, 9, 0, 1, 0x80, 1, 0, 53, 0, 27, 0, 0]);
        frame.extend([7, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, b'a', 0, 0, 1, 0, 1]);
        let found = answer(&frame).unwrap();
        assert_eq!(found[..12], [[2; 6], MAC].concat());
        assert_eq!(found[26..38], [10, 9, 0, 1, 10, 9, 0, 15, 0, 53, 0x80, 1]);
        assert_eq!(checksum(&found[14..34]), [0, 0]);
        assert!(found.ends_with(&[0, 4, 192, 0, 2, 77]));
        for length in 0..frame.len() {
            assert_eq!(answer(&frame[..length]), None, "{length}");
        }
        frame[36] = 1;
        assert_eq!(answer(&frame), None);
    }
}
