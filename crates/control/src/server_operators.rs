//! Users, sessions and the claim of a new box, over HTTP.

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{delete, get, post, put};

use crate::api_operators::{SessionQuery, UserQuery};
use crate::server::{Answer, Api, Asked, Paths, Sent};
use crate::{
    Backend, Claim, ClaimStatus, Login, NewUser, PasswordChange, PasswordProof, RecoveryCodes,
    Session, SessionStarted, TotpCode, TotpOffer, User, UserChange,
};

/// Bytes of a request: a name, two passwords and a code.
const LONGEST: usize = 4 * 1024;

/// Adds the requests about operators.
pub(crate) fn routes<B: Backend>(paths: Paths<B>) -> Paths<B> {
    let short = DefaultBodyLimit::max(LONGEST);
    paths
        .route(
            "/v1/claim",
            get(claim_status::<B>).post(claim::<B>).layer(short),
        )
        .route("/v1/login", post(login::<B>).layer(short))
        .route("/v1/session", get(session::<B>).delete(logout::<B>))
        .route(
            "/v1/session/password",
            put(change_password::<B>).layer(short),
        )
        .route(
            "/v1/session/totp",
            post(offer_totp::<B>)
                .put(begin_totp::<B>)
                .delete(end_totp::<B>)
                .layer(short),
        )
        .route("/v1/sessions", get(sessions::<B>).delete(end_session::<B>))
        .route(
            "/v1/users",
            get(users::<B>)
                .post(add_user::<B>)
                .patch(change_user::<B>)
                .delete(remove_user::<B>)
                .layer(short),
        )
        .route("/v1/users/totp", delete(remove_totp::<B>))
        .route("/v1/users/reset", post(reset_users::<B>))
}

async fn claim_status<B: Backend>(State(api): State<Api<B>>) -> Answer<ClaimStatus> {
    Ok(Json(api.backend.claim_status().await?))
}

async fn claim<B: Backend>(
    State(api): State<Api<B>>,
    Sent(claim): Sent<Claim>,
) -> Answer<SessionStarted> {
    Ok(Json(api.backend.claim(claim).await?))
}

async fn login<B: Backend>(
    State(api): State<Api<B>>,
    Sent(login): Sent<Login>,
) -> Answer<SessionStarted> {
    Ok(Json(api.backend.login(login).await?))
}

async fn session<B: Backend>(State(api): State<Api<B>>) -> Answer<Session> {
    Ok(Json(api.backend.session().await?))
}

async fn logout<B: Backend>(State(api): State<Api<B>>) -> Answer<()> {
    Ok(Json(api.backend.end_session(None).await?))
}

async fn sessions<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<Session>> {
    Ok(Json(api.backend.sessions().await?))
}

async fn end_session<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<SessionQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.end_session(Some(query.id)).await?))
}

async fn users<B: Backend>(State(api): State<Api<B>>) -> Answer<Vec<User>> {
    Ok(Json(api.backend.users().await?))
}

async fn add_user<B: Backend>(
    State(api): State<Api<B>>,
    Sent(user): Sent<NewUser>,
) -> Answer<User> {
    Ok(Json(api.backend.add_user(user).await?))
}

async fn change_user<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<UserQuery>,
    Sent(change): Sent<UserChange>,
) -> Answer<User> {
    Ok(Json(api.backend.change_user(query.name, change).await?))
}

async fn remove_user<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<UserQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_user(query.name).await?))
}

async fn remove_totp<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<UserQuery>,
) -> Answer<()> {
    Ok(Json(api.backend.remove_totp(query.name).await?))
}

async fn reset_users<B: Backend>(State(api): State<Api<B>>) -> Answer<ClaimStatus> {
    Ok(Json(api.backend.reset_users().await?))
}

async fn change_password<B: Backend>(
    State(api): State<Api<B>>,
    Sent(change): Sent<PasswordChange>,
) -> Answer<()> {
    Ok(Json(api.backend.change_password(change).await?))
}

async fn offer_totp<B: Backend>(
    State(api): State<Api<B>>,
    Sent(proof): Sent<PasswordProof>,
) -> Answer<TotpOffer> {
    Ok(Json(api.backend.offer_totp(proof).await?))
}

async fn begin_totp<B: Backend>(
    State(api): State<Api<B>>,
    Sent(code): Sent<TotpCode>,
) -> Answer<RecoveryCodes> {
    Ok(Json(api.backend.begin_totp(code).await?))
}

async fn end_totp<B: Backend>(
    State(api): State<Api<B>>,
    Sent(proof): Sent<PasswordProof>,
) -> Answer<()> {
    Ok(Json(api.backend.end_totp(proof).await?))
}
