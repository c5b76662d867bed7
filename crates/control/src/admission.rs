//! Who may ask what: the one place where it is decided, before any handler runs.

use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use guard::entrance::is_key_text;
use http_body_util::LengthLimitError;
use hyper::body::{Body as _, Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_service::Service;

use crate::server::{Api, Paths, Refused, fits};
use crate::{Actor, Backend, Peer, Refusal, Role};

/// The header in which the admin pages say where the browser is.
pub const CLIENT_HEADER: HeaderName = HeaderName::from_static("gatehouse-client");

/// How long a request may take to come whole, after its head.
const PATIENCE: Duration = Duration::from_secs(10);

/// Texts of configurations that are taken in at a time: what is done with one takes many times its bytes.
const TEXTS: usize = 2;
/// The header by which a page says that nobody asked for this: a clock of its own did. Such a request is no use of the session, so that a page
/// that is left open does not keep it alive.
pub const IDLE_HEADER: HeaderName = HeaderName::from_static("gatehouse-idle");

/// The least that somebody must be to be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Least {
    /// Anybody who reaches the admin pages.
    Anybody,
    /// Somebody who is signed in, with this role or a higher one.
    Role(Role),
    /// Command line and console.
    Local,
}

const VIEWER: Least = Least::Role(Role::Viewer);
const OPERATOR: Least = Least::Role(Role::Operator);
const ADMIN: Least = Least::Role(Role::Admin);

/// The tokens of an access.
const TOKENS: &str = "/v1/access/{name}/tokens";

/// Every request of the API, and who may make it. What is not in here is refused to the admin pages.
const LEAST: &[(&str, &str, Least)] = &[
    ("GET", "/v1/openapi.json", VIEWER),
    ("GET", "/v1/claim", Least::Anybody),
    ("POST", "/v1/claim", Least::Anybody),
    ("POST", "/v1/login", Least::Anybody),
    ("GET", "/v1/session", VIEWER),
    ("DELETE", "/v1/session", VIEWER),
    ("PUT", "/v1/session/password", VIEWER),
    ("POST", "/v1/session/totp", VIEWER),
    ("PUT", "/v1/session/totp", VIEWER),
    ("DELETE", "/v1/session/totp", VIEWER),
    // Of whom, is decided where they are.
    ("GET", "/v1/sessions", VIEWER),
    ("DELETE", "/v1/sessions", VIEWER),
    ("GET", "/v1/users", ADMIN),
    ("POST", "/v1/users", ADMIN),
    ("PATCH", "/v1/users", ADMIN),
    ("DELETE", "/v1/users", ADMIN),
    ("DELETE", "/v1/users/totp", ADMIN),
    ("POST", "/v1/users/reset", Least::Local),
    ("GET", "/v1/status", VIEWER),
    ("GET", "/v1/metrics", VIEWER),
    ("GET", "/v1/history", VIEWER),
    ("GET", "/v1/log", VIEWER),
    ("GET", "/v1/hosts", VIEWER),
    ("GET", "/v1/derived", VIEWER),
    ("GET", "/v1/explain", VIEWER),
    ("POST", "/v1/explain", VIEWER),
    ("GET", "/v1/generations", VIEWER),
    ("GET", "/v1/config", VIEWER),
    ("GET", "/v1/diff", VIEWER),
    ("GET", "/v1/bans", VIEWER),
    ("POST", "/v1/bans", OPERATOR),
    ("DELETE", "/v1/bans", OPERATOR),
    ("POST", "/v1/check", OPERATOR),
    ("POST", "/v1/apply", OPERATOR),
    ("POST", "/v1/reload", OPERATOR),
    ("POST", "/v1/confirm", OPERATOR),
    ("POST", "/v1/rollback", OPERATOR),
    ("GET", "/v1/certificates", VIEWER),
    ("POST", "/v1/certificates/renew", OPERATOR),
    ("GET", "/v1/certificates/root", VIEWER),
    ("POST", "/v1/certificates/export", ADMIN),
    ("POST", "/v1/certificates/import", ADMIN),
    ("POST", "/v1/certificates/issue", ADMIN),
    ("GET", "/v1/certificates/issued", VIEWER),
    ("POST", "/v1/certificates/revoke", OPERATOR),
    ("GET", "/v1/secrets", VIEWER),
    ("PUT", "/v1/secrets", OPERATOR),
    ("DELETE", "/v1/secrets", OPERATOR),
    ("GET", "/v1/network", VIEWER),
    ("POST", "/v1/network", OPERATOR),
    ("POST", "/v1/machine", ADMIN),
    ("GET", "/v1/visitors", ADMIN),
    ("POST", "/v1/visitors", ADMIN),
    ("PATCH", "/v1/visitors", ADMIN),
    ("DELETE", "/v1/visitors", ADMIN),
    ("POST", "/v1/visitors/import", ADMIN),
    ("GET", "/v1/tokens", OPERATOR),
    ("DELETE", "/v1/tokens", OPERATOR),
    ("GET", "/v1/sso/sessions", OPERATOR),
    ("DELETE", "/v1/sso/sessions", OPERATOR),
    ("GET", "/v1/sso/factors", OPERATOR),
    ("DELETE", "/v1/sso/factors", OPERATOR),
    // Those of tokens for keys, too: `is_for_key`.
    ("GET", TOKENS, OPERATOR),
    ("POST", TOKENS, OPERATOR),
    ("DELETE", TOKENS, OPERATOR),
    ("DELETE", "/v1/access/{name}/tokens/{id}", OPERATOR),
    ("GET", "/v1/access/{name}/keys", OPERATOR),
    ("POST", "/v1/access/{name}/keys", OPERATOR),
    ("DELETE", "/v1/access/{name}/keys/{id}", OPERATOR),
];

/// The way into the API for one kind of peer.
#[derive(Clone)]
pub(crate) struct Door<B> {
    paths: Paths<B>,
    api: Api<B>,
    peer: Peer,
    texts: Arc<Semaphore>,
}

impl<B: Backend> Door<B> {
    pub(crate) fn new(paths: Paths<B>, api: Api<B>, peer: Peer) -> Self {
        let texts = Arc::new(Semaphore::new(TEXTS));
        Self {
            paths,
            api,
            peer,
            texts,
        }
    }

    /// Answers a request, or refuses it before anything else sees it.
    pub(crate) async fn enter(State(door): State<Self>, request: Request) -> Response {
        let mut response = match door.serve(request).await {
            Ok(response) => response,
            Err(refusal) => Refused(refusal).into_response(),
        };
        // Nothing of this may lie in the memory of a browser or of anything on the way to it.
        let no_store = HeaderValue::from_static("no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, no_store);
        response
    }

    async fn serve(&self, request: Request) -> Result<Response, Refusal> {
        // Strangers are not listened to at length.
        self.admit(&request)?;
        let place = self.place(&request)?;
        let request = self.whole(request).await?;
        // Who may do something now, not who might when the head came: the session may have ended meanwhile.
        let actor = self.admit(&request)?;
        let Some(place) = place else {
            return Ok(self.answer(actor, request).await);
        };
        // To its end, also where nobody waits for it any more: the place is free when the memory is.
        let door = self.clone();
        let answer = tokio::spawn(async move {
            let response = door.answer(actor, request).await;
            drop(place);
            response
        });
        answer
            .await
            .map_err(|error| Refusal::failed(error.to_string()))
    }

    /// A place for what takes much memory; none: it takes little.
    fn place(&self, request: &Request) -> Result<Option<OwnedSemaphorePermit>, Refusal> {
        if !self.paths.takes_text(request.uri().path()) {
            return Ok(None);
        }
        let place = Arc::clone(&self.texts).try_acquire_owned();
        place.map(Some).map_err(|_| {
            Refusal::unavailable(format!(
                "{TEXTS} other configurations are looked at at this moment; try again"
            ))
        })
    }

    /// The request with all of its body.
    async fn whole(&self, request: Request) -> Result<Request, Refusal> {
        let (parts, body) = request.into_parts();
        let longest = self.paths.longest(parts.uri.path());
        let body = timeout(PATIENCE, axum::body::to_bytes(body, longest)).await;
        let body = body.map_err(|_| {
            let seconds = PATIENCE.as_secs();
            Refusal::invalid(format!(
                "the rest of the request did not come within {seconds} s"
            ))
        })?;
        let body = body.map_err(|error| {
            let cause = std::error::Error::source(&error);
            Refusal::invalid(
                if cause.is_some_and(<dyn std::error::Error>::is::<LengthLimitError>) {
                    format!("the request is too long; at most {longest} bytes are taken here")
                } else {
                    format!("the request broke off: {error}")
                },
            )
        })?;
        Ok(Request::from_parts(parts, Body::from(body)))
    }

    async fn answer(&self, actor: Actor, request: Request) -> Response {
        let session = actor.session();
        let mut api = self.api.clone();
        api.backend = api.backend.acting(actor);
        let mut routes = self.paths.router.clone().with_state(api);
        let response = match routes.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        };
        match session {
            // What goes on, such as the log, ends with the session.
            Some(id) if response.body().size_hint().exact().is_none() => {
                let over = Box::pin(self.api.backend.session_over(id));
                response.map(|body| Body::new(WhileOpen { body, over }))
            }
            _ => response,
        }
    }

    /// Who asks, if he may.
    fn admit(&self, request: &Request) -> Result<Actor, Refusal> {
        if self.peer == Peer::Local {
            return Ok(Actor::Local);
        }
        let (method, path) = (request.method(), request.uri().path());
        let client = client(request.headers());
        let attended = !request.headers().contains_key(IDLE_HEADER);
        let backend = &self.api.backend;
        if let Some(text) = bearer(request.headers()).filter(|text| is_key_text(text)) {
            let actor = backend.authenticate_key(text, client)?;
            return if is_for_key(&actor, method, path) {
                Ok(actor)
            } else {
                Err(Refusal::forbidden(
                    "a key is for the tokens of its own access, and for nothing else",
                ))
            };
        }
        let signed_in = bearer(request.headers())
            .and_then(|token| backend.authenticate(token, client, attended));
        let least = least(method, path);
        if least == Some(Least::Anybody) {
            return Ok(signed_in.unwrap_or(Actor::Visitor { client }));
        }
        let Some(actor) = signed_in else {
            return Err(Refusal::unauthorized("sign in first, or again"));
        };
        match least {
            Some(Least::Role(role)) if actor.may(role) => Ok(actor),
            Some(Least::Role(role)) => Err(Refusal::forbidden(format!(
                "this needs the role {}",
                role.word()
            ))),
            Some(Least::Local) => Err(Refusal::forbidden(
                "this can be done at the console and on the command line only",
            )),
            _ if self.paths.names().any(|name| fits(name, path)) => Err(Refusal::invalid(format!(
                "{method} can not be done with {path}"
            ))),
            _ => Err(Refusal::not_found(format!("the control API has no {path}"))),
        }
    }
}

fn least(method: &Method, path: &str) -> Option<Least> {
    let method = match method.as_str() {
        "HEAD" => "GET",
        other => other,
    };
    let mut entries = LEAST.iter();
    let entry = entries.find(|(of, at, _)| *of == method && fits(at, path));
    entry.map(|(_, _, least)| *least)
}

/// Whether a program with a key may ask this: for the tokens of its own access.
fn is_for_key(actor: &Actor, method: &Method, path: &str) -> bool {
    let Actor::Key { access, .. } = actor else {
        return false;
    };
    let own = path.strip_prefix(&format!("/v1/access/{access}/tokens"));
    own.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        && least(method, path).is_some()
}

/// The token, of a request that has one and no more.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut fields = headers.get_all(header::AUTHORIZATION).iter();
    let (field, None) = (fields.next()?, fields.next()) else {
        return None;
    };
    let (scheme, token) = field.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn client(headers: &HeaderMap) -> Option<IpAddr> {
    let address: IpAddr = headers.get(CLIENT_HEADER)?.to_str().ok()?.parse().ok()?;
    Some(address.to_canonical())
}

/// A body that ends, at the latest, with a session.
struct WhileOpen {
    body: Body,
    over: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl hyper::body::Body for WhileOpen {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.over.as_mut().poll(context).is_ready() {
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
