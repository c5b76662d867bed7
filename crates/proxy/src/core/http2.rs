//! Heads between HTTP/2 and HTTP/1. A request of HTTP/2 is written as one of HTTP/1 and read like
//! all others, so that every rule and every check is the same for both; a response goes back
//! the other way.

use bytes::Bytes;
use h2::ext::Protocol;
use http::header::{COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, SEC_WEBSOCKET_KEY};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use proto::http::Malformed;

/// Fields that HTTP/2 does not know (RFC 9113 section 8.2.2); a 101's answer to the key of a handshake
/// belongs to them (RFC 8441 section 5).
const OF_HTTP1: [&str; 6] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "sec-websocket-accept",
    "transfer-encoding",
    "upgrade",
];

/// What the field names that WebSocket has begin with; some of its servers know them only as written
/// in RFC 6455.
const WEBSOCKET: &str = "sec-websocket-";

/// Appends the head of a request that came over HTTP/2. `bodiless` says that it has ended already;
/// `key` is taken for the handshake of a WebSocket, which HTTP/2 does without (RFC 8441).
///
/// # Errors
/// The client's: what would look harmless once it is written anew.
pub fn write_http1_request(
    out: &mut Vec<u8>,
    request: &Parts,
    bodiless: bool,
    key: &str,
) -> Result<(), Malformed> {
    let protocol = request.extensions.get::<Protocol>();
    let websocket = request.method == Method::CONNECT
        && protocol.is_some_and(|protocol| protocol.as_str() == "websocket");
    let method = if websocket {
        "GET"
    } else {
        request.method.as_str()
    };
    let target = request
        .uri
        .path_and_query()
        .map_or("/", |path| path.as_str());
    out.extend_from_slice(method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(target.as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    if let Some(authority) = authority {
        line(out, b"Host", authority.as_bytes());
    }
    let mut cookies = 0;
    for (name, value) in &request.headers {
        // RFC 9113 section 8.2.1.
        if let [b' ' | b'\t', ..] | [.., b' ' | b'\t'] = value.as_bytes() {
            return Err(Malformed::FieldValue);
        }
        match name {
            // One that differs is a second Host, which is refused.
            &HOST if authority.is_some_and(|own| is_same_host(own, value)) => {}
            // RFC 8441 section 5: a handshake of HTTP/2 has no key, so that it says nothing.
            &SEC_WEBSOCKET_KEY if websocket => {}
            &COOKIE => cookies += 1,
            name => {
                write_name(out, name);
                finish_line(out, value.as_bytes());
            }
        }
    }
    if cookies > 0 {
        write_cookies(out, &request.headers);
    }
    if websocket {
        out.extend_from_slice(b"Connection: Upgrade\r\nUpgrade: websocket\r\n");
        line(out, b"Sec-WebSocket-Key", key.as_bytes());
    } else if !bodiless && !request.headers.contains_key(http::header::CONTENT_LENGTH) {
        out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Takes the head of a response of HTTP/1, as [`super::write_response`] and [`super::write_page`]
/// write it, off the front of `out`; `None` where there is none.
pub fn take_http2_response(out: &mut Vec<u8>) -> Option<Response<()>> {
    let end = out.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = &out[..end + 2];
    let status = StatusCode::from_bytes(head.get(9..12)?).ok()?;
    // With the 101 of HTTP/1 a WebSocket is open; of HTTP/2 every success says so.
    let status = if status == StatusCode::SWITCHING_PROTOCOLS {
        StatusCode::OK
    } else {
        status
    };
    let mut response = Response::new(());
    *response.status_mut() = status;
    let fields = head.iter().position(|byte| *byte == b'\n')? + 1;
    *response.headers_mut() = header_map(&head[fields..]);
    out.drain(..end + 4);
    Some(response)
}

/// The fields of `lines`, each `name: value CR LF`, as HTTP/2 has them.
pub fn header_map(lines: &[u8]) -> HeaderMap {
    let mut map = HeaderMap::with_capacity(8);
    // All values share one piece of memory.
    let lines = Bytes::copy_from_slice(lines);
    for line in lines.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let value = line[colon + 1..].trim_ascii();
        // What was read as a field is one.
        let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(&line[..colon]),
            HeaderValue::from_maybe_shared(lines.slice_ref(value)),
        ) else {
            continue;
        };
        if !OF_HTTP1.contains(&name.as_str()) {
            map.append(name, value);
        }
    }
    map
}

/// Appends the fields of `map`, each as `Name: value CR LF`.
pub fn write_fields(out: &mut Vec<u8>, map: &HeaderMap) {
    for (name, value) in map {
        write_name(out, name);
        finish_line(out, value.as_bytes());
    }
}

/// Names of hosts are the same in any case (RFC 9110 section 4.2.3).
fn is_same_host(authority: &str, host: &HeaderValue) -> bool {
    authority.as_bytes().eq_ignore_ascii_case(host.as_bytes())
}

/// RFC 9113 section 8.2.3: HTTP/2 may cut a cookie into several fields, HTTP/1 may not.
fn write_cookies(out: &mut Vec<u8>, headers: &HeaderMap) {
    out.extend_from_slice(b"Cookie: ");
    for (index, crumb) in headers.get_all(COOKIE).iter().enumerate() {
        if index > 0 {
            out.extend_from_slice(b"; ");
        }
        out.extend_from_slice(crumb.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}

fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    finish_line(out, value);
}

fn finish_line(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// HTTP/2 has names in lower case; some targets know them only as HTTP/1 usually writes them.
fn write_name(out: &mut Vec<u8>, name: &HeaderName) {
    let name = name.as_str();
    let rest = match name.strip_prefix(WEBSOCKET) {
        Some(rest) => {
            out.extend_from_slice(b"Sec-WebSocket-");
            rest
        }
        None => name,
    };
    let mut first = true;
    out.extend(rest.bytes().map(|byte| {
        let capital = first;
        first = byte == b'-';
        if capital {
            byte.to_ascii_uppercase()
        } else {
            byte
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn written(request: Request<()>, bodiless: bool) -> String {
        let mut out = Vec::new();
        write_http1_request(&mut out, &request.into_parts().0, bodiless, "a2V5").unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_request_becomes_one_of_http1() {
        let request = Request::get("https://pbx.example/a?b=c")
            .header("user-agent", "x")
            .header("cookie", "a=1")
            .header("host", "pbx.example")
            .header("cookie", "b=2")
            .body(())
            .unwrap();
        assert_eq!(
            written(request, true),
            "GET /a?b=c HTTP/1.1\r\nHost: pbx.example\r\nUser-Agent: x\r\nCookie: a=1; b=2\r\n\r\n"
        );
    }

    #[test]
    fn a_body_without_a_length_comes_in_chunks() {
        let post = || Request::post("https://pbx.example/");
        let open = written(post().body(()).unwrap(), false);
        assert!(
            open.contains("\r\nTransfer-Encoding: chunked\r\n"),
            "{open}"
        );
        let known = post().header("content-length", "5").body(()).unwrap();
        let known = written(known, false);
        assert!(!known.contains("chunked"), "{known}");
        assert!(!written(post().body(()).unwrap(), true).contains("chunked"));
    }

    #[test]
    fn a_websocket_is_asked_for_as_http1_asks() {
        let mut request = Request::builder()
            .method("CONNECT")
            .uri("https://pbx.example/chat")
            .header("host", "PBX.example")
            .header("sec-websocket-version", "13")
            .header("sec-websocket-key", "ignored")
            .header("sec-websocket-protocol", "sip")
            .body(())
            .unwrap();
        request
            .extensions_mut()
            .insert(Protocol::from_static("websocket"));
        assert_eq!(
            written(request, false),
            "GET /chat HTTP/1.1\r\nHost: pbx.example\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Protocol: sip\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Key: a2V5\r\n\r\n"
        );
    }

    #[test]
    fn another_host_beside_the_authority_stays_to_be_refused() {
        let request = Request::get("https://pbx.example/")
            .header("host", "other.example")
            .body(())
            .unwrap();
        let head = written(request, true);
        let read = proto::http::request(head.as_bytes(), &proto::http::Limits::default());
        assert_eq!(read.unwrap_err(), Malformed::Repeated);
    }

    #[test]
    fn a_value_has_no_space_around_it() {
        for value in [" a", "a\t"] {
            let request = Request::get("/").header("x", value).body(()).unwrap();
            let parts = request.into_parts().0;
            let written = write_http1_request(&mut Vec::new(), &parts, true, "");
            assert_eq!(written, Err(Malformed::FieldValue), "{value:?}");
        }
    }

    #[test]
    fn a_response_loses_what_is_of_http1() {
        let mut out =
            b"HTTP/1.1 200 OK\r\nDate: now\r\nX-A:\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n\
            Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nbody"
                .to_vec();
        let response = take_http2_response(&mut out).unwrap();
        assert_eq!(out, b"body");
        assert_eq!(response.status(), 200);
        let fields: Vec<_> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
            .collect();
        assert_eq!(
            fields,
            [
                ("date", "now"),
                ("x-a", ""),
                ("set-cookie", "a=1"),
                ("set-cookie", "b=2")
            ]
        );
        assert!(take_http2_response(&mut out).is_none());
    }

    #[test]
    fn an_open_websocket_is_a_success() {
        let mut out = b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\
            Sec-WebSocket-Protocol: sip\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
            .to_vec();
        let response = take_http2_response(&mut out).unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers().len(), 1);
    }
}
