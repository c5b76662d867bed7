//! The configuration and its generations.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked};
use crate::api::GenerationQuery;
use crate::{Applied, Backend, ConfigText, Diff, Generation, Refusal};

/// Has the box read its configuration file anew.
#[utoipa::path(
    post,
    path = "/v1/reload",
    tag = "configuration",
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 422, description = "The file has faults, or can not be put to work; nothing has changed.", body = Refusal)
    )
)]
pub(super) async fn reload<B: Backend>(State(api): State<Api<B>>) -> Answer<Applied> {
    Ok(Json(api.backend.reload().await?))
}

/// Keeps the generation that is on trial.
#[utoipa::path(
    post,
    path = "/v1/confirm",
    tag = "configuration",
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 409, description = "None is on trial.", body = Refusal)
    )
)]
pub(super) async fn confirm<B: Backend>(State(api): State<Api<B>>) -> Answer<Applied> {
    Ok(Json(api.backend.confirm().await?))
}

/// Gives up a trial, or puts an earlier generation into force.
#[utoipa::path(
    post,
    path = "/v1/rollback",
    tag = "configuration",
    params(GenerationQuery),
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 404, description = "There is no such generation.", body = Refusal),
        (status = 422, description = "It can not be put to work any more; nothing has changed.", body = Refusal)
    )
)]
pub(super) async fn rollback<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<Applied> {
    Ok(Json(api.backend.rollback(query.generation).await?))
}

/// The generations that are kept.
#[utoipa::path(
    get,
    path = "/v1/generations",
    tag = "configuration",
    responses(
        (status = 200, description = "Oldest first.", body = Vec<Generation>)
    )
)]
pub(super) async fn generations<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Generation>> {
    Ok(Json(api.backend.generations().await?))
}

/// The text of a generation.
#[utoipa::path(
    get,
    path = "/v1/config",
    tag = "configuration",
    params(GenerationQuery),
    responses(
        (status = 200, description = "As it was given; without a number, the one in force.", body = ConfigText),
        (status = 404, description = "There is no such generation.", body = Refusal),
        (status = 422, description = "`generation` is no number.", body = Refusal)
    )
)]
pub(super) async fn config_text<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<ConfigText> {
    Ok(Json(api.backend.config_text(query.generation).await?))
}

/// How the generation in force differs from an earlier one.
#[utoipa::path(
    get,
    path = "/v1/diff",
    tag = "configuration",
    params(GenerationQuery),
    responses(
        (status = 200, description = "In unified format; without a number, against the one before.", body = Diff),
        (status = 404, description = "There is no such generation.", body = Refusal),
        (status = 422, description = "`generation` is no number.", body = Refusal)
    )
)]
pub(super) async fn diff<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<Diff> {
    Ok(Json(api.backend.diff(query.generation).await?))
}
