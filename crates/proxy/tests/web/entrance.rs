//! Who may enter by user and password, or by a cookie with a token.

use crate::gate::Gate;
use crate::http2::{Http2, head};
use crate::peer::{OK, Peer, Target, field, first, within};
use crate::upgrades::{SWITCH, UPGRADE};
use data_encoding::BASE64;
use guard::entrance::{Change, LiveToken, Roll, TokenHash, TokenId, VisitorHash};
use guard::operators::{PasswordHash, UserName};
use http::Request;
use service::{Blame, Event, Outcome};
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;

const RULES: &str = r#"
[access.wcs]
kind = "cookie"
cookie = "AUTH"
origins = ["https://web.example"]
[access.other]
kind = "cookie"
cookie = "OTHER"
forward_cookie = true
[access.staff]
kind = "basic"
realm = "Restricted \"Area\""
users = ["anna", "bert"]
user_header = "X-User"
[access.lan]
kind = "network"
from = ["192.0.2.0/24"]
[[host]]
name = "web.example"
[[host.http]]
paths = ["/public"]
target = "http://{target}"
[[host.http]]
paths = ["/chat"]
target = "http://{target}"
access = ["wcs", "staff"]
plain = "forward"
[[host.http]]
paths = ["/either"]
target = "http://{target}"
access = ["wcs", "staff"]
plain = "forward"
[[host.http]]
paths = ["/token"]
target = "http://{target}"
access = ["wcs", "other"]
plain = "forward"
[[host.http]]
paths = ["/both"]
target = "http://{target}"
access_all = ["staff", "lan"]
plain = "forward"
[[host.http]]
target = "http://{target}"
access = ["staff"]
plain = "forward"
"#;

const CHECKED: &str = "gatehouse_proxy_passwords_checked_total";

fn user(name: &str) -> UserName {
    UserName::new(name).unwrap()
}

fn hash(password: &str) -> VisitorHash {
    VisitorHash::Argon2(PasswordHash::of(password, [7; 16]))
}

fn token(id: u64, access: &str, text: &str, expires: Option<u64>) -> LiveToken {
    LiveToken {
        id: TokenId(id),
        access: access.into(),
        hash: TokenHash::of(text),
        expires,
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

async fn gate() -> (Gate, Target) {
    let target = Target::start().await;
    let gate = Gate::start(&target, RULES);
    let names = ["anna", "bert", "carl"];
    gate.roll.publish(Roll {
        visitors: names.map(|name| (user(name), hash(name))).into(),
        tokens: vec![
            token(1, "wcs", "good", None),
            token(2, "wcs", "old", Some(now() - 1)),
            token(3, "other", "others", Some(now() + 3600)),
        ],
        ..Roll::default()
    });
    (gate, target)
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: web.example\r\n{fields}\r\n")
}

fn basic(user: &str, password: &str) -> String {
    let sent = BASE64.encode(format!("{user}:{password}").as_bytes());
    format!("Authorization: Basic {sent}\r\n")
}

/// The head of what the target was asked; it answers.
async fn served(client: &mut Peer<TcpStream>, target: &Target) -> String {
    let mut there = target.accept().await;
    let asked = there.head().await;
    there.send(OK).await;
    client.gets("200 OK").await;
    asked
}

#[tokio::test]
async fn a_password_is_asked_for_and_is_not_the_business_of_the_target() {
    let (mut gate, target) = gate().await;
    let mut client = gate.ask(get("/", "")).await;
    let (head, _) = client.response().await;
    assert_eq!(first(&head), "HTTP/1.1 401 Unauthorized");
    assert_eq!(
        field(&head, "www-authenticate"),
        Some("Basic realm=\"Restricted \\\"Area\\\"\", charset=\"UTF-8\"")
    );
    let decision = gate.decision().await;
    let Outcome::Rejected { status, blame, .. } = decision.outcome else {
        panic!("{decision:?}");
    };
    assert_eq!((status, blame), (Some(401), Blame::Peer));
    // Nothing was sent that could be wrong.
    assert!(gate.outbox.offences.try_recv().is_err());

    // The connection lives on. What the client says of itself is not passed on, nor is its password.
    client
        .send(get(
            "/",
            &format!("{}x-user: root\r\n", basic("Anna", "anna")),
        ))
        .await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), Some("anna"));
    assert_eq!(field(&asked, "authorization"), None);
    for _ in 0..20 {
        client.send(get("/", &basic("anna", "anna"))).await;
        let mut there = target.asked().await;
        there.send(OK).await;
        client.gets("200 OK").await;
    }
    gate.metric(CHECKED, "1").await;

    // Other schemes are.
    client.send(get("/", "Authorization: Bearer x\r\n")).await;
    client.gets("401 Unauthorized").await;
}

#[tokio::test]
async fn who_sends_a_wrong_password_is_told_of_and_suspicious() {
    let (mut gate, target) = gate().await;
    for (credentials, named, reason, weight) in [
        (basic("anna", "Anna"), "anna", "wrong user or password", 1),
        (
            basic("nobody", "anna"),
            "nobody",
            "wrong user or password",
            1,
        ),
        (
            basic("carl", "carl"),
            "carl",
            "carl is not among its `users`",
            0,
        ),
        (basic("<script>", "x"), "", "wrong user or password", 1),
        (
            "Authorization: Basic !\r\n".to_owned(),
            "",
            "user and password can not be read",
            1,
        ),
    ] {
        let mut client = gate.ask(get("/", &credentials)).await;
        client.gets("401 Unauthorized").await;
        let told = loop {
            if let Event::LoginFailed {
                user,
                method,
                access,
                reason,
                ..
            } = within(gate.outbox.events.recv()).await.unwrap()
            {
                break (user, method, access, reason);
            }
        };
        let expected = (named.into(), "basic".into(), "staff".into(), reason.into());
        assert_eq!(told, expected);
        let offence = gate.outbox.offences.try_recv();
        assert_eq!(offence.map_or(0, |offence| offence.weight), weight);
    }
    target.stays_alone().await;
}

#[tokio::test]
async fn a_change_of_passwords_holds_at_once() {
    let (gate, target) = gate().await;
    let mut client = gate.ask(get("/", &basic("anna", "anna"))).await;
    served(&mut client, &target).await;
    // Kept in another form, it is the same one.
    gate.roll
        .change(vec![Change::Rehashed(user("anna"), hash("anna"))]);
    client.send(get("/", &basic("anna", "anna"))).await;
    served(&mut client, &target).await;
    gate.metric(CHECKED, "1").await;
    gate.roll
        .change(vec![Change::Visitor(user("anna"), Some(hash("new")))]);
    client.send(get("/", &basic("anna", "anna"))).await;
    client.gets("401 Unauthorized").await;
    client.send(get("/", &basic("anna", "new"))).await;
    served(&mut client, &target).await;
    gate.roll.change(vec![Change::Visitor(user("anna"), None)]);
    client.send(get("/", &basic("anna", "new"))).await;
    client.gets("401 Unauthorized").await;
}

#[tokio::test]
async fn no_password_is_looked_at_for_who_is_not_let_in_anyway() {
    let (gate, _target) = gate().await;
    let mut client = gate.ask(get("/both", &basic("anna", "anna"))).await;
    client.gets("403 Forbidden").await;
    gate.metric(CHECKED, "0").await;
}

#[tokio::test]
async fn a_flood_of_passwords_keeps_nobody_waiting_who_is_known() {
    let (gate, target) = gate().await;
    let mut known = gate.ask(get("/", &basic("anna", "anna"))).await;
    served(&mut known, &target).await;
    let mut flood = Vec::new();
    for (guess, name) in (0..16).zip(["bert", "carl"].into_iter().cycle()) {
        flood.push(gate.ask(get("/", &basic(name, &guess.to_string()))).await);
    }
    // Who is known needs no look.
    known.send(get("/", &basic("anna", "anna"))).await;
    served(&mut known, &target).await;
    for client in &mut flood {
        client.gets("401 Unauthorized").await;
    }
    gate.metric(CHECKED, "17").await;
}

#[tokio::test]
async fn guesses_at_one_user_wait_but_not_where_he_is_known() {
    let (mut gate, target) = gate().await;
    let mut known = gate.ask(get("/", &basic("anna", "anna"))).await;
    served(&mut known, &target).await;
    // Ten are free; a machine that is slow may have waited the first second without knowing.
    let mut wrong = 0;
    let refused = loop {
        let mut client = gate.ask(get("/", &basic("bert", &wrong.to_string()))).await;
        let (head, _) = client.response().await;
        if first(&head) != "HTTP/1.1 401 Unauthorized" {
            break head;
        }
        wrong += 1;
    };
    assert!((10..16).contains(&wrong));
    // Whether it is the right one, nobody learns.
    let mut client = gate.ask(get("/", &basic("BERT", "bert"))).await;
    let (right, _) = client.response().await;
    for head in [refused, right] {
        assert_eq!(first(&head), "HTTP/1.1 429 Too Many Requests");
        let wait: u64 = field(&head, "retry-after").unwrap().parse().unwrap();
        assert!((1..=33).contains(&wait));
        assert_eq!(field(&head, "www-authenticate"), None);
    }
    for _ in 0..wrong {
        assert_eq!(gate.outbox.offences.recv().await.unwrap().weight, 1);
    }
    assert!(gate.outbox.offences.try_recv().is_err());
    for guess in 0..12 {
        let mut client = gate.ask(get("/", &basic("anna", &guess.to_string()))).await;
        client.gets("401 Unauthorized").await;
    }
    known.send(get("/", &basic("anna", "anna"))).await;
    served(&mut known, &target).await;
}

#[tokio::test]
async fn nobody_guesses_unseen_where_another_list_lets_him_in() {
    let (mut gate, target) = gate().await;
    let cookie = "Cookie: AUTH=good\r\n";
    let mut client = gate.ask(get("/either", cookie)).await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), None);
    client
        .send(get(
            "/either",
            &format!("{}{cookie}", basic("anna", "anna")),
        ))
        .await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), Some("anna"));
    client
        .send(get(
            "/either",
            &format!("{}{cookie}", basic("anna", "guess")),
        ))
        .await;
    client.gets("401 Unauthorized").await;
    assert_eq!(gate.outbox.offences.recv().await.unwrap().weight, 1);
    target.stays_alone().await;
}

#[tokio::test]
async fn the_same_wrong_password_is_an_offence_once() {
    let (mut gate, _target) = gate().await;
    let mut clients = Vec::new();
    for _ in 0..10 {
        clients.push(gate.ask(get("/", &basic("anna", "stale"))).await);
    }
    for client in &mut clients {
        client.gets("401 Unauthorized").await;
    }
    let mut client = gate.ask(get("/", &basic("anna", "stale"))).await;
    client.gets("401 Unauthorized").await;
    gate.metric(CHECKED, "1").await;
    assert_eq!(gate.outbox.offences.try_recv().unwrap().weight, 1);
    assert!(gate.outbox.offences.try_recv().is_err());
}

#[tokio::test]
async fn what_is_ours_goes_to_no_target_of_the_host() {
    let (gate, target) = gate().await;
    let cookies = "Cookie: a=1; AUTH=good; OTHER=others\r\n";
    let fields = format!("{}{cookies}", basic("anna", "whatever"));
    let mut client = gate.ask(get("/public", &fields)).await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "authorization"), None);
    assert_eq!(field(&asked, "cookie"), Some("a=1; OTHER=others"));
    // A login of the target's own is its business.
    client.send(get("/public", &basic("zoe", "hers"))).await;
    let asked = served(&mut client, &target).await;
    assert!(field(&asked, "authorization").is_some());
}

#[tokio::test]
async fn many_that_come_at_once_with_one_password_cost_one_look() {
    let (gate, target) = gate().await;
    let mut clients = Vec::new();
    for _ in 0..30 {
        clients.push(gate.ask(get("/", &basic("anna", "anna"))).await);
    }
    for _ in &clients {
        let mut there = target.asked().await;
        there.send(OK).await;
        // The next request may come over this connection, or another.
        drop(there);
    }
    for client in &mut clients {
        client.gets("200 OK").await;
    }
    gate.metric(CHECKED, "1").await;
}

#[tokio::test]
async fn over_http2_as_well() {
    let (gate, target) = gate().await;
    let mut client = Http2::connect(&gate).await;
    let (response, _) = client.get("https://web.example/").await;
    let refused = head(response).await;
    assert_eq!(refused.status(), 401);
    assert!(refused.headers().contains_key("www-authenticate"));
    let sent = BASE64.encode(b"anna:anna");
    let request = Request::get("https://web.example/")
        .header("authorization", format!("Basic {sent}"))
        .header("cookie", "a=1")
        .header("cookie", "AUTH=x");
    let (response, _) = client.open(request.body(()).unwrap(), true).await;
    let mut there = target.accept().await;
    let asked = there.head().await;
    assert_eq!(field(&asked, "x-user"), Some("anna"));
    there.send(OK).await;
    assert_eq!(head(response).await.status(), 200);
}

#[tokio::test]
async fn a_token_lets_in_where_it_is_for_that_list_and_live() {
    let (gate, target) = gate().await;
    for (fields, expected) in [
        ("Cookie: AUTH=good\r\n", None),
        (
            "Cookie: a=b; AUTH=nonsense; AUTH=good; OTHER=others\r\n",
            Some("a=b; OTHER=others"),
        ),
        ("Cookie: OTHER=\"others\"\r\n", Some("OTHER=\"others\"")),
    ] {
        let mut client = gate.ask(get("/token", fields)).await;
        let asked = served(&mut client, &target).await;
        assert_eq!(field(&asked, "cookie"), expected);
    }
    for fields in [
        "",
        "Cookie: AUTH=old\r\n",
        "Cookie: AUTH=others\r\n",
        "Cookie: auth=good\r\n",
        "Cookie: AUTH=\r\n",
        "Cookie: AUTH=good\r\nOrigin: https://evil.example\r\n",
    ] {
        let mut client = gate.ask(get("/token", fields)).await;
        client.gets("403 Forbidden").await;
    }
    let post = "POST /token HTTP/1.1\r\nHost: web.example\r\nCookie: AUTH=good\r\nContent-Length: 0\r\n\r\n";
    let mut client = gate.ask(post).await;
    client.gets("403 Forbidden").await;
    target.stays_alone().await;
}

/// A WebSocket that was opened with these fields.
async fn opened(gate: &Gate, target: &Target, fields: &str) -> (Peer<TcpStream>, Peer<TcpStream>) {
    let asked = UPGRADE.replace("\r\n\r\n", &format!("\r\n{fields}\r\n"));
    let mut client = gate.ask(asked).await;
    let mut there = target.asked().await;
    there.send(SWITCH).await;
    assert_eq!(
        first(&client.head().await),
        "HTTP/1.1 101 Switching Protocols"
    );
    (client, there)
}

#[tokio::test]
async fn a_websocket_lives_as_long_as_what_has_opened_it() {
    let (gate, target) = gate().await;
    let upgrade = |fields: &str| UPGRADE.replace("\r\n\r\n", &format!("\r\n{fields}\r\n"));
    let mut client = gate.ask(upgrade("")).await;
    client.gets("401 Unauthorized").await;
    // Not with a password that the browser knows either.
    for fields in ["Cookie: AUTH=good\r\n", &basic("anna", "anna")] {
        let foreign = upgrade(fields);
        let foreign = foreign.replace("https://web.example", "https://evil.example");
        let mut client = gate.ask(foreign).await;
        client.gets("403 Forbidden").await;
    }

    gate.roll.change(vec![
        Change::Token(token(4, "wcs", "short", Some(now() + 2))),
        Change::Token(token(5, "wcs", "revoked", None)),
    ]);
    let (mut kept, mut kept_there) = opened(&gate, &target, "Cookie: AUTH=good\r\n").await;
    let (mut short, mut short_there) = opened(&gate, &target, "Cookie: AUTH=short\r\n").await;
    let (mut gone, mut gone_there) = opened(&gate, &target, "Cookie: AUTH=revoked\r\n").await;
    let (mut anna, mut anna_there) = opened(&gate, &target, &basic("anna", "anna")).await;
    gate.roll.change(vec![Change::TokenGone(TokenId(5))]);
    gone.ends().await;
    gone_there.ends().await;
    short_there.send("still here").await;
    assert_eq!(short.text(10).await, "still here");
    gate.roll
        .change(vec![Change::Visitor(user("anna"), Some(hash("new")))]);
    anna.ends().await;
    anna_there.ends().await;
    tokio::time::timeout(Duration::from_secs(8), short.ends())
        .await
        .unwrap();
    short_there.ends().await;
    kept_there.send("still here").await;
    assert_eq!(kept.text(10).await, "still here");
}
