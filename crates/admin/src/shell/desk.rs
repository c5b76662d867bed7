//! Where requests of browsers are answered.

use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use control::{Line, LineError};
use http::header::{self, HeaderMap};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use service::{Blame, Context, Outcome};
use tokio::sync::Semaphore;

use super::permits::{Asker, Permit, Permits};
use super::{api, assets};
use crate::core::cookie;
use crate::core::names::Names;
use crate::core::origin::{self, Foreign, Kind};
use crate::core::pages::Frame;
use crate::core::place::Place;
use crate::core::quiet::Quiet;
use crate::core::reply::{self, Body};
use crate::core::words::Language;
use crate::decision;

/// What answers need, the same for all connections of a configuration.
pub(crate) struct Desk {
    pub(crate) hostname: String,
    pub(crate) names: Names,
    pub(crate) line: Line,
    /// For requests that are passed on.
    pub(crate) permits: Permits,
    /// For long bodies of requests.
    pub(crate) room: Semaphore,
    pub(crate) quiet: Mutex<Quiet>,
    pub(crate) context: Context,
}

/// Who asks.
pub(super) struct Visitor<'v> {
    pub(super) client: IpAddr,
    pub(super) token: Option<String>,
    pub(super) language: Language,
    /// Whether somebody has signed in over this connection.
    pub(super) known: &'v AtomicBool,
}

impl Visitor<'_> {
    pub(super) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// He is no stranger any more.
    pub(super) fn remember(&self) {
        self.known.store(true, Ordering::Relaxed);
    }

    /// His session has ended: he is a stranger again.
    pub(super) fn forget(&self) {
        self.known.store(false, Ordering::Relaxed);
    }
}

impl Desk {
    /// The answer to `request` of `client`.
    pub(crate) async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        known: &AtomicBool,
    ) -> Response<Body> {
        let mut response = self.decide(request, client, known).await;
        reply::finish(response.headers_mut());
        response
    }

    async fn decide(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        known: &AtomicBool,
    ) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let place = Place::at(&path);
        let visitor = Visitor {
            client: client.ip().to_canonical(),
            token: cookie::token(request.headers()).map(str::to_owned),
            language: Language::preferred(request.headers()),
            known,
        };
        let authority = authority(&request).unwrap_or_default();
        if !self.names.has(&authority) {
            self.reject(client, &authority, "this is no name of the admin pages");
            let page = self.frame(&visitor).wrong_name(self.names.offered());
            return reply::html(StatusCode::MISDIRECTED_REQUEST, page);
        }
        if let Place::Api(path) = place
            && let Some(key) = api::key(request.headers())
        {
            let visitor = Visitor {
                token: Some(key.to_owned()),
                ..visitor
            };
            return self.call_by_key(request, path, &visitor).await;
        }
        let kind = match place {
            Place::Api(_) => Kind::Call,
            _ => Kind::Page,
        };
        if let Err(foreign) = origin::admit(kind, request.method(), request.headers(), &authority) {
            self.reject(client, &authority, &foreign.to_string());
            return self.foreign(place, &visitor, foreign);
        }
        match place {
            Place::Api(path) => self.call(request, path, &visitor).await,
            Place::Page(page) if request.method() == Method::POST => {
                self.take_form(page, request, &visitor).await
            }
            _ if !matches!(*request.method(), Method::GET | Method::HEAD) => {
                self.wrong_method(place, &visitor)
            }
            Place::Page(page) => self.show(page, request.uri().query(), &visitor).await,
            Place::App => self.app(&path, request.headers(), &visitor).await,
            Place::Asset(name) => {
                let file = assets::file(name, request.headers());
                file.unwrap_or_else(|| self.nowhere(&visitor))
            }
            Place::Nowhere => self.nowhere(&visitor),
        }
    }

    /// The pages with script, for those who have signed in.
    async fn app(&self, path: &str, headers: &HeaderMap, visitor: &Visitor<'_>) -> Response<Body> {
        let Some(_permit) = self.permit(visitor) else {
            return self.busy(visitor);
        };
        match self.standing(visitor).await {
            Err(_) => self.away(visitor),
            Ok(Standing::Unclaimed) => reply::see_other("/claim"),
            Ok(Standing::SignedOut) if path == "/" => reply::see_other("/login"),
            Ok(Standing::SignedOut) => reply::see_other(&format!("/login?then={path}")),
            Ok(Standing::SignedIn) => assets::app(headers).unwrap_or_else(|| self.nowhere(visitor)),
        }
    }

    /// Whether this visitor, or anybody, has an account.
    pub(super) async fn standing(&self, visitor: &Visitor<'_>) -> Result<Standing, LineError> {
        if self.is_signed_in(visitor).await? {
            return Ok(Standing::SignedIn);
        }
        let claim: control::ClaimStatus = self.get("/v1/claim", visitor).await?;
        Ok(if claim.claimed {
            Standing::SignedOut
        } else {
            Standing::Unclaimed
        })
    }

    /// Whether the visitor has a session.
    pub(super) async fn is_signed_in(&self, visitor: &Visitor<'_>) -> Result<bool, LineError> {
        if visitor.token.is_none() {
            return Ok(false);
        }
        let asked = request(Method::GET, "/v1/session", None);
        let is_signed_in = self.ask(asked, visitor).await?.status().is_success();
        if is_signed_in {
            visitor.remember();
        }
        Ok(is_signed_in)
    }

    /// A permit to ask the control API something for this visitor; none where he, or strangers together, ask too much at a time.
    pub(super) fn permit(&self, visitor: &Visitor<'_>) -> Option<Permit> {
        self.permits
            .take(Asker::new(visitor.client, visitor.is_known()))
    }

    /// Asks the control API in the name of the visitor.
    pub(super) async fn ask(
        &self,
        mut request: Request<Full<Bytes>>,
        visitor: &Visitor<'_>,
    ) -> Result<Response<Incoming>, LineError> {
        let headers = request.headers_mut();
        if let Some(client) = api::client_header(visitor.client) {
            headers.insert(control::CLIENT_HEADER, client);
        }
        let bearer = visitor.token.as_ref();
        let bearer = bearer.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        if let Some(mut bearer) = bearer {
            bearer.set_sensitive(true);
            headers.insert(header::AUTHORIZATION, bearer);
        }
        self.line.ask(request).await
    }

    pub(super) fn frame(&self, visitor: &Visitor<'_>) -> Frame<'_> {
        Frame {
            language: visitor.language,
            hostname: &self.hostname,
            style: assets::plain_style(),
        }
    }

    /// What is said while the supervisor does not answer.
    pub(super) fn away(&self, visitor: &Visitor<'_>) -> Response<Body> {
        let words = visitor.language.words();
        let page = self
            .frame(visitor)
            .sentence("503", words.not_reached, ("/", words.again));
        reply::html(StatusCode::SERVICE_UNAVAILABLE, page)
    }

    /// What is said to somebody who asks too much at a time.
    pub(super) fn busy(&self, visitor: &Visitor<'_>) -> Response<Body> {
        let words = visitor.language.words();
        let page = self
            .frame(visitor)
            .sentence("503", words.busy, ("/", words.again));
        reply::html(StatusCode::SERVICE_UNAVAILABLE, page)
    }

    fn nowhere(&self, visitor: &Visitor<'_>) -> Response<Body> {
        let words = visitor.language.words();
        let page = self
            .frame(visitor)
            .sentence("404", words.no_such_page, ("/", words.home));
        reply::html(StatusCode::NOT_FOUND, page)
    }

    fn wrong_method(&self, place: Place<'_>, visitor: &Visitor<'_>) -> Response<Body> {
        let allowed = match place {
            Place::Page(_) => "GET, HEAD, POST",
            _ => "GET, HEAD",
        };
        let words = visitor.language.words();
        let page = self
            .frame(visitor)
            .sentence("405", words.wrong_method, ("/", words.home));
        let mut response = reply::html(StatusCode::METHOD_NOT_ALLOWED, page);
        let allowed = HeaderValue::from_static(allowed);
        response.headers_mut().insert(header::ALLOW, allowed);
        response
    }

    fn foreign(&self, place: Place<'_>, visitor: &Visitor<'_>, why: Foreign) -> Response<Body> {
        if let Place::Api(_) = place {
            return reply::refusal(StatusCode::FORBIDDEN, "forbidden", &why.to_string());
        }
        let words = visitor.language.words();
        let page = self
            .frame(visitor)
            .sentence("403", words.foreign, ("/", words.home));
        reply::html(StatusCode::FORBIDDEN, page)
    }

    /// Not an offence: a foreign page makes an innocent browser ask such things.
    fn reject(&self, client: SocketAddr, authority: &str, reason: &str) {
        let mut quiet = self.quiet.lock().unwrap_or_else(PoisonError::into_inner);
        let reason = match quiet.may_tell(Instant::now()) {
            None => return,
            Some(0) => reason.to_owned(),
            Some(more) => format!("{reason}; {more} others before it were not logged"),
        };
        drop(quiet);
        let outcome = Outcome::Rejected {
            status: None,
            reason,
            blame: Blame::Peer,
        };
        self.context
            .events
            .send(decision(client, authority, outcome));
    }
}

/// Where a visitor stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// Nobody has an account yet.
    Unclaimed,
    /// The visitor has no session, or it has ended.
    SignedOut,
    /// The visitor has one.
    SignedIn,
}

/// A request to the control API, with `body` as JSON.
pub(super) fn request(
    method: Method,
    path: &str,
    body: Option<serde_json::Value>,
) -> Request<Full<Bytes>> {
    let bytes = body.map_or(Bytes::new(), |body| body.to_string().into());
    let mut request = Request::new(Full::new(bytes));
    *request.method_mut() = method;
    *request.uri_mut() = format!("http://gatehouse{path}")
        .parse()
        .unwrap_or_default();
    let kind = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    request
}

/// What the browser thinks that it speaks to.
fn authority(request: &Request<Incoming>) -> Option<String> {
    if let Some(authority) = request.uri().authority() {
        return Some(authority.as_str().to_owned());
    }
    let mut hosts = request.headers().get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().ok().map(str::to_owned),
        _ => None,
    }
}
