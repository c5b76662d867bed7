//! The configuration and its generations.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked};
use crate::api::GenerationQuery;
use crate::{Applied, Backend, ConfigText, Diff, Generation};

pub(super) async fn reload<B: Backend>(State(api): State<Api<B>>) -> Answer<Applied> {
    Ok(Json(api.backend.reload().await?))
}

pub(super) async fn confirm<B: Backend>(State(api): State<Api<B>>) -> Answer<Applied> {
    Ok(Json(api.backend.confirm().await?))
}

pub(super) async fn rollback<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<Applied> {
    Ok(Json(api.backend.rollback(query.generation).await?))
}

pub(super) async fn generations<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Generation>> {
    Ok(Json(api.backend.generations().await?))
}

pub(super) async fn config_text<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<ConfigText> {
    Ok(Json(api.backend.config_text(query.generation).await?))
}

pub(super) async fn diff<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<Diff> {
    Ok(Json(api.backend.diff(query.generation).await?))
}
