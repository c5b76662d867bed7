//! Who is banned.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked, Sent};
use crate::api::BanQuery;
use crate::{Backend, Ban, Cleared, NewBan, Refusal};

/// Who is banned now.
#[utoipa::path(
    get,
    path = "/v1/bans",
    tag = "bans",
    responses(
        (status = 200, description = "The ban that ends first first.", body = Vec<Ban>)
    )
)]
pub(super) async fn bans<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Ban>> {
    Ok(Json(api.backend.bans().await?))
}

/// Lifts the ban of one address, or all bans.
#[utoipa::path(
    delete,
    path = "/v1/bans",
    tag = "bans",
    params(BanQuery),
    responses(
        (status = 200, description = "How many were lifted.", body = Cleared),
        (status = 422, description = "`client` is no address.", body = Refusal)
    )
)]
pub(super) async fn clear_ban<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<BanQuery>,
) -> Answer<Cleared> {
    Ok(Json(api.backend.clear_ban(query.client).await?))
}

/// Bans a client by hand, also where it was banned already.
#[utoipa::path(
    post,
    path = "/v1/bans",
    tag = "bans",
    request_body = NewBan,
    responses(
        (status = 200, description = "It is banned.", body = Ban),
        (status = 409, description = "The configuration says that it is never banned.", body = Refusal),
        (status = 422, description = "The address is none, or the time or reason too long or short.", body = Refusal)
    )
)]
pub(super) async fn ban<B: Backend>(
    State(api): State<Api<B>>,
    Sent(ban): Sent<NewBan>,
) -> Answer<Ban> {
    if let Some(fault) = ban.fault() {
        return Err(Refusal::invalid(fault).into());
    }
    Ok(Json(api.backend.ban(ban).await?))
}
