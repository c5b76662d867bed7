//! Nonces without state (RFC 8489 sections 9.2 and 14.10): whoever shows one again has got it at the address where he is.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use aws_lc_rs::{constant_time, hmac};
use data_encoding::BASE64;

use crate::Now;

/// Bytes of a nonce as it is sent.
pub const LENGTH: usize = PREFIX.len() + ENCODED;

/// The nonce cookie (RFC 8489 section 9.2), and in base64 24 bits of which bit 0 says that there are password algorithms, and
/// bit 1 that names may be hashed.
const PREFIX: &[u8; 13] = b"obMatJos2AAAD";
/// Seconds, and what is left of the HMAC.
const BODY: usize = 4 + 14;
const ENCODED: usize = BODY / 3 * 4;

/// What is to be thought of a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judged {
    /// It was given to this address, lately: the address is proven.
    Good,
    /// It is too old, was given to another address, or is none of ours.
    Stale,
}

/// Makes and judges nonces.
#[derive(Clone)]
pub struct Nonces {
    key: hmac::Key,
    lifetime: Duration,
}

impl Nonces {
    /// The same for all workers: a client may meet another one with its next connection.
    pub fn new(key: &[u8; 32], lifetime: Duration) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, key);
        Self { key, lifetime }
    }

    /// A nonce for this client.
    pub fn make(&self, client: SocketAddr, now: Now) -> [u8; LENGTH] {
        self.encoded(client, now.seconds())
    }

    /// Judges the nonce of a request.
    pub fn judge(&self, nonce: &[u8], client: SocketAddr, now: Now) -> Judged {
        self.is_good(nonce, client, now)
            .map_or(Judged::Stale, |()| Judged::Good)
    }

    /// Eight bytes that nobody guesses, of a number that is used once.
    pub(crate) fn token(&self, number: u64) -> [u8; 8] {
        let made = hmac::sign(&self.key, &[&b"token"[..], &number.to_be_bytes()].concat());
        let mut token = [0; 8];
        token.copy_from_slice(&made.as_ref()[..8]);
        token
    }

    fn is_good(&self, nonce: &[u8], client: SocketAddr, now: Now) -> Option<()> {
        let nonce = nonce
            .first_chunk::<LENGTH>()
            .filter(|whole| whole.len() == nonce.len())?;
        let mut body = [0; BODY];
        let told = nonce.strip_prefix(PREFIX)?;
        let length = BASE64.decode_mut(told, &mut body).ok()?;
        let made = u32::from_be_bytes(*body.get(..length)?.first_chunk::<4>()?);
        let age = now.seconds().checked_sub(made)?;
        let right = self.encoded(client, made);
        constant_time::verify_slices_are_equal(&right, nonce).ok()?;
        (u64::from(age) < self.lifetime.as_secs()).then_some(())
    }

    fn encoded(&self, client: SocketAddr, seconds: u32) -> [u8; LENGTH] {
        let seconds = seconds.to_be_bytes();
        let ip = match client.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        let mut context = hmac::Context::with_key(&self.key);
        context.update(b"nonce");
        context.update(&ip.octets());
        context.update(&client.port().to_be_bytes());
        context.update(&seconds);
        let made = context.sign();
        let mut body = [0; BODY];
        body[..4].copy_from_slice(&seconds);
        body[4..].copy_from_slice(&made.as_ref()[..BODY - 4]);
        let mut nonce = [0; LENGTH];
        nonce[..PREFIX.len()].copy_from_slice(PREFIX);
        BASE64.encode_mut(&body, &mut nonce[PREFIX.len()..]);
        nonce
    }
}

impl fmt::Debug for Nonces {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Nonces(..)")
    }
}
