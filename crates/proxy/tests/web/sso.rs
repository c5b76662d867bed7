//! Who may enter by a session, and the login page that begins one.

use crate::gate::Gate;
use crate::http2::{Http2, data, head};
use crate::peer::{OK, Peer, Target, field, first, within};
use crate::upgrades::{SWITCH, UPGRADE};
use bytes::Bytes;
use guard::entrance::{NewSession, TokenHash};
use http::Request;
use proxy::Inside;
use service::{Event, Outcome};
use std::os::unix::net::UnixStream as Far;
use std::time::{Duration, SystemTime};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;

const RULES: &str = r#"
[access.sso]
kind = "sso"
session = { domain = "example", idle = "1h", longest = "8h" }
login = "radius"
radius = { server = "192.0.2.8", shared = { secret = "radius" } }
user_header = "X-User"
groups_header = "X-Groups"
[access.short]
kind = "sso"
session = { domain = "example", cookie = "short", idle = "4s", longest = "8h" }
login = "radius"
radius = { server = "192.0.2.8", shared = { secret = "radius" } }
forward_cookie = true
[access.pbx]
kind = "sso"
session = { domain = "example", cookie = "pbx" }
login = "radius"
radius = { server = "192.0.2.8", shared = { secret = "radius" } }
groups = ["admins"]
[access.lan]
kind = "network"
from = ["127.0.0.0/8"]
[access.elsewhere]
kind = "network"
from = ["192.0.2.0/24"]
[[host]]
name = "web.example"
[[host.http]]
paths = ["/public"]
target = "http://{target}"
[[host.http]]
paths = ["/short"]
target = "http://{target}"
access = ["short"]
plain = "forward"
[[host.http]]
paths = ["/pbx"]
target = "http://{target}"
access = ["pbx"]
plain = "forward"
[[host.http]]
paths = ["/either"]
target = "http://{target}"
access = ["sso", "lan"]
plain = "forward"
[[host.http]]
paths = ["/both"]
target = "http://{target}"
access_all = ["sso", "elsewhere"]
plain = "forward"
[[host.http]]
paths = ["/always"]
target = "http://{target}"
access = ["sso"]
login_page = "always"
[[host.http]]
target = "http://{target}"
access = ["sso"]
plain = "forward"
[[host]]
name = "ws.example"
[[host.http]]
target = "http://{target}"
access = ["sso"]
plain = "forward"
[[host]]
name = "other.example"
[[host.http]]
target = "http://{target}"
plain = "forward"
"#;

const NAVIGATES: &str = "Sec-Fetch-Mode: navigate\r\n";

async fn gate() -> (Gate, Target) {
    let target = Target::start().await;
    let gate = Gate::start(&target, RULES);
    (gate, target)
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.unwrap().as_secs()
}

/// The cookie of somebody who has signed in so many seconds ago.
fn session(gate: &Gate, access: &str, ago: u64) -> String {
    let who = NewSession {
        access: access.into(),
        user: "anna".into(),
        groups: vec!["staff".into(), "sales".into()],
        from: [127, 0, 0, 1].into(),
        issuer_session: None,
        subject: None,
    };
    gate.roll
        .begin_session(who, now() - ago)
        .unwrap()
        .to_string()
}

fn cookie(name: &str, text: &str) -> String {
    format!("Cookie: {name}={text}\r\n")
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: web.example\r\n{fields}\r\n")
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
async fn a_browser_is_shown_the_login_page_and_others_are_told() {
    let (mut gate, target) = gate().await;
    let mut client = gate.connect_tls("web.example").await;
    client.send(get("/a?b=c", NAVIGATES)).await;
    let (head, _) = client.response().await;
    assert_eq!(first(&head), "HTTP/1.1 303 See Other");
    assert_eq!(
        field(&head, "location"),
        Some("/.gatehouse/login?access=sso&to=/a%3Fb%3Dc")
    );
    assert_eq!(field(&head, "www-authenticate"), None);
    let Outcome::Rejected { status, .. } = gate.decision().await.outcome else {
        panic!("it is let in");
    };
    assert_eq!(status, Some(303));
    // The connection lives on.
    client.send(get("/", "")).await;
    let (head, _) = client.response().await;
    assert_eq!(first(&head), "HTTP/1.1 401 Unauthorized");
    assert_eq!(
        field(&head, "www-authenticate"),
        Some(
            "Cookie realm=\"sso\", form-action=\"/.gatehouse/login\", cookie-name=\"gatehouse_session\""
        )
    );
    client.send(get("/always", "")).await;
    client.gets("303 See Other").await;
    let post = "POST / HTTP/1.1\r\nHost: web.example\r\nSec-Fetch-Mode: navigate\r\nContent-Length: 0\r\n\r\n";
    client.send(post).await;
    client.gets("401 Unauthorized").await;
    let mut client = gate.ask(UPGRADE).await;
    client.gets("401 Unauthorized").await;
    // In plain it leads to where the cookie goes.
    let mut client = gate.ask(get("/", NAVIGATES)).await;
    let (head, _) = client.response().await;
    assert_eq!(
        field(&head, "location"),
        Some("https://web.example/.gatehouse/login?access=sso&to=/")
    );
    target.stays_alone().await;
    assert!(gate.outbox.offences.try_recv().is_err());
}

#[tokio::test]
async fn who_has_signed_in_is_let_in_and_the_target_is_told_who_it_is() {
    let (gate, target) = gate().await;
    let text = session(&gate, "sso", 0);
    let forged = "x-user: root\r\nX-Groups: admins\r\n";
    let mine = cookie("a=1; gatehouse_session", &text);
    let mut client = gate.ask(get("/", &format!("{mine}{forged}"))).await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), Some("anna"));
    assert_eq!(field(&asked, "x-groups"), Some("staff,sales"));
    assert_eq!(field(&asked, "cookie"), Some("a=1"));
    // The other host takes the same one, and nobody else is told of it.
    let other = |host: &str| get("/", &format!("{mine}{forged}")).replace("web.example", host);
    let mut client = gate.ask(other("ws.example")).await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), Some("anna"));
    let mut client = gate.ask(other("other.example")).await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), None);
    assert_eq!(field(&asked, "x-groups"), None);
    assert_eq!(field(&asked, "cookie"), Some("a=1"));
    // A twin of such a field is what no honest client sends.
    let mut client = gate
        .ask(get("/", &format!("{mine}X_Groups: admins\r\n")))
        .await;
    client.gets("400 Bad Request").await;
}

#[tokio::test]
async fn a_session_is_for_its_list_and_its_time() {
    let (mut gate, target) = gate().await;
    let (sso, short) = (session(&gate, "sso", 0), session(&gate, "short", 0));
    let long_ago = session(&gate, "sso", 3601);
    let pbx = session(&gate, "pbx", 0);
    for (path, fields, status) in [
        ("/", cookie("gatehouse_session", &short), "401 Unauthorized"),
        ("/", cookie("short", &sso), "401 Unauthorized"),
        (
            "/",
            cookie("gatehouse_session", &long_ago),
            "401 Unauthorized",
        ),
        (
            "/",
            cookie("gatehouse_session", "gsnonsense"),
            "401 Unauthorized",
        ),
        ("/both", cookie("gatehouse_session", &sso), "403 Forbidden"),
        ("/both", String::new(), "403 Forbidden"),
        ("/pbx", cookie("pbx", &pbx), "403 Forbidden"),
    ] {
        let mut client = gate.ask(get(path, &fields)).await;
        client.gets(status).await;
    }
    target.stays_alone().await;
    let told = loop {
        if let Event::LoginFailed { user, method, .. } =
            within(gate.outbox.events.recv()).await.unwrap()
        {
            break (user, method.into_owned());
        }
    };
    assert_eq!(told, ("anna".to_owned(), "sso".to_owned()));
    // The better one of several counts.
    let both = cookie(
        "gatehouse_session",
        &format!("{long_ago}; gatehouse_session={sso}"),
    );
    let mut client = gate.ask(get("/", &both)).await;
    served(&mut client, &target).await;
    gate.roll.end_session(&TokenHash::of(&sso));
    client.send(get("/", &both)).await;
    client.gets("401 Unauthorized").await;
    // The other list lets in, and tells nobody's name.
    let mut client = gate.ask(get("/either", &both)).await;
    let asked = served(&mut client, &target).await;
    assert_eq!(field(&asked, "x-user"), None);
}

#[tokio::test]
async fn what_is_used_lives_on_and_what_rests_ends() {
    let (gate, target) = gate().await;
    let text = session(&gate, "short", 0);
    let mine = cookie("short", &text);
    let mut client = gate.ask(get("/short", &mine)).await;
    let asked = served(&mut client, &target).await;
    // With `forward_cookie` the target has it.
    assert_eq!(
        field(&asked, "cookie"),
        Some(format!("short={text}").as_str())
    );
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        client.send(get("/short", &mine)).await;
        let mut there = target.asked().await;
        there.send(OK).await;
        client.gets("200 OK").await;
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    client.send(get("/short", &mine)).await;
    client.gets("401 Unauthorized").await;
}

/// A WebSocket at `path` that was opened with these fields.
async fn opened(
    gate: &Gate,
    target: &Target,
    path: &str,
    fields: &str,
) -> (Peer<TcpStream>, Peer<TcpStream>) {
    let asked = UPGRADE.replace("/chat", path);
    let asked = asked.replace("\r\n\r\n", &format!("\r\n{fields}\r\n"));
    let mut client = gate.ask(asked).await;
    let mut there = target.asked().await;
    there.send(SWITCH).await;
    let head = client.head().await;
    assert_eq!(first(&head), "HTTP/1.1 101 Switching Protocols");
    (client, there)
}

#[tokio::test]
async fn a_websocket_lives_as_long_as_its_session() {
    let (gate, target) = gate().await;
    let (ended, kept) = (session(&gate, "sso", 0), session(&gate, "sso", 0));
    let short = cookie("short", &session(&gate, "short", 0));
    let ended_cookie = cookie("gatehouse_session", &ended);
    let kept_cookie = cookie("gatehouse_session", &kept);
    let (mut gone, mut gone_there) = opened(&gate, &target, "/chat", &ended_cookie).await;
    let (mut kept, mut kept_there) = opened(&gate, &target, "/chat", &kept_cookie).await;
    let (mut busy, mut busy_there) = opened(&gate, &target, "/short", &short).await;
    gate.roll.end_session(&TokenHash::of(&ended));
    gone.ends().await;
    gone_there.ends().await;
    // What moves on it is use.
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        busy_there.send("tick").await;
        assert_eq!(busy.text(4).await, "tick");
    }
    tokio::time::timeout(Duration::from_secs(15), busy.ends())
        .await
        .unwrap();
    busy_there.ends().await;
    kept_there.send("still here").await;
    assert_eq!(kept.text(10).await, "still here");
}

/// A login page that a test plays: the far ends of connections to it.
struct Page(mpsc::UnboundedReceiver<Far>);

impl Page {
    fn of(gate: &mut Gate) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        gate.serves(Inside::new(move || {
            let (near, far) = UnixStream::pair()?;
            sender.send(far.into_std()?).unwrap();
            Ok(near)
        }));
        Self(receiver)
    }

    async fn accept(&mut self) -> Peer<UnixStream> {
        let far = within(self.0.recv()).await.unwrap();
        Peer::new(UnixStream::from_std(far).unwrap())
    }
}

#[tokio::test]
async fn what_belongs_to_the_login_page_goes_to_no_target() {
    let (mut gate, target) = gate().await;
    let mut page = Page::of(&mut gate);
    let mut client = gate.connect_tls("web.example").await;
    let body = "user=anna&password=hers";
    let fields = "Cookie: gatehouse_session=x; __Host-gatehouse-login=y\r\n\
                  X-Forwarded-For: 192.0.2.66\r\nX-User: root\r\n";
    let post = format!(
        "POST /.gatehouse/login?to=/ HTTP/1.1\r\nHost: web.example\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    client.send(post).await;
    let mut there = page.accept().await;
    let asked = there.head().await;
    assert_eq!(first(&asked), "POST /.gatehouse/login?to=/ HTTP/1.1");
    assert_eq!(field(&asked, "host"), Some("web.example"));
    assert_eq!(field(&asked, "x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!(field(&asked, "x-user"), None);
    assert_eq!(
        field(&asked, "cookie"),
        Some("gatehouse_session=x; __Host-gatehouse-login=y")
    );
    assert_eq!(there.text(body.len()).await, body);
    let answer = "HTTP/1.1 303 See Other\r\nLocation: /\r\n\
                  Set-Cookie: gatehouse_session=z; Domain=example; Path=/; Secure; HttpOnly\r\n\
                  Content-Length: 0\r\n\r\n";
    there.send(answer).await;
    let (head, _) = client.response().await;
    assert_eq!(first(&head), "HTTP/1.1 303 See Other");
    assert!(
        field(&head, "set-cookie")
            .unwrap()
            .starts_with("gatehouse_session=z")
    );
    // The connection to it is used again.
    client.send(get("/.gatehouse/login", "")).await;
    there.answers(OK).await;
    client.gets("200 OK").await;
    // In plain nobody types a password.
    let mut client = gate.ask(get("/.gatehouse/login?a=b", "")).await;
    let (head, _) = client.response().await;
    assert_eq!(first(&head), "HTTP/1.1 301 Moved Permanently");
    assert_eq!(
        field(&head, "location"),
        Some("https://web.example/.gatehouse/login?a=b")
    );
    target.stays_alone().await;

    let mut client = Http2::connect(&gate).await;
    let request = Request::post("https://web.example/.gatehouse/login");
    let (response, mut up) = client.open(request.body(()).unwrap(), false).await;
    up.send_data(Bytes::from_static(b"user=anna"), true)
        .unwrap();
    assert_eq!(
        first(&there.head().await),
        "POST /.gatehouse/login HTTP/1.1"
    );
    assert_eq!(there.chunks().await.0, b"user=anna");
    there.send(OK).await;
    let mut response = head_of(response).await;
    assert_eq!(data(response.body_mut()).await.0, b"ok");
}

async fn head_of(response: h2::client::ResponseFuture) -> http::Response<h2::RecvStream> {
    let response = head(response).await;
    assert_eq!(response.status(), 200);
    response
}

#[tokio::test]
async fn without_somebody_who_serves_it_there_is_no_login_page() {
    let (gate, target) = gate().await;
    let mut client = gate.connect_tls("web.example").await;
    client.send(get("/.gatehouse/login", "")).await;
    client.gets("503 Service Unavailable").await;
    target.stays_alone().await;
    // On hosts that ask for no login, the path is like any other.
    let other = get("/.gatehouse/login", "").replace("web.example", "other.example");
    let mut client = gate.ask(other).await;
    served(&mut client, &target).await;
}

#[tokio::test]
async fn over_http2_as_well() {
    let (gate, target) = gate().await;
    let mut client = Http2::connect(&gate).await;
    let request = Request::get("https://web.example/a").header("sec-fetch-mode", "navigate");
    let (response, _) = client.open(request.body(()).unwrap(), true).await;
    let refused = head(response).await;
    assert_eq!(refused.status(), 303);
    assert_eq!(
        refused.headers()["location"],
        "/.gatehouse/login?access=sso&to=/a"
    );
    let text = session(&gate, "sso", 0);
    let request = Request::get("https://web.example/a")
        .header("cookie", "a=1")
        .header("cookie", format!("gatehouse_session={text}"));
    let (response, _) = client.open(request.body(()).unwrap(), true).await;
    let mut there = target.accept().await;
    let asked = there.head().await;
    assert_eq!(field(&asked, "x-user"), Some("anna"));
    assert_eq!(field(&asked, "cookie"), Some("a=1"));
    there.send(OK).await;
    assert_eq!(head(response).await.status(), 200);
}
