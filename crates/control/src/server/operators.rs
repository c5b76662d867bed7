//! Users, sessions and the claim of a new box, over HTTP.

use axum::Json;
use axum::extract::State;
use axum::routing::{delete, get, post, put};

use super::answer::{Answer, Asked, Sent};
use super::{Api, Paths, SHORT_REQUEST};
use crate::api::{SessionQuery, UserQuery};
use crate::schema::Nothing;
use crate::{
    Backend, Claim, ClaimStatus, Login, NewUser, PasswordChange, PasswordProof, RecoveryCodes,
    Refusal, Session, SessionStarted, TotpCode, TotpOffer, User, UserChange,
};

/// Adds the requests about operators.
pub(crate) fn routes<B: Backend>(paths: Paths<B>) -> Paths<B> {
    let own = post(offer_totp::<B>)
        .put(begin_totp::<B>)
        .delete(end_totp::<B>);
    let everybody = get(users::<B>)
        .post(add_user::<B>)
        .patch(change_user::<B>)
        .delete(remove_user::<B>);
    let routes = [
        ("/v1/claim", get(claim_status::<B>).post(claim::<B>)),
        ("/v1/login", post(login::<B>)),
        ("/v1/session", get(session::<B>).delete(logout::<B>)),
        ("/v1/session/password", put(change_password::<B>)),
        ("/v1/session/totp", own),
        ("/v1/sessions", get(sessions::<B>).delete(end_session::<B>)),
        ("/v1/users", everybody),
        ("/v1/users/totp", delete(remove_totp::<B>)),
        ("/v1/users/reset", post(reset_users::<B>)),
    ];
    routes.into_iter().fold(paths, |paths, (path, methods)| {
        paths.route_within(SHORT_REQUEST, path, methods)
    })
}

/// Whether somebody has claimed the box; at the Unix socket with the code to do so.
#[utoipa::path(
    get,
    path = "/v1/claim",
    tag = "operators",
    responses(
        (status = 200, description = "Whether it is claimed.", body = ClaimStatus)
    )
)]
pub(super) async fn claim_status<B: Backend>(State(api): State<Api<B>>) -> Answer<ClaimStatus> {
    Ok(Json(api.backend.claim_status().await?))
}

/// Makes the first user, and signs him in.
#[utoipa::path(
    post,
    path = "/v1/claim",
    tag = "operators",
    request_body = Claim,
    responses(
        (status = 200, description = "He is signed in.", body = SessionStarted),
        (status = 401, description = "The code is wrong, or its time is over.", body = Refusal),
        (status = 409, description = "Somebody has claimed the box.", body = Refusal),
        (status = 422, description = "Name or password will not do.", body = Refusal),
        (status = 429, description = "Too many tries; `Retry-After` says when.", body = Refusal)
    )
)]
pub(super) async fn claim<B: Backend>(
    State(api): State<Api<B>>,
    Sent(claim): Sent<Claim>,
) -> Answer<SessionStarted> {
    Ok(Json(api.backend.claim(claim).await?))
}

/// Signs somebody in.
#[utoipa::path(
    post,
    path = "/v1/login",
    tag = "operators",
    request_body = Login,
    responses(
        (status = 200, description = "He is signed in.", body = SessionStarted),
        (status = 401, description = "User, password or code is wrong; the kind `code_wanted` says that a code is what lacks.", body = Refusal),
        (status = 409, description = "Nobody has claimed the box, or what it kept of its users is damaged.", body = Refusal),
        (status = 422, description = "The request is malformed.", body = Refusal),
        (status = 429, description = "Too many tries; `Retry-After` says when.", body = Refusal)
    )
)]
pub(super) async fn login<B: Backend>(
    State(api): State<Api<B>>,
    Sent(login): Sent<Login>,
) -> Answer<SessionStarted> {
    Ok(Json(api.backend.login(login).await?))
}

/// The session of who asks.
#[utoipa::path(
    get,
    path = "/v1/session",
    tag = "operators",
    responses(
        (status = 200, description = "The session.", body = Session),
        (status = 404, description = "Who asks has none: the Unix socket needs none.", body = Refusal)
    )
)]
pub(super) async fn session<B: Backend>(State(api): State<Api<B>>) -> Answer<Session> {
    Ok(Json(api.backend.session().await?))
}

/// Ends the session of who asks.
#[utoipa::path(
    delete,
    path = "/v1/session",
    tag = "operators",
    responses(
        (status = 200, description = "It has ended.", body = Nothing),
        (status = 404, description = "Who asks has none.", body = Refusal)
    )
)]
pub(super) async fn logout<B: Backend>(State(api): State<Api<B>>) -> Answer<()> {
    Ok(Json(api.backend.end_session(None).await?))
}

/// The sessions that who asks may see: his own, or as admin all.
#[utoipa::path(
    get,
    path = "/v1/sessions",
    tag = "operators",
    responses(
        (status = 200, description = "The oldest first.", body = Vec<Session>)
    )
)]
pub(super) async fn sessions<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Session>> {
    Ok(Json(api.backend.sessions().await?))
}

/// Ends a session.
#[utoipa::path(
    delete,
    path = "/v1/sessions",
    tag = "operators",
    params(SessionQuery),
    responses(
        (status = 200, description = "It has ended.", body = Nothing),
        (status = 404, description = "There is no such session that who asks may see.", body = Refusal),
        (status = 422, description = "`id` is no number.", body = Refusal)
    )
)]
pub(super) async fn end_session<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<SessionQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.end_session(Some(query.id)).await?))
}

/// All users.
#[utoipa::path(
    get,
    path = "/v1/users",
    tag = "operators",
    responses(
        (status = 200, description = "By name.", body = Vec<User>)
    )
)]
pub(super) async fn users<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<User>> {
    Ok(Json(api.backend.users().await?))
}

/// Makes a user.
#[utoipa::path(
    post,
    path = "/v1/users",
    tag = "operators",
    request_body = NewUser,
    responses(
        (status = 200, description = "The new user.", body = User),
        (status = 409, description = "There is one of this name, or there are too many, or it is the first and no admin.", body = Refusal),
        (status = 422, description = "Name or password will not do.", body = Refusal)
    )
)]
pub(super) async fn add_user<B: Backend>(
    State(api): State<Api<B>>,
    Sent(user): Sent<NewUser>,
) -> Answer<User> {
    Ok(Json(api.backend.add_user(user).await?))
}

/// Changes role or password of a user, which ends his sessions.
#[utoipa::path(
    patch,
    path = "/v1/users",
    tag = "operators",
    params(UserQuery),
    request_body = UserChange,
    responses(
        (status = 200, description = "The user as he is now.", body = User),
        (status = 404, description = "There is no such user.", body = Refusal),
        (status = 409, description = "This is the last admin.", body = Refusal),
        (status = 422, description = "The password will not do, or nothing is to be changed.", body = Refusal)
    )
)]
pub(super) async fn change_user<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<UserQuery>,
    Sent(change): Sent<UserChange>,
) -> Answer<User> {
    Ok(Json(api.backend.change_user(query.name, change).await?))
}

/// Removes a user.
#[utoipa::path(
    delete,
    path = "/v1/users",
    tag = "operators",
    params(UserQuery),
    responses(
        (status = 200, description = "He is gone, and his sessions with him.", body = Nothing),
        (status = 404, description = "There is no such user.", body = Refusal),
        (status = 409, description = "This is the last admin.", body = Refusal),
        (status = 422, description = "No name was given.", body = Refusal)
    )
)]
pub(super) async fn remove_user<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<UserQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_user(query.name).await?))
}

/// Has a user sign in without his authenticator app.
#[utoipa::path(
    delete,
    path = "/v1/users/totp",
    tag = "operators",
    params(UserQuery),
    responses(
        (status = 200, description = "He needs none.", body = Nothing),
        (status = 404, description = "There is no such user.", body = Refusal),
        (status = 409, description = "He has none.", body = Refusal),
        (status = 422, description = "No name was given.", body = Refusal)
    )
)]
pub(super) async fn remove_totp<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<UserQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_totp(query.name).await?))
}

/// Removes all users, so that the box can be claimed anew; at the Unix socket only.
#[utoipa::path(
    post,
    path = "/v1/users/reset",
    tag = "operators",
    responses(
        (status = 200, description = "With the new code.", body = ClaimStatus)
    )
)]
pub(super) async fn reset_users<B: Backend>(State(api): State<Api<B>>) -> Answer<ClaimStatus> {
    Ok(Json(api.backend.reset_users().await?))
}

/// Another password for oneself, which ends all other sessions.
#[utoipa::path(
    put,
    path = "/v1/session/password",
    tag = "operators",
    request_body = PasswordChange,
    responses(
        (status = 200, description = "It is changed.", body = Nothing),
        (status = 404, description = "Who asks has no session: the Unix socket needs none.", body = Refusal),
        (status = 409, description = "It was changed meanwhile.", body = Refusal),
        (status = 422, description = "The old password is wrong, or the new one will not do.", body = Refusal),
        (status = 429, description = "Too many tries; `Retry-After` says when.", body = Refusal)
    )
)]
pub(super) async fn change_password<B: Backend>(
    State(api): State<Api<B>>,
    Sent(change): Sent<PasswordChange>,
) -> Answer<()> {
    Ok(Json(api.backend.change_password(change).await?))
}

/// A secret for the authenticator app of who asks.
#[utoipa::path(
    post,
    path = "/v1/session/totp",
    tag = "operators",
    request_body = PasswordProof,
    responses(
        (status = 200, description = "Not in use before a code of it was shown.", body = TotpOffer),
        (status = 404, description = "Who asks has no session.", body = Refusal),
        (status = 409, description = "He has one already.", body = Refusal),
        (status = 422, description = "The password is wrong, or the request is malformed.", body = Refusal),
        (status = 429, description = "Too many tries; `Retry-After` says when.", body = Refusal)
    )
)]
pub(super) async fn offer_totp<B: Backend>(
    State(api): State<Api<B>>,
    Sent(proof): Sent<PasswordProof>,
) -> Answer<TotpOffer> {
    Ok(Json(api.backend.offer_totp(proof).await?))
}

/// Signs in with an authenticator app from now on.
#[utoipa::path(
    put,
    path = "/v1/session/totp",
    tag = "operators",
    request_body = TotpCode,
    responses(
        (status = 200, description = "Each good once; they are shown only here.", body = RecoveryCodes),
        (status = 404, description = "Who asks has no session.", body = Refusal),
        (status = 409, description = "No secret was offered.", body = Refusal),
        (status = 422, description = "The code is wrong, or the request is malformed.", body = Refusal),
        (status = 429, description = "Too many tries; `Retry-After` says when.", body = Refusal)
    )
)]
pub(super) async fn begin_totp<B: Backend>(
    State(api): State<Api<B>>,
    Sent(code): Sent<TotpCode>,
) -> Answer<RecoveryCodes> {
    Ok(Json(api.backend.begin_totp(code).await?))
}

/// Signs in without authenticator app from now on.
#[utoipa::path(
    delete,
    path = "/v1/session/totp",
    tag = "operators",
    request_body = PasswordProof,
    responses(
        (status = 200, description = "It is not asked for any more.", body = Nothing),
        (status = 404, description = "Who asks has no session.", body = Refusal),
        (status = 409, description = "There is none.", body = Refusal),
        (status = 422, description = "The password or the code is wrong, or the request is malformed.", body = Refusal),
        (status = 429, description = "Too many tries; `Retry-After` says when.", body = Refusal)
    )
)]
pub(super) async fn end_totp<B: Backend>(
    State(api): State<Api<B>>,
    Sent(proof): Sent<PasswordProof>,
) -> Answer<()> {
    Ok(Json(api.backend.end_totp(proof).await?))
}
