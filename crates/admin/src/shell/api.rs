//! Requests of our pages' script, passed on to the control API.

use std::net::IpAddr;
use std::time::Duration;

use http::header::{self, HeaderName};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body as _, Bytes, Incoming};
use serde::Deserialize;
use tokio::time::timeout;

use super::desk::{Desk, Visitor};
use super::permits::{Permit, Permitted};
use crate::core::cookie;
use crate::core::reply::{self, Body};

/// Bytes of what a page may send: a configuration is the longest, which JSON may write with three bytes for one.
const LONGEST: usize = 3 * control::Apply::LONGEST_TEXT + 4096;

/// Bytes that anybody may send, and anybody may be sent.
const LONGEST_OF_STRANGERS: usize = 16 * 1024;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The same for somebody who has not signed in.
const PATIENCE_WITH_STRANGERS: Duration = Duration::from_secs(10);

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
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let begins = request.method() == Method::POST && matches!(path, "/v1/login" | "/v1/claim");
        if has_body(request.method()) && !is_json(request.headers()) {
            let message = "send JSON, with `Content-Type: application/json`";
            return reply::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid", message);
        }
        // Before anything is kept for him, it is clear who he is.
        if !begins && !visitor.is_known() {
            let Some(_permit) = self.permit(visitor) else {
                return busy();
            };
            if self.is_signed_in(visitor).await.is_err() {
                return away();
            }
        }
        if visitor.is_known() && !begins {
            self.call_known(request, path, visitor).await
        } else {
            self.call_strange(request, path, begins, visitor).await
        }
    }

    /// For a program that shows a key: it is no browser, so that no foreign page can make it ask, and it has no session. Whether the key is
    /// one, and what for, the control API knows.
    pub(super) async fn call_by_key(
        &self,
        request: Request<Incoming>,
        path: &str,
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        if has_body(&parts.method) && !is_json(&parts.headers) {
            let message = "send JSON, with `Content-Type: application/json`";
            return reply::refusal(StatusCode::UNSUPPORTED_MEDIA_TYPE, "invalid", message);
        }
        let Some(body) = taken(body, LONGEST_OF_STRANGERS, PATIENCE_WITH_STRANGERS).await else {
            return too_long(LONGEST_OF_STRANGERS);
        };
        let Some(permit) = self.permit(visitor) else {
            return busy();
        };
        let Some(inner) = passed_in(&parts, path, body) else {
            return reply::refusal(StatusCode::BAD_REQUEST, "invalid", "no such request");
        };
        match self.ask(inner, visitor).await {
            Ok(answer) => {
                // Whoever has a good key is no stranger, and may ask as much at a time as who has signed in.
                match answer.status() {
                    StatusCode::UNAUTHORIZED => visitor.forget(),
                    status if status.is_success() => visitor.remember(),
                    _ => {}
                }
                passed_on(answer, permit)
            }
            Err(_) => away(),
        }
    }

    /// For somebody who has signed in: what comes is passed on as it comes, and as long as it goes on.
    async fn call_known(
        &self,
        request: Request<Incoming>,
        path: &str,
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let is_long = body
            .size_hint()
            .upper()
            .is_none_or(|length| length > LONGEST_OF_STRANGERS as u64);
        let mut room = None;
        if has_body(&parts.method) && is_long {
            let Ok(taken) = self.room.try_acquire() else {
                return busy();
            };
            room = Some(taken);
        }
        let most = room.as_ref().map_or(LONGEST_OF_STRANGERS, |_| LONGEST);
        let Some(body) = taken(body, most, PATIENCE).await else {
            return too_long(most);
        };
        let Some(permit) = self.permit(visitor) else {
            return busy();
        };
        let ends = parts.method == Method::DELETE && path == "/v1/session";
        let Some(inner) = passed_in(&parts, path, body) else {
            return reply::refusal(StatusCode::BAD_REQUEST, "invalid", "no such request");
        };
        let answer = self.ask(inner, visitor).await;
        drop(room);
        let Ok(answer) = answer else {
            return away();
        };
        if answer.status() == StatusCode::UNAUTHORIZED {
            visitor.forget();
        }
        let mut response = passed_on(answer, permit);
        if ends {
            response
                .headers_mut()
                .insert(header::SET_COOKIE, cookie::cleared());
        }
        response
    }

    /// For anybody: little is taken, little is given, and nothing of it waits on the line.
    async fn call_strange(
        &self,
        request: Request<Incoming>,
        path: &str,
        begins: bool,
        visitor: &Visitor<'_>,
    ) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let Some(body) = taken(body, LONGEST_OF_STRANGERS, PATIENCE_WITH_STRANGERS).await else {
            return too_long(LONGEST_OF_STRANGERS);
        };
        let Some(_permit) = self.permit(visitor) else {
            return busy();
        };
        let Some(inner) = passed_in(&parts, path, body) else {
            return reply::refusal(StatusCode::BAD_REQUEST, "invalid", "no such request");
        };
        let Ok(answer) = self.ask(inner, visitor).await else {
            return away();
        };
        let (parts, body) = answer.into_parts();
        let Some(body) = taken(body, LONGEST_OF_STRANGERS, PATIENCE).await else {
            return away();
        };
        if begins && parts.status.is_success() {
            return begin(parts.status, &body);
        }
        let body = Full::new(body).map_err(|never| match never {}).boxed();
        let mut response = Response::new(body);
        headed(&mut response, &parts);
        response
    }
}

/// A body as a whole; none where it is longer than `most` bytes, does not come in time, or is cut off.
pub(super) async fn taken(body: Incoming, most: usize, patience: Duration) -> Option<Bytes> {
    let whole = timeout(patience, Limited::new(body, most).collect()).await;
    Some(whole.ok()?.ok()?.to_bytes())
}

/// What the control API is asked; none where the path is none.
fn passed_in(
    parts: &http::request::Parts,
    path: &str,
    body: Bytes,
) -> Option<Request<Full<Bytes>>> {
    let query = parts.uri.query();
    let query = query.map_or(String::new(), |query| format!("?{query}"));
    let mut inner = Request::builder()
        .method(parts.method.clone())
        .uri(format!("http://gatehouse{path}{query}"));
    for name in ASKED {
        if let Some(value) = parts.headers.get(&name) {
            inner = inner.header(name, value);
        }
    }
    inner.body(Full::new(body)).ok()
}

fn too_long(most: usize) -> Response<Body> {
    let message = format!("the request is longer than {most} bytes, or was cut off");
    reply::refusal(StatusCode::PAYLOAD_TOO_LARGE, "invalid", &message)
}

/// The answer to somebody who has too much under way.
fn busy() -> Response<Body> {
    later("too much is asked of these pages at a time; try again in a few seconds")
}

/// The answer while the supervisor does not answer.
fn away() -> Response<Body> {
    later("the box does not answer its pages at the moment; try again in a few seconds")
}

fn later(message: &str) -> Response<Body> {
    let mut response = reply::refusal(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
    let seconds = HeaderValue::from_static("2");
    response.headers_mut().insert(header::RETRY_AFTER, seconds);
    response
}

/// Puts the token where no script can read it.
fn begin(status: StatusCode, body: &Bytes) -> Response<Body> {
    let Some((cookie, session)) = started(body) else {
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

/// An answer as it comes; the permit is held until it has ended.
fn passed_on(answer: Response<Incoming>, permit: Permit) -> Response<Body> {
    let (parts, body) = answer.into_parts();
    let mut response = Response::new(Permitted::new(body, permit).boxed());
    headed(&mut response, &parts);
    response
}

fn headed(response: &mut Response<Body>, parts: &http::response::Parts) {
    *response.status_mut() = parts.status;
    for name in ANSWERED {
        if let Some(value) = parts.headers.get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
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

/// The key that a program shows, if it is one and no more; what looks like none is not looked at.
pub(super) fn key(headers: &http::HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let (scheme, text) = field.to_str().ok()?.split_once(' ')?;
    let is_key = scheme.eq_ignore_ascii_case("bearer") && guard::entrance::is_key_text(text);
    is_key.then_some(text)
}

/// The header in which the control API is told who sits at the other end.
pub(super) fn client_header(client: IpAddr) -> Option<HeaderValue> {
    HeaderValue::try_from(client.to_string()).ok()
}
