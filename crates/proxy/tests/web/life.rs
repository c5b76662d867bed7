//! Reload and shutdown with requests under way.

use crate::gate::{Gate, PLAIN};
use crate::peer::{Target, field, first};
use std::time::Duration;

const GET: &str = "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n";

#[tokio::test]
async fn a_reload_holds_for_the_next_request_and_cuts_nothing() {
    let target = Target::start().await;
    let other = Target::start().await;
    let mut gate = Gate::start(&target, PLAIN);
    let mut client = gate.connect().await;
    client.send(GET).await;
    let mut there = target.accept().await;
    there.head().await;
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        .await;
    client.head().await;
    gate.reload(&other, PLAIN);
    there.send("def").await;
    assert_eq!(client.text(6).await, "abcdef");
    client.send(GET).await;
    let mut elsewhere = other.accept().await;
    elsewhere.head().await;
    elsewhere
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.head().await;
    there.ends().await;
    gate.reload(&other, "");
    client.send(GET).await;
    assert_eq!(first(&client.response().await.0), "HTTP/1.1 404 Not Found");
}

#[tokio::test]
async fn shutdown_lets_what_is_under_way_end() {
    let target = Target::start().await;
    let gate = Gate::start(&target, PLAIN);
    let address = gate.http;
    let mut idle = gate.connect().await;
    idle.send(GET).await;
    let mut there = target.accept().await;
    there.head().await;
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        .await;
    idle.head().await;
    let mut busy = gate.connect().await;
    busy.send(GET).await;
    there.head().await;
    let shutdown = tokio::spawn(gate.shutdown(Duration::from_secs(30)));
    idle.ends().await;
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let (head, body) = busy.response().await;
    assert_eq!(body, b"ok");
    assert_eq!(field(&head, "connection"), Some("close"));
    busy.ends().await;
    shutdown.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_deadline_cuts_what_does_not_end() {
    let target = Target::start().await;
    let gate = Gate::start(&target, PLAIN);
    let mut client = gate.connect().await;
    client.send(GET).await;
    let mut there = target.accept().await;
    there.head().await;
    gate.shutdown(Duration::from_millis(50)).await;
    client.ends().await;
    there.ends().await;
}
