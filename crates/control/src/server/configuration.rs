//! The configuration and its generations.

use axum::Json;
use axum::extract::State;

use super::Api;
use super::answer::{Answer, Asked, Sent};
use crate::api::{DiffQuery, GenerationQuery, RollbackQuery};
use crate::{Applied, Apply, Backend, Checked, ConfigText, Diff, Draft, Generation, Refusal};

/// Has the box read its configuration file anew.
#[utoipa::path(
    post,
    path = "/v1/reload",
    tag = "configuration",
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 422, description = "The file has faults, or can not be put to work; nothing has changed.", body = Refusal)
    )
)]
pub(super) async fn reload<B: Backend>(State(api): State<Api<B>>) -> Answer<Applied> {
    Ok(Json(api.backend.reload().await?))
}

/// Keeps the generation that is on trial.
#[utoipa::path(
    post,
    path = "/v1/confirm",
    tag = "configuration",
    params(GenerationQuery),
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 409, description = "None is on trial, or another one than `generation`.", body = Refusal),
        (status = 422, description = "`generation` is no number.", body = Refusal)
    )
)]
pub(super) async fn confirm<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<Applied> {
    Ok(Json(api.backend.confirm(query.generation).await?))
}

/// Gives up a trial, or puts an earlier generation into force.
#[utoipa::path(
    post,
    path = "/v1/rollback",
    tag = "configuration",
    params(RollbackQuery),
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 404, description = "There is no such generation.", body = Refusal),
        (status = 409, description = "`trial` is not on trial; nothing has changed.", body = Refusal),
        (
            status = 422,
            description = "It can not be put to work any more, or both `generation` and `trial` are given; nothing has changed.",
            body = Refusal
        )
    )
)]
pub(super) async fn rollback<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<RollbackQuery>,
) -> Answer<Applied> {
    let text = "`generation` and `trial` are two ways back; leave one of them out";
    let way = query.way().ok_or_else(|| Refusal::invalid(text))?;
    Ok(Json(api.backend.rollback(way).await?))
}

/// The generations that are kept.
#[utoipa::path(
    get,
    path = "/v1/generations",
    tag = "configuration",
    responses(
        (status = 200, description = "Oldest first.", body = Vec<Generation>)
    )
)]
pub(super) async fn generations<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Generation>> {
    Ok(Json(api.backend.generations().await?))
}

/// The text of a generation.
#[utoipa::path(
    get,
    path = "/v1/config",
    tag = "configuration",
    params(GenerationQuery),
    responses(
        (status = 200, description = "As it was given; without a number, the one in force.", body = ConfigText),
        (status = 404, description = "There is no such generation.", body = Refusal),
        (status = 422, description = "`generation` is no number.", body = Refusal)
    )
)]
pub(super) async fn config_text<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<GenerationQuery>,
) -> Answer<ConfigText> {
    Ok(Json(api.backend.config_text(query.generation).await?))
}

/// How two generations differ.
#[utoipa::path(
    get,
    path = "/v1/diff",
    tag = "configuration",
    params(DiffQuery),
    responses(
        (status = 200, description = "In unified format.", body = Diff),
        (status = 404, description = "There is no such generation.", body = Refusal),
        (status = 422, description = "A number is none, or both `from` and `generation` are given.", body = Refusal)
    )
)]
pub(super) async fn diff<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<DiffQuery>,
) -> Answer<Diff> {
    if query.from.is_some() && query.generation.is_some() {
        let text = "`from` and `generation` mean the same; leave one of them out";
        return Err(Refusal::invalid(text).into());
    }
    let from = query.from.or(query.generation);
    Ok(Json(api.backend.diff(from, query.to).await?))
}

/// What there is to say of a text that could become the configuration; changes nothing.
#[utoipa::path(
    post,
    path = "/v1/check",
    tag = "configuration",
    request_body = Draft,
    responses(
        (status = 200, description = "Faults are no refusal.", body = Checked),
        (status = 422, description = "The text is too long, or there is none.", body = Refusal)
    )
)]
pub(super) async fn check<B: Backend>(
    State(api): State<Api<B>>,
    Sent(draft): Sent<Draft>,
) -> Answer<Checked> {
    short_enough(&draft.text)?;
    Ok(Json(api.backend.check(draft).await?))
}

/// Puts a text into force as a new generation.
///
/// The file that Gatehouse was started with is not changed.
#[utoipa::path(
    post,
    path = "/v1/apply",
    tag = "configuration",
    request_body = Apply,
    responses(
        (status = 200, description = "What is in force now.", body = Applied),
        (status = 409, description = "The text was made from a generation that is not in force any more.", body = Refusal),
        (
            status = 422, description = "It has faults, or can not be put to work; nothing has changed.",
            body = Refusal
        )
    )
)]
pub(super) async fn apply<B: Backend>(
    State(api): State<Api<B>>,
    Sent(apply): Sent<Apply>,
) -> Answer<Applied> {
    short_enough(&apply.text)?;
    Ok(Json(api.backend.apply(apply).await?))
}

fn short_enough(text: &str) -> Result<(), Refusal> {
    let (length, longest) = (text.len(), Apply::LONGEST_TEXT);
    if length <= longest {
        return Ok(());
    }
    Err(Refusal::invalid(format!(
        "the configuration has {length} bytes, at most {longest} are taken"
    )))
}
