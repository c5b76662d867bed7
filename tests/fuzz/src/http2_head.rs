use h2::ext::Protocol;
use http::request::Parts;
use http::{Method, Request, Version};
use proto::http::{Framing, Limits, MAX_HEAD, request, response};
use proxy::core::{
    HeadEdit, Sent, header_map, take_http2_response, write_http1_request, write_response,
};

/// What the library for HTTP/2 refuses by itself (RFC 9113 section 8.2.2).
const REFUSED: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "transfer-encoding",
    "upgrade",
];

/// A request of HTTP/2 that is written as one of HTTP/1 is one head and no more, for the host and the path that
/// were asked for, with no field that the client did not send. A response of HTTP/1 keeps its fields on the way back.
pub fn http2_head(data: &[u8]) {
    let Some((&flags, rest)) = data.split_first() else {
        return;
    };
    if flags & 1 == 0 {
        if let Some(parts) = parts(flags, rest) {
            goes_up(&parts, flags & 2 != 0);
        }
    } else {
        comes_down(rest, flags & 2 != 0);
    }
}

/// A request whose first line is method, authority and path, and each further one `name: value`. Values may
/// hold what HTTP/2 lets through.
fn parts(flags: u8, data: &[u8]) -> Option<Parts> {
    let mut lines = data.split(|byte| *byte == b'\n');
    let mut words = lines.next()?.splitn(3, |byte| *byte == b' ');
    let (method, authority, path) = (words.next()?, words.next()?, words.next()?);
    let websocket = flags & 4 != 0;
    let method = if websocket {
        Method::CONNECT
    } else {
        Method::from_bytes(method).ok()?
    };
    let mut uri = http::uri::Builder::new().path_and_query(path);
    if !authority.is_empty() {
        uri = uri.scheme("https").authority(authority);
    }
    let mut request = Request::builder()
        .method(method)
        .uri(uri.build().ok()?)
        .version(Version::HTTP_2);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        if REFUSED.iter().any(|refused| refused.as_bytes() == name) {
            return None;
        }
        request = request.header(name, value);
    }
    if websocket {
        request = request.extension(Protocol::from_static("websocket"));
    }
    Some(request.body(()).ok()?.into_parts().0)
}

fn goes_up(parts: &Parts, bodiless: bool) {
    let mut head = Vec::new();
    let key = "AAAAAAAAAAAAAAAAAAAAAA==";
    if write_http1_request(&mut head, parts, bodiless, key).is_err() {
        return;
    }
    let limits = Limits {
        head: MAX_HEAD,
        ..Limits::default()
    };
    // It may be refused, but it is whole.
    let Ok(read) = request(&head, &limits) else {
        return;
    };
    let Some(read) = read else {
        panic!("it has no end: {}", head.escape_ascii());
    };
    assert_eq!(read.len, head.len(), "something hides behind it");
    let websocket = parts.method == Method::CONNECT;
    assert_eq!(read.upgrade.is_some(), websocket);
    if !websocket {
        assert_eq!(read.method, parts.method.as_str());
    }
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    assert_eq!(read.target.raw, path);
    if let Some(authority) = parts.uri.authority() {
        let host = read.host.expect("it is named").text();
        assert!(host.eq_ignore_ascii_case(authority.as_str()), "{host}");
    }
    match read.framing {
        Framing::None => assert!(bodiless || websocket),
        Framing::Chunked => assert!(!bodiless),
        Framing::Length(_) => assert!(parts.headers.contains_key("content-length")),
    }
    let ours = [
        "host",
        "cookie",
        "connection",
        "upgrade",
        "sec-websocket-key",
        "transfer-encoding",
    ];
    for field in read.fields.iter() {
        if ours.iter().any(|our| field.is(our)) {
            continue;
        }
        let mut sent = parts.headers.get_all(field.name()).iter();
        assert!(sent.any(|value| value.as_bytes() == field.value()));
    }
}

fn comes_down(data: &[u8], chunked: bool) {
    // As trailers: whatever it is, none of HTTP/1 is among them.
    check(&header_map(data));
    let Ok(Some(head)) = response(data, "GET", &Limits::default()) else {
        return;
    };
    let mut out = Vec::new();
    let date = "Sun, 06 Nov 1994 08:49:37 GMT";
    let edit = HeadEdit::default();
    write_response(&mut out, &head, chunked, Sent::Close, date, &edit);
    let passed = out
        .split(|byte| *byte == b'\n')
        .skip(1)
        .filter_map(|line| line.split(|byte| *byte == b':').next())
        .filter(|name| !name.is_empty() && *name != b"\r")
        .filter(|name| {
            let mut refused = REFUSED.iter().chain(&["sec-websocket-accept"]);
            !refused.any(|refused| refused.as_bytes().eq_ignore_ascii_case(name))
        })
        .count();
    let taken = take_http2_response(&mut out).expect("a head of ours");
    assert!(out.is_empty(), "{}", out.escape_ascii());
    let status = if head.status == 101 { 200 } else { head.status };
    assert_eq!(taken.status().as_u16(), status);
    assert_eq!(taken.headers().len(), passed, "no field gets lost");
    check(taken.headers());
}

fn check(fields: &http::HeaderMap) {
    for refused in REFUSED {
        assert!(!fields.contains_key(refused), "{refused}");
    }
}
