//! The last day in numbers.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked};
use crate::api::HistoryQuery;
use crate::{Backend, History, Refusal};

/// How far back where nothing is said.
const AN_HOUR: u32 = 3600;

/// How the box did: the last hour by ten seconds, the last day by minutes.
#[utoipa::path(
    get,
    path = "/v1/history",
    tag = "status",
    params(HistoryQuery),
    responses(
        (status = 200, description = "Up to the newest point.", body = History),
        (status = 422, description = "`seconds` is not 60 to 86400.", body = Refusal)
    )
)]
pub(super) async fn history<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<HistoryQuery>,
) -> Answer<History> {
    let seconds = query.seconds.unwrap_or(AN_HOUR);
    if !History::SECONDS.contains(&seconds) {
        let text = format!("seconds is {seconds}; 60 to 86400 are kept");
        return Err(Refusal::invalid(text).into());
    }
    Ok(Json(api.backend.history(seconds).await?))
}
