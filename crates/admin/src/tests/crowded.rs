//! Clients that ask too much, or take nothing.

use hyper::client::conn::http2::{self, SendRequest};

use super::*;

/// A connection that takes nothing of an answer but its head.
async fn taking_nothing(running: &Running, client: [u8; 4]) -> SendRequest<Full<Bytes>> {
    let stream = running.connect_from(client, b"h2").await.unwrap();
    let mut browser = http2::Builder::new(TokioExecutor::new());
    browser.initial_stream_window_size(0);
    let (sender, connection) = browser.handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender
}

fn asked(path: &str) -> Request<Full<Bytes>> {
    let mut asked = request("GET", path, &[("host", "")], "");
    *asked.uri_mut() = format!("https://localhost:8443{path}").parse().unwrap();
    asked
}

#[tokio::test]
async fn answers_that_nobody_takes_keep_nobody_else_waiting() {
    let running = start(&[]).await;
    let mut held = Vec::new();
    for client in 1..=4_u8 {
        let mut busy = 0;
        for _ in 0..2 {
            let mut sender = taking_nothing(&running, [127, 0, 0, client]).await;
            for _ in 0..20 {
                let answer = sender.send_request(asked("/api/v1/derived")).await.unwrap();
                busy += usize::from(answer.status() == 503);
                held.push(answer);
            }
        }
        assert_eq!(busy, 8, "one address has 32 at a time");
    }
    // Together more than what a connection may hold by the default of HTTP/2 libraries.
    let stream = running.connect_from([127, 0, 0, 9], b"http/1.1").await;
    let stream = TokioIo::new(stream.unwrap());
    let (mut sender, connection) = hyper::client::conn::http1::handshake(stream).await.unwrap();
    tokio::spawn(connection);
    for path in ["/api/v1/status", "/api/v1/derived"] {
        let answer = sender.send_request(request("GET", path, &[], "")).await;
        let answer = answer.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(
            !answer
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }
    drop(held);
}

#[tokio::test]
async fn a_ban_ends_a_connection_that_is_open() {
    let running = start(&[]).await;
    let stream = TokioIo::new(running.connect(b"h2").await.unwrap());
    let (mut sender, connection) = http2::handshake(TokioExecutor::new(), stream)
        .await
        .unwrap();
    let connection = tokio::spawn(connection);
    let answer = sender.send_request(asked("/login")).await.unwrap();
    assert_eq!(answer.status(), 303);
    let one = guard::ClientKey::of(IpAddr::from([127, 0, 0, 1]));
    running.bans.publish([one].into_iter().collect());
    assert!(sender.send_request(asked("/login")).await.is_err());
    drop(connection.await.unwrap());
}

#[tokio::test]
async fn what_strangers_repeat_does_not_fill_the_log() {
    let mut running = start(&[]).await;
    for _ in 0..30 {
        let foreign = request("GET", "/", &[("host", "evil.example")], "");
        assert_eq!(running.text(foreign).await.0, 421);
    }
    let told = std::iter::from_fn(|| running.outbox.events.try_recv().ok());
    assert_eq!(told.count(), 10);
}
