//! Addresses as attributes write them (RFC 8489 sections 14.1 and 14.2).

use std::net::{IpAddr, SocketAddr};

use super::{COOKIE, TransactionId};

/// The most bytes an address takes.
const LONGEST: usize = 20;

/// The address of an attribute of the XOR kind.
pub(super) fn xor(value: &[u8], transaction: TransactionId) -> Option<SocketAddr> {
    let mask = mask(transaction);
    let (head, ip) = value.split_first_chunk::<4>()?;
    let port = u16::from_be_bytes([head[2] ^ mask[0], head[3] ^ mask[1]]);
    let ip = match (head[1], ip.len()) {
        (1, 4) => IpAddr::from(<[u8; 4]>::try_from(masked(ip, &mask).get(..4)?).ok()?),
        (2, 16) => IpAddr::from(masked(ip, &mask)),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

/// Writes the address; how many bytes it took.
pub(super) fn write(
    address: SocketAddr,
    transaction: Option<TransactionId>,
    out: &mut [u8; LONGEST],
) -> usize {
    let mask = transaction.map_or([0; 16], mask);
    let port = address.port().to_be_bytes();
    out[0] = 0;
    out[2] = port[0] ^ mask[0];
    out[3] = port[1] ^ mask[1];
    match address.ip() {
        IpAddr::V4(ip) => {
            out[1] = 1;
            out[4..8].copy_from_slice(&masked(&ip.octets(), &mask)[..4]);
            8
        }
        IpAddr::V6(ip) => {
            out[1] = 2;
            out[4..].copy_from_slice(&masked(&ip.octets(), &mask));
            LONGEST
        }
    }
}

fn mask(TransactionId(id): TransactionId) -> [u8; 16] {
    let mut mask = [0; 16];
    mask[..4].copy_from_slice(&COOKIE);
    mask[4..].copy_from_slice(&id);
    mask
}

/// At most the first 16 bytes, masked.
fn masked(bytes: &[u8], mask: &[u8; 16]) -> [u8; 16] {
    let mut out = *mask;
    for (out, byte) in out.iter_mut().zip(bytes) {
        *out ^= byte;
    }
    out
}
