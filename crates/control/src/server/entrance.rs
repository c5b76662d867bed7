//! Visitors, tokens, keys of applications and who has signed in, over HTTP.

use axum::Json;
use axum::extract::State;
use axum::routing::{delete, get, post};

use super::answer::{Answer, Asked, Placed, Sent};
use super::{Api, LONGEST_FILE_REQUEST, Paths, SHORT_REQUEST, factors};
use crate::api::{AccessPath, NumberPath, NumberQuery, VisitorQuery, WhichQuery};
use crate::schema::Nothing;
use crate::{
    AccessKey, AccessKeyMade, Backend, Htpasswd, Imported, NewAccessKey, NewToken, NewVisitor,
    Refusal, Revoked, SsoEnded, SsoSession, Token, TokenMade, Visitor, VisitorPassword,
};

/// Adds the requests about who may use what is published.
pub(crate) fn routes<B: Backend>(paths: Paths<B>) -> Paths<B> {
    let visitors = get(visitors::<B>)
        .post(add_visitor::<B>)
        .patch(change_visitor::<B>)
        .delete(remove_visitor::<B>);
    let of_access = get(tokens::<B>)
        .post(make_token::<B>)
        .delete(revoke_tokens::<B>);
    let routes = [
        ("/v1/visitors", visitors),
        ("/v1/tokens", get(all_tokens::<B>).delete(revoke_any::<B>)),
        (
            "/v1/sso/sessions",
            get(sso_sessions::<B>).delete(end_sso_sessions::<B>),
        ),
        (
            "/v1/sso/factors",
            get(factors::sso_factors::<B>).delete(factors::reset_sso_factors::<B>),
        ),
        ("/v1/access/{name}/tokens", of_access),
        ("/v1/access/{name}/tokens/{id}", delete(revoke_token::<B>)),
        ("/v1/access/{name}/keys", get(keys::<B>).post(make_key::<B>)),
        ("/v1/access/{name}/keys/{id}", delete(revoke_key::<B>)),
    ];
    let paths = paths.route_within(
        LONGEST_FILE_REQUEST,
        "/v1/visitors/import",
        post(import_visitors::<B>),
    );
    routes.into_iter().fold(paths, |paths, (path, methods)| {
        paths.route_within(SHORT_REQUEST, path, methods)
    })
}

/// All visitors: those who have a password for what is published.
#[utoipa::path(
    get,
    path = "/v1/visitors",
    tag = "entrance",
    responses((status = 200, description = "By name.", body = Vec<Visitor>))
)]
pub(super) async fn visitors<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Visitor>> {
    Ok(Json(api.backend.visitors().await?))
}

/// Makes a visitor.
#[utoipa::path(
    post,
    path = "/v1/visitors",
    tag = "entrance",
    request_body = NewVisitor,
    responses(
        (status = 200, description = "The new visitor.", body = Visitor),
        (status = 409, description = "There is a visitor or user of this name, or there are too many.", body = Refusal),
        (status = 422, description = "Name or password will not do.", body = Refusal)
    )
)]
pub(super) async fn add_visitor<B: Backend>(
    State(api): State<Api<B>>,
    Sent(visitor): Sent<NewVisitor>,
) -> Answer<Visitor> {
    Ok(Json(api.backend.add_visitor(visitor).await?))
}

/// Gives a visitor another password.
#[utoipa::path(
    patch,
    path = "/v1/visitors",
    tag = "entrance",
    params(VisitorQuery),
    request_body = VisitorPassword,
    responses(
        (status = 200, description = "The visitor.", body = Visitor),
        (status = 404, description = "There is no such visitor.", body = Refusal),
        (status = 422, description = "The password will not do.", body = Refusal)
    )
)]
pub(super) async fn change_visitor<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<VisitorQuery>,
    Sent(password): Sent<VisitorPassword>,
) -> Answer<Visitor> {
    let changed = api.backend.change_visitor(query.name, password).await?;
    Ok(Json(changed))
}

/// Removes a visitor.
#[utoipa::path(
    delete,
    path = "/v1/visitors",
    tag = "entrance",
    params(VisitorQuery),
    responses(
        (status = 200, description = "He is gone.", body = Nothing),
        (status = 404, description = "There is no such visitor.", body = Refusal),
        (status = 422, description = "No name was given.", body = Refusal)
    )
)]
pub(super) async fn remove_visitor<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<VisitorQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_visitor(query.name).await?))
}

/// Makes the visitors of a file of `htpasswd`: all of them, or none.
#[utoipa::path(
    post,
    path = "/v1/visitors/import",
    tag = "entrance",
    request_body = Htpasswd,
    responses(
        (status = 200, description = "Who is there now.", body = Imported),
        (status = 409, description = "There are visitors or users of some of these names, or too many.", body = Refusal),
        (status = 422, description = "Lines of the file can not be taken; all of them are told.", body = Refusal)
    )
)]
pub(super) async fn import_visitors<B: Backend>(
    State(api): State<Api<B>>,
    Sent(file): Sent<Htpasswd>,
) -> Answer<Imported> {
    Ok(Json(api.backend.import_visitors(file).await?))
}

/// All tokens.
#[utoipa::path(
    get,
    path = "/v1/tokens",
    tag = "entrance",
    responses((status = 200, description = "The oldest first.", body = Vec<Token>))
)]
pub(super) async fn all_tokens<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Token>> {
    Ok(Json(api.backend.tokens(None).await?))
}

/// Revokes a token of any access.
#[utoipa::path(
    delete,
    path = "/v1/tokens",
    tag = "entrance",
    params(NumberQuery),
    responses(
        (status = 200, description = "It is good for nothing any more.", body = Nothing),
        (status = 404, description = "There is no such token.", body = Refusal),
        (status = 422, description = "`id` is no number.", body = Refusal)
    )
)]
pub(super) async fn revoke_any<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<NumberQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.revoke_token(None, query.id).await?))
}

/// The tokens of an access. Also for a key of it.
#[utoipa::path(
    get,
    path = "/v1/access/{name}/tokens",
    tag = "entrance",
    params(AccessPath),
    responses(
        (status = 200, description = "The oldest first.", body = Vec<Token>),
        (status = 404, description = "There is no access of this name and the kind \"cookie\".", body = Refusal)
    )
)]
pub(super) async fn tokens<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<AccessPath>,
) -> Answer<Vec<Token>> {
    Ok(Json(api.backend.tokens(Some(path.name)).await?))
}

/// Makes a token of an access. Also for a key of it.
#[utoipa::path(
    post,
    path = "/v1/access/{name}/tokens",
    tag = "entrance",
    params(AccessPath),
    request_body = NewToken,
    responses(
        (status = 200, description = "The token, and its text this once.", body = TokenMade),
        (status = 404, description = "There is no access of this name and the kind \"cookie\".", body = Refusal),
        (status = 409, description = "There are too many tokens.", body = Refusal),
        (status = 422, description = "The time or the note will not do.", body = Refusal)
    )
)]
pub(super) async fn make_token<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<AccessPath>,
    Sent(token): Sent<NewToken>,
) -> Answer<TokenMade> {
    Ok(Json(api.backend.make_token(path.name, token).await?))
}

/// Revokes all tokens of an access. Also for a key of it.
#[utoipa::path(
    delete,
    path = "/v1/access/{name}/tokens",
    tag = "entrance",
    params(AccessPath),
    responses(
        (status = 200, description = "How many there were.", body = Revoked),
        (status = 404, description = "There is no access of this name and the kind \"cookie\".", body = Refusal)
    )
)]
pub(super) async fn revoke_tokens<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<AccessPath>,
) -> Answer<Revoked> {
    Ok(Json(api.backend.revoke_tokens(path.name).await?))
}

/// Revokes a token of an access. Also for a key of it.
#[utoipa::path(
    delete,
    path = "/v1/access/{name}/tokens/{id}",
    tag = "entrance",
    params(NumberPath),
    responses(
        (status = 200, description = "It is good for nothing any more.", body = Nothing),
        (status = 404, description = "There is no such token of this access.", body = Refusal),
        (status = 422, description = "The number is none.", body = Refusal)
    )
)]
pub(super) async fn revoke_token<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<NumberPath>,
) -> Answer<()> {
    let NumberPath { name, id } = path;
    Ok(Json(api.backend.revoke_token(Some(name), id).await?))
}

/// The keys of an access, by which applications make tokens of it.
#[utoipa::path(
    get,
    path = "/v1/access/{name}/keys",
    tag = "entrance",
    params(AccessPath),
    responses(
        (status = 200, description = "The oldest first.", body = Vec<AccessKey>),
        (status = 404, description = "There is no access of this name and the kind \"cookie\".", body = Refusal)
    )
)]
pub(super) async fn keys<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<AccessPath>,
) -> Answer<Vec<AccessKey>> {
    Ok(Json(api.backend.keys(path.name).await?))
}

/// Makes a key of an access.
#[utoipa::path(
    post,
    path = "/v1/access/{name}/keys",
    tag = "entrance",
    params(AccessPath),
    request_body = NewAccessKey,
    responses(
        (status = 200, description = "The key, and its text this once.", body = AccessKeyMade),
        (status = 404, description = "There is no access of this name and the kind \"cookie\".", body = Refusal),
        (status = 409, description = "There are too many keys.", body = Refusal),
        (status = 422, description = "The note will not do.", body = Refusal)
    )
)]
pub(super) async fn make_key<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<AccessPath>,
    Sent(key): Sent<NewAccessKey>,
) -> Answer<AccessKeyMade> {
    Ok(Json(api.backend.make_key(path.name, key).await?))
}

/// Revokes a key; the tokens that were made with it stay.
#[utoipa::path(
    delete,
    path = "/v1/access/{name}/keys/{id}",
    tag = "entrance",
    params(NumberPath),
    responses(
        (status = 200, description = "It is good for nothing any more.", body = Nothing),
        (status = 404, description = "There is no such key of this access.", body = Refusal),
        (status = 422, description = "The number is none.", body = Refusal)
    )
)]
pub(super) async fn revoke_key<B: Backend>(
    State(api): State<Api<B>>,
    Placed(path): Placed<NumberPath>,
) -> Answer<()> {
    Ok(Json(api.backend.revoke_key(path.name, path.id).await?))
}

/// Who has signed in by an access of the kind "sso".
#[utoipa::path(
    get,
    path = "/v1/sso/sessions",
    tag = "entrance",
    responses((status = 200, description = "The oldest first.", body = Vec<SsoSession>))
)]
pub(super) async fn sso_sessions<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<SsoSession>> {
    Ok(Json(api.backend.sso_sessions().await?))
}

/// Ends sessions of users who have signed in: one, those of a user, or all. WebSockets that were opened with them are closed.
#[utoipa::path(
    delete,
    path = "/v1/sso/sessions",
    tag = "entrance",
    params(WhichQuery),
    responses(
        (status = 200, description = "So many have ended.", body = SsoEnded),
        (status = 404, description = "There is no such session.", body = Refusal),
        (status = 422, description = "It is not said which.", body = Refusal)
    )
)]
pub(super) async fn end_sso_sessions<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<WhichQuery>,
) -> Answer<SsoEnded> {
    let which = query
        .which()
        .ok_or_else(|| Refusal::invalid("one of id, user and all=true says which sessions end"))?;
    Ok(Json(api.backend.end_sso_sessions(which).await?))
}
