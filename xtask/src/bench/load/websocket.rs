//! WebSocket messages that come back.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinSet;
use tungstenite::handshake::derive_accept_key;

use super::HOST;
use super::client::{self, Client, Connection, patiently};
use crate::bench::sample::{Sample, count, p99};
use crate::bench::server::Server;

/// Open connections, each with one message under way.
const CONNECTIONS: usize = 64;
/// Bytes of a message.
const SIZE: usize = 128;
/// What a message of this size begins with: whole, binary, its length in the two bytes that follow.
const START: [u8; 4] = [0x82, 126, 0, 128];
/// The key of every handshake: servers do not remember it.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";

pub(super) fn run(server: &Server, seconds: u32) -> Result<Sample> {
    let client = Client::new(server.port(), &[])?;
    client::block_on(async {
        let mut open = Vec::new();
        for number in 0..CONNECTIONS {
            let mut stream = client.connect(number).await?;
            upgrade(&mut stream).await?;
            open.push(stream);
        }
        let (before, begin) = (server.cpu()?, Instant::now());
        let end = begin + Duration::from_secs(u64::from(seconds));
        let mut tasks = JoinSet::new();
        for stream in open {
            tasks.spawn(ping_pong(stream, end));
        }
        let mut times = Vec::new();
        // They are kept open until the time is taken: their ends are not what is measured.
        let mut kept = Vec::new();
        while let Some(task) = tasks.join_next().await {
            let (stream, some) = task??;
            kept.push(stream);
            times.extend(some);
        }
        let (cpu, wall) = (server.cpu()?.saturating_sub(before), begin.elapsed());
        let done = count(times.len() as u64);
        Ok(Sample::timed(cpu, done, wall, p99(&mut times)))
    })
}

async fn upgrade(stream: &mut Connection) -> Result<()> {
    let request = format!(
        "GET /websocket HTTP/1.1\r\nHost: {HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let (head, rest) = patiently(client::head(stream)).await?;
    ensure!(head.starts_with("HTTP/1.1 101 "), "{head}");
    ensure!(head.contains(&derive_accept_key(KEY.as_bytes())), "{head}");
    ensure!(rest.is_empty(), "a message that nobody asked for");
    Ok(())
}

async fn ping_pong(mut stream: Connection, end: Instant) -> Result<(Connection, Vec<Duration>)> {
    let mut times = Vec::new();
    let mut number: u32 = 0;
    let mut answer = [0; START.len() + SIZE];
    while Instant::now() < end {
        number = number.wrapping_add(0x9e37_79b9);
        let expected = message(number);
        let begin = Instant::now();
        stream.write_all(&masked(&expected, number)).await?;
        patiently(async { Ok(stream.read_exact(&mut answer).await?) }).await?;
        times.push(begin.elapsed());
        ensure!(
            answer[..START.len()] == START && answer[START.len()..] == expected,
            "another message came back"
        );
    }
    Ok((stream, times))
}

/// A message that differs from the one before.
fn message(number: u32) -> [u8; SIZE] {
    let mut message = [b'x'; SIZE];
    message[..4].copy_from_slice(&number.to_be_bytes());
    message
}

/// The frame of a client.
fn masked(message: &[u8; SIZE], number: u32) -> [u8; START.len() + 4 + SIZE] {
    let mut frame = [0; START.len() + 4 + SIZE];
    let mask = number.rotate_left(7).to_be_bytes();
    frame[..4].copy_from_slice(&START);
    frame[1] |= 0x80;
    frame[4..8].copy_from_slice(&mask);
    for (place, (byte, mask)) in frame[8..]
        .iter_mut()
        .zip(message.iter().zip(mask.iter().cycle()))
    {
        *place = byte ^ mask;
    }
    frame
}
