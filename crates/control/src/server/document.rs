//! The OpenAPI document of the API, made of the handlers and types themselves.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response as Answer};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, Ref, Response, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use super::{
    bans, certificates, configuration, entrance, explain, factors, history, hosts, log, machine,
    network, operators, secrets, status,
};
use crate::{Record, Refusal};

/// The text as it is in the tree, which a test holds to be [`openapi_text`]: to make it anew takes some megabytes.
static TEXT: &str = include_str!("../../../../docs/openapi.json");

/// The document, in OpenAPI 3.1, as the code says it; `docs/openapi.json` is its text, which `GET /v1/openapi.json` serves.
pub fn openapi() -> utoipa::openapi::OpenApi {
    Document::openapi()
}

/// The same as text.
pub fn openapi_text() -> String {
    let mut text = openapi()
        .to_pretty_json()
        .expect("strings, numbers and maps with keys of text are JSON");
    text.push('\n');
    text
}

/// This document.
#[utoipa::path(
    get,
    path = "/v1/openapi.json",
    tag = "document",
    responses((status = 200, description = "In OpenAPI 3.1.", body = serde_json::Value))
)]
pub(super) async fn document() -> Answer {
    let kind = HeaderValue::from_static("application/json");
    ([(header::CONTENT_TYPE, kind)], TEXT).into_response()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Gatehouse control API",
        version = "1",
        description = "What command line, console and admin pages ask of the box. JSON over HTTP on the Unix socket \
            `control.sock` of the state directory, where everything is allowed, or under `/api` on the port of the admin pages, with a \
            session. What is refused comes back as a Refusal.",
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    servers((url = "/", description = "The Unix socket")),
    paths(
        document,
        status::status,
        status::metrics,
        bans::bans,
        bans::ban,
        bans::clear_ban,
        certificates::certificates,
        certificates::renew,
        certificates::root,
        certificates::export,
        certificates::import,
        certificates::issue,
        certificates::issued,
        certificates::revoke,
        hosts::hosts,
        hosts::derived,
        history::history,
        configuration::reload,
        configuration::confirm,
        configuration::rollback,
        configuration::generations,
        configuration::config_text,
        configuration::diff,
        configuration::check,
        configuration::apply,
        secrets::secrets,
        secrets::set_secret,
        secrets::remove_secret,
        network::network,
        network::set_zone,
        machine::order,
        explain::explain,
        explain::explain_shown,
        log::log,
        operators::claim_status,
        operators::claim,
        operators::login,
        operators::session,
        operators::logout,
        operators::sessions,
        operators::end_session,
        operators::users,
        operators::add_user,
        operators::change_user,
        operators::remove_user,
        operators::remove_totp,
        operators::reset_users,
        operators::change_password,
        operators::offer_totp,
        operators::begin_totp,
        operators::end_totp,
        entrance::visitors,
        entrance::add_visitor,
        entrance::change_visitor,
        entrance::remove_visitor,
        entrance::import_visitors,
        entrance::all_tokens,
        entrance::revoke_any,
        entrance::tokens,
        entrance::make_token,
        entrance::revoke_tokens,
        entrance::revoke_token,
        entrance::keys,
        entrance::make_key,
        entrance::revoke_key,
        entrance::sso_sessions,
        entrance::end_sso_sessions,
        factors::sso_factors,
        factors::reset_sso_factors,
    ),
    components(schemas(Refusal, Record)),
    modifiers(&Everywhere)
)]
struct Document;

/// What any request may come back with.
struct Everywhere;

impl Modify for Everywhere {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        for item in document.paths.paths.values_mut() {
            let operations = [
                &mut item.get,
                &mut item.put,
                &mut item.post,
                &mut item.delete,
                &mut item.patch,
            ];
            for operation in operations.into_iter().flatten() {
                allow(operation, "401", "Nobody is signed in.");
                allow(operation, "403", "Whoever is signed in may not do it.");
                refuses(operation, "500", "The box failed.");
                refuses(operation, "503", "It can not be done now; later it may.");
            }
        }
    }
}

/// Unless the operation itself says more.
fn allow(operation: &mut Operation, status: &str, why: &str) {
    if !operation.responses.responses.contains_key(status) {
        refuses(operation, status, why);
    }
}

fn refuses(operation: &mut Operation, status: &str, why: &str) {
    let responses = &mut operation.responses.responses;
    responses.insert(status.to_owned(), refusal(why).into());
}

fn refusal(why: &str) -> Response {
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("Refusal")))
        .build();
    ResponseBuilder::new()
        .description(why)
        .content("application/json", content)
        .build()
}
