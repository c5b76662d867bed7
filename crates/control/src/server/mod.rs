//! The API's side of the supervisor.

mod answer;
mod bans;
mod configuration;
mod document;
mod explain;
mod history;
mod hosts;
mod log;
mod machine;
mod network;
mod secrets;
mod status;

use std::future::Future;
use std::io;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use tokio::net::UnixListener;
use tokio::sync::{oneshot, watch};

use crate::socket::Capped;
use crate::{Apply, Backend, Refusal};
use answer::Refused;
pub use document::{openapi, openapi_text};

/// Connections at a time: some pages, some `log -f`.
const MOST_CONNECTIONS: usize = 128;

/// Bytes of a request: the longest but for a configuration is a secret.
const LONGEST_REQUEST: usize = 128 * 1024;

/// Bytes of a request with a configuration: JSON may write every character of other scripts by its number, which takes three times
/// its bytes.
const LONGEST_TEXT_REQUEST: usize = 3 * Apply::LONGEST_TEXT + 4096;

/// How long answers under way may take once the supervisor ends.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Serves the API on `listener` until `shutdown` is ready; ends followed logs then, too.
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
    let api = routes(Api { backend, ended });
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

#[derive(Clone)]
struct Api<B> {
    backend: B,
    ended: watch::Receiver<bool>,
}

fn routes<B: Backend>(api: Api<B>) -> Router {
    Router::new()
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
        .route("/v1/check", post(configuration::check::<B>).layer(texts()))
        .route("/v1/apply", post(configuration::apply::<B>).layer(texts()))
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
        .route("/v1/explain", get(explain::explain::<B>))
        .route("/v1/log", get(log::log::<B>))
        .fallback(no_such_thing)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LONGEST_REQUEST))
        .with_state(api)
}

fn texts() -> DefaultBodyLimit {
    DefaultBodyLimit::max(LONGEST_TEXT_REQUEST)
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
