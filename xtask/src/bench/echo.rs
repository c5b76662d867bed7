//! The target of WebSockets: sends every message back, and knows nothing else.

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tungstenite::handshake::derive_accept_key;

use super::load::client::block_on;

/// Most bytes of a head or of a message, with what stands in front of it.
const MOST: usize = 8192;

/// Serves until the process is ended.
///
/// # Errors
/// When the address is taken.
pub(crate) fn serve(address: SocketAddr) -> Result<()> {
    block_on(async {
        let listener = TcpListener::bind(address).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            // A fault ends the connection; the client counts it.
            tokio::spawn(connection(stream));
        }
    })
}

async fn connection(mut stream: TcpStream) -> Result<()> {
    let mut bytes = Vec::with_capacity(MOST);
    let mut answer = Vec::with_capacity(MOST);
    let mut is_upgraded = false;
    while stream.read_buf(&mut bytes).await? > 0 {
        answer.clear();
        if !is_upgraded {
            is_upgraded = upgrade(&mut bytes, &mut answer)?;
        }
        while is_upgraded && message(&mut bytes, &mut answer)? {}
        ensure!(bytes.len() < MOST, "too long");
        stream.write_all(&answer).await?;
    }
    Ok(())
}

/// Answers a handshake and takes it off `bytes`, once all of it is there.
fn upgrade(bytes: &mut Vec<u8>, answer: &mut Vec<u8>) -> Result<bool> {
    let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
        return Ok(false);
    };
    let head = std::str::from_utf8(&bytes[..end])?;
    let key = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("sec-websocket-key"))
        .map(|(_, value)| value.trim())
        .context("no key")?;
    let accept = derive_accept_key(key.as_bytes());
    answer.extend_from_slice(
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        )
        .as_bytes(),
    );
    bytes.drain(..end + 4);
    Ok(true)
}

/// Echoes the first message (RFC 6455 section 5.2) and takes it off `bytes`, once all of it is there.
fn message(bytes: &mut Vec<u8>, answer: &mut Vec<u8>) -> Result<bool> {
    let &[kind, length, ref rest @ ..] = bytes.as_slice() else {
        return Ok(false);
    };
    ensure!(length & 0x80 != 0, "a client masks");
    let (length, extended) = match (length & 0x7f, rest) {
        (126, &[high, low, ..]) => (u16::from_be_bytes([high, low]).into(), 2),
        (126, _) => return Ok(false),
        (127, _) => anyhow::bail!("too long"),
        (length, _) => (usize::from(length), 0),
    };
    let Some((mask, rest)) = rest[extended..].split_first_chunk::<4>() else {
        return Ok(false);
    };
    let Some(payload) = rest.get(..length) else {
        return Ok(false);
    };
    answer.push(kind);
    answer.push(bytes[1] & 0x7f);
    answer.extend_from_slice(&bytes[2..2 + extended]);
    answer.extend(payload.iter().zip(mask.iter().cycle()).map(|(a, b)| a ^ b));
    bytes.drain(..2 + extended + 4 + length);
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_once_they_are_whole() {
        let mut frame = vec![0x82, 0xfe, 0, 128, 1, 2, 3, 4];
        frame.extend((0..128_u8).map(|byte| byte ^ (byte % 4 + 1)));
        for cut in 0..frame.len() {
            let (mut bytes, mut answer) = (frame[..cut].to_vec(), Vec::new());
            assert!(!message(&mut bytes, &mut answer).unwrap());
            assert!(answer.is_empty());
        }
        let mut bytes = [frame.clone(), frame].concat();
        let mut answer = Vec::new();
        while message(&mut bytes, &mut answer).unwrap() {}
        assert!(bytes.is_empty());
        assert_eq!(answer.len(), 2 * 132);
        assert_eq!(answer[..4], [0x82, 126, 0, 128]);
        assert!(answer[4..132].iter().copied().eq(0..128));
    }
}
