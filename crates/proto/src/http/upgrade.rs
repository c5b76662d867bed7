//! The opening handshake of a WebSocket (RFC 6455 section 4.2.1).

use super::{Framing, Malformed, Version, connection::has_option, fields::Said};

/// To which protocol a valid request asks to change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade<'b> {
    /// WebSocket, version 13.
    WebSocket(WebSocket<'b>),
}

/// A valid opening handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WebSocket<'b> {
    /// The `Sec-WebSocket-Key`: 24 base64 characters.
    pub key: &'b str,
}

/// Whether an `Upgrade` field asks for or grants a WebSocket.
pub(super) fn names_websocket(value: &[u8]) -> bool {
    has_option(value, b"websocket")
}

/// Finds a request to change the protocol; others than to WebSocket are ignored, as RFC 9110
/// section 7.8 allows, and as it demands in HTTP/1.0.
///
/// # Errors
/// The client's, if it asks for a WebSocket but the handshake is not valid: a target might still
/// take it for one, and what follows would then no longer be HTTP to it, but to us.
pub(super) fn of_request<'b>(
    method: &str,
    version: Version,
    framing: Framing,
    said: &Said<'b>,
) -> Result<Option<Upgrade<'b>>, Malformed> {
    if !said.websocket || !said.options.upgrade || version != Version::Http11 {
        return Ok(None);
    }
    if said.websocket_version != Some(b"13") {
        return Err(match said.websocket_version {
            Some([first, rest @ ..]) if first.is_ascii_digit() && rest.len() < 3 => {
                Malformed::WebSocketVersion
            }
            _ => Malformed::WebSocket,
        });
    }
    let body = !matches!(framing, Framing::None | Framing::Length(0));
    let key = said
        .websocket_key
        .filter(|key| is_key(key))
        .and_then(|key| std::str::from_utf8(key).ok());
    match key {
        Some(key) if method == "GET" && !body => Ok(Some(Upgrade::WebSocket(WebSocket { key }))),
        _ => Err(Malformed::WebSocket),
    }
}

/// Whether it is the base64 of 16 bytes: 22 characters and "==". The four bits that are left over
/// need not be zero; they are not in the example of RFC 6455 section 4.1.
fn is_key(key: &[u8]) -> bool {
    let base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.strip_suffix(b"==")
        .is_some_and(|digits| digits.len() == 22 && digits.iter().all(base64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sixteen_bytes() {
        for key in [
            "dGhlIHNhbXBsZSBub25jZQ==",
            "AQIDBAUGBwgJCgsMDQ4PEC==",
            "++++++++++++++////////==",
        ] {
            assert!(is_key(key.as_bytes()), "{key}");
        }
        for key in [
            "",
            "==",
            "dGhlIHNhbXBsZSBub25jZQ=",
            "dGhlIHNhbXBsZSBub25jZQA=",
            "dGhlIHNhbXBsZSBub25jZ!==",
        ] {
            assert!(!is_key(key.as_bytes()), "{key}");
        }
    }
}
