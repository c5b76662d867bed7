//! Load balancers in front of us, which name their clients.

use crate::gate::{Gate, PLAIN};
use crate::peer::{GET, Peer, Target, field, within};
use net::stream::Stream;
use net::tls::{Trust, client_config};
use proto::proxy_header::{write_v1, write_v1_local, write_v2, write_v2_local};
use rustls_pki_types::ServerName;
use std::sync::Arc;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

/// Whose word on 127.0.0.1 is taken for who comes.
const TRUSTED: &str = "proxy_protocol_from = [\"127.0.0.0/8\"]";

async fn gate() -> (Gate, Target) {
    let target = Target::start().await;
    let gate = Gate::start(&target, &format!("{TRUSTED}\n{PLAIN}"));
    (gate, target)
}

fn header(v2: bool, source: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let (source, destination) = (source.parse().unwrap(), "192.0.2.1:80".parse().unwrap());
    if v2 {
        write_v2(&mut out, source, destination);
    } else {
        write_v1(&mut out, source, destination);
    }
    out
}

/// Where the request came from, as the target is told.
async fn told(target: &Target, client: &mut Peer<impl AsyncIo>) -> String {
    let mut there = target.accept().await;
    let head = there.head().await;
    client.is_served_by(&mut there).await;
    field(&head, "X-Forwarded-For").unwrap().to_owned()
}

trait AsyncIo: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin {}
impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin> AsyncIo for T {}

#[tokio::test]
async fn a_client_is_who_the_balancer_says() {
    let (gate, target) = gate().await;
    for v2 in [false, true] {
        for (source, address) in [
            ("203.0.113.7:1234", "203.0.113.7"),
            ("[2001:db8::7]:1234", "2001:db8::7"),
            ("[::ffff:203.0.113.8]:1", "203.0.113.8"),
        ] {
            // The request right behind it, and each byte by itself.
            let bytes = [&header(v2, source), GET.as_bytes()].concat();
            let mut client = gate.ask(&bytes).await;
            assert_eq!(told(&target, &mut client).await, address);
            let mut client = gate.connect().await;
            client.stream.set_nodelay(true).unwrap();
            for byte in bytes {
                client.send([byte]).await;
            }
            assert_eq!(told(&target, &mut client).await, address);
        }
    }
}

#[tokio::test]
async fn tls_comes_behind_the_header() {
    let (gate, target) = gate().await;
    for v2 in [false, true] {
        let config = client_config(&Trust::Ca(gate.ca.root_pem().to_owned()), None).unwrap();
        let mut io = TcpStream::connect(gate.https).await.unwrap();
        io.write_all(&header(v2, "203.0.113.7:1234")).await.unwrap();
        let name = ServerName::try_from("web.example").unwrap();
        let stream = within(Stream::connect(io, Arc::new(config), name)).await;
        let mut client = Peer::new(stream.unwrap());
        client.send(GET).await;
        assert_eq!(told(&target, &mut client).await, "203.0.113.7");
    }
}

#[tokio::test]
async fn a_hello_in_the_same_piece_is_not_lost() {
    let (mut gate, _target) = gate().await;
    let hello = b"\x16\x03\x01\x00\x02\x01\x00";
    let mut client = Peer::connect(gate.https).await;
    client
        .send([&header(true, "203.0.113.7:1234"), &hello[..]].concat())
        .await;
    client.finish().await;
    client.ends().await;
    gate.rejects_for("TLS").await;
}

#[tokio::test]
async fn a_balancer_that_speaks_for_itself_is_itself() {
    let (gate, target) = gate().await;
    let (mut v1, mut v2) = (Vec::new(), Vec::new());
    write_v1_local(&mut v1);
    write_v2_local(&mut v2);
    for local in [v1, v2] {
        let mut client = gate.ask([&local, GET.as_bytes()].concat()).await;
        assert_eq!(told(&target, &mut client).await, "127.0.0.1");
    }
}

#[tokio::test]
async fn without_a_header_it_is_closed_and_that_is_nobodys_offence() {
    let (mut gate, target) = gate().await;
    for wrong in [
        GET,
        "PROXY TCP4 1.2.3.4\r\n",
        "PROXY TCP9 1.2.3.4 1.2.3.4 1 1\r\n",
    ] {
        gate.ask(wrong).await.ends().await;
        gate.rejects_for("proxy_protocol_from names this address")
            .await;
    }
    assert!(gate.outbox.offences.try_recv().is_err());
    target.stays_alone().await;
    // As health checks come.
    drop(gate.connect().await);
    let mut client = gate
        .ask([&header(false, "203.0.113.7:1"), GET.as_bytes()].concat())
        .await;
    assert_eq!(told(&target, &mut client).await, "203.0.113.7");
    assert!(gate.outbox.offences.try_recv().is_err());
}

#[tokio::test]
async fn nobody_else_may_say_who_comes() {
    let target = Target::start().await;
    let elsewhere = TRUSTED.replace("127.0.0.0/8", "10.0.0.5");
    let mut gate = Gate::start(&target, &format!("{elsewhere}\n{PLAIN}"));
    let request = [&header(false, "203.0.113.7:1"), GET.as_bytes()].concat();
    let refused = "505 HTTP Version Not Supported";
    gate.ask(request).await.gets(refused).await;
    gate.rejects_for("malformed").await;
    target.stays_alone().await;
}

#[tokio::test]
async fn clients_are_banned_and_counted_one_by_one() {
    let target = Target::start().await;
    let limit = "[proxy.limits]\nconnections_per_address = 1\n";
    let mut gate = Gate::start(&target, &format!("{TRUSTED}\n{PLAIN}{limit}"));
    gate.ban("203.0.113.7");
    let ask = |source| [&header(true, source), GET.as_bytes()].concat();
    gate.ask(ask("203.0.113.7:1")).await.ends().await;
    gate.rejects_for("the address is banned").await;
    let mut one = gate.ask(ask("203.0.113.8:1")).await;
    assert_eq!(told(&target, &mut one).await, "203.0.113.8");
    gate.ask(ask("203.0.113.8:2")).await.ends().await;
    gate.rejects_for("more than 1 connections").await;
    let mut other = gate.ask(ask("203.0.113.9:1")).await;
    assert_eq!(told(&target, &mut other).await, "203.0.113.9");
    let unknown = GET.replace("web.example", "nobody.example");
    let bytes = [&header(true, "203.0.113.10:1"), unknown.as_bytes()].concat();
    gate.ask(bytes).await.gets("404 Not Found").await;
    let offence = within(gate.outbox.offences.recv()).await.unwrap();
    assert_eq!(offence.client.to_string(), "203.0.113.10");
}
