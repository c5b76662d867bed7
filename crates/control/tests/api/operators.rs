//! Who may do what, over connections like those of the admin pages.

use super::memory::NOW;
use super::*;

use bytes::Bytes;
use control::{
    Actor, Claim, ClaimStatus, Login, NewUser, Operators, PasswordChange, PasswordProof, Peer,
    RecoveryCodes, Role, Session, SessionStarted, TotpCode, TotpOffer, User, UserChange,
};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};

/// What anybody may ask who reaches the admin pages.
const OPEN: &[&str] = &["GET /v1/claim", "POST /v1/claim", "POST /v1/login"];
const LOCAL: &[&str] = &["POST /v1/users/reset"];
const ADMIN: &[&str] = &[
    "GET /v1/users",
    "POST /v1/users",
    "PATCH /v1/users",
    "DELETE /v1/users",
    "DELETE /v1/users/totp",
    "POST /v1/machine",
    "POST /v1/certificates/export",
    "POST /v1/certificates/import",
    "POST /v1/certificates/issue",
    "GET /v1/visitors",
    "POST /v1/visitors",
    "PATCH /v1/visitors",
    "DELETE /v1/visitors",
    "POST /v1/visitors/import",
];
/// What is looked at, and still nothing for viewers.
const OPERATOR: &[&str] = &[
    "GET /v1/tokens",
    "GET /v1/access/{name}/tokens",
    "GET /v1/access/{name}/keys",
    "GET /v1/sso/sessions",
    "GET /v1/sso/factors",
];
/// What changes nothing of the box but of who asks, or nothing at all.
const OWN: &[&str] = &[
    "POST /v1/explain",
    "DELETE /v1/session",
    "DELETE /v1/sessions",
    "PUT /v1/session/password",
    "POST /v1/session/totp",
    "PUT /v1/session/totp",
    "DELETE /v1/session/totp",
];
const ROLES: [Role; 3] = [Role::Viewer, Role::Operator, Role::Admin];

impl Operators for Memory {
    fn acting(&self, actor: Actor) -> Self {
        Self {
            actor,
            ..self.clone()
        }
    }
    fn authenticate(&self, token: &str, client: Option<IpAddr>, attended: bool) -> Option<Actor> {
        self.attended.lock().unwrap().push(attended);
        let role = ROLES.into_iter().find(|role| role.word() == token)?;
        if *self.over.borrow() == 7 {
            return None;
        }
        Some(Actor::Session {
            id: 7,
            user: "anna".to_owned(),
            role,
            client,
        })
    }
    fn session_over(&self, id: u64) -> impl Future<Output = ()> + Send + 'static {
        let mut over = self.over.subscribe();
        async move {
            let _ = over.wait_for(|over| *over == id).await;
        }
    }
    async fn claim_status(&self) -> Result<ClaimStatus, Refusal> {
        Ok(ClaimStatus {
            claimed: false,
            code: (self.actor == Actor::Local).then(|| "ABCD-EFGH-JKLM".to_owned()),
            expires: None,
        })
    }
    async fn claim(&self, _: Claim) -> Result<SessionStarted, Refusal> {
        Err(Refusal::conflict("claimed"))
    }
    async fn login(&self, login: Login) -> Result<SessionStarted, Refusal> {
        Err(match login.user.as_str() {
            "busy" => Refusal::too_many(Duration::from_millis(1500)),
            "app" => Refusal::code_wanted("a code"),
            _ => Refusal::unauthorized("wrong"),
        })
    }
    async fn session(&self) -> Result<Session, Refusal> {
        let Actor::Session {
            id,
            user,
            role,
            client,
        } = self.actor.clone()
        else {
            return Err(Refusal::conflict("no session"));
        };
        Ok(Session {
            id,
            user,
            role,
            since: NOW,
            ends: NOW,
            client,
            totp: false,
        })
    }
    async fn sessions(&self) -> Result<Vec<Session>, Refusal> {
        Ok(Vec::new())
    }
    async fn end_session(&self, _: Option<u64>) -> Result<(), Refusal> {
        Ok(())
    }
    async fn users(&self) -> Result<Vec<User>, Refusal> {
        Ok(Vec::new())
    }
    async fn add_user(&self, user: NewUser) -> Result<User, Refusal> {
        Ok(shown(user.name, user.role))
    }
    async fn change_user(&self, name: String, change: UserChange) -> Result<User, Refusal> {
        Ok(shown(name, change.role.unwrap_or(Role::Viewer)))
    }
    async fn remove_user(&self, name: String) -> Result<(), Refusal> {
        Err(Refusal::conflict(name))
    }
    async fn remove_totp(&self, _: String) -> Result<(), Refusal> {
        Ok(())
    }
    async fn reset_users(&self) -> Result<ClaimStatus, Refusal> {
        self.claim_status().await
    }
    async fn change_password(&self, _: PasswordChange) -> Result<(), Refusal> {
        Ok(())
    }
    async fn offer_totp(&self, _: PasswordProof) -> Result<TotpOffer, Refusal> {
        Err(Refusal::conflict("no"))
    }
    async fn begin_totp(&self, _: TotpCode) -> Result<RecoveryCodes, Refusal> {
        Err(Refusal::conflict("no"))
    }
    async fn end_totp(&self, _: PasswordProof) -> Result<(), Refusal> {
        Ok(())
    }
}

fn shown(name: String, role: Role) -> User {
    User {
        name,
        role,
        created: NOW,
        last_login: None,
        totp: false,
        recovery_codes_left: 0,
    }
}

/// A connection like that of the admin pages.
pub(super) struct Line {
    sender: http2::SendRequest<Full<Bytes>>,
    backend: Memory,
    end: oneshot::Sender<()>,
    server: JoinHandle<Result<(), hyper::Error>>,
}

impl Line {
    pub(super) async fn open(peer: Peer) -> Self {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let backend = Memory::new();
        let (end, ended) = oneshot::channel();
        let ended = async {
            let _ = ended.await;
        };
        let server = control::serve_connection(theirs, backend.clone(), peer, ended);
        let server = tokio::spawn(server);
        let io = TokioIo::new(ours);
        let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
        tokio::spawn(connection);
        Self {
            sender,
            backend,
            end,
            server,
        }
    }

    async fn send(&self, request: Request<Full<Bytes>>) -> Response<hyper::body::Incoming> {
        self.sender.clone().send_request(request).await.unwrap()
    }

    /// Status and body of the answer to `asked` (`GET /path`) with `headers`.
    pub(super) async fn ask(
        &self,
        asked: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> (StatusCode, String) {
        let response = self.send(request(asked, headers, body)).await;
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    /// The same with the session of a role.
    async fn ask_as(&self, role: Role, asked: &str) -> StatusCode {
        let bearer = format!("Bearer {}", role.word());
        self.ask(asked, &[("authorization", &bearer)], "").await.0
    }
}

fn request(asked: &str, headers: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let (method, path) = asked.split_once(' ').unwrap();
    let mut request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(format!("http://gatehouse{path}"))
        .header("content-type", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body.to_owned().into())).unwrap()
}

/// The least role for a request that needs a session.
fn least(asked: &str) -> Role {
    if ADMIN.contains(&asked) {
        Role::Admin
    } else if OPERATOR.contains(&asked) {
        Role::Operator
    } else if asked.starts_with("GET ") || OWN.contains(&asked) {
        Role::Viewer
    } else {
        Role::Operator
    }
}

#[tokio::test]
async fn every_request_of_the_api_is_for_somebody_and_for_nobody_else() {
    let local = Line::open(Peer::Local).await;
    let pages = Line::open(Peer::Pages).await;
    let mut served = 0;
    for path in control::paths::<Memory>() {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let asked = format!("{method} {path}");
            let exists = local.ask(&asked, &[], "").await.0 != StatusCode::METHOD_NOT_ALLOWED;
            served += u32::from(exists);
            let stranger = pages.ask(&asked, &[], "").await.0;
            let is_open = exists && OPEN.contains(&asked.as_str());
            assert_eq!(
                stranger != StatusCode::UNAUTHORIZED,
                is_open,
                "{asked}: {stranger}"
            );
            for role in ROLES {
                let status = pages.ask_as(role, &asked).await;
                if !exists {
                    assert!(status.is_client_error(), "{asked}: {status}");
                } else if is_open {
                    assert_ne!(status, StatusCode::FORBIDDEN, "{asked}");
                } else {
                    let may = role >= least(&asked) && !LOCAL.contains(&asked.as_str());
                    assert_eq!(
                        status != StatusCode::FORBIDDEN,
                        may,
                        "{asked} as {role:?}: {status}"
                    );
                    assert_ne!(status, StatusCode::UNAUTHORIZED, "{asked}");
                    assert_ne!(status, StatusCode::NOT_FOUND, "{asked} is in no list");
                }
            }
        }
    }
    assert!(served > 30, "the list is whole: {served}");
    let unknown = pages.ask_as(Role::Admin, "GET /v1/nothing").await;
    assert_eq!(unknown, StatusCode::NOT_FOUND);
    for path in [
        "/",
        "/v1/nothing",
        "/v1/claim/",
        "//v1/claim",
        "/v1/%63laim",
        "/v1/users/../claim",
        "/V1/claim",
    ] {
        let (status, _) = pages.ask(&format!("GET {path}"), &[], "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_session_is_shown_in_one_way_only() {
    let pages = Line::open(Peer::Pages).await;
    let good = ("authorization", "Bearer admin");
    for (asked, headers) in [
        ("GET /v1/status", vec![]),
        ("GET /v1/status?token=admin", vec![]),
        ("GET /v1/status", vec![("cookie", "__Host-gatehouse=admin")]),
        ("GET /v1/status", vec![("authorization", "admin")]),
        ("GET /v1/status", vec![("authorization", "Basic admin")]),
        ("GET /v1/status", vec![("authorization", "Bearer ")]),
        ("GET /v1/status", vec![("authorization", "Bearer  admin")]),
        ("GET /v1/status", vec![("authorization", "Bearer viewers")]),
        (
            "GET /v1/status",
            vec![good, ("authorization", "Bearer viewer")],
        ),
        ("GET /v1/status", vec![("gatehouse-client", "127.0.0.1")]),
    ] {
        let (status, body) = pages.ask(asked, &headers, "").await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{asked} {headers:?}");
        let refusal: Refusal = serde_json::from_str(&body).unwrap();
        assert_eq!(refusal.kind, RefusalKind::Unauthorized);
    }
    let (status, _) = pages.ask("HEAD /v1/status", &[good], "").await;
    assert_eq!(status, StatusCode::OK);
    for (header, client) in [
        (None, None),
        (Some("192.0.2.9"), Some("192.0.2.9")),
        (Some("::ffff:192.0.2.9"), Some("192.0.2.9")),
        (Some("2001:db8::9"), Some("2001:db8::9")),
        (Some("192.0.2.9, 192.0.2.8"), None),
        (Some("<b>"), None),
    ] {
        let mut headers = vec![good];
        headers.extend(header.map(|value| ("gatehouse-client", value)));
        let (_, body) = pages.ask("GET /v1/session", &headers, "").await;
        let session: Session = serde_json::from_str(&body).unwrap();
        let client: Option<IpAddr> = client.map(|text| text.parse().unwrap());
        assert_eq!(session.client, client, "{header:?}");
    }
}

#[tokio::test]
async fn what_a_clock_asks_is_no_use_of_the_session() {
    let pages = Line::open(Peer::Pages).await;
    let good = ("authorization", "Bearer viewer");
    for (more, attended) in [
        (vec![], true),
        (vec![("gatehouse-idle", "1")], false),
        (vec![("gatehouse-idle", "")], false),
    ] {
        let headers: Vec<_> = more.into_iter().chain([good]).collect();
        let (status, _) = pages.ask("GET /v1/status", &headers, "").await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(pages.backend.attended.lock().unwrap().pop(), Some(attended));
    }
}

#[tokio::test]
async fn the_claim_code_is_for_the_console_only() {
    let pages = Line::open(Peer::Pages).await;
    for headers in [vec![], vec![("authorization", "Bearer admin")]] {
        let (status, body) = pages.ask("GET /v1/claim", &headers, "").await;
        assert_eq!(
            (status, body.as_str()),
            (StatusCode::OK, r#"{"claimed":false}"#)
        );
    }
    let local = Line::open(Peer::Local).await;
    // What the admin pages would say of themselves counts for nothing there.
    let (_, body) = local
        .ask("GET /v1/claim", &[("gatehouse-client", "192.0.2.9")], "")
        .await;
    assert!(body.contains("ABCD-EFGH-JKLM"), "{body}");
}

#[tokio::test]
async fn refusals_of_a_login_say_what_a_browser_must_know() {
    let pages = Line::open(Peer::Pages).await;
    for (user, status, kind, wait) in [
        (
            "busy",
            StatusCode::TOO_MANY_REQUESTS,
            RefusalKind::TooMany,
            Some("2"),
        ),
        (
            "app",
            StatusCode::UNAUTHORIZED,
            RefusalKind::CodeWanted,
            None,
        ),
        (
            "anna",
            StatusCode::UNAUTHORIZED,
            RefusalKind::Unauthorized,
            None,
        ),
    ] {
        let body = format!(r#"{{"user":"{user}","password":"x"}}"#);
        let response = pages.send(request("POST /v1/login", &[], &body)).await;
        assert_eq!(response.status(), status);
        let header = |name: &str| {
            response
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(header("retry-after"), wait);
        assert_eq!(header("cache-control"), Some("no-store"));
        let asks = header("www-authenticate");
        assert_eq!(asks.is_some(), status == StatusCode::UNAUTHORIZED);
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let refusal: Refusal = serde_json::from_slice(&body).unwrap();
        assert_eq!(refusal.kind, kind);
    }
}

#[tokio::test]
async fn what_strangers_send_is_short_and_is_what_it_says() {
    let pages = Line::open(Peer::Pages).await;
    let huge = format!(
        r#"{{"user":"anna","password":"{}"}}"#,
        "x".repeat(1_000_000)
    );
    let long = format!(r#"{{"user":"anna","password":"{}"}}"#, "x".repeat(4096));
    for body in [
        "",
        "{",
        "[]",
        "{}",
        r#"{"user":"anna"}"#,
        r#"{"user":1,"password":"x"}"#,
        &long,
        &huge,
    ] {
        for asked in ["POST /v1/login", "POST /v1/claim"] {
            let (status, answer) = pages.ask(asked, &[], body).await;
            assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{body:.40}");
            let refusal: Refusal = serde_json::from_str(&answer).unwrap();
            assert!(!refusal.message.contains("xxxx"), "{refusal}");
        }
    }
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let mut request = request("POST /v1/login", &[], r#"{"user":"anna","password":"x"}"#);
    request
        .headers_mut()
        .insert("content-type", form[0].1.parse().unwrap());
    assert_eq!(
        pages.send(request).await.status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn what_goes_on_ends_with_the_session() {
    let pages = Line::open(Peer::Pages).await;
    let bearer = [("authorization", "Bearer viewer")];
    let response = pages
        .send(request("GET /v1/log?follow=true", &bearer, ""))
        .await;
    let mut body = response.into_body();
    pages.backend.note("while it lasts");
    let frame = body.frame().await.unwrap().unwrap();
    assert!(
        str::from_utf8(frame.data_ref().unwrap())
            .unwrap()
            .contains("while it lasts")
    );
    pages.backend.over.send_replace(7);
    assert!(body.collect().await.unwrap().to_bytes().is_empty());
    // The end of the box ends it, too.
    pages.backend.over.send_replace(0);
    let response = pages
        .send(request("GET /v1/log?follow=true", &bearer, ""))
        .await;
    pages.end.send(()).unwrap();
    // The connection may be gone before its last frame is read.
    let _ = response.into_body().collect().await;
    let patience = Duration::from_secs(10);
    let ended = tokio::time::timeout(patience, pages.server).await;
    ended.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn a_trial_is_confirmed_by_who_began_it_or_by_an_admin() {
    let session = |id, role| Actor::Session {
        id,
        user: "anna".to_owned(),
        role,
        client: None,
    };
    let visitor = Actor::Visitor { client: None };
    let beginner = session(7, Role::Operator);
    for (actor, began, may) in [
        (Actor::Local, &beginner, true),
        (session(7, Role::Operator), &beginner, true),
        (session(8, Role::Operator), &beginner, false),
        (session(8, Role::Viewer), &beginner, false),
        (session(8, Role::Admin), &beginner, true),
        (session(7, Role::Operator), &Actor::Local, false),
        (session(7, Role::Admin), &Actor::Local, true),
        (Actor::Local, &Actor::Local, true),
        (visitor.clone(), &visitor, false),
        (visitor.clone(), &Actor::Local, false),
    ] {
        assert_eq!(actor.may_confirm(began), may, "{actor:?} {began:?}");
    }
}

#[tokio::test]
async fn the_command_line_speaks_of_users() {
    let running = Running::start("users");
    let client = running.client().await;
    assert_eq!(
        client.claim_status().await.unwrap().code.unwrap(),
        "ABCD-EFGH-JKLM"
    );
    assert!(client.users().await.unwrap().is_empty());
    let user = NewUser {
        name: "anna".to_owned(),
        role: Role::Operator,
        password: "correct horse".to_owned(),
    };
    assert_eq!(
        client.add_user(&user).await.unwrap(),
        shown("anna".to_owned(), Role::Operator)
    );
    let change = UserChange {
        role: Some(Role::Admin),
        password: None,
    };
    let name = "a&b=c d";
    let changed = client.change_user(name, &change).await.unwrap();
    assert_eq!(changed, shown(name.to_owned(), Role::Admin));
    let refused = client.remove_user(name).await.unwrap_err();
    assert_eq!(refused.to_string(), name);
    client.remove_totp("anna").await.unwrap();
    assert!(!client.reset_users().await.unwrap().claimed);
}

#[test]
fn nothing_secret_has_a_debug_form() {
    let secret = "correct horse";
    let text = || secret.to_owned();
    let login = Login {
        user: text(),
        password: text(),
        code: Some(text()),
    };
    let change = UserChange {
        role: None,
        password: Some(text()),
    };
    let shown = [
        format!("{login:?}"),
        format!("{change:?}"),
        format!(
            "{:?}",
            Claim {
                code: text(),
                user: text(),
                password: text()
            }
        ),
        format!(
            "{:?}",
            PasswordChange {
                old: text(),
                new: text()
            }
        ),
        format!(
            "{:?}",
            TotpOffer {
                secret: text(),
                uri: text()
            }
        ),
        format!(
            "{:?}",
            RecoveryCodes {
                codes: vec![text()]
            }
        ),
    ];
    for text in shown {
        assert!(!text.contains(secret), "{text}");
    }
}
