//! What would happen to a request.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked};
use crate::api::ExplainQuery;
use crate::{Backend, Explanation};

pub(super) async fn explain<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<ExplainQuery>,
) -> Answer<Explanation> {
    Ok(Json(api.backend.explain(query.url, query.from).await?))
}
