//! SIP as the loads need it: requests of a telephone, and a registrar that answers each message.

use anyhow::{Context, Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::targets::Wire;
use crate::bench::load::client::patiently;

/// Most bytes that wait to be answered.
const MOST: usize = 64 << 10;
/// What ends a message: none here has a body.
const END: &[u8] = b"\r\n\r\n";
/// What a password is asked for by.
const CHALLENGE: &str = "WWW-Authenticate: Digest realm=\"bench\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c0\", \
    algorithm=MD5, qop=\"auth\"\r\n";

/// A registration as telephones send it, some 600 bytes; `signed` has the answer to the challenge.
pub(super) fn register(host: &str, user: usize, number: u64, signed: bool) -> Vec<u8> {
    let signature = if signed {
        format!(
            "Authorization: Digest username=\"{user}\", realm=\"bench\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c0\", \
             uri=\"sip:{host}\", qop=auth, nc=00000001, cnonce=\"0a4f113b\", algorithm=MD5, \
             response=\"6629fae49393a05397450978507c4ef1\"\r\n"
        )
    } else {
        String::new()
    };
    format!(
        "REGISTER sip:{host} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK{user}x{number};rport\r\n\
         Max-Forwards: 70\r\nFrom: <sip:{user}@{host}>;tag=f{user}\r\nTo: <sip:{user}@{host}>\r\n\
         Call-ID: register-{user}@192.0.2.9\r\nCSeq: {number} REGISTER\r\n\
         Contact: <sip:{user}@192.0.2.9:5060;transport=tcp>;expires=120\r\n{signature}\
         Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, NOTIFY, REFER, INFO\r\nSupported: replaces, outbound\r\n\
         User-Agent: bench telephone 1.0\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// A message of some 200 bytes.
pub(super) fn short(host: &str, number: u64) -> Vec<u8> {
    format!(
        "MESSAGE sip:2@{host} SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9;branch=z9hG4bK{number}\r\n\
         From: <sip:1@{host}>;tag=f1\r\nTo: <sip:2@{host}>\r\nCall-ID: m{number}\r\nCSeq: {number} MESSAGE\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// Puts the answer to `request` behind `out`: 401 to a registration without a password, 200 to all else.
pub(super) fn answer(request: &[u8], out: &mut Vec<u8>) -> Result<()> {
    let text = std::str::from_utf8(request)?;
    let mut has_signature = false;
    let from = out.len();
    out.extend_from_slice(b"SIP/2.0 200 OK\r\n");
    for line in text.split_inclusive("\r\n") {
        let name = line.split(':').next().unwrap_or_default();
        match name {
            "Via" | "From" | "Call-ID" | "CSeq" => out.extend_from_slice(line.as_bytes()),
            "To" => {
                out.extend_from_slice(line.trim_end().as_bytes());
                out.extend_from_slice(b";tag=t\r\n");
            }
            "Authorization" => has_signature = true,
            _ => {}
        }
    }
    if text.starts_with("REGISTER ") && !has_signature {
        out.splice(from.., refused(&out[from..])?);
    }
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    Ok(())
}

/// The same answer with another status, and the challenge.
fn refused(answer: &[u8]) -> Result<Vec<u8>> {
    let rest = answer
        .strip_prefix(b"SIP/2.0 200 OK\r\n")
        .context("no answer")?;
    Ok([b"SIP/2.0 401 Unauthorized\r\n", rest, CHALLENGE.as_bytes()].concat())
}

/// The length of the first message, once it is whole.
fn length(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let at = from + rest.iter().position(|byte| *byte == b'\r')?;
        if bytes.get(at..at + END.len())? == END {
            return Some(at + END.len());
        }
        from = at + 1;
    }
}

/// The registrar: answers everything until the other end leaves.
pub(super) async fn answer_all(mut wire: Wire) -> Result<()> {
    let mut bytes = Vec::new();
    let mut out = Vec::new();
    while wire.read_buf(&mut bytes).await? > 0 {
        let mut done = 0;
        while let Some(length) = length(&bytes[done..]) {
            answer(&bytes[done..done + length], &mut out)?;
            done += length;
        }
        bytes.drain(..done);
        ensure!(bytes.len() < MOST, "too long");
        wire.write_all(&out).await?;
        wire.flush().await?;
        // An idle telephone is to cost the load no memory.
        (bytes, out) = if bytes.is_empty() && out.len() < 1024 {
            (Vec::new(), Vec::new())
        } else {
            out.clear();
            (bytes, out)
        };
    }
    Ok(())
}

/// Sends requests and compares every byte of their answers.
pub(super) async fn ask(wire: &mut Wire, requests: &[u8]) -> Result<()> {
    let mut expected = Vec::new();
    let mut done = 0;
    while let Some(length) = length(&requests[done..]) {
        answer(&requests[done..done + length], &mut expected)?;
        done += length;
    }
    wire.write_all(requests).await?;
    wire.flush().await?;
    let mut told = vec![0; expected.len()];
    patiently(async { Ok(wire.read_exact(&mut told).await?) }).await?;
    ensure!(
        told == expected,
        "another answer than expected: {}",
        String::from_utf8_lossy(&told)
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registration_is_asked_for_a_password_once() {
        let mut out = Vec::new();
        answer(&register("a.example", 7, 1, false), &mut out).unwrap();
        let first = String::from_utf8(std::mem::take(&mut out)).unwrap();
        assert!(
            first.starts_with("SIP/2.0 401 Unauthorized\r\nVia: "),
            "{first}"
        );
        assert!(first.contains("To: <sip:7@a.example>;tag=t\r\n"), "{first}");
        answer(&register("a.example", 7, 2, true), &mut out).unwrap();
        assert!(out.starts_with(b"SIP/2.0 200 OK\r\nVia: "));
        assert!(out.ends_with(b"\r\nContent-Length: 0\r\n\r\n"));
    }

    #[test]
    fn messages_end_at_the_empty_line() {
        let message = short("bench.localhost", 123_456);
        assert!((190..230).contains(&message.len()), "{}", message.len());
        for cut in 0..message.len() {
            assert_eq!(length(&message[..cut]), None);
        }
        assert_eq!(
            length(&[&message[..], b"more"].concat()),
            Some(message.len())
        );
    }
}
