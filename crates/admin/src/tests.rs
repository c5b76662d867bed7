use std::convert::Infallible;
use std::sync::Mutex;
use std::time::SystemTime;

use bytes::Bytes;
use certs::{Ca, Usage};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use service::{BanWatch, Outbox, Registry, RollWatch, Workers};
use tokio::net::UnixStream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::*;

mod crowded;
mod keys;

/// What the other end of the line was asked.
type Asked = Arc<Mutex<Vec<(String, HeaderMap, String)>>>;

struct Running {
    addresses: Vec<SocketAddr>,
    ca: Ca,
    outbox: Outbox,
    bans: BanWatch,
    registry: Registry,
    asked: Asked,
    /// Takes what a followed log shows next.
    log: mpsc::Sender<&'static str>,
    reload: mpsc::Sender<Vec<IpNet>>,
    line: JoinHandle<()>,
    end: Option<oneshot::Sender<()>>,
    life: JoinHandle<()>,
}

/// A listener on a port that the system chose, and is known by.
fn listener() -> Listener {
    let key = ListenKey {
        service: "admin".to_owned(),
        protocol: "https".to_owned(),
        transport: net::Transport::Tcp,
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        device: None,
    };
    let mut listener = Listener::open(&key, 1, false).unwrap();
    listener.key.addr = address(&listener);
    listener
}

fn address(listener: &Listener) -> SocketAddr {
    listener.shards.tcp()[0].local_addr().unwrap()
}

fn config(ca: &Ca, listeners: Vec<Listener>, line: &Line) -> Config {
    let names = ["gate-hq.example", "127.0.0.1"];
    Config {
        hostname: "gate-hq<b>".to_owned(),
        domain: Some("example".to_owned()),
        listeners,
        certificate: ca.issue(&names, Usage::Server, SystemTime::now()).unwrap(),
        trusted: Vec::new(),
        from: Vec::new(),
        line: line.clone(),
    }
}

fn context() -> (Context, Outbox) {
    let (events, offences, outbox) = Outbox::new();
    let context = Context {
        events,
        offences,
        bans: BanWatch::default(),
        entrance: RollWatch::default(),
        metrics: Registry::default(),
        workers: Workers::start(1).unwrap(),
    };
    (context, outbox)
}

/// The control API as far as these pages use it: one operator, `max`, whose token is `t0ken`.
fn said(method: &Method, path: &str, headers: &HeaderMap, body: &str) -> (u16, String) {
    let signed_in = headers
        .get(header::AUTHORIZATION)
        .is_some_and(|value| value == "Bearer t0ken");
    let trial = r#"{"number":8,"created":"2026-11-21T01:42:47.000Z","origin":"<i>apply</i>","state":"trial","seconds":120}"#;
    let kept =
        r#"{"number":7,"created":"2026-11-20T01:42:47.000Z","origin":"reload","state":"kept"}"#;
    let applied = format!(r#"{{"generation":{trial},"changed":true,"notes":[]}}"#);
    let no = |kind: &str, message: &str| format!(r#"{{"kind":"{kind}","message":"{message}"}}"#);
    match (method.as_str(), path) {
        ("GET", "/v1/claim") => (200, r#"{"claimed":true}"#.to_owned()),
        ("POST", "/v1/login" | "/v1/claim") if body.contains("right password") => (
            200,
            r#"{"token":"t0ken","session":{"user":"max"}}"#.to_owned(),
        ),
        ("POST", "/v1/claim") if body.contains("short") => (
            422,
            no(
                "invalid",
                "the password is too short; 10 characters are the least",
            ),
        ),
        ("POST", "/v1/claim") if body.contains("odd") => (422, no("invalid", "something <new>")),
        ("POST", "/v1/login" | "/v1/claim") => (401, no("unauthorized", "<script>no</script>")),
        _ if !signed_in => (401, no("unauthorized", "sign in")),
        ("GET", "/v1/session") => (200, r#"{"user":"max"}"#.to_owned()),
        ("GET", "/v1/generations") => (200, format!("[{kept},{trial}]")),
        (
            "POST",
            "/v1/confirm?generation=8" | "/v1/rollback?generation=7" | "/v1/rollback?trial=8",
        ) => (200, applied),
        ("POST", path) if path.starts_with("/v1/confirm") || path.starts_with("/v1/rollback") => {
            (409, no("conflict", "not on trial"))
        }
        ("GET", "/v1/derived") => (200, "x".repeat(300_000)),
        _ => (200, format!(r#""{path}""#)),
    }
}

/// The other end of the line.
async fn supervise(
    end: UnixStream,
    asked: Asked,
    log: Arc<tokio::sync::Mutex<mpsc::Receiver<&'static str>>>,
) {
    let service = service_fn(move |request: Request<Incoming>| {
        let (asked, log) = (Arc::clone(&asked), Arc::clone(&log));
        async move {
            let (parts, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let body = String::from_utf8(body.to_vec()).unwrap();
            let path = parts.uri.path_and_query().unwrap().to_string();
            let what = format!("{} {path}", parts.method);
            let (status, text) = said(&parts.method, &path, &parts.headers, &body);
            asked.lock().unwrap().push((what, parts.headers, body));
            let body = if path == "/v1/log" && status == 200 {
                let lines = futures_util::stream::unfold(log, |log| async move {
                    let line = log.lock().await.recv().await?;
                    let frame = hyper::body::Frame::data(Bytes::from_static(line.as_bytes()));
                    Some((Ok::<_, Infallible>(frame), log))
                });
                http_body_util::StreamBody::new(lines).boxed_unsync()
            } else {
                Full::new(Bytes::from(text)).boxed_unsync()
            };
            let mut response = Response::new(body);
            *response.status_mut() = StatusCode::from_u16(status).unwrap();
            let headers = response.headers_mut();
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
            headers.insert(header::SET_COOKIE, HeaderValue::from_static("from=inside"));
            Ok::<_, Infallible>(response)
        }
    });
    let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
    drop(server.serve_connection(TokioIo::new(end), service).await);
}

async fn start(from: &[&str]) -> Running {
    let ca = Ca::create("test", SystemTime::now()).unwrap();
    let (ours, theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    theirs.set_nonblocking(true).unwrap();
    ours.set_nonblocking(true).unwrap();
    let asked = Asked::default();
    let (log, lines) = mpsc::channel(16);
    let lines = Arc::new(tokio::sync::Mutex::new(lines));
    let end = UnixStream::from_std(theirs).unwrap();
    let line_end = tokio::spawn(supervise(end, Arc::clone(&asked), lines));
    let line = Line::open(ours).await.unwrap();
    let listeners = vec![listener(), listener()];
    let addresses = listeners.iter().map(address).collect();
    let mut first = config(&ca, listeners.clone(), &line);
    first.from = from.iter().map(|net| net.parse().unwrap()).collect();
    let (context, outbox) = context();
    let (bans, registry) = (context.bans.clone(), context.metrics.clone());
    let mut admin = Admin::start(first, context).unwrap();
    let (end, mut ends) = oneshot::channel::<()>();
    let (reload, mut reloads) = mpsc::channel::<Vec<IpNet>>(1);
    let again = config(&ca, listeners, &line);
    let life = tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = admin.run() => {}
                Some(from) = reloads.recv() => {
                    let config = Config { from, ..again.clone() };
                    admin.reload(config).unwrap();
                }
                _ = &mut ends => break,
            }
        }
        admin
            .shutdown(Instant::now() + Duration::from_secs(10))
            .await;
    });
    Running {
        addresses,
        ca,
        outbox,
        bans,
        registry,
        asked,
        log,
        reload,
        line: line_end,
        end: Some(end),
        life,
    }
}

impl Running {
    async fn connect(&self, alpn: &[u8]) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        self.connect_from([127, 0, 0, 1], alpn).await
    }

    async fn connect_from(
        &self,
        client: [u8; 4],
        alpn: &[u8],
    ) -> io::Result<tokio_rustls::client::TlsStream<TcpStream>> {
        let mut roots = rustls::RootCertStore::empty();
        let root = CertificateDer::from_pem_slice(self.ca.root_pem().as_bytes()).unwrap();
        roots.add(root).unwrap();
        let mut config = rustls::ClientConfig::builder_with_provider(net::tls::provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        let socket = tokio::net::TcpSocket::new_v4()?;
        socket.bind((client, 0).into())?;
        let stream = socket.connect(self.addresses[0]).await?;
        let name = ServerName::try_from("gate-hq.example").unwrap();
        TlsConnector::from(Arc::new(config))
            .connect(name, stream)
            .await
    }

    /// Asks over a connection of its own.
    async fn ask(&self, request: Request<Full<Bytes>>) -> Response<Incoming> {
        let stream = TokioIo::new(self.connect(b"http/1.1").await.unwrap());
        let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
        tokio::spawn(connection);
        sender.send_request(request).await.unwrap()
    }

    /// The status, the headers and the text of the answer.
    async fn text(&self, request: Request<Full<Bytes>>) -> (u16, HeaderMap, String) {
        let (parts, body) = self.ask(request).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let text = String::from_utf8(body.to_vec()).unwrap();
        (parts.status.as_u16(), parts.headers, text)
    }

    fn asked(&self) -> Vec<String> {
        let asked = self.asked.lock().unwrap();
        asked.iter().map(|(what, ..)| what.clone()).collect()
    }
}

/// A request of an own page, with a session.
fn request(method: &str, path: &str, more: &[(&str, &str)], body: &str) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path);
    let usual = [
        ("host", "localhost:8443"),
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/json"),
        ("cookie", "__Host-gatehouse=t0ken"),
    ];
    let is_other = |name: &str| more.iter().any(|(other, _)| *other == name);
    for (name, value) in usual.iter().filter(|(name, _)| !is_other(name)).chain(more) {
        if !value.is_empty() {
            request = request.header(*name, *value);
        }
    }
    request
        .body(Full::new(Bytes::from(body.to_owned())))
        .unwrap()
}

#[tokio::test]
async fn every_answer_carries_what_keeps_a_browser_safe_and_no_markup_from_outside() {
    let running = start(&["127.0.0.0/8"]).await;
    let form = "application/x-www-form-urlencoded";
    for (asked, status) in [
        (request("GET", "/login", &[("cookie", "")], ""), 200),
        (request("GET", "/", &[("cookie", "")], ""), 303),
        (request("GET", "/confirm", &[], ""), 200),
        (request("GET", "/rollback", &[], ""), 200),
        (
            request(
                "POST",
                "/login",
                &[("content-type", form)],
                "user=%3Cimg%3E&password=x",
            ),
            401,
        ),
        (request("GET", "/nowhere", &[], ""), 404),
        (request("PUT", "/login", &[], ""), 405),
        (request("GET", "/", &[("host", "evil.example")], ""), 421),
        (
            request("POST", "/login", &[("sec-fetch-site", "cross-site")], ""),
            403,
        ),
        (request("GET", "/api/v1/status", &[], ""), 200),
        (request("GET", "/api/v1/status", &[("cookie", "")], ""), 401),
    ] {
        let what = format!("{} {}", asked.method(), asked.uri());
        let (found, headers, text) = running.text(asked).await;
        assert_eq!(found, status, "{what}: {text}");
        let policy = headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(
            policy.starts_with("default-src 'none'; script-src 'self';"),
            "{what}"
        );
        assert!(policy.contains("trusted-types 'none'"));
        assert_eq!(headers[header::CACHE_CONTROL], "no-store", "{what}");
        assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{what}");
        // Forms of ours must say where they come from.
        assert_eq!(headers[header::REFERRER_POLICY], "same-origin", "{what}");
        for markup in ["<b>", "<script", "<img", "<i>", " style=", "onload"] {
            assert!(!text.contains(markup), "{what}: {markup}: {text}");
        }
    }
}

#[tokio::test]
async fn a_login_by_form_ends_in_a_cookie_that_no_script_reads() {
    let running = start(&[]).await;
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        ("cookie", ""),
    ];
    let right = "user=max&password=right+password&code=&then=%2Fconfig%23L12";
    let (status, headers, text) = running.text(request("POST", "/login", &form, right)).await;
    assert_eq!((status, text.as_str()), (303, ""));
    assert_eq!(headers[header::LOCATION], "/config#L12");
    let cookie = headers[header::SET_COOKIE].to_str().unwrap();
    assert_eq!(
        cookie,
        "__Host-gatehouse=t0ken; Path=/; Secure; HttpOnly; SameSite=Strict"
    );
    let (_, headers, body) = running.asked.lock().unwrap().pop().unwrap();
    assert_eq!(headers["gatehouse-client"], "127.0.0.1");
    assert_eq!(
        body,
        r#"{"code":null,"password":"right password","user":"max"}"#
    );
    let (status, headers, text) = running
        .text(request("POST", "/login", &form, "user=max&password=x"))
        .await;
    assert_eq!(status, 401);
    assert!(headers.get(header::SET_COOKIE).is_none());
    assert!(
        text.contains("role=\"alert\"") && text.contains("value=\"max\""),
        "{text}"
    );
    let (status, headers, _) = running.text(request("POST", "/logout", &[], "")).await;
    assert_eq!(status, 303);
    assert!(
        headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .ends_with("Max-Age=0")
    );
}

#[tokio::test]
async fn a_login_by_script_does_not_tell_the_token() {
    let running = start(&[]).await;
    let login = r#"{"user":"max","password":"right password"}"#;
    let (status, headers, text) = running
        .text(request("POST", "/api/v1/login", &[], login))
        .await;
    assert_eq!(
        (status, text.as_str()),
        (200, r#"{"session":{"user":"max"}}"#)
    );
    assert!(
        headers[header::SET_COOKIE]
            .to_str()
            .unwrap()
            .contains("=t0ken;")
    );
    let (status, headers, _) = running
        .text(request("POST", "/api/v1/login", &[], "{}"))
        .await;
    assert_eq!(status, 401);
    assert!(headers.get(header::SET_COOKIE).is_none());
}

#[tokio::test]
async fn what_is_passed_on_is_the_operators_and_nothing_else() {
    let running = start(&[]).await;
    let more = [
        ("gatehouse-client", "10.9.9.9"),
        ("authorization", "Bearer other"),
        ("x-forwarded-for", "10.9.9.9"),
        ("last-event-id", "17"),
        ("gatehouse-idle", "1"),
    ];
    let (status, headers, text) = running
        .text(request("POST", "/api/v1/apply?a=b", &more, "{}"))
        .await;
    assert_eq!((status, text.as_str()), (200, r#""/v1/apply?a=b""#));
    assert!(headers.get(header::SET_COOKIE).is_none());
    let (what, headers, body) = running.asked.lock().unwrap().pop().unwrap();
    assert_eq!((what.as_str(), body.as_str()), ("POST /v1/apply?a=b", "{}"));
    assert_eq!(headers["gatehouse-client"], "127.0.0.1");
    assert_eq!(headers[header::AUTHORIZATION], "Bearer t0ken");
    assert_eq!(headers["last-event-id"], "17");
    assert_eq!(headers["gatehouse-idle"], "1");
    assert!(headers.get(header::COOKIE).is_none() && headers.get("x-forwarded-for").is_none());
}

/// A header as it is sent.
type Field = (&'static str, &'static str);

const FORM: Field = ("content-type", "application/x-www-form-urlencoded");

/// What a foreign page can make a browser ask, and what the browser adds or leaves out; the answer's status.
const FOREIGN: &[(&str, &str, &[Field], u16)] = &[
    (
        "POST",
        "/api/v1/reload",
        &[("sec-fetch-site", "cross-site")],
        403,
    ),
    (
        "POST",
        "/api/v1/reload",
        &[("sec-fetch-site", "same-site")],
        403,
    ),
    (
        "GET",
        "/api/v1/status",
        &[("sec-fetch-site", "cross-site")],
        403,
    ),
    ("POST", "/api/v1/reload", &[("sec-fetch-site", "")], 403),
    (
        "POST",
        "/api/v1/reload",
        &[("origin", "https://evil.example")],
        403,
    ),
    ("POST", "/api/v1/reload", &[FORM], 415),
    (
        "POST",
        "/api/v1/reload",
        &[("content-type", "text/plain")],
        415,
    ),
    (
        "POST",
        "/api/v1/reload",
        &[("host", "evil.example:8443")],
        421,
    ),
    ("POST", "/confirm", &[FORM, ("origin", "null")], 403),
    ("GET", "/api/v1/../v1/status", &[], 404),
    ("GET", "/api/v1/%2e%2e/status", &[], 404),
    ("GET", "/assets/..%2findex.html", &[], 404),
    ("DELETE", "/api/v1/bans", &[("sec-fetch-site", "none")], 403),
];

#[tokio::test]
async fn a_foreign_page_reaches_nothing() {
    let running = start(&[]).await;
    for (method, path, more, status) in FOREIGN {
        let asked = request(method, path, more, "generation=8");
        let (found, ..) = running.text(asked).await;
        assert_eq!(found, *status, "{method} {path} {more:?}");
    }
    assert_eq!(running.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn what_is_on_trial_is_kept_or_given_up_without_script() {
    let running = start(&[]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let (_, _, text) = running.text(request("GET", "/confirm", &[], "")).await;
    for part in [
        "name=\"generation\" value=\"8\"",
        "name=\"trial\" value=\"8\"",
        "<strong>120</strong>",
        "&lt;i&gt;apply",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let german = [("accept-language", "de-DE,de;q=0.9")];
    let (_, _, text) = running.text(request("GET", "/rollback", &german, "")).await;
    assert!(
        text.contains("lang=\"de\"") && text.contains("In Kraft setzen"),
        "{text}"
    );
    assert!(
        text.contains("value=\"7\"") && !text.contains("value=\"8\""),
        "{text}"
    );
    for (path, body, status) in [
        ("/confirm", "generation=8", 200),
        ("/confirm", "", 409),
        ("/confirm", "generation=9", 409),
        ("/rollback", "generation=7", 200),
        ("/rollback", "trial=8", 200),
        ("/rollback", "trial=9", 409),
        ("/rollback", "", 409),
        ("/rollback", "generation=x", 409),
    ] {
        let (found, _, text) = running.text(request("POST", path, &form, body)).await;
        assert_eq!(found, status, "{path} {body}: {text}");
    }
    let (status, headers, _) = running
        .text(request("GET", "/confirm", &[("cookie", "")], ""))
        .await;
    assert_eq!(
        (status, headers[header::LOCATION].to_str().unwrap()),
        (303, "/login?then=/confirm")
    );
}

#[tokio::test]
async fn a_log_comes_as_it_is_written_over_http_2_and_ends_with_the_process() {
    let mut running = start(&[]).await;
    let stream = TokioIo::new(running.connect(b"h2").await.unwrap());
    let shaken = hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await;
    let (mut sender, connection) = shaken.unwrap();
    tokio::spawn(connection);
    let mut asked = request("GET", "/api/v1/log", &[("host", "")], "");
    *asked.uri_mut() = "https://localhost:8443/api/v1/log".parse().unwrap();
    let answer = sender.send_request(asked).await.unwrap();
    assert_eq!(answer.status(), 200);
    let mut body = answer.into_body();
    for line in ["id: 1\n\n", "id: 2\n\n"] {
        running.log.send(line).await.unwrap();
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), line);
    }
    running.end.take().unwrap().send(()).unwrap();
    (&mut running.life).await.unwrap();
    let rest = body.frame().await;
    assert!(!matches!(rest, Some(Ok(_))), "{rest:?}");
}

#[tokio::test]
async fn what_is_refused_is_told_in_the_language_of_the_page() {
    let running = start(&[]).await;
    let german = [FORM, ("accept-language", "de"), ("cookie", "")];
    let claim = |password: &str| format!("code=x&user=max&password={password}&again={password}");
    for (method, path, body, status, part) in [
        (
            "POST",
            "/claim",
            claim("short"),
            422,
            "Das Kennwort ist zu kurz; es braucht mindestens 10 Zeichen.",
        ),
        (
            "POST",
            "/claim",
            claim("odd"),
            422,
            "sagt dazu auf Englisch: <span lang=\"en\">something &lt;new&gt;</span>",
        ),
        ("PUT", "/login", String::new(), 405, "Das geht hier nicht."),
    ] {
        let (found, _, text) = running.text(request(method, path, &german, &body)).await;
        assert_eq!(found, status, "{path}: {text}");
        assert!(text.contains(part), "{path}: {text}");
    }
    let german = [("accept-language", "de")];
    let (.., text) = running.text(request("GET", "/rollback", &german, "")).await;
    assert!(
        text.contains("20.11.2026, 01:42:47 UTC · neu geladen"),
        "{text}"
    );
}

#[tokio::test]
async fn while_the_supervisor_is_away_the_pages_say_so() {
    let running = start(&[]).await;
    running.line.abort();
    while !running.line.is_finished() {
        tokio::task::yield_now().await;
    }
    for (path, part) in [("/", "does not answer"), ("/api/v1/status", "try again")] {
        let (status, _, text) = running.text(request("GET", path, &[], "")).await;
        assert_eq!(status, 503, "{path}");
        assert!(text.contains(part), "{text}");
    }
    // Whoever signs out leaves nothing behind in the browser.
    let (status, headers, _) = running.text(request("POST", "/logout", &[FORM], "")).await;
    assert_eq!(status, 503);
    let cookie = headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("Max-Age=0"), "{cookie}");
}

#[tokio::test]
async fn too_long_a_body_is_refused_and_a_strangers_sooner() {
    let running = start(&[]).await;
    let check = |cookie: &str, length| {
        let cookie = [("cookie", cookie)];
        running.text(request(
            "POST",
            "/api/v1/check",
            &cookie,
            &"x".repeat(length),
        ))
    };
    let signed_in = "__Host-gatehouse=t0ken";
    assert_eq!(check(signed_in, 13 << 20).await.0, 413);
    // Of what has no body by its nature, nobody's is kept.
    let odd = request("GET", "/api/v1/status", &[], &"x".repeat(17 << 10));
    assert_eq!(running.text(odd).await.0, 413);
    assert_eq!(check("__Host-gatehouse=made-up", 17 << 10).await.0, 413);
    assert!(!running.asked().iter().any(|asked| asked.contains("check")));
    assert_eq!(check(signed_in, 3 << 20).await.0, 200);
    assert_eq!(check("__Host-gatehouse=made-up", 1 << 10).await.0, 401);
}

#[tokio::test]
async fn banned_and_unwanted_addresses_are_closed_and_the_latter_counted() {
    let mut running = start(&["192.0.2.0/24"]).await;
    assert!(running.connect(b"h2").await.is_err());
    let event = running.outbox.events.try_recv().unwrap();
    assert!(matches!(event, Event::Decision(_)), "{event:?}");
    assert_eq!(running.outbox.offences.try_recv().unwrap().weight, 1);
    let (banned, registry) = (start(&[]).await, running.registry.render());
    assert!(
        registry.contains("gatehouse_admin_refused_total 1"),
        "{registry}"
    );
    let banned_one = guard::ClientKey::of(IpAddr::from([127, 0, 0, 1]));
    let set: guard::BanSet = [banned_one].into_iter().collect();
    banned.bans.publish(set);
    assert!(banned.connect(b"h2").await.is_err());
}

#[tokio::test]
async fn a_reload_cuts_whoever_may_not_connect_any_more() {
    let running = start(&[]).await;
    let stream = TokioIo::new(running.connect(b"http/1.1").await.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let answer = sender
        .send_request(request("GET", "/login", &[], ""))
        .await
        .unwrap();
    answer.into_body().collect().await.unwrap();
    let ours: IpNet = "127.0.0.0/8".parse().unwrap();
    running.reload.send(vec![ours]).await.unwrap();
    running.reload.reserve().await.unwrap();
    let answer = sender
        .send_request(request("GET", "/login", &[], ""))
        .await
        .unwrap();
    answer.into_body().collect().await.unwrap();
    running
        .reload
        .send(vec!["192.0.2.0/24".parse().unwrap()])
        .await
        .unwrap();
    drop(connection.await.unwrap());
    assert!(running.connect(b"h2").await.is_err());
}

#[tokio::test]
async fn the_app_is_for_those_who_signed_in_and_its_files_are_kept_by_browsers() {
    let running = start(&[]).await;
    let (status, headers, page) = running.text(request("GET", "/config", &[], "")).await;
    assert_eq!(
        (status, &headers[header::CACHE_CONTROL]),
        (200, &HeaderValue::from_static("no-store"))
    );
    let away = [("cookie", "")];
    let (status, headers, _) = running.text(request("GET", "/config", &away, "")).await;
    assert_eq!(
        (status, headers[header::LOCATION].to_str().unwrap()),
        (303, "/login?then=/config")
    );
    let (_, script) = page.split_once("src=\"").unwrap();
    let (script, _) = script.split_once('"').unwrap();
    for (codings, coding) in [("", None), ("gzip, br", Some("br")), ("brr", None)] {
        let asked = request("GET", script, &[("accept-encoding", codings)], "");
        let answer = running.ask(asked).await;
        assert_eq!(answer.status(), 200, "{script}");
        let headers = answer.headers().clone();
        let found = headers.get(header::CONTENT_ENCODING);
        assert_eq!(
            found.map(|found| found.to_str().unwrap()),
            coding,
            "{codings}"
        );
        assert!(
            headers[header::CACHE_CONTROL]
                .to_str()
                .unwrap()
                .ends_with("immutable")
        );
        assert_eq!(
            headers[header::CONTENT_TYPE],
            "text/javascript; charset=utf-8"
        );
        let bytes = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(bytes.len() > 10_000, "{}", bytes.len());
    }
    for path in [
        "/assets/index.html",
        "/assets/manifest.json",
        "/assets/app.js",
        "/assets/",
    ] {
        let (status, ..) = running.text(request("GET", path, &[], "")).await;
        assert_eq!(status, 404, "{path}");
    }
    let (status, headers, _) = running
        .text(request("GET", "/assets/licenses.txt", &[], ""))
        .await;
    assert_eq!(
        (status, &headers[header::CACHE_CONTROL]),
        (200, &HeaderValue::from_static("no-store"))
    );
    let style = page_style(&running.text(request("GET", "/login", &away, "")).await.2);
    assert_eq!(running.text(request("GET", &style, &away, "")).await.0, 200);
}

fn page_style(page: &str) -> String {
    let (_, style) = page.split_once("rel=\"stylesheet\" href=\"").unwrap();
    style.split_once('"').unwrap().0.to_owned()
}
