//! The networks of the box.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Sent};
use crate::{Applied, Backend, Network, ZoneChange};

pub(super) async fn network<B: Backend>(State(api): State<Api<B>>) -> Answer<Network> {
    Ok(Json(api.backend.network().await?))
}

pub(super) async fn set_zone<B: Backend>(
    State(api): State<Api<B>>,
    Sent(change): Sent<ZoneChange>,
) -> Answer<Applied> {
    Ok(Json(api.backend.set_zone(change).await?))
}
