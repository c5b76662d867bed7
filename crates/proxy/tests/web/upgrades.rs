//! WebSockets: nothing goes on before the target has agreed, everything after.

use crate::gate::{PLAIN, plain};
use crate::peer::{EMPTY, GET, OK, field, first};
use std::time::Duration;

pub(crate) const UPGRADE: &str = "GET /chat HTTP/1.1\r\nHost: web.example\r\nuPgrade: websocket\r\n\
     Connection: keep-alive, Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
     Sec-WebSocket-Version: 13\r\nOrigin: https://web.example\r\n\r\n";
pub(crate) const SWITCH: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
     Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

#[tokio::test]
async fn frames_pass_once_the_target_has_agreed_and_not_before() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(format!("{UPGRADE}early")).await;
    let mut there = target.accept().await;
    let head = there.head().await;
    assert_eq!(field(&head, "upgrade"), Some("websocket"));
    assert_eq!(field(&head, "connection"), Some("Upgrade"));
    assert_eq!(
        field(&head, "sec-websocket-key"),
        Some("dGhlIHNhbXBsZSBub25jZQ==")
    );
    there.stays_silent().await;
    there.send(format!("{SWITCH}hello")).await;
    let head = client.head().await;
    assert_eq!(first(&head), "HTTP/1.1 101 Switching Protocols");
    assert_eq!(field(&head, "upgrade"), Some("websocket"));
    assert_eq!(field(&head, "connection"), Some("Upgrade"));
    assert_eq!(field(&head, "date"), None);
    assert_eq!(client.text(5).await, "hello");
    assert_eq!(there.text(5).await, "early");
    for round in 0..10 {
        let frame = format!("frame {round}");
        client.send(&frame).await;
        assert_eq!(there.text(frame.len()).await, frame);
        there.send(&frame).await;
        assert_eq!(client.text(frame.len()).await, frame);
    }
    gate.metric(
        "gatehouse_proxy_upgraded_connections{host=\"web.example\"}",
        "1",
    )
    .await;
    // One side may end before the other.
    client.finish().await;
    there.ends().await;
    there.send("last words").await;
    assert_eq!(client.text(10).await, "last words");
    drop(there);
    client.ends().await;
    gate.metric(
        "gatehouse_proxy_upgraded_connections{host=\"web.example\"}",
        "0",
    )
    .await;
    let sent = "gatehouse_proxy_bytes_total{host=\"web.example\",direction=\"sent\"}";
    gate.metric(sent, "85").await;
}

#[tokio::test]
async fn a_target_that_refuses_is_answered_by_nobody_else() {
    let (gate, target) = plain("").await;
    let mut client = gate.connect().await;
    // A request hidden as early frames must not be taken for one.
    client
        .send(format!(
            "{UPGRADE}GET /hidden HTTP/1.1\r\nHost: web.example\r\n\r\n"
        ))
        .await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno")
        .await;
    let (head, body) = client.response().await;
    assert_eq!((first(&head), &*body), ("HTTP/1.1 403 No", &b"no"[..]));
    assert_eq!(field(&head, "connection"), Some("close"));
    client.ends().await;
    there.stays_silent().await;

    // Frames may also come later.
    let mut client = gate.ask(UPGRADE).await;
    there.answers(EMPTY).await;
    let head = client.head().await;
    assert_eq!(field(&head, "connection"), Some("close"));
    client.ends().await;
    there.stays_silent().await;
}

#[tokio::test]
async fn a_switch_must_belong_to_the_handshake() {
    let (mut gate, target) = plain("").await;
    let line = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
    for wrong in ["", "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"] {
        let mut client = gate.ask(UPGRADE).await;
        let mut there = target.asked().await;
        there.send(SWITCH.replace(line, wrong)).await;
        client.gets("502 Bad Gateway").await;
        there.ends().await;
        gate.rejects_for("wrong Sec-WebSocket-Accept").await;
    }
}

#[tokio::test]
async fn a_switch_that_nobody_asked_for_is_an_error() {
    let (mut gate, target) = plain("").await;
    for request in [GET, UPGRADE] {
        let mut client = gate.ask(request).await;
        let mut there = target.asked().await;
        let answer = if request == UPGRADE {
            SWITCH.replace("websocket", "h2c")
        } else {
            SWITCH.to_owned()
        };
        there.send(answer).await;
        client.gets("502 Bad Gateway").await;
        gate.rejects_for("changed the protocol").await;
    }
}

#[tokio::test]
async fn other_upgrades_are_passed_over() {
    let (gate, target) = plain("").await;
    let _client = gate
        .ask(
            "GET / HTTP/1.1\r\nHost: web.example\r\nConnection: Upgrade, HTTP2-Settings\r\n\
             Upgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n",
        )
        .await;
    let head = target.accept().await.head().await.to_lowercase();
    for gone in ["upgrade", "h2c", "http2-settings", "connection"] {
        assert!(!head.contains(gone), "{head}");
    }
}

#[tokio::test]
async fn a_rule_for_websockets_only_refuses_everything_else() {
    let (gate, target) = plain("websocket = \"required\"").await;
    let mut client = gate
        .ask("GET /chat HTTP/1.1\r\nHost: web.example\r\n\r\n")
        .await;
    client.gets("403 Forbidden").await;
    target.stays_alone().await;
    let mut client = gate.ask(UPGRADE).await;
    let mut there = target.asked().await;
    there.send(SWITCH).await;
    assert_eq!(
        first(&client.head().await),
        "HTTP/1.1 101 Switching Protocols"
    );
}

#[tokio::test]
async fn a_tunnel_ends_when_nothing_moves_for_too_long() {
    let (gate, target) = plain("idle_timeout = \"1s\"").await;
    let mut client = gate.ask(UPGRADE).await;
    let mut there = target.asked().await;
    there.send(SWITCH).await;
    client.head().await;
    for _ in 0..4 {
        tokio::time::sleep(Duration::from_millis(400)).await;
        client.send("x").await;
        assert_eq!(there.text(1).await, "x");
    }
    client.ends().await;
    there.ends().await;
}

#[tokio::test]
async fn a_reload_ends_what_is_no_longer_allowed_and_nothing_else() {
    let (mut gate, target) = plain("").await;
    let mut client = gate.ask(UPGRADE).await;
    let mut there = target.asked().await;
    there.send(SWITCH).await;
    client.head().await;
    // Another rule that still leads there.
    gate.reload(
        &target,
        &PLAIN.replace("target =", "paths = [\"/chat\"]\ntarget ="),
    );
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.send("still").await;
    assert_eq!(there.text(5).await, "still");
    there.send("here").await;
    assert_eq!(client.text(4).await, "here");
    gate.reload(
        &target,
        &PLAIN.replace("target =", "paths = [\"/other\"]\ntarget ="),
    );
    assert_eq!(client.rest().await, (Vec::new(), true));
    assert_eq!(there.rest().await, (Vec::new(), true));
}

/// A rule that lets only WebSocket through means its target, too.
#[tokio::test]
async fn a_required_websocket_that_the_target_declines_is_its_fault() {
    for (answer, status) in [
        (OK, "502 Bad Gateway"),
        (
            "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
            "502 Bad Gateway",
        ),
        (
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n",
            "403 Forbidden",
        ),
    ] {
        let (gate, target) = plain("websocket = \"required\"").await;
        let mut client = gate.ask(UPGRADE).await;
        target.accept().await.answers(answer).await;
        client.gets(status).await;
    }
}
