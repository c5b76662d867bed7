//! The API's side of the supervisor.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};
use axum::{Json, Router};
use bytes::Bytes;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixListener;
use tokio::sync::{mpsc, oneshot, watch};

use crate::admission::Door;
use crate::server_operators;
use crate::socket::Capped;
use crate::{
    Backend, Journal, LogQuery, MachineOrder, Peer, Refusal, RefusalKind, Secret, ZoneChange,
};

/// Connections at a time: some pages, some `log -f`.
const MOST_CONNECTIONS: usize = 128;

/// Bytes of a request: the longest is a secret.
const LONGEST_REQUEST: usize = 128 * 1024;

/// Log lines on their way to one reader.
const LINES_UNDER_WAY: usize = 64;

/// How long answers under way may take once the supervisor ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Streams at a time of a connection of the admin pages: some browsers with a log each.
const MOST_STREAMS: u32 = 128;

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
        .max_concurrent_streams(MOST_STREAMS)
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
    routes::<B>().paths
}

#[derive(Clone)]
pub(crate) struct Api<B> {
    pub(crate) backend: B,
    ended: watch::Receiver<bool>,
}

pub(crate) type Answer<T> = Result<Json<T>, Refused>;

/// What there is, and by which path: who may ask it, is decided in `admission`.
#[derive(Clone)]
pub(crate) struct Paths<B> {
    pub(crate) router: Router<Api<B>>,
    pub(crate) paths: Vec<&'static str>,
}

impl<B: Backend> Paths<B> {
    fn new() -> Self {
        Self {
            router: Router::new(),
            paths: Vec::new(),
        }
    }

    /// Adds a path with its methods.
    pub(crate) fn route(mut self, path: &'static str, methods: MethodRouter<Api<B>>) -> Self {
        self.router = self.router.route(path, methods);
        self.paths.push(path);
        self
    }
}

fn routes<B: Backend>() -> Paths<B> {
    let Paths { router, paths } = server_operators::routes(own_routes());
    let router = router
        .fallback(no_such_thing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LONGEST_REQUEST));
    Paths { router, paths }
}

fn own_routes<B: Backend>() -> Paths<B> {
    Paths::new()
        .route("/v1/status", get(status::<B>))
        .route("/v1/metrics", get(metrics::<B>))
        .route("/v1/bans", get(bans::<B>).delete(clear_ban::<B>))
        .route("/v1/reload", post(reload::<B>))
        .route("/v1/confirm", post(confirm::<B>))
        .route("/v1/rollback", post(rollback::<B>))
        .route("/v1/generations", get(generations::<B>))
        .route("/v1/config", get(config_text::<B>))
        .route("/v1/diff", get(diff::<B>))
        .route(
            "/v1/secrets",
            get(secrets::<B>)
                .put(set_secret::<B>)
                .delete(remove_secret::<B>),
        )
        .route("/v1/network", get(network::<B>).post(set_zone::<B>))
        .route("/v1/machine", post(order::<B>))
        .route("/v1/explain", get(explain::<B>))
        .route("/v1/log", get(log::<B>))
}

#[derive(Serialize, Deserialize)]
pub(crate) struct BanQuery {
    pub(crate) client: Option<IpAddr>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct GenerationQuery {
    pub(crate) generation: Option<u32>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct SecretQuery {
    pub(crate) name: String,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct ExplainQuery {
    pub(crate) url: String,
    pub(crate) from: Option<IpAddr>,
}

async fn status<B: Backend>(State(api): State<Api<B>>) -> Answer<crate::Status> {
    Ok(Json(api.backend.status().await?))
}

async fn metrics<B: Backend>(State(api): State<Api<B>>) -> Result<Response, Refused> {
    let text = api.backend.metrics().await?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

async fn bans<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<crate::Ban>> {
    Ok(Json(api.backend.bans().await?))
}

async fn clear_ban<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<BanQuery>,
) -> Answer<crate::Cleared> {
    Ok(Json(api.backend.clear_ban(query.client).await?))
}

async fn reload<B: Backend>(State(api): State<Api<B>>) -> Answer<crate::Applied> {
    Ok(Json(api.backend.reload().await?))
}

async fn confirm<B: Backend>(State(api): State<Api<B>>) -> Answer<crate::Applied> {
    Ok(Json(api.backend.confirm().await?))
}

async fn rollback<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<crate::Applied> {
    Ok(Json(api.backend.rollback(query.generation).await?))
}

async fn generations<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<crate::Generation>> {
    Ok(Json(api.backend.generations().await?))
}

async fn config_text<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<crate::ConfigText> {
    Ok(Json(api.backend.config_text(query.generation).await?))
}

async fn diff<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<crate::Diff> {
    Ok(Json(api.backend.diff(query.generation).await?))
}

async fn secrets<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<String>> {
    Ok(Json(api.backend.secrets().await?))
}

async fn set_secret<B: Backend>(
    State(api): State<Api<B>>,
    Sent(secret): Sent<Secret>,
) -> Answer<()> {
    Ok(Json(api.backend.set_secret(secret).await?))
}

async fn remove_secret<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<SecretQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_secret(query.name).await?))
}

async fn network<B: Backend>(State(api): State<Api<B>>) -> Answer<crate::Network> {
    Ok(Json(api.backend.network().await?))
}

async fn set_zone<B: Backend>(
    State(api): State<Api<B>>,
    Sent(change): Sent<ZoneChange>,
) -> Answer<crate::Applied> {
    Ok(Json(api.backend.set_zone(change).await?))
}

async fn order<B: Backend>(
    State(api): State<Api<B>>,
    Sent(order): Sent<MachineOrder>,
) -> Answer<crate::Ordered> {
    Ok(Json(api.backend.order(order).await?))
}

async fn explain<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<ExplainQuery>,
) -> Answer<crate::Explanation> {
    Ok(Json(api.backend.explain(query.url, query.from).await?))
}

async fn log<B: Backend>(State(api): State<Api<B>>, Asked(query): Asked<LogQuery>) -> Response {
    let (sender, lines) = mpsc::channel(LINES_UNDER_WAY);
    tokio::spawn(write_log(api.backend.journal(), query, sender, api.ended));
    let kind = HeaderValue::from_static("application/x-ndjson");
    ([(header::CONTENT_TYPE, kind)], Body::new(Lines(lines))).into_response()
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

/// Ends when all that was wanted is sent, the reader is gone, or the box ends.
async fn write_log(
    journal: Journal,
    query: LogQuery,
    sender: mpsc::Sender<Bytes>,
    mut ended: watch::Receiver<bool>,
) {
    let mut follower = journal.read(&query);
    loop {
        let record = match follower.try_next() {
            Some(record) => record,
            None if !query.follow => return,
            None => tokio::select! {
                record = follower.next() => record,
                () = sender.closed() => return,
                _ = ended.wait_for(|ended| *ended) => return,
            },
        };
        let Ok(mut line) = serde_json::to_vec(&*record) else {
            continue;
        };
        line.push(b'\n');
        if sender.send(line.into()).await.is_err() {
            return;
        }
    }
}

/// A body that ends when its sender is dropped.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let line = self.0.poll_recv(context);
        line.map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}

/// A [`Refusal`] as an answer.
pub(crate) struct Refused(pub(crate) Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let status = match self.0.kind {
            RefusalKind::Unauthorized | RefusalKind::CodeWanted => StatusCode::UNAUTHORIZED,
            RefusalKind::Forbidden => StatusCode::FORBIDDEN,
            RefusalKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
            RefusalKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            RefusalKind::NotFound => StatusCode::NOT_FOUND,
            RefusalKind::Conflict => StatusCode::CONFLICT,
            RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            RefusalKind::Failed => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let wait = self.0.retry_after_seconds;
        let mut response = (status, Json(self.0)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = wait {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 section 15.5.2 wants it said.
            let bearer = HeaderValue::from_static("Bearer");
            headers.insert(header::WWW_AUTHENTICATE, bearer);
        }
        response
    }
}

/// A query whose faults come back as a [`Refusal`].
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Refused;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        state: &S,
    ) -> Result<Self, Refused> {
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, state).await;
        match query {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(Refused(Refusal::invalid(error.body_text()))),
        }
    }
}

/// A JSON body whose faults come back as a [`Refusal`].
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refused> {
        let body: Result<Json<T>, JsonRejection> = Json::from_request(request, state).await;
        match body {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) => Err(Refused(Refusal::invalid(error.body_text()))),
        }
    }
}
