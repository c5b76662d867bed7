//! Secrets.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked, Sent};
use crate::api::SecretQuery;
use crate::schema::Nothing;
use crate::{Backend, Refusal, Secret};

/// The names of the secrets.
#[utoipa::path(
    get,
    path = "/v1/secrets",
    tag = "secrets",
    responses(
        (status = 200, description = "The names; values never come out.", body = Vec<String>)
    )
)]
pub(super) async fn secrets<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<String>> {
    Ok(Json(api.backend.secrets().await?))
}

/// Stores a secret, in place of one of the same name.
#[utoipa::path(
    put,
    path = "/v1/secrets",
    tag = "secrets",
    request_body = Secret,
    responses(
        (status = 200, description = "It is kept.", body = Nothing),
        (status = 422, description = "The name can not be that of a secret, or the value is too long.", body = Refusal)
    )
)]
pub(super) async fn set_secret<B: Backend>(
    State(api): State<Api<B>>,
    Sent(secret): Sent<Secret>,
) -> Answer<()> {
    Ok(Json(api.backend.set_secret(secret).await?))
}

/// Forgets a secret.
#[utoipa::path(
    delete,
    path = "/v1/secrets",
    tag = "secrets",
    params(SecretQuery),
    responses(
        (status = 200, description = "It is gone.", body = Nothing),
        (status = 404, description = "There is no such secret.", body = Refusal),
        (status = 422, description = "No name was given, or one that no secret can have.", body = Refusal)
    )
)]
pub(super) async fn remove_secret<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<SecretQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_secret(query.name).await?))
}
