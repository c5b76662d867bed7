//! Answers, with what every browser is told about them.

use bytes::Bytes;
use http::header::{self, HeaderMap, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use maud::Markup;

use super::lists::List;
use crate::core::page::STYLE_SOURCE;

pub(crate) type Body = Full<Bytes>;

/// What every answer carries.
const HEADERS: [(HeaderName, &str); 5] = [
    // The login page of a minute ago is another one.
    (header::CACHE_CONTROL, "no-store"),
    // With "no-referrer" a browser sends forms of our own pages with `Origin: null` (Fetch, "append a request Origin header").
    (header::REFERRER_POLICY, "same-origin"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// What a page may do beside being shown.
#[derive(Clone, Copy, Default)]
pub(crate) struct Freedom<'f> {
    /// Another origin that its form may lead to: a browser looks at where the answer leads, too.
    pub(crate) leads_to: Option<&'f str>,
    /// Hosts, and their port, whose pages may show it within themselves.
    pub(crate) framed: Option<(&'f List, u16)>,
}

/// A page.
pub(crate) fn html(status: StatusCode, page: Markup, freedom: Freedom<'_>) -> Response<Body> {
    let mut response = Response::new(Full::from(page.into_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, kind);
    finish(headers, freedom);
    response
}

/// An answer to a program.
pub(crate) fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = status;
    finish(response.headers_mut(), Freedom::default());
    response
}

/// Leads a browser on with GET (RFC 9110 section 15.4.4).
pub(crate) fn see_other(place: &str) -> Response<Body> {
    let mut response = Response::new(Body::default());
    *response.status_mut() = StatusCode::SEE_OTHER;
    let headers = response.headers_mut();
    let place = HeaderValue::try_from(place).unwrap_or(HeaderValue::from_static("/"));
    headers.insert(header::LOCATION, place);
    finish(headers, Freedom::default());
    response
}

/// Has the browser come back after so many seconds.
pub(crate) fn later(mut response: Response<Body>, seconds: u64) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// Has the browser keep a cookie, or forget it.
pub(crate) fn with_cookie(
    mut response: Response<Body>,
    cookie: Option<HeaderValue>,
) -> Response<Body> {
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn finish(headers: &mut HeaderMap, freedom: Freedom<'_>) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let ancestors = match freedom.framed {
        None => {
            headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
            "'none'".to_owned()
        }
        Some((list, port)) => list.hosts.iter().fold("'self'".to_owned(), |all, host| {
            format!("{all} https://{host}:{port}")
        }),
    };
    let leads_to = freedom.leads_to.unwrap_or_default();
    let policy = format!(
        "default-src 'none'; style-src {}; img-src data:; form-action 'self' {leads_to}; base-uri 'none'; frame-ancestors {ancestors}",
        *STYLE_SOURCE
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
}
