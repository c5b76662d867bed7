//! A process that can open nothing more. In a process of its own, for the limit holds for all of it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

#[path = "web/gate.rs"]
#[allow(dead_code, reason = "the other tests need the rest")]
mod gate;
#[path = "web/peer.rs"]
#[allow(dead_code, reason = "the other tests need the rest")]
mod peer;

use gate::Gate;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use peer::{GET, OK, Peer, Target, first};
use std::time::Duration;
use tokio::net::TcpStream;

const FILES: Resource = Resource::RLIMIT_NOFILE;

/// Answers whoever asks for its health, until somebody asks for something else.
async fn asked(target: &Target) -> Peer<TcpStream> {
    loop {
        let mut there = target.accept().await;
        if first(&there.head().await) == "GET / HTTP/1.1" {
            return there;
        }
        there.send(OK).await;
    }
}

#[tokio::test]
async fn a_want_of_ours_is_not_held_against_a_target() {
    let (one, other) = (Target::start().await, Target::start().await);
    let target = |target: &Target| format!("\"http://{}\"", target.address);
    let well = |target: &Target, asked| {
        let address = target.address;
        format!("gatehouse_proxy_target_well{{target=\"{address}\",asked=\"{asked}\"}}")
    };
    // Both that are asked for their health, and both that are not.
    let both = format!("{}, {}", target(&one), target(&other));
    let hosts = format!(
        "[[host]]\nname = \"web.example\"\n[[host.http]]\ntarget = [{both}]\n\
         [[host]]\nname = \"asked.example\"\n[[host.http]]\ntarget = [{both}]\n\
         health = {{ path = \"/up\", every = \"100ms\" }}\n"
    );
    let mut gate = Gate::start(&one, &hosts);
    let mut client = gate.ask(GET).await;
    let mut there = asked(&one).await;
    there
        .send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        .await;
    client.gets("200 OK").await;
    drop(there);

    let (before, most) = getrlimit(FILES).unwrap();
    // What is open stays so, and nothing more can be, whatever is closed meanwhile.
    setrlimit(FILES, 0, most).unwrap();
    client.send(GET).await;
    client.gets("503 Service Unavailable").await;
    // Time for some questions for their health, which can not be asked.
    tokio::time::sleep(Duration::from_millis(400)).await;
    setrlimit(FILES, before, most).unwrap();

    gate.rejects_for("it is not to blame").await;
    for target in [&one, &other] {
        gate.metric(&well(target, ""), "1").await;
        gate.metric(&well(target, "asked.example/up"), "1").await;
    }
    let mut client = gate.ask(GET).await;
    client.is_served_by(&mut asked(&one).await).await;
}
