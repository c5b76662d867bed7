//! What a target must answer to the opening handshake of a WebSocket (RFC 6455 section 4.2.2).

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};

/// What makes the answer one that only a WebSocket server gives.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// The one right `Sec-WebSocket-Accept` to a handshake.
///
/// A target that was led to send a 101 in another way does not know it. Without this, the client
/// would get a connection into the target past all rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accept(String);

impl Accept {
    /// That to `key`, a `Sec-WebSocket-Key`.
    pub fn of(key: &str) -> Self {
        let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
        context.update(key.as_bytes());
        context.update(GUID);
        Self(base64(context.finish().as_ref()))
    }

    /// Whether a target's answer is the right one.
    pub fn is(&self, answer: &[u8]) -> bool {
        self.0.as_bytes() == answer
    }
}

/// A key for a handshake of our own (RFC 6455 section 4.1): 16 bytes that nobody can guess.
pub fn websocket_key() -> String {
    let mut bytes = [0; 16];
    // Without randomness no TLS would have been spoken either; and the key guards against confusion only.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    base64(&bytes)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc_is_right() {
        let accept = Accept::of("dGhlIHNhbXBsZSBub25jZQ==");
        assert!(accept.is(b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert!(!accept.is(b"S3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert!(!accept.is(b""));
    }

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foob", "Zm9vYg=="),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }
}
