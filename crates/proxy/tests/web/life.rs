//! Reload and shutdown with requests under way.

use crate::gate::{Gate, PLAIN, plain};
use crate::peer::{EMPTY, GET, OK, Target, field};
use std::time::Duration;

#[tokio::test]
async fn a_reload_holds_for_the_next_request_and_cuts_nothing() {
    let target = Target::start().await;
    let other = Target::start().await;
    let mut gate = Gate::start(&target, PLAIN);
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc")
        .await;
    client.head().await;
    gate.reload(&other, PLAIN);
    there.send("def").await;
    assert_eq!(client.text(6).await, "abcdef");
    client.send(GET).await;
    other.accept().await.answers(EMPTY).await;
    client.head().await;
    there.ends().await;
    gate.reload(&other, "");
    client.send(GET).await;
    client.gets("404 Not Found").await;
}

#[tokio::test]
async fn shutdown_lets_what_is_under_way_end() {
    let (gate, target) = plain("").await;
    let address = gate.http;
    let mut idle = gate.ask(GET).await;
    let mut there = target.asked().await;
    there.send(EMPTY).await;
    idle.head().await;
    let mut busy = gate.ask(GET).await;
    there.head().await;
    let shutdown = tokio::spawn(gate.shutdown(Duration::from_secs(30)));
    idle.ends().await;
    there.send(OK).await;
    let (head, body) = busy.response().await;
    assert_eq!(body, b"ok");
    assert_eq!(field(&head, "connection"), Some("close"));
    busy.ends().await;
    shutdown.await.unwrap();
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn the_deadline_cuts_what_does_not_end() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    gate.shutdown(Duration::from_millis(50)).await;
    client.ends().await;
    there.ends().await;
}

/// Only the end of the connection says that the body is whole, so that it must not be a clean one.
#[tokio::test]
async fn an_unframed_body_that_is_cut_at_the_deadline_ends_with_a_reset() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET / HTTP/1.0\r\nHost: web.example\r\n\r\n")
        .await;
    let mut there = target.accept().await;
    there
        .answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    client.head().await;
    assert_eq!(client.text(3).await, "abc");
    gate.shutdown(Duration::ZERO).await;
    let (rest, clean) = client.rest().await;
    assert_eq!((rest.len(), clean), (0, false));
}

/// A byte too many must not hide that the client is gone.
#[tokio::test]
async fn a_client_that_resets_behind_a_byte_too_many_is_noticed() {
    let (mut gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    client.send("G").await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.stream.set_zero_linger().unwrap();
    drop(client);
    there.ends().await;
    gate.rejects_for("hung up").await;
}
