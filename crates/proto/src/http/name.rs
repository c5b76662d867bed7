//! The field names that mean something to a proxy.

/// A field name that frames, routes or identifies a message, or belongs to one connection only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Name {
    /// Any other name.
    Other,
    /// Any other name that a `Connection` field of the same head names.
    Nominated,
    /// `Authorization`
    Authorization,
    /// `Connection`
    Connection,
    /// `Content-Length`
    ContentLength,
    /// `Cookie`
    Cookie,
    /// `Expect`
    Expect,
    /// `Forwarded` (RFC 7239)
    Forwarded,
    /// `Host`
    Host,
    /// `HTTP2-Settings`
    Http2Settings,
    /// `Keep-Alive`
    KeepAlive,
    /// `Origin`
    Origin,
    /// `Proxy-Authenticate`
    ProxyAuthenticate,
    /// `Proxy-Authorization`
    ProxyAuthorization,
    /// `Proxy-Connection`
    ProxyConnection,
    /// `Sec-WebSocket-Accept`
    SecWebSocketAccept,
    /// `Sec-WebSocket-Key`
    SecWebSocketKey,
    /// `Sec-WebSocket-Version`
    SecWebSocketVersion,
    /// `TE`
    Te,
    /// `Trailer`
    Trailer,
    /// `Transfer-Encoding`
    TransferEncoding,
    /// `Upgrade`
    Upgrade,
    /// `X-Forwarded-For`
    XForwardedFor,
    /// `X-Forwarded-Host`
    XForwardedHost,
    /// `X-Forwarded-Proto`
    XForwardedProto,
    /// `X-Forwarded` and every other `X-Forwarded-…`
    XForwardedOther,
    /// `X-Real-IP`
    XRealIp,
}

/// Names that say nothing in a trailer but can mislead who merges trailers into the head (RFC 9110
/// section 6.5.1): request modifiers, authentication, response control and routing. Known names
/// and what describes the content are refused there before.
const HEAD_ONLY: [&[u8]; 29] = [
    b"accept",
    b"accept-charset",
    b"accept-encoding",
    b"accept-language",
    b"accept-ranges",
    b"age",
    b"cache-control",
    b"date",
    b"expires",
    b"location",
    b"max-forwards",
    b"pragma",
    b"proxy",
    b"range",
    b"realm",
    b"refresh",
    b"retry-after",
    b"set-cookie",
    b"set-cookie2",
    b"status",
    b"vary",
    b"via",
    b"warning",
    b"www-authenticate",
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-original-url",
    b"x-rewrite-url",
];
/// The same by their beginning.
const HEAD_ONLY_STARTS: [&[u8]; 2] = [b"content-", b"if-"];

impl Name {
    /// Recognises a name, whatever its case.
    pub fn of(name: &[u8]) -> Self {
        let Some(first) = name.first() else {
            return Self::Other;
        };
        // Length and first letter leave one candidate at most, so that most fields of a head
        // cost one comparison of two numbers.
        let (candidate, known): (&[u8], Self) = match (name.len(), first | 0x20) {
            (2, b't') => (b"te", Self::Te),
            (4, b'h') => (b"host", Self::Host),
            (6, b'c') => (b"cookie", Self::Cookie),
            (6, b'e') => (b"expect", Self::Expect),
            (6, b'o') => (b"origin", Self::Origin),
            (7, b't') => (b"trailer", Self::Trailer),
            (7, b'u') => (b"upgrade", Self::Upgrade),
            (9, b'f') => (b"forwarded", Self::Forwarded),
            (9, b'x') => (b"x-real-ip", Self::XRealIp),
            (10, b'c') => (b"connection", Self::Connection),
            (10, b'k') => (b"keep-alive", Self::KeepAlive),
            (13, b'a') => (b"authorization", Self::Authorization),
            (14, b'c') => (b"content-length", Self::ContentLength),
            (14, b'h') => (b"http2-settings", Self::Http2Settings),
            (16, b'p') => (b"proxy-connection", Self::ProxyConnection),
            (17, b's') => (b"sec-websocket-key", Self::SecWebSocketKey),
            (17, b't') => (b"transfer-encoding", Self::TransferEncoding),
            (18, b'p') => (b"proxy-authenticate", Self::ProxyAuthenticate),
            (19, b'p') => (b"proxy-authorization", Self::ProxyAuthorization),
            (20, b's') => (b"sec-websocket-accept", Self::SecWebSocketAccept),
            (21, b's') => (b"sec-websocket-version", Self::SecWebSocketVersion),
            (11.., b'x') => return Self::of_x_forwarded(name),
            _ => return Self::Other,
        };
        if name.eq_ignore_ascii_case(candidate) {
            known
        } else {
            Self::Other
        }
    }

    /// Whether it belongs to one connection and is never passed on (RFC 9110 section 7.6.1).
    pub const fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::Http2Settings
                | Self::KeepAlive
                | Self::Nominated
                | Self::ProxyAuthenticate
                | Self::ProxyAuthorization
                | Self::ProxyConnection
                | Self::Te
                | Self::TransferEncoding
                | Self::Upgrade
        )
    }

    /// Whether a proxy says it about its client, so that the client's own word is not passed on.
    pub const fn is_forwarding(self) -> bool {
        matches!(
            self,
            Self::Forwarded
                | Self::XForwardedFor
                | Self::XForwardedHost
                | Self::XForwardedProto
                | Self::XForwardedOther
                | Self::XRealIp
        )
    }

    /// Whether two of it could be read differently: one server takes the first, one the last.
    pub(super) const fn stands_once(self) -> bool {
        matches!(
            self,
            Self::Authorization
                | Self::ContentLength
                | Self::Expect
                | Self::Host
                | Self::Origin
                | Self::SecWebSocketAccept
                | Self::SecWebSocketKey
                | Self::SecWebSocketVersion
                | Self::TransferEncoding
        )
    }

    /// Whether some target could read `name` as a known one: CGI and its heirs turn every other
    /// character into an underscore, so that `Content_Length` arrives as `Content-Length`.
    pub(super) fn has_twin(name: &[u8]) -> bool {
        let odd = |byte: u8| !(byte.is_ascii_alphanumeric() || byte == b'-');
        // No early exit: the loop vectorises, and nearly all names are clean.
        if !name.iter().fold(false, |any, &byte| any | odd(byte)) {
            return false;
        }
        let mut folded = [b'-'; 32];
        for (to, &from) in folded.iter_mut().zip(name) {
            *to = if odd(from) { b'-' } else { from };
        }
        // No known name is as long as 32 but `X-Forwarded-…`, whose beginning is enough.
        Self::of(folded.get(..name.len()).unwrap_or(&folded)) != Self::Other
    }

    /// Whether a target may take one name for the other: equal but for case, and but for characters
    /// that CGI turns into underscores.
    pub fn are_twins(one: &[u8], other: &[u8]) -> bool {
        let fold = |byte: u8| {
            if byte.is_ascii_alphanumeric() {
                byte.to_ascii_lowercase()
            } else {
                b'_'
            }
        };
        one.len() == other.len() && one.iter().zip(other).all(|(&a, &b)| fold(a) == fold(b))
    }

    /// Whether a field of that name, or of one some target takes for it, has no place among trailers.
    pub(super) fn is_head_only(name: &[u8]) -> bool {
        let begins = |start: &&[u8]| {
            let own = name.get(..start.len());
            own.is_some_and(|own| Self::are_twins(own, start))
        };
        HEAD_ONLY.iter().any(|known| Self::are_twins(name, known))
            || HEAD_ONLY_STARTS.iter().any(begins)
    }

    fn of_x_forwarded(name: &[u8]) -> Self {
        let Some((head, tail)) = name.split_at_checked(11) else {
            return Self::Other;
        };
        if !head.eq_ignore_ascii_case(b"x-forwarded") {
            return Self::Other;
        }
        match tail {
            [b'-', tail @ ..] if tail.eq_ignore_ascii_case(b"for") => Self::XForwardedFor,
            [b'-', tail @ ..] if tail.eq_ignore_ascii_case(b"host") => Self::XForwardedHost,
            [b'-', tail @ ..] if tail.eq_ignore_ascii_case(b"proto") => Self::XForwardedProto,
            [] | [b'-', ..] => Self::XForwardedOther,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_in_every_case() {
        let table = [
            ("Host", Name::Host),
            ("hOST", Name::Host),
            ("TE", Name::Te),
            ("content-LENGTH", Name::ContentLength),
            ("Transfer-Encoding", Name::TransferEncoding),
            ("X-Forwarded-For", Name::XForwardedFor),
            ("x-forwarded-proto", Name::XForwardedProto),
            ("X-Forwarded-Port", Name::XForwardedOther),
            ("X-Forwarded", Name::XForwardedOther),
            ("X-Forwardedly", Name::Other),
            ("X-Real-IP", Name::XRealIp),
            ("Sec-WebSocket-Version", Name::SecWebSocketVersion),
            ("Accept", Name::Other),
            ("Hosts", Name::Other),
            ("Hoxt", Name::Other),
            ("", Name::Other),
        ];
        for (name, known) in table {
            assert_eq!(Name::of(name.as_bytes()), known, "{name}");
        }
    }

    #[test]
    fn what_belongs_into_the_head_is_told_from_other_trailers() {
        for name in [
            "Set-Cookie",
            "LOCATION",
            "if-none-match",
            "If_Range",
            "X_Original_URL",
            "Content_Type",
        ] {
            assert!(Name::is_head_only(name.as_bytes()), "{name}");
        }
        for name in ["X-Sum", "ETag", "Server-Timing", "grpc-status", "Iffy", ""] {
            assert!(!Name::is_head_only(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn twins_are_found() {
        for name in [
            "Content_Length",
            "TRANSFER_ENCODING",
            "X_Forwarded_For",
            "X-Forwarded_Proto",
            "X.Real.IP",
            "x_forwarded_some_thing_longer_than_the_table",
        ] {
            assert!(Name::has_twin(name.as_bytes()), "{name}");
        }
        for name in ["Content-Length", "X_Custom", "sec-ch-ua", "_", "Host_"] {
            assert!(!Name::has_twin(name.as_bytes()), "{name}");
        }
    }
}
