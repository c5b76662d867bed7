//! What would happen to a request.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked, Sent};
use crate::api::ExplainQuery;
use crate::{Backend, ExplainShown, Explanation, Refusal};

/// What would happen to a request, and which line of the configuration decides.
#[utoipa::path(
    get,
    path = "/v1/explain",
    tag = "explain",
    params(ExplainQuery),
    responses(
        (status = 200, description = "Nothing was sent to a target.", body = Explanation),
        (status = 422, description = "The URL or address is none.", body = Refusal)
    )
)]
pub(super) async fn explain<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<ExplainQuery>,
) -> Answer<Explanation> {
    Ok(Json(
        api.backend.explain(query.url, query.from, None).await?,
    ))
}

/// What would happen to a request of a client that shows a certificate.
#[utoipa::path(
    post,
    path = "/v1/explain",
    tag = "explain",
    request_body = ExplainShown,
    responses(
        (status = 200, description = "Nothing was sent to a target.", body = Explanation),
        (status = 422, description = "The URL, the address or the certificate is none.", body = Refusal)
    )
)]
pub(super) async fn explain_shown<B: Backend>(
    State(api): State<Api<B>>,
    Sent(asked): Sent<ExplainShown>,
) -> Answer<Explanation> {
    let ExplainShown {
        url,
        from,
        certificate,
    } = asked;
    let explained = api.backend.explain(url, from, Some(certificate));
    Ok(Json(explained.await?))
}
