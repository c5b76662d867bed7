//! The networks of the box.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Sent};
use crate::{Applied, Backend, Network, Refusal, ZoneChange};

/// The networks of the box.
#[utoipa::path(
    get,
    path = "/v1/network",
    tag = "network",
    responses(
        (status = 200, description = "What the kernel has, and what the configuration asks for.", body = Network)
    )
)]
pub(super) async fn network<B: Backend>(State(api): State<Api<B>>) -> Answer<Network> {
    Ok(Json(api.backend.network().await?))
}

/// Puts a configuration into force that differs in the address of one zone.
#[utoipa::path(
    post,
    path = "/v1/network",
    tag = "network",
    request_body = ZoneChange,
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 422, description = "There is no such zone, or it can not have this address; nothing has changed.", body = Refusal)
    )
)]
pub(super) async fn set_zone<B: Backend>(
    State(api): State<Api<B>>,
    Sent(change): Sent<ZoneChange>,
) -> Answer<Applied> {
    Ok(Json(api.backend.set_zone(change).await?))
}
