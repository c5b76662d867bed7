//! The hosts, and what follows from the configuration.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::Answer;
use crate::{Backend, Derived, Host};

/// The hosts that are published, and how they do.
#[utoipa::path(
    get,
    path = "/v1/hosts",
    tag = "hosts",
    responses((status = 200, description = "In the order of the file.", body = Vec<Host>))
)]
pub(super) async fn hosts<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Host>> {
    Ok(Json(api.backend.hosts().await?))
}

/// What follows from the configuration in force: where the box listens, certificates, DNS records, port forwards.
#[utoipa::path(
    get,
    path = "/v1/derived",
    tag = "hosts",
    responses((status = 200, description = "Tables as they are shown.", body = Derived))
)]
pub(super) async fn derived<B: Backend>(State(api): State<Api<B>>) -> Answer<Derived> {
    Ok(Json(api.backend.derived().await?))
}
