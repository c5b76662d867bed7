//! What the shared secret is used for: a hidden password, and two proofs that an answer is the server's.

use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::{DIGEST, HEADER};

/// Where an authenticator stands in its packet.
const AUTHENTICATOR: usize = 4;

/// A password as User-Password carries it: filled up with zeros to whole blocks, at least one, each under a key of the
/// secret and the block before (RFC 2865 section 5.2).
pub(super) fn hide(password: &[u8], secret: &[u8], authenticator: &[u8; DIGEST]) -> Vec<u8> {
    let mut hidden = Vec::with_capacity(password.len().max(1).next_multiple_of(DIGEST));
    let mut previous = *authenticator;
    let mut blocks = password.chunks(DIGEST);
    let mut block = blocks.next().unwrap_or_default();
    loop {
        let mut key = Md5::new()
            .chain_update(secret)
            .chain_update(previous)
            .finalize();
        for (byte, plain) in key.iter_mut().zip(block) {
            *byte ^= plain;
        }
        previous.copy_from_slice(&key);
        hidden.extend_from_slice(&previous);
        match blocks.next() {
            Some(next) => block = next,
            None => return hidden,
        }
    }
}

/// The Response Authenticator of an answer to a request with this authenticator (RFC 2865 section 3); `packet` is whole.
pub(super) fn response(packet: &[u8], asked: &[u8; DIGEST], secret: &[u8]) -> [u8; DIGEST] {
    Md5::new()
        .chain_update(packet.get(..AUTHENTICATOR).unwrap_or_default())
        .chain_update(asked)
        .chain_update(packet.get(HEADER..).unwrap_or_default())
        .chain_update(secret)
        .finalize()
        .into()
}

/// The Message-Authenticator of a whole packet, whose own stands at `at`: an HMAC over the packet with the
/// authenticator of the request in its header and zeros in place of its own (RFC 3579 section 3.2).
pub(super) fn message(
    packet: &[u8],
    at: usize,
    asked: &[u8; DIGEST],
    secret: &[u8],
) -> [u8; DIGEST] {
    let mut mac = Hmac::<Md5>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(packet.get(..AUTHENTICATOR).unwrap_or_default());
    mac.update(asked);
    mac.update(packet.get(HEADER..at).unwrap_or_default());
    mac.update(&[0; DIGEST]);
    mac.update(packet.get(at + DIGEST..).unwrap_or_default());
    mac.finalize().into_bytes().into()
}

/// Whether two digests are the same, in a time that does not tell where they differ.
pub(super) fn same(one: &[u8], other: &[u8]) -> bool {
    one.ct_eq(other).into()
}
