//! Second factors of users who sign in, over HTTP.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked};
use crate::api::FactorQuery;
use crate::{Backend, FactorsReset, Refusal, SsoFactor};

/// Who has a second factor at an access with `totp`.
#[utoipa::path(
    get,
    path = "/v1/sso/factors",
    tag = "entrance",
    responses(
        (status = 200, description = "By access and user.", body = Vec<SsoFactor>),
        (status = 409, description = "It is not known who has one.", body = Refusal)
    )
)]
pub(super) async fn sso_factors<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<SsoFactor>> {
    Ok(Json(api.backend.sso_factors().await?))
}

/// Takes second factors away: that of a user of an access, or all. Whoever had one begins anew when he signs in, and his sessions at the
/// access have ended.
#[utoipa::path(
    delete,
    path = "/v1/sso/factors",
    tag = "entrance",
    params(FactorQuery),
    responses(
        (status = 200, description = "So many are gone.", body = FactorsReset),
        (status = 404, description = "There is no such second factor.", body = Refusal),
        (status = 409, description = "It is not known who has one; only all can be reset.", body = Refusal),
        (status = 422, description = "It is not said whose.", body = Refusal)
    )
)]
pub(super) async fn reset_sso_factors<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<FactorQuery>,
) -> Answer<FactorsReset> {
    let which = query.which().ok_or_else(|| {
        Refusal::invalid("access and user together, or all=true, say whose second factor is reset")
    })?;
    Ok(Json(api.backend.reset_sso_factors(which).await?))
}
