//! Requests of our pages' script, passed on to the control API.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use serde::Deserialize;
use tokio::time::timeout;

use super::desk::{Desk, Visitor};
use crate::core::cookie;
use crate::core::reply::{self, Body};

/// Bytes of what a page may send: a configuration is the longest.
const LONGEST: usize = 2 << 20;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Bytes of an answer to a login.
const LONGEST_LOGIN: usize = 64 * 1024;

/// What the control API is told of the request beside its body.
const ASKED: [HeaderName; 4] = [
    header::ACCEPT,
    header::CONTENT_TYPE,
    HeaderName::from_static("last-event-id"),
    control::IDLE_HEADER,
];

/// What the browser is told of the answer beside its body.
const ANSWERED: [HeaderName; 2] = [header::CONTENT_TYPE, header::RETRY_AFTER];

/// What begins a session.
#[derive(Deserialize)]
struct Started {
    token: String,
    session: serde_json::Value,
}

impl Desk {
    /// Has the control API answer a request for `path` there.
    pub(super) async fn call(
        &self,
        request: Request<Incoming>,
        path: &str,
        visitor: &Visitor,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let begins = parts.method == Method::POST && matches!(path, "/v1/login" | "/v1/claim");
        let ends = parts.method == Method::DELETE && path == "/v1/session";
        if has_body(&parts.method) && !is_json(&parts.headers) {
            let message = "send JSON, with `Content-Type: application/json`";
            return reply::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid", message);
        }
        let Some(body) = taken(body, LONGEST).await else {
            let message = format!("the request is longer than {LONGEST} bytes, or was cut off");
            return reply::refusal(StatusCode::PAYLOAD_TOO_LARGE, "invalid", &message);
        };
        let query = parts
            .uri
            .query()
            .map_or(String::new(), |query| format!("?{query}"));
        let mut inner = Request::builder()
            .method(parts.method)
            .uri(format!("http://gatehouse{path}{query}"));
        for name in ASKED {
            if let Some(value) = parts.headers.get(&name) {
                inner = inner.header(name, value);
            }
        }
        let inner = inner.body(Full::new(body));
        let Ok(inner) = inner else {
            return reply::refusal(StatusCode::BAD_REQUEST, "invalid", "no such request");
        };
        match self.ask(inner, visitor).await {
            Err(_) => away(),
            Ok(answer) if begins && answer.status().is_success() => begin(answer).await,
            Ok(answer) => {
                let mut response = passed_on(answer);
                if ends {
                    response
                        .headers_mut()
                        .insert(header::SET_COOKIE, cookie::cleared());
                }
                response
            }
        }
    }
}

/// A body as a whole; none where it is longer than `most` bytes, does not come in time, or is cut off.
pub(super) async fn taken(body: Incoming, most: usize) -> Option<Bytes> {
    let whole = timeout(PATIENCE, Limited::new(body, most).collect()).await;
    Some(whole.ok()?.ok()?.to_bytes())
}

/// The answer while the supervisor does not answer.
fn away() -> Response<Body> {
    let message = "the box does not answer its pages at the moment; try again in a few seconds";
    let mut response = reply::refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
    let seconds = HeaderValue::from_static("2");
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// Puts the token where no script can read it.
async fn begin(answer: Response<Incoming>) -> Response<Body> {
    let status = answer.status();
    let body = taken(answer.into_body(), LONGEST_LOGIN).await;
    let Some((cookie, session)) = body.as_ref().and_then(started) else {
        return away();
    };
    let text = serde_json::json!({ "session": session }).to_string();
    let mut response = reply::text(status, "application/json", text);
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}

/// The cookie and the rest of an answer that begins a session.
pub(super) fn started(body: &Bytes) -> Option<(HeaderValue, serde_json::Value)> {
    let started: Started = serde_json::from_slice(body).ok()?;
    Some((cookie::set(&started.token)?, started.session))
}

fn passed_on(answer: Response<Incoming>) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let mut response = Response::new(body.boxed());
    *response.status_mut() = parts.status;
    for name in ANSWERED {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

fn has_body(method: &Method) -> bool {
    matches!(*method, Method::POST | Method::PUT | Method::PATCH)
}

/// A form of a foreign page can not send this kind without being asked about first (Fetch, CORS-safelisted request headers).
fn is_json(headers: &http::HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    kind.is_some_and(|kind| {
        let end = kind
            .iter()
            .position(|byte| *byte == b';')
            .unwrap_or(kind.len());
        kind.get(..end)
            .is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(b"application/json"))
    })
}

/// The header in which the control API is told who sits at the other end.
pub(super) fn client_header(client: IpAddr) -> Option<HeaderValue> {
    HeaderValue::try_from(client.to_string()).ok()
}
