//! Connections that serve more than one request, on both sides.

use crate::gate::{Gate, PLAIN, plain};
use crate::peer::{GET, OK, Peer, Target, first};

#[tokio::test]
async fn clients_share_idle_connections_to_a_target() {
    let (gate, target) = plain("").await;
    let mut there = None;
    for _ in 0..3 {
        let mut client = gate.ask(GET).await;
        let there = match &mut there {
            Some(there) => there,
            none => none.insert(target.accept().await),
        };
        there.answers(OK).await;
        assert_eq!(client.response().await.1, b"ok");
        gate.metric("gatehouse_proxy_connections{protocol=\"http\"}", "1")
            .await;
        drop(client);
    }
    let series = |kind| format!("gatehouse_proxy_target_connections_total{{kind=\"{kind}\"}}");
    gate.metric(&series("new"), "1").await;
    gate.metric(&series("reused"), "2").await;
    let requests = "gatehouse_proxy_requests_total{host=\"web.example\",status=\"2xx\"}";
    gate.metric(requests, "3").await;
}

#[tokio::test]
async fn pipelined_requests_are_answered_in_order_and_each_is_judged() {
    let target = Target::start().await;
    let hosts = PLAIN.replace("target =", "paths = [\"/a\"]\ntarget =");
    let mut gate = Gate::start(&target, &hosts);
    let mut client = gate.connect().await;
    let ask = |path| format!("GET {path} HTTP/1.1\r\nHost: web.example\r\n\r\n");
    client
        .send([ask("/a1"), ask("/a2"), ask("/b"), ask("/a3")].concat())
        .await;
    let mut there = target.accept().await;
    for path in ["/a1", "/a2"] {
        assert_eq!(first(&there.head().await), format!("GET {path} HTTP/1.1"));
        there
            .send(format!(
                "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{path}"
            ))
            .await;
    }
    assert_eq!(client.response().await.1, b"/a1");
    assert_eq!(client.response().await.1, b"/a2");
    client.gets("404 Not Found").await;
    client.ends().await;
    there.stays_silent().await;
    let offence = gate.outbox.offences.recv().await.unwrap();
    assert_eq!(offence.weight, 1);
}

#[tokio::test]
async fn an_idle_connection_that_has_died_is_not_used() {
    let (gate, target) = plain("").await;
    let mut client = gate.connect().await;
    for _ in 0..2 {
        client.send(GET).await;
        let mut there = target.asked().await;
        client.is_served_by(&mut there).await;
        drop(there);
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_request_is_sent_again_only_where_that_does_no_harm() {
    let (mut gate, target) = plain("").await;
    let mut client = gate.connect().await;
    let warm = async |client: &mut Peer<tokio::net::TcpStream>| {
        client.send(GET).await;
        let mut there = target.asked().await;
        client.is_served_by(&mut there).await;
        there
    };
    let mut there = warm(&mut client).await;
    client
        .send("GET /again HTTP/1.1\r\nHost: web.example\r\n\r\n")
        .await;
    there.head().await;
    drop(there);
    let mut second = target.accept().await;
    assert_eq!(first(&second.head().await), "GET /again HTTP/1.1");
    // A fresh connection that dies is not tried again.
    drop(second);
    client.gets("502 Bad Gateway").await;
    gate.rejects_for("hung up before it had answered").await;
    gate.metric("gatehouse_proxy_retries_total", "1").await;

    for request in [
        "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 0\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 1\r\n\r\nx",
    ] {
        let mut client = gate.connect().await;
        let mut there = warm(&mut client).await;
        client.send(request).await;
        there.head().await;
        drop(there);
        client.gets("502 Bad Gateway").await;
        target.stays_alone().await;
    }
    gate.metric("gatehouse_proxy_retries_total", "1").await;
}

#[tokio::test]
async fn half_an_answer_is_no_reason_to_ask_again() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    client.is_served_by(&mut there).await;
    client.send(GET).await;
    there.answers("HTTP/1.1 200").await;
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    drop(there);
    client.gets("502 Bad Gateway").await;
    target.stays_alone().await;
}

#[tokio::test]
async fn what_a_target_sends_unasked_is_nobodys_answer() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there
        .send(format!(
            "{OK}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        ))
        .await;
    assert_eq!(client.response().await.1, b"ok");
    client.send(GET).await;
    let mut other = target.asked().await;
    client.is_served_by(&mut other).await;
    // Also where it comes later, while the connection is idle.
    other
        .send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
        .await;
    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    client.send(GET).await;
    target.accept().await.head().await;
}

#[tokio::test]
async fn a_target_that_wants_to_close_is_not_asked_again() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok")
        .await;
    let (head, _) = client.response().await;
    assert!(
        !head.contains("close"),
        "that is between the target and us: {head}"
    );
    there.ends().await;
    client.send(GET).await;
    target.accept().await.head().await;
}

#[tokio::test]
async fn a_client_that_wants_to_close_is_told_so() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n")
        .await;
    let mut there = target.accept().await;
    assert!(!there.head().await.to_lowercase().contains("connection"));
    there.send(OK).await;
    let (head, _) = client.response().await;
    assert!(head.ends_with("\r\nConnection: close"), "{head}");
    client.ends().await;
    // Our connection to the target is none of the client's business.
    let _other = gate.ask(GET).await;
    there.head().await;
}
