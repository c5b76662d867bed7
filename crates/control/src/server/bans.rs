//! Who is banned.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked};
use crate::api::BanQuery;
use crate::{Backend, Ban, Cleared};

pub(super) async fn bans<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Ban>> {
    Ok(Json(api.backend.bans().await?))
}

pub(super) async fn clear_ban<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<BanQuery>,
) -> Answer<Cleared> {
    Ok(Json(api.backend.clear_ban(query.client).await?))
}
