//! Secrets.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked, Sent};
use crate::api::SecretQuery;
use crate::{Backend, Secret};

pub(super) async fn secrets<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<String>> {
    Ok(Json(api.backend.secrets().await?))
}

pub(super) async fn set_secret<B: Backend>(
    State(api): State<Api<B>>,
    Sent(secret): Sent<Secret>,
) -> Answer<()> {
    Ok(Json(api.backend.set_secret(secret).await?))
}

pub(super) async fn remove_secret<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<SecretQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_secret(query.name).await?))
}
