//! HTTP/2: clients that want more than their share, and clients that do not listen.

use crate::gate::{Gate, PLAIN, plain};
use crate::http2::{Http2, ROOT, data, stream, whole};
use crate::peer::{OK, Peer, Target, within};
use bytes::Bytes;
use h2::{Reason, SendStream};
use http::Request;

/// What every connection of a client begins with, SETTINGS without any included (RFC 9113 section 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
const GOAWAY: u8 = 7;
/// RFC 9113 section 6.1.
const DATA_ON_NO_STREAM: &[u8] = b"\0\0\x01\0\0\0\0\0\0x";

/// The next frame of `kind`: its payload.
async fn frame<S>(client: &mut Peer<S>, kind: u8) -> Vec<u8>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    loop {
        let head = client.bytes(9).await;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let payload = client.bytes(length as usize).await;
        if head[3] == kind {
            return payload;
        }
    }
}

#[tokio::test]
async fn nobody_is_connected_for_a_client_that_has_gone() {
    let (target, _kept) = Target::full().await;
    let mut gate = Gate::start(&target, PLAIN);
    let mut client = Http2::connect(&gate).await;
    let (_response, mut stream) = client.get(ROOT).await;
    stream.send_reset(Reason::CANCEL);
    gate.rejects_for("the client hung up").await;
}

#[tokio::test]
async fn bodies_that_wait_take_no_more_memory_than_is_allowed() {
    let (target, _kept) = Target::full().await;
    let text = format!("{PLAIN}[proxy.limits]\nsend_ahead = \"192KiB\"\n");
    let gate = Gate::start(&target, &text);
    let mut client = Http2::connect(&gate).await;
    let mut bodies = Vec::new();
    let mut sent = Vec::new();
    for _ in 0..3 {
        let post = Request::post(ROOT).body(()).unwrap();
        let (response, mut body) = client.open(post, false).await;
        sent.push(fill(&mut body).await);
        bodies.push((response, body));
    }
    // Half of it in the first, the rest in the second, and nothing is left for the third.
    assert_eq!(sent, [96 * 1024, 96 * 1024, 0]);
}

/// Sends until no more is taken; how many bytes that was.
async fn fill(body: &mut SendStream<Bytes>) -> usize {
    let piece = Bytes::from(vec![b'x'; 64 * 1024]);
    let mut sent = 0;
    loop {
        body.reserve_capacity(piece.len());
        let room = std::future::poll_fn(|cx| body.poll_capacity(cx));
        let Ok(room) = tokio::time::timeout(std::time::Duration::from_millis(500), room).await
        else {
            return sent;
        };
        let room = room.unwrap().unwrap().min(piece.len());
        body.send_data(piece.slice(..room), false).unwrap();
        sent += room;
    }
}

#[tokio::test]
async fn a_body_that_the_target_does_not_take_is_given_up_with_its_stream() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let post = Request::post(ROOT).body(()).unwrap();
    let (_response, mut body) = client.open(post, false).await;
    let mut there = target.asked().await;
    // More than all buffers hold: the target reads nothing of it.
    fill(&mut body).await;
    body.send_reset(Reason::CANCEL);
    gate.rejects_for("the client hung up").await;
    // It is cut, so that the target does not take it for whole.
    let (all, _) = there.rest().await;
    assert!(!all.ends_with(b"0\r\n\r\n"));
}

#[tokio::test]
async fn one_address_may_wait_for_a_target_so_often() {
    let (mut gate, target) = plain("[proxy.limits]\nrequests_per_address = 2").await;
    let mut client = Http2::connect(&gate).await;
    let (first, _) = client.get(ROOT).await;
    let mut there = target.asked().await;
    let mut other = Http2::connect(&gate).await;
    let (_second, _) = other.get(ROOT).await;
    let _held = target.asked().await;
    let (third, _) = client.get(ROOT).await;
    assert_eq!(whole(third).await.0, 503);
    gate.rejects_for("more than 2 requests of this address")
        .await;
    assert!(gate.outbox.offences.try_recv().is_err(), "offices do that");
    there.send(OK).await;
    assert_eq!(whole(first).await.1, b"ok");
    let (fourth, _) = client.get(ROOT).await;
    there.head().await;
    there.send(OK).await;
    assert_eq!(whole(fourth).await.1, b"ok");
}

#[tokio::test]
async fn a_ban_ends_the_connection_and_is_told_once() {
    let (mut gate, target) = plain("").await;
    let mut client = Http2::connect(&gate).await;
    let (mut body, mut there) = client.half(&target).await;
    gate.ban("127.0.0.1");
    let refused = client.get(ROOT).await.0;
    let also = client.get(ROOT).await.0;
    for response in [refused, also] {
        let error = within(response).await.unwrap_err();
        assert_eq!(error.reason(), Some(Reason::REFUSED_STREAM), "{error}");
    }
    assert_eq!(client.is_sent_away().await, Reason::NO_ERROR);
    there.send("def").await;
    let (all, ended) = data(&mut body).await;
    assert_eq!(all, b"abcdef", "as over HTTP/1, what runs goes on");
    assert!(ended.is_ok(), "{ended:?}");
    client.ends().await;
    gate.rejects_for("the address is banned").await;
    assert!(gate.outbox.events.try_recv().is_err(), "told once");
}

#[tokio::test]
async fn the_farewell_is_not_overtaken_by_a_reset() {
    let (gate, _target) = plain("").await;
    let mut client = Peer::new(stream(&gate).await);
    client.send(PREFACE).await;
    // And much more that nobody reads.
    client.send(DATA_ON_NO_STREAM).await;
    let goaway = frame(&mut client, GOAWAY).await;
    assert_eq!(goaway[4..8], 1_u32.to_be_bytes(), "PROTOCOL_ERROR");
    for _ in 0..8 {
        client.send([0; 4096]).await;
    }
    client.ends().await;
}

#[tokio::test]
async fn who_resets_the_connection_is_counted_all_the_same() {
    let (mut gate, _target) = plain("").await;
    let mut client = Peer::new(stream(&gate).await);
    client.send(PREFACE).await;
    client.send(DATA_ON_NO_STREAM).await;
    frame(&mut client, GOAWAY).await;
    client.stream.reset_when_dropped(true);
    drop(client);
    gate.rejects_for("HTTP/2").await;
    let offence = within(gate.outbox.offences.recv()).await.unwrap();
    assert_eq!(offence.weight, 1);
}

#[tokio::test]
async fn a_client_that_ignores_the_farewell_gets_no_more() {
    let (gate, target) = plain("[proxy.limits]\nrequests_per_connection = 1").await;
    let mut client = Peer::new(stream(&gate).await);
    client.send(PREFACE).await;
    client.send(get(1)).await;
    let mut there = target.asked().await;
    frame(&mut client, GOAWAY).await;
    // The ping behind it stays unanswered, so that it is not known to have been heard.
    tokio::time::sleep(std::time::Duration::from_millis(5200)).await;
    client.send(get(3)).await;
    let reset = frame(&mut client, 3).await;
    assert_eq!(reset, 7_u32.to_be_bytes(), "REFUSED_STREAM");
    there.send(OK).await;
    target.stays_alone().await;
}

/// HEADERS of a GET of [`ROOT`], whole (RFC 7541 appendix A: 2 GET, 4 "/", 7 https, 1 :authority).
fn get(stream: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, 16, 1, 5, 0, 0, 0, stream, 0x82, 0x84, 0x87, 0x41, 11];
    frame.extend_from_slice(b"web.example");
    frame
}
