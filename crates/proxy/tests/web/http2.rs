//! HTTP/2: requests, bodies and WebSockets, each on a stream of its own.

use crate::gate::{Gate, PLAIN, plain};
use crate::peer::{EMPTY, OK, Peer, Target, field, first, within};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest, handshake};
use h2::ext::Protocol;
use h2::{Error, RecvStream, SendStream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use net::stream::Stream;
use net::tls::{Trust, client_config};
use rustls_pki_types::ServerName;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A client with one connection.
pub(crate) struct Http2 {
    pub(crate) requests: SendRequest<Bytes>,
    connection: JoinHandle<Result<(), Error>>,
}

impl Http2 {
    /// Connects for `web.example`.
    pub(crate) async fn connect(gate: &Gate) -> Self {
        let (requests, connection) = within(handshake(stream(gate).await)).await.unwrap();
        Self {
            requests,
            connection: tokio::spawn(connection),
        }
    }

    /// Opens a stream; `whole` without a body.
    pub(crate) async fn open(
        &mut self,
        request: Request<()>,
        whole: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        let requests = self.requests.clone();
        self.requests = within(requests.ready()).await.unwrap();
        self.requests.send_request(request, whole).unwrap()
    }

    pub(crate) async fn get(&mut self, address: &str) -> (ResponseFuture, SendStream<Bytes>) {
        self.open(Request::get(address).body(()).unwrap(), true)
            .await
    }

    /// A response of six bytes that `target` has sent half of, "abc".
    pub(crate) async fn half(&mut self, target: &Target) -> (RecvStream, Peer<TcpStream>) {
        let (response, _) = self.get(ROOT).await;
        let mut there = target.asked().await;
        there
            .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
            .await;
        (head(response).await.into_body(), there)
    }

    /// Waits until the gate has told it to open no more streams, and gives the code.
    pub(crate) async fn is_sent_away(&mut self) -> h2::Reason {
        let told = async {
            loop {
                if let Err(error) = self.requests.clone().ready().await {
                    assert!(error.is_go_away() && error.is_remote(), "{error}");
                    return error.reason().unwrap();
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(told).await
    }

    /// The gate ends the connection; what the client would still have said is no matter.
    pub(crate) async fn ends(self) {
        let _ = within(self.connection).await.unwrap();
    }
}

/// A connection on which HTTP/2 is to be spoken, for `web.example`.
pub(crate) async fn stream(gate: &Gate) -> Stream {
    let mut config = client_config(&Trust::Ca(gate.ca.root_pem().to_owned()), None).unwrap();
    config.alpn_protocols = vec![b"h2".to_vec()];
    let io = within(TcpStream::connect(gate.https)).await.unwrap();
    let name = ServerName::try_from("web.example").unwrap();
    let stream = within(Stream::connect(io, Arc::new(config), name)).await;
    let stream = stream.unwrap();
    assert_eq!(stream.alpn(), Some(&b"h2"[..]));
    stream
}

pub(crate) const ROOT: &str = "https://web.example/";

pub(crate) async fn head(response: ResponseFuture) -> Response<RecvStream> {
    within(response).await.unwrap()
}

/// The data until it ends or breaks.
pub(crate) async fn data(body: &mut RecvStream) -> (Vec<u8>, Result<(), Error>) {
    let mut all = Vec::new();
    while let Some(data) = within(body.data()).await {
        match data {
            Ok(data) => {
                body.flow_control().release_capacity(data.len()).unwrap();
                all.extend_from_slice(&data);
            }
            Err(error) => return (all, Err(error)),
        }
    }
    (all, Ok(()))
}

/// A whole response: status, body and trailers.
pub(crate) async fn whole(response: ResponseFuture) -> (StatusCode, Vec<u8>, HeaderMap) {
    let (head, mut body) = head(response).await.into_parts();
    let (all, ended) = data(&mut body).await;
    ended.unwrap();
    let trailers = within(body.trailers()).await.unwrap();
    (head.status, all, trailers.unwrap_or_default())
}

#[tokio::test]
async fn a_response_comes_with_its_trailers() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let (response, _) = client.get("https://web.example/a?b").await;
    let mut there = target.accept().await;
    let asked = there.head().await;
    assert_eq!(first(&asked), "GET /a?b HTTP/1.1");
    assert_eq!(field(&asked, "transfer-encoding"), None);
    assert_eq!(field(&asked, "x-forwarded-proto"), Some("https"));
    there
        .send(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-A: b\r\nConnection: X-Hop\r\n\
             X-Hop: 1\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n",
        )
        .await;
    let (head, mut body) = head(response).await.into_parts();
    assert_eq!(head.headers["x-a"], "b");
    for gone in ["transfer-encoding", "connection", "x-hop"] {
        assert!(!head.headers.contains_key(gone), "{gone}");
    }
    let (all, ended) = data(&mut body).await;
    assert!(ended.is_ok());
    assert_eq!(all, b"abcde");
    let trailers = within(body.trailers()).await.unwrap().unwrap();
    assert_eq!(trailers["x-sum"], "5");
    assert_eq!(gate.decision().await.protocol, "https");
    // The target's connection is good for the next one.
    let (response, _) = client.get(ROOT).await;
    there.answers(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}

#[tokio::test]
async fn a_body_is_framed_for_the_target() {
    let (gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let request = Request::post(ROOT).body(()).unwrap();
    let (response, mut body) = client.open(request, false).await;
    let mut there = target.accept().await;
    let asked = there.head().await;
    assert_eq!(field(&asked, "transfer-encoding"), Some("chunked"));
    assert_eq!(field(&asked, "content-length"), None);
    body.send_data(Bytes::from_static(b"hello"), false).unwrap();
    assert_eq!(
        there.text(10).await,
        "5\r\nhello\r\n",
        "nothing is held back"
    );
    body.send_data(Bytes::from_static(b" you"), false).unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("x-sum", "9".parse().unwrap());
    body.send_trailers(trailers).unwrap();
    let (rest, trailers) = there.chunks().await;
    assert_eq!(rest, b" you");
    assert_eq!(trailers, ["X-Sum: 9"]);
    there.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");

    let request = Request::post(ROOT).header("content-length", "5");
    let (response, mut body) = client.open(request.body(()).unwrap(), false).await;
    let asked = there.head().await;
    assert_eq!(field(&asked, "content-length"), Some("5"));
    assert_eq!(field(&asked, "transfer-encoding"), None);
    body.send_data(Bytes::from_static(b"hello"), true).unwrap();
    assert_eq!(there.text(5).await, "hello");
    there.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}

#[tokio::test]
async fn max_body_holds_for_streams() {
    let (mut gate, target) = plain("max_body = \"1kB\"").await;
    let mut client = Http2::connect(&gate).await;
    let request = Request::post(ROOT).header("content-length", "1001");
    let (response, _body) = client.open(request.body(()).unwrap(), false).await;
    assert_eq!(whole(response).await.0, 413);
    target.stays_alone().await;
    gate.rejects_for("max_body").await;

    let request = Request::post(ROOT).body(()).unwrap();
    let (response, mut body) = client.open(request, false).await;
    let mut there = target.asked().await;
    body.send_data(vec![b'x'; 1001].into(), false).unwrap();
    assert_eq!(whole(response).await.0, 413);
    let (seen, _) = there.rest().await;
    assert!(!seen.ends_with(b"0\r\n\r\n"), "it must not look whole");
    gate.rejects_for("max_body").await;
    // It was a matter of that stream.
    let (response, _) = client.get(ROOT).await;
    let mut there = target.asked().await;
    there.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}

#[tokio::test]
async fn a_refused_path_has_a_page_and_costs_no_connection() {
    let target = Target::start().await;
    let hosts = PLAIN.replace("target =", "paths = [\"/a\"]\ntarget =");
    let mut gate = Gate::start(&target, &hosts);
    let mut client = Http2::connect(&gate).await;
    for _ in 0..2 {
        let (response, _) = client.get("https://web.example/b").await;
        let (status, page, _) = whole(response).await;
        assert_eq!(status, 404);
        assert!(!page.is_empty());
        gate.rejects_for("no path of the host matches").await;
    }
    let (response, _) = client.get("https://web.example/a").await;
    target.asked().await.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}

#[tokio::test]
async fn a_malformed_request_is_answered_and_then_the_client_sent_away() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let request = Request::get(ROOT).header("x", " y").body(()).unwrap();
    let (response, _) = client.open(request, true).await;
    assert_eq!(whole(response).await.0, 400);
    assert_eq!(client.is_sent_away().await, h2::Reason::NO_ERROR);
    client.ends().await;
    target.stays_alone().await;
    gate.rejects_for("malformed request").await;
    assert_eq!(gate.outbox.offences.recv().await.unwrap().weight, 1);
}

#[tokio::test]
async fn hosts_with_another_certificate_are_misdirected() {
    let target = Target::start().await;
    let named = |name| PLAIN.replace("web.example", name);
    let hosts = [PLAIN, &named("ws.example"), &named("other.example")].concat();
    let mut gate = Gate::start(&target, &hosts);
    let mut client = Http2::connect(&gate).await;
    let (response, _) = client.get("https://ws.example/").await;
    target.asked().await.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
    let (response, _) = client.get("https://other.example/").await;
    assert_eq!(whole(response).await.0, 421);
    gate.rejects_for("another certificate").await;
    assert!(gate.outbox.offences.try_recv().is_err(), "browsers do that");
    let (response, _) = client.get("https://web.example/").await;
    target.asked().await.send(EMPTY).await;
    assert_eq!(whole(response).await.0, 200);
}

#[tokio::test]
async fn a_websocket_is_one_of_http1_to_the_target() {
    let (gate, target) = plain("websocket = \"required\"").await;
    let mut client = Http2::connect(&gate).await;
    while !client.requests.is_extended_connect_protocol_enabled() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let request = Request::builder()
        .method(Method::CONNECT)
        .uri("https://web.example/chat")
        .header("sec-websocket-version", "13")
        .extension(Protocol::from_static("websocket"));
    let (response, mut up) = client.open(request.body(()).unwrap(), false).await;
    let mut there = target.accept().await;
    let asked = there.head().await;
    assert_eq!(first(&asked), "GET /chat HTTP/1.1");
    assert_eq!(field(&asked, "upgrade"), Some("websocket"));
    assert_eq!(field(&asked, "connection"), Some("Upgrade"));
    assert_eq!(field(&asked, "transfer-encoding"), None);
    let key = field(&asked, "sec-websocket-key").unwrap();
    assert_eq!((key.len(), &key[22..]), (24, "=="), "16 bytes");
    there.stays_silent().await;
    there
        .send(format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {}\r\n\r\nhello",
            accept(key)
        ))
        .await;
    let (head, mut down) = head(response).await.into_parts();
    assert_eq!(head.status, 200);
    assert!(!head.headers.contains_key("sec-websocket-accept"));
    assert_eq!(&within(down.data()).await.unwrap().unwrap()[..], b"hello");
    for round in 0..10 {
        let frame = format!("frame {round}");
        up.send_data(frame.clone().into(), false).unwrap();
        assert_eq!(there.text(frame.len()).await, frame);
        there.send(&frame).await;
        assert_eq!(within(down.data()).await.unwrap().unwrap(), frame);
    }
    up.send_data(Bytes::new(), true).unwrap();
    there.ends().await;
    there.send("last words").await;
    drop(there);
    let (rest, ended) = data(&mut down).await;
    assert_eq!(rest, b"last words");
    assert!(ended.is_ok(), "{ended:?}");
}

/// The right answer to `key` (RFC 6455 section 4.2.2).
fn accept(key: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let text = format!("{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes());
    // 160 bits are 26 digits and 4 bits.
    let byte = |index: usize| usize::from(hash.as_ref().get(index).copied().unwrap_or_default());
    let digit = |start: usize| {
        let two = byte(start / 8) << 8 | byte(start / 8 + 1);
        char::from(DIGITS[two >> (10 - start % 8) & 63])
    };
    (0..160).step_by(6).map(digit).chain(['=']).collect()
}
