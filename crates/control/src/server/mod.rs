//! The API's side of the supervisor.

mod answer;
mod bans;
mod certificates;
mod configuration;
mod document;
mod entrance;
mod explain;
mod factors;
mod history;
mod hosts;
mod log;
mod machine;
mod network;
mod operators;
mod secrets;
mod status;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{oneshot, watch};

use crate::admission::Door;
use crate::line::MOST_REQUESTS;
use crate::socket::Capped;
use crate::{Apply, Backend, CertificateImport, Peer, Refusal};
pub(crate) use answer::Refused;
pub use document::{openapi, openapi_text};

/// Connections at a time: some pages, some `log -f`.
const MOST_CONNECTIONS: usize = 128;

/// Bytes of a request about operators: a name, two passwords and a code.
const SHORT_REQUEST: usize = 4 * 1024;

/// Bytes of a request with a file of visitors, which JSON may write with six bytes for one.
const LONGEST_FILE_REQUEST: usize = 6 * guard::entrance::htpasswd::LONGEST_FILE + 4096;

/// Bytes of any other request: the longest but for a configuration is a secret.
const LONGEST_REQUEST: usize = 128 * 1024;

/// Bytes of a request with a certificate: a file and a key, of which JSON may write a character with twelve bytes.
const LONGEST_IMPORT: usize =
    12 * (CertificateImport::LONGEST_FILE + CertificateImport::LONGEST_KEY) + 4096;

/// Bytes of a request with a configuration: JSON may write every character of other scripts by its number, which takes three times
/// its bytes.
const LONGEST_TEXT_REQUEST: usize = 3 * Apply::LONGEST_TEXT + 4096;

/// How long answers under way may take once the supervisor ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Bytes of a head on such a connection.
const LONGEST_HEAD: u32 = 16 * 1024;

/// Bytes of one answer that wait for the admin pages to take them.
const WAITING_BYTES: usize = 64 * 1024;

/// Serves the API on `listener`, to [`Peer::Local`], until `shutdown` is ready; ends followed logs then, too.
///
/// # Errors
/// The socket failed.
pub async fn serve<B: Backend>(
    listener: UnixListener,
    backend: B,
    shutdown: impl Future<Output = ()>,
) -> io::Result<()> {
    let (ending, ended) = watch::channel(false);
    let (end_server, server_ends) = oneshot::channel::<()>();
    let door = Door::new(routes(), Api { backend, ended }, Peer::Local);
    let api = Router::new().fallback(Door::enter).with_state(door);
    let server =
        axum::serve(Capped::new(listener, MOST_CONNECTIONS), api).with_graceful_shutdown(async {
            let _ = server_ends.await;
        });
    let mut server = std::pin::pin!(server.into_future());
    tokio::select! {
        result = &mut server => return result,
        () = shutdown => {}
    }
    let _ = end_server.send(());
    ending.send_replace(true);
    match tokio::time::timeout(LAST_WORDS, server).await {
        Ok(result) => result,
        Err(_) => Ok(()),
    }
}

/// Serves the API on one connection, by HTTP/2 without TLS, until the other side closes it or `shutdown` is ready.
///
/// What `peer` may do without a session, [`Peer`] says. A connection of [`Peer::Pages`] brings along the token of the
/// session with each request (`authorization: Bearer`), and the address of the browser (`gatehouse-client`).
///
/// # Errors
/// The other side broke the protocol, or the connection.
pub async fn serve_connection<B: Backend, S>(
    stream: S,
    backend: B,
    peer: Peer,
    shutdown: impl Future<Output = ()>,
) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (ending, ended) = watch::channel(false);
    let door = Door::new(routes(), Api { backend, ended }, peer);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let door = door.clone();
        async move {
            let request = request.map(Body::new);
            Ok::<_, Infallible>(Door::enter(State(door), request).await)
        }
    });
    let connection = http2::Builder::new(TokioExecutor::new())
        .max_concurrent_streams(MOST_REQUESTS)
        .max_header_list_size(LONGEST_HEAD)
        .max_send_buf_size(WAITING_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        result = &mut connection => return result,
        () = shutdown => {}
    }
    ending.send_replace(true);
    connection.as_mut().graceful_shutdown();
    // Whoever is told to go may be gone before the last frame.
    let _ = tokio::time::timeout(LAST_WORDS, connection).await;
    Ok(())
}

/// Every path of the API.
pub fn paths<B: Backend>() -> Vec<&'static str> {
    routes::<B>().names().collect()
}

#[derive(Clone)]
pub(crate) struct Api<B> {
    pub(crate) backend: B,
    ended: watch::Receiver<bool>,
}

/// What there is, and by which path: who may ask it, is decided in `admission`.
#[derive(Clone)]
pub(crate) struct Paths<B> {
    pub(crate) router: Router<Api<B>>,
    /// Each with the most bytes of a request.
    paths: Vec<(&'static str, usize)>,
}

impl<B: Backend> Paths<B> {
    fn new() -> Self {
        Self {
            router: Router::new(),
            paths: Vec::new(),
        }
    }

    /// Adds a path with its methods.
    pub(crate) fn route(self, path: &'static str, methods: MethodRouter<Api<B>>) -> Self {
        self.route_within(LONGEST_REQUEST, path, methods)
    }

    /// The same with requests of `longest` bytes at the most.
    pub(crate) fn route_within(
        mut self,
        longest: usize,
        path: &'static str,
        methods: MethodRouter<Api<B>>,
    ) -> Self {
        self.router = self.router.route(path, methods);
        self.paths.push((path, longest));
        self
    }

    /// The paths.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.paths.iter().map(|(path, _)| *path)
    }

    /// Whether requests for `path` carry a whole configuration.
    pub(crate) fn takes_text(&self, path: &str) -> bool {
        self.longest(path) >= LONGEST_TEXT_REQUEST
    }

    /// The most bytes of a request for `path`.
    pub(crate) fn longest(&self, path: &str) -> usize {
        let found = self.paths.iter().find(|(name, _)| fits(name, path));
        found.map_or(SHORT_REQUEST, |(_, longest)| *longest)
    }
}

/// Whether `path` is one of `pattern`, in which a part such as `{name}` stands for any one.
pub(crate) fn fits(pattern: &str, path: &str) -> bool {
    let (mut patterns, mut parts) = (pattern.split('/'), path.split('/'));
    loop {
        match (patterns.next(), parts.next()) {
            (None, None) => return true,
            (Some(pattern), Some(part)) => {
                let is_any = pattern.starts_with('{') && !part.is_empty();
                if !is_any && pattern != part {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

fn routes<B: Backend>() -> Paths<B> {
    let Paths { router, paths } = entrance::routes(operators::routes(own_routes()));
    let router = router
        .fallback(no_such_thing)
        .method_not_allowed_fallback(wrong_method)
        // The door has counted.
        .layer(DefaultBodyLimit::disable());
    Paths { router, paths }
}

fn own_routes<B: Backend>() -> Paths<B> {
    Paths::new()
        .route("/v1/openapi.json", get(document::document))
        .route("/v1/status", get(status::status::<B>))
        .route("/v1/metrics", get(status::metrics::<B>))
        .route(
            "/v1/bans",
            get(bans::bans::<B>)
                .post(bans::ban::<B>)
                .delete(bans::clear_ban::<B>),
        )
        .route("/v1/hosts", get(hosts::hosts::<B>))
        .route("/v1/derived", get(hosts::derived::<B>))
        .route("/v1/history", get(history::history::<B>))
        .route("/v1/reload", post(configuration::reload::<B>))
        .route("/v1/confirm", post(configuration::confirm::<B>))
        .route("/v1/rollback", post(configuration::rollback::<B>))
        .route("/v1/generations", get(configuration::generations::<B>))
        .route("/v1/config", get(configuration::config_text::<B>))
        .route("/v1/diff", get(configuration::diff::<B>))
        .route_within(
            LONGEST_TEXT_REQUEST,
            "/v1/check",
            post(configuration::check::<B>),
        )
        .route_within(
            LONGEST_TEXT_REQUEST,
            "/v1/apply",
            post(configuration::apply::<B>),
        )
        .route("/v1/certificates", get(certificates::certificates::<B>))
        .route("/v1/certificates/renew", post(certificates::renew::<B>))
        .route("/v1/certificates/root", get(certificates::root::<B>))
        .route("/v1/certificates/export", post(certificates::export::<B>))
        .route("/v1/certificates/issue", post(certificates::issue::<B>))
        .route("/v1/certificates/issued", get(certificates::issued::<B>))
        .route("/v1/certificates/revoke", post(certificates::revoke::<B>))
        .route_within(
            LONGEST_IMPORT,
            "/v1/certificates/import",
            post(certificates::import::<B>),
        )
        .route(
            "/v1/secrets",
            get(secrets::secrets::<B>)
                .put(secrets::set_secret::<B>)
                .delete(secrets::remove_secret::<B>),
        )
        .route(
            "/v1/network",
            get(network::network::<B>).post(network::set_zone::<B>),
        )
        .route("/v1/machine", post(machine::order::<B>))
        .route(
            "/v1/explain",
            get(explain::explain::<B>).post(explain::explain_shown::<B>),
        )
        .route("/v1/log", get(log::log::<B>))
}

async fn no_such_thing(request: Request) -> Refused {
    Refused(Refusal::not_found(format!(
        "the control API has no {}",
        request.uri().path()
    )))
}

async fn wrong_method(request: Request) -> Response {
    let refusal = Refusal::invalid(format!(
        "{} can not be done with {}",
        request.method(),
        request.uri().path()
    ));
    (StatusCode::METHOD_NOT_ALLOWED, Json(refusal)).into_response()
}
