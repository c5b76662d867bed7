//! Answers of our own, with what every browser is told about them.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt as _, Full};

/// The body of an answer: text of ours, or what comes from the supervisor.
pub(crate) type Body = http_body_util::combinators::BoxBody<Bytes, hyper::Error>;

/// What every answer carries. No Strict-Transport-Security: with the box's own CA a browser would not let the operator
/// past its warning any more.
const HEADERS: [(HeaderName, &str); 7] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    // With "no-referrer" a browser sends forms of our own pages with `Origin: null` (Fetch, "append a request Origin header").
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Adds what every answer carries; unless said otherwise, nobody keeps it.
pub(crate) fn finish(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
}

/// An answer with a text of ours.
pub(crate) fn text(
    status: StatusCode,
    kind: &'static str,
    text: impl Into<Bytes>,
) -> Response<Body> {
    let mut response = Response::new(body(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// A page.
pub(crate) fn html(status: StatusCode, page: maud::Markup) -> Response<Body> {
    text(status, "text/html; charset=utf-8", page.into_string())
}

/// A refusal as the control API words it.
pub(crate) fn refusal(status: StatusCode, kind: &str, message: &str) -> Response<Body> {
    let refusal = serde_json::json!({ "kind": kind, "message": message });
    text(status, "application/json", refusal.to_string())
}

/// Leads a browser on with GET (RFC 9110 section 15.4.4).
pub(crate) fn see_other(path: &str) -> Response<Body> {
    let mut response = Response::new(body(Bytes::new()));
    *response.status_mut() = StatusCode::SEE_OTHER;
    if let Ok(path) = HeaderValue::try_from(path) {
        response.headers_mut().insert(header::LOCATION, path);
    }
    response
}

fn body(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed()
}
