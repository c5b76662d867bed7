//! One question to a name server that need not know us, asked as a CA asks it.

use super::super::message::{TXT, question, repeats, reply, text};
use super::super::{number, tcp};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::timeout;

/// For one question and its answer.
const LIMIT: Duration = Duration::from_secs(2);
/// Datagrams that one question may take: some may be lost.
const TRIES: usize = 3;
/// The longest answer in a datagram is 512 bytes (RFC 1035 section 4.2.1); some servers take that lightly.
const DATAGRAM: usize = 4096;

/// What a name server says of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    Here,
    NotHere,
    /// Nothing, or nothing about that zone.
    Nothing,
}

/// Asks `server` whether `name` has the TXT record `wanted`. Takes 6 s at most.
pub(super) async fn ask(server: SocketAddr, name: &str, wanted: &str) -> Said {
    for _ in 0..TRIES {
        match timeout(LIMIT, exchange(server, name)).await {
            Ok(Ok(answer)) => return said(&answer, name, wanted),
            // It can not be reached from here.
            Ok(Err(_)) => return Said::Nothing,
            Err(_) => {}
        }
    }
    Said::Nothing
}

/// By a datagram, and by a connection where the answer is too long for one.
async fn exchange(server: SocketAddr, name: &str) -> io::Result<Vec<u8>> {
    let id = number().map_err(|failure| io::Error::other(failure.text))?;
    let asked = question(id, name, TXT).map_err(io::Error::other)?;
    let ours: IpAddr = match server {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((ours, 0)).await?;
    socket.connect(server).await?;
    socket.send(&asked).await?;
    let mut answer = vec![0; DATAGRAM];
    loop {
        let length = socket.recv(&mut answer).await?;
        let message = answer.get(..length).unwrap_or_default();
        // Anybody can send a datagram; the one that answers may still come.
        if !repeats(message, &asked) {
            continue;
        }
        match reply(message) {
            Ok(read) if read.truncated => break,
            Ok(_) => return Ok(message.to_vec()),
            Err(_) => {}
        }
    }
    let message = tcp(&[server], &asked, LIMIT).await;
    let message = message.map_err(io::Error::other)?;
    if !repeats(&message, &asked) {
        return Err(io::Error::other("it answers another question"));
    }
    Ok(message)
}

/// What an answer says of the record of `name` with this text.
pub(super) fn said(message: &[u8], name: &str, wanted: &str) -> Said {
    let Ok(read) = reply(message) else {
        return Said::Nothing;
    };
    if !matches!(read.code, 0 | 3) || !read.authoritative {
        return Said::Nothing;
    }
    let mut records = read.answers.iter();
    let is_here = records.any(|record| {
        record.kind == TXT
            && record.name.eq_ignore_ascii_case(name)
            && text(&message[record.data.clone()]) == wanted.as_bytes()
    });
    if is_here { Said::Here } else { Said::NotHere }
}
