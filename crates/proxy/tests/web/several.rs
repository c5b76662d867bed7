//! Several targets of one rule: which one is asked, and what becomes of one that is not well. And what
//! targets are told about the client before its first byte.

use crate::gate::{Gate, plain};
use crate::peer::{GET, OK, Peer, Target, field, first};
use proto::proxy_header;
use std::net::SocketAddr;
use tokio::net::TcpStream;

const POST: &str = "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 2\r\n\r\nhi";

/// A host whose targets are `targets`, with more `lines`.
fn hosts(targets: &[&Target], lines: &str) -> String {
    let of = |target: &&Target| format!("\"http://{}\"", target.address);
    let targets: Vec<_> = targets.iter().map(of).collect();
    let targets = targets.join(", ");
    format!("[[host]]\nname = \"web.example\"\n[[host.http]]\ntarget = [{targets}]\n{lines}\n")
}

/// A new client's request is answered by `target`.
async fn is_served(gate: &Gate, target: &Target) {
    let mut client = gate.ask(GET).await;
    client.is_served_by(&mut target.asked().await).await;
}

/// Nobody listens there any more.
async fn closed() -> Target {
    let mut target = Target::start().await;
    target.close();
    target
}

#[tokio::test]
async fn the_next_is_asked_when_one_can_not_be_connected() {
    let (dead, well) = (closed().await, Target::start().await);
    let mut gate = Gate::start(&well, &hosts(&[&dead, &well], ""));
    // Nothing of it was sent, so that a request that must not be repeated goes on as well.
    let mut client = gate.ask(POST).await;
    let mut there = well.asked().await;
    assert_eq!(there.bytes(2).await, b"hi");
    there.send(OK).await;
    client.gets("200 OK").await;
    gate.notices(&format!("target {} is not well", dead.address))
        .await;
    let series = |target: &Target| {
        format!(
            "gatehouse_proxy_target_well{{target=\"{}\",asked=\"\"}}",
            target.address
        )
    };
    gate.metric(&series(&dead), "0").await;
    gate.metric(&series(&well), "1").await;
    // It is passed over from now on, although it is back.
    let back = Target::at(dead.address).await;
    let mut client = gate.ask(GET).await;
    there.head().await;
    client.is_served_by(&mut there).await;
    back.stays_alone().await;
}

#[tokio::test]
async fn the_next_is_asked_when_one_is_silent() {
    let ((silent, _kept), well) = (Target::full().await, Target::start().await);
    let limit = "[proxy.limits]\nconnect_timeout = \"300ms\"";
    let mut gate = Gate::start(&well, &hosts(&[&silent, &well], limit));
    is_served(&gate, &well).await;
    gate.notices("did not take the connection").await;
}

#[tokio::test]
async fn where_none_is_well_all_are_tried() {
    let (one, other) = (closed().await, closed().await);
    let mut gate = Gate::start(&one, &hosts(&[&one, &other], ""));
    for _ in 0..2 {
        gate.ask(GET).await.gets("502 Bad Gateway").await;
        gate.rejects_for(&format!("target {} can not be reached", one.address))
            .await;
    }
    let back = Target::at(other.address).await;
    is_served(&gate, &back).await;
    gate.notices(&format!("target {} is well again", other.address))
        .await;
}

#[tokio::test]
async fn a_target_that_goes_away_takes_no_request_with_it() {
    let (mut one, other) = (Target::start().await, Target::start().await);
    let gate = Gate::start(&one, &hosts(&[&one, &other], ""));
    let mut client = gate.ask(GET).await;
    let mut there = one.asked().await;
    client.is_served_by(&mut there).await;
    one.close();
    // It has read the request, and then it is gone.
    client.send(GET).await;
    there.head().await;
    drop(there);
    client.is_served_by(&mut other.asked().await).await;
}

#[tokio::test]
async fn each_has_its_turn() {
    let (one, other) = (Target::start().await, Target::start().await);
    let gate = Gate::start(&one, &hosts(&[&one, &other], "balance = \"rotate\""));
    for _ in 0..2 {
        is_served(&gate, &one).await;
        is_served(&gate, &other).await;
    }
}

#[tokio::test]
async fn who_is_stuck_to_one_stays_there_until_it_is_gone() {
    let (one, other) = (Target::start().await, Target::start().await);
    let gate = Gate::start(&one, &hosts(&[&one, &other], "balance = \"sticky\""));
    let mut client = gate.ask(GET).await;
    let (mut there, mine, spare) = tokio::select! {
        there = one.asked() => (there, &one, &other),
        there = other.asked() => (there, &other, &one),
    };
    client.is_served_by(&mut there).await;
    drop(there);
    is_served(&gate, mine).await;
    spare.stays_alone().await;
}

#[tokio::test]
async fn who_is_asked_for_its_health_gets_requests_only_when_it_is_well() {
    let (one, other) = (Target::start().await, Target::start().await);
    let lines = "health = { path = \"/up?a\", every = \"100ms\" }";
    let mut gate = Gate::start(&one, &hosts(&[&one, &other], lines));
    let other_answers = tokio::spawn(async move {
        loop {
            answer_health(&other, "200 OK").await;
        }
    });
    assert_eq!(answer_health(&one, "204 No Content").await, "web.example");
    answer_health(&one, "503 Service Unavailable").await;
    gate.notices("it answered 503").await;
    // The other one's health is asked by the same task; a request of ours goes there, too.
    let answer = gate.ask(GET).await.response().await;
    assert!(answer.0.starts_with("HTTP/1.1 200"), "{}", answer.0);
    answer_health(&one, "302 Found").await;
    gate.notices("is well again").await;
    let mut client = gate.ask(GET).await;
    let mut there = loop {
        let mut there = one.accept().await;
        if first(&there.head().await) == "GET / HTTP/1.1" {
            break there;
        }
        there.send(OK).await;
    };
    client.is_served_by(&mut there).await;
    other_answers.abort();
}

#[tokio::test]
async fn a_reload_keeps_what_is_known_of_a_target() {
    let (one, other) = (Target::start().await, Target::start().await);
    // Not asked again for an hour: what is known then was known before.
    let lines = "health = { path = \"/up?a\", every = \"1h\" }";
    let same = hosts(&[&one, &other], lines);
    let mut gate = Gate::start(&one, &same);
    let of = |target: &Target, asked| {
        let address = target.address;
        format!("gatehouse_proxy_target_well{{target=\"{address}\",asked=\"{asked}\"}}")
    };
    let asked = "web.example/up?a";
    let well = async { answer_health(&other, "200 OK").await };
    tokio::join!(well, answer_health(&one, "500 Internal Server Error"));
    gate.notices("it answered 500").await;
    let more = same.clone()
        + "[[host]]\nname = \"more.example\"\n[[host.http]]\ntarget = \"http://{target}\"\n";
    gate.reload(&other, &more);
    is_served(&gate, &other).await;
    gate.metric(&of(&one, asked), "0").await;
    gate.metric(&of(&other, asked), "1").await;
    gate.metric(&of(&other, ""), "1").await;
    // Who is not asked for its health is another question, and not known yet.
    gate.reload(&other, &hosts(&[&one, &other], ""));
    is_served(&gate, &one).await;
    gate.metric(&of(&one, ""), "1").await;
    gate.shows_no(&of(&one, asked)).await;
}

#[tokio::test]
async fn nobody_is_asked_for_its_health_once_its_rule_is_gone() {
    let (gone, kept) = (Target::start().await, Target::start().await);
    let lines = "health = { path = \"/up?a\", every = \"100ms\" }";
    let mut gate = Gate::start(&gone, &hosts(&[&gone, &kept], lines));
    tokio::join!(
        answer_health(&gone, "200 OK"),
        answer_health(&kept, "200 OK")
    );
    gate.reload(&kept, &hosts(&[&kept], lines));
    // The worker has the order when it asks the other one again, or by the time after that.
    for _ in 0..3 {
        answer_health(&kept, "200 OK").await;
    }
    // What had come until then.
    while gone.is_waited_for().await {}
    for _ in 0..5 {
        answer_health(&kept, "200 OK").await;
    }
    assert!(!gone.is_waited_for().await, "it is asked no more");
}

/// Answers until it was asked for its health, that with `status`; gives the Host asked for.
async fn answer_health(target: &Target, status: &str) -> String {
    loop {
        let mut there = target.accept().await;
        let head = there.head().await;
        if first(&head) != "GET /up?a HTTP/1.1" {
            there.send(OK).await;
            continue;
        }
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        there.send(answer).await;
        there.ends().await;
        return field(&head, "Host").unwrap().to_owned();
    }
}

#[tokio::test]
async fn each_sees_its_own_name_where_the_rule_says_so() {
    let (dead, well) = (closed().await, Target::start().await);
    let gate = Gate::start(&well, &hosts(&[&dead, &well], "target_host = \"target\""));
    let mut client = gate.ask(GET).await;
    let mut there = well.accept().await;
    let head = there.head().await;
    assert_eq!(field(&head, "Host"), Some(&*well.address.to_string()));
    client.is_served_by(&mut there).await;
}

/// Reads the PROXY header that a connection begins with: the client it names, and our address.
async fn introduced(there: &mut Peer<TcpStream>, v2: bool) -> (SocketAddr, SocketAddr) {
    let mut bytes = Vec::new();
    loop {
        bytes.extend(there.bytes(1).await);
        if let Some((header, length)) = proxy_header::read(&bytes).unwrap() {
            assert_eq!(length, bytes.len());
            assert_eq!(bytes.starts_with(b"PROXY "), !v2);
            return (header.source.unwrap(), header.destination.unwrap());
        }
    }
}

#[tokio::test]
async fn a_target_is_told_who_comes_and_no_connection_serves_two() {
    for version in ["v1", "v2"] {
        let (gate, target) = plain(&format!("target_proxy_protocol = \"{version}\"")).await;
        for _ in 0..2 {
            let mut client = gate.ask(GET).await;
            let mut there = target.accept().await;
            let (source, destination) = introduced(&mut there, version == "v2").await;
            assert_eq!(source, client.stream.local_addr().unwrap());
            assert_eq!(destination, gate.http);
            assert_eq!(first(&there.head().await), "GET / HTTP/1.1");
            client.is_served_by(&mut there).await;
            there.ends().await;
        }
    }
}
