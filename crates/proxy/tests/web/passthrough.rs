//! TLS that goes to its target as it is.

use crate::gate::{Gate, PLAIN};
use crate::peer::{Peer, Target};
use std::path::PathBuf;
use std::time::Duration;

/// A recorded hello, and the name it asks for.
fn hello(file: &str) -> (Vec<u8>, String) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/tls");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let digits: Vec<u32> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::chars)
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect();
    let read = proto::tls::client_hello(&bytes).unwrap().unwrap();
    (bytes, read.server_name.unwrap())
}

fn hosts(name: &str) -> String {
    format!("{PLAIN}[[host]]\nname = \"{name}\"\n[host.tls_passthrough]\ntarget = \"{{target}}\"\n")
}

/// One that fits a segment, and one with a post-quantum key that does not.
const HELLOS: [&str; 2] = ["openssl-3.0-s_client.hex", "chromium-156-mlkem.hex"];

#[tokio::test]
async fn bytes_stay_as_they_are_and_directions_end_one_by_one() {
    for file in HELLOS {
        for piece in [1, 700, usize::MAX] {
            let (mut sent, name) = hello(file);
            let target = Target::start().await;
            let mut gate = Gate::start(&target, &hosts(&name));
            let mut client = Peer::connect(gate.https).await;
            client.stream.set_nodelay(true).unwrap();
            for part in sent.chunks(piece.min(sent.len())) {
                client.send(part).await;
                tokio::task::yield_now().await;
            }
            let mut there = target.accept().await;
            assert_eq!(there.bytes(sent.len()).await, sent);
            sent = vec![0; 300_000];
            client.send(&sent).await;
            client.finish().await;
            let (rest, clean) = there.rest().await;
            assert_eq!(rest.len(), sent.len());
            assert!(clean);
            there.send(b"\x16\x03 still speaking").await;
            there.finish().await;
            let (rest, clean) = client.rest().await;
            assert_eq!(rest, b"\x16\x03 still speaking");
            assert!(clean);
            let decision = gate.decision().await;
            assert_eq!(decision.asked, "TLS passthrough");
            assert_eq!(decision.host, name);
            assert!(decision.rule.is_some());
        }
    }
}

#[tokio::test]
async fn a_host_beside_it_is_decrypted() {
    let (_, name) = hello(HELLOS[0]);
    let target = Target::start().await;
    let gate = Gate::start(&target, &hosts(&name));
    let mut client = gate.connect_tls("web.example").await;
    client.send(crate::peer::GET).await;
    let mut there = target.asked().await;
    client.is_served_by(&mut there).await;
}

#[tokio::test]
async fn without_its_target_it_is_closed_and_told() {
    let (bytes, name) = hello(HELLOS[0]);
    let target = Target::start().await;
    let mut gate = Gate::start(&target, &hosts(&name));
    drop(target);
    let mut client = Peer::connect(gate.https).await;
    client.send(&bytes).await;
    client.ends().await;
    gate.rejects_for("can not be reached").await;
}

#[tokio::test]
async fn a_reload_ends_it_only_where_its_rule_is_gone() {
    let (bytes, name) = hello(HELLOS[1]);
    let target = Target::start().await;
    let mut gate = Gate::start(&target, &hosts(&name));
    let mut client = Peer::connect(gate.https).await;
    client.send(&bytes).await;
    let mut there = target.accept().await;
    there.bytes(bytes.len()).await;
    gate.reload(&target, &hosts(&name));
    tokio::time::sleep(Duration::from_millis(50)).await;
    there.send("on").await;
    assert_eq!(client.text(2).await, "on");
    gate.reload(&target, PLAIN);
    client.ends().await;
    there.ends().await;
}
