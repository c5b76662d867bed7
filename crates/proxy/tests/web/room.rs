//! Connections near the most that there may be.

use crate::gate::{Gate, PLAIN};
use crate::http2::{Http2, ROOT, whole};
use crate::peer::{EMPTY, GET, Peer, Target, within};
use h2::Reason;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// With the seventh of eight, idle connections begin to make room.
async fn nearly_full() -> (Gate, Target) {
    let target = Target::start().await;
    let limits = "[proxy.limits]\nconnections = 8\nconnections_per_address = 8\n";
    let gate = Gate::start(&target, &format!("{limits}{PLAIN}"));
    (gate, target)
}

/// A client that is served, however often it must come for that; its connection stays open.
async fn served(gate: &Gate, target: &mut Peer<TcpStream>) -> Peer<TcpStream> {
    loop {
        let mut client = gate.connect().await;
        // Where there is no room, it is closed at once.
        let sent = client.stream.write_all(GET.as_bytes()).await;
        let asked = tokio::select! {
            _ = target.head() => sent.is_ok(),
            _ = client.stream.readable() => false,
        };
        if asked {
            target.send(EMPTY).await;
            client.gets("200 OK").await;
            return client;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn idle_connections_make_room_for_others_and_busy_ones_stay() {
    let (gate, target) = nearly_full().await;
    let mut busy = gate.ask(GET).await;
    let mut there = target.asked().await;
    let mut first = gate.ask(GET).await;
    let mut spare = target.asked().await;
    spare.send(EMPTY).await;
    first.gets("200 OK").await;
    let mut all = vec![first];
    // Twice as many as there is room for, and none of them leaves by itself.
    while all.len() < 16 {
        all.push(within(served(&gate, &mut spare)).await);
    }
    busy.is_served_by(&mut there).await;
}

#[tokio::test]
async fn http2_without_a_stream_makes_room_as_well() {
    let (gate, target) = nearly_full().await;
    let mut idle = Http2::connect(&gate).await;
    let (response, _) = idle.get(ROOT).await;
    let mut there = target.asked().await;
    there.send(EMPTY).await;
    assert_eq!(whole(response).await.0, 200);
    drop(there);
    let mut busy = Vec::new();
    for _ in 0..6 {
        busy.push((gate.ask(GET).await, target.asked().await));
    }
    let _newest = gate.connect().await;
    assert_eq!(idle.is_sent_away().await, Reason::NO_ERROR);
    idle.ends().await;
    for (client, there) in &mut busy {
        client.is_served_by(there).await;
    }
}
