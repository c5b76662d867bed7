//! How the box is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::Api;
use super::answer::{Answer, Refused};
use crate::{Backend, Status};

/// How the box is.
#[utoipa::path(
    get,
    path = "/v1/status",
    tag = "status",
    responses(
        (status = 200, description = "How it is.", body = Status)
    )
)]
pub(super) async fn status<B: Backend>(State(api): State<Api<B>>) -> Answer<Status> {
    Ok(Json(api.backend.status().await?))
}

/// All counters of all processes, as Prometheus reads them.
#[utoipa::path(
    get,
    path = "/v1/metrics",
    tag = "status",
    responses(
        (
            status = 200, description = "Exposition format 0.0.4.", body = String,
            content_type = "text/plain; version=0.0.4; charset=utf-8"
        )
    )
)]
pub(super) async fn metrics<B: Backend>(State(api): State<Api<B>>) -> Result<Response, Refused> {
    let text = api.backend.metrics().await?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
