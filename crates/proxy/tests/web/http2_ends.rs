//! HTTP/2: streams and connections that do not end as they began.

use crate::gate::{Gate, PLAIN, plain};
use crate::http2::{Http2, ROOT, data, head, whole};
use crate::peer::{OK, Target, within};
use h2::Reason;
use std::time::Duration;

#[tokio::test]
async fn a_stream_that_is_given_up_ends_at_its_target() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let (_response, mut stream) = client.get(ROOT).await;
    let mut there = target.asked().await;
    stream.send_reset(Reason::CANCEL);
    there.ends().await;
    gate.rejects_for("the client hung up").await;
    assert!(gate.outbox.offences.try_recv().is_err(), "users do that");
    let (response, _) = client.get(ROOT).await;
    target.asked().await.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}

#[tokio::test]
async fn a_client_that_gives_up_over_and_over_is_sent_away() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    for _ in 0..201 {
        let (_response, mut stream) = client.get(ROOT).await;
        let mut there = target.asked().await;
        stream.send_reset(Reason::CANCEL);
        there.ends().await;
        gate.rejects_for("the client hung up").await;
    }
    assert_eq!(client.is_sent_away().await, Reason::ENHANCE_YOUR_CALM);
    gate.rejects_for("too many requests were given up").await;
    let offence = within(gate.outbox.offences.recv()).await.unwrap();
    assert_eq!(offence.weight, 1);
    client.ends().await;
}

#[tokio::test]
async fn a_reload_cuts_no_stream() {
    let target = Target::start().await;
    let other = Target::start().await;
    let mut gate = Gate::start(&target, PLAIN);
    let mut client = Http2::connect(&gate).await;
    let (mut body, mut there) = client.half(&target).await;
    assert_eq!(&within(body.data()).await.unwrap().unwrap()[..], b"abc");
    gate.reload(&other, PLAIN);
    let (response, _) = client.get(ROOT).await;
    other.asked().await.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
    there.send("def").await;
    let (rest, ended) = data(&mut body).await;
    assert_eq!(rest, b"def");
    assert!(ended.is_ok(), "{ended:?}");
}

#[tokio::test]
async fn shutdown_lets_streams_end() {
    let (gate, target) = plain("").await;
    let mut idle = Http2::connect(&gate).await;
    let mut client = Http2::connect(&gate).await;
    let (mut body, mut there) = client.half(&target).await;
    let shutdown = tokio::spawn(gate.shutdown(Duration::from_secs(30)));
    assert_eq!(client.is_sent_away().await, Reason::NO_ERROR);
    assert_eq!(idle.is_sent_away().await, Reason::NO_ERROR);
    idle.ends().await;
    there.send("def").await;
    let (all, ended) = data(&mut body).await;
    assert_eq!(all, b"abcdef");
    assert!(ended.is_ok(), "{ended:?}");
    client.ends().await;
    within(shutdown).await.unwrap();
}

/// Nor does the client of another request get to see them.
#[tokio::test]
async fn bytes_behind_the_end_of_a_response_are_no_part_of_it() {
    let (gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let (response, _) = client.get(ROOT).await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        .await;
    let (status, body, _) = whole(response).await;
    assert_eq!((status.as_u16(), &*body), (200, &b"abc"[..]));
    there.ends().await;
    let (response, _) = client.get(ROOT).await;
    target.asked().await.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}

#[tokio::test]
async fn open_streams_are_counted() {
    const STREAMS: &str = "gatehouse_proxy_http2_streams";
    let (gate, target) = plain("").await;
    let mut one = Http2::connect(&gate).await;
    let mut other = Http2::connect(&gate).await;
    let (response, _) = one.get(ROOT).await;
    let mut there = target.asked().await;
    let (_, mut given_up) = other.get(ROOT).await;
    let mut alone = target.asked().await;
    gate.metric(STREAMS, "2").await;
    there.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
    gate.metric(STREAMS, "1").await;
    given_up.send_reset(Reason::CANCEL);
    alone.ends().await;
    gate.metric(STREAMS, "0").await;
}

#[tokio::test]
async fn a_target_that_breaks_off_resets_its_stream_alone() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    for framing in [
        "Content-Length: 9\r\n\r\nabc",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
    ] {
        let (response, _) = client.get(ROOT).await;
        let mut there = target.asked().await;
        there.send(format!("HTTP/1.1 200 OK\r\n{framing}")).await;
        let (_, mut body) = head(response).await.into_parts();
        assert_eq!(&within(body.data()).await.unwrap().unwrap()[..], b"abc");
        drop(there);
        let (rest, ended) = data(&mut body).await;
        assert_eq!(rest, b"");
        let error = ended.unwrap_err();
        assert!(error.is_reset() && error.is_remote(), "{error}");
        assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR));
        gate.rejects_for("broke off").await;
    }
    let (response, _) = client.get(ROOT).await;
    target.asked().await.send(OK).await;
    assert_eq!(whole(response).await.1, b"ok");
}
