//! How the box is.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::Api;
use super::answer::{Answer, Refused};
use crate::{Backend, Status};

pub(super) async fn status<B: Backend>(State(api): State<Api<B>>) -> Answer<Status> {
    Ok(Json(api.backend.status().await?))
}

pub(super) async fn metrics<B: Backend>(State(api): State<Api<B>>) -> Result<Response, Refused> {
    let text = api.backend.metrics().await?;
    let kind = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}
