//! What is refused, what the client learns of it, and what the operator does.

use crate::gate::{Gate, PLAIN, plain};
use crate::peer::{EMPTY, GET, Peer, Target, first};
use service::{Blame, Outcome};
use std::time::Duration;

/// What is sent, the status of the answer, and the label of the reason.
const REFUSED: [(&str, u16, &str); 13] = [
    (
        "GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n",
        404,
        "host_unknown",
    ),
    (
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        404,
        "host_unknown",
    ),
    ("GET / HTTP/1.0\r\n\r\n", 400, "host_unknown"),
    (
        "GET /%2e%2e/ HTTP/1.1\r\nHost: web.example\r\n\r\n",
        400,
        "path_ambiguous",
    ),
    ("GET / HTTP/1.1\r\n\r\n", 400, "malformed"),
    ("GET / HTTP/1.1\nHost: web.example\n\n", 400, "malformed"),
    (
        "GET / HTTP/1.1\r\nHost: web.example\r\n X: y\r\n\r\n",
        400,
        "malformed",
    ),
    (
        "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
        "malformed",
    ),
    (
        "GET / HTTP/1.2\r\nHost: web.example\r\n\r\n",
        505,
        "malformed",
    ),
    (
        "TRACE / HTTP/1.1\r\nHost: web.example\r\n\r\n",
        501,
        "malformed",
    ),
    (
        "CONNECT web.example:80 HTTP/1.1\r\nHost: web.example:80\r\n\r\n",
        501,
        "malformed",
    ),
    (
        "GET / HTTP/1.1\r\nHost: web.example\r\nX_Forwarded_For: 1\r\n\r\n",
        400,
        "malformed",
    ),
    (
        "GET https://web.example/ HTTP/1.1\r\nHost: web.example\r\n\r\n",
        421,
        "misdirected",
    ),
];

#[tokio::test]
async fn unknown_hosts_and_malformed_heads_are_refused_counted_and_never_seen_by_a_target() {
    let (mut gate, target) = plain("").await;
    for (request, status, label) in REFUSED {
        let mut client = gate.ask(request).await;
        let (head, body) = client.response().await;
        let expected = format!("HTTP/1.1 {status} ");
        assert!(head.starts_with(&expected), "{request:?}: {head}");
        let body = String::from_utf8(body).unwrap();
        for inside in ["127.0.0.1", "line", "rule", "Gatehouse", "gatehouse"] {
            assert!(
                !body.contains(inside) && !head.contains(inside),
                "{head}\n{body}"
            );
        }
        client.ends().await;
        assert_eq!(
            gate.outbox.offences.recv().await.unwrap().weight,
            1,
            "{label}"
        );
        let decision = gate.decision().await;
        assert!(
            matches!(
                decision.outcome,
                Outcome::Rejected { status: Some(said), blame: Blame::Peer, .. } if said == status
            ),
            "{decision:?}"
        );
    }
    gate.metric("gatehouse_proxy_rejected_total{reason=\"malformed\"}", "8")
        .await;
    target.stays_alone().await;
}

#[tokio::test]
async fn the_log_tells_what_was_asked_and_which_line_decided() {
    let target = Target::start().await;
    let hosts = PLAIN.replace("target =", "paths = [\"/a\"]\ntarget =");
    let mut gate = Gate::start(&target, &hosts);
    let mut client = gate
        .ask("GET /a/b?secret=1 HTTP/1.1\r\nHost: web.example\r\n\r\n")
        .await;
    let mut there = target.asked().await;
    there.send(EMPTY).await;
    client.head().await;
    let forwarded = gate.decision().await;
    assert_eq!(
        (&*forwarded.host, &*forwarded.asked),
        ("web.example", "GET /a/b")
    );
    assert_eq!(forwarded.protocol, "http");
    assert_eq!(forwarded.client, client.stream.local_addr().unwrap());
    let target = target.address.to_string();
    assert_eq!(forwarded.outcome, Outcome::Forwarded { target, new: true });
    let rule = forwarded.rule.unwrap();
    client
        .send("GET /b HTTP/1.1\r\nHost: web.example\r\n\r\n")
        .await;
    let refused = gate.decision().await;
    assert_eq!(refused.asked, "GET /b");
    assert_eq!(
        refused.rule,
        Some(rule - 2),
        "the host decides: none of its paths fits"
    );
}

#[tokio::test]
async fn a_target_that_is_down_costs_a_502_and_no_offence() {
    let (mut gate, target) = plain("").await;
    let address = target.address;
    drop(target);
    let mut client = gate.ask(GET).await;
    let (head, body) = client.response().await;
    assert_eq!(first(&head), "HTTP/1.1 502 Bad Gateway");
    assert!(!String::from_utf8(body).unwrap().contains("127.0.0.1"));
    client.ends().await;
    let decision = gate.decision().await;
    let Outcome::Rejected { reason, blame, .. } = decision.outcome else {
        panic!("{decision:?}");
    };
    assert!(reason.contains(&address.to_string()), "{reason}");
    assert_eq!(blame, Blame::Upstream);
    assert!(gate.outbox.offences.try_recv().is_err());
}

#[tokio::test]
async fn a_silent_target_costs_a_504() {
    let (mut gate, target) = plain("idle_timeout = \"1s\"").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    client.gets("504 Gateway Timeout").await;
    gate.rejects_for("did not answer within 1 s").await;
    there.ends().await;
    // A client that stops in the middle of its body is another matter.
    let mut client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 9\r\n\r\nabc")
        .await;
    client.gets("408 Request Timeout").await;
}

#[tokio::test]
async fn a_malformed_answer_costs_a_502() {
    let (mut gate, target) = plain("").await;
    for answer in [
        "HELLO\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
    ] {
        let mut client = gate.ask(GET).await;
        let mut there = target.asked().await;
        there.send(answer).await;
        let head = client.response().await.0;
        assert_eq!(first(&head), "HTTP/1.1 502 Bad Gateway", "{answer:?}");
        gate.rejects_for("malformed answer").await;
    }
}

#[tokio::test]
async fn a_target_that_is_ourselves_is_found_out() {
    let (mut gate, target) = plain("").await;
    let hosts = PLAIN.replace("{target}", &gate.http.to_string());
    gate.reload(&target, &hosts);
    let mut client = gate.ask(GET).await;
    client.gets("502 Bad Gateway").await;
    gate.rejects_for("is this gateway itself").await;
}

#[tokio::test]
async fn the_banned_are_closed_on_without_a_byte() {
    let (mut gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there.send(EMPTY).await;
    client.head().await;
    gate.ban("127.0.0.1");
    client.send(GET).await;
    client.ends().await;
    let mut late = Peer::connect(gate.http).await;
    late.ends().await;
    there.stays_silent().await;
    gate.rejects_for("banned").await;
}

#[tokio::test]
async fn plain_requests_are_redirected_where_the_rule_says_so() {
    let (mut gate, target) = plain("plain = \"redirect\"").await;
    let mut client = gate.connect().await;
    for (method, status) in [("GET", 301), ("HEAD", 301), ("DELETE", 308)] {
        client
            .send(format!(
                "{method} /a?b HTTP/1.1\r\nHost: Web.example:90\r\n\r\n"
            ))
            .await;
        let head = client.head().await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{head}");
        assert!(
            head.contains("\r\nLocation: https://Web.example/a?b\r\n"),
            "{head}"
        );
        if method != "HEAD" {
            let length = crate::peer::field(&head, "content-length").unwrap();
            client.bytes(length.parse().unwrap()).await;
        }
        let reason = "redirect to https://Web.example/a".to_owned();
        let told = gate.decision().await.outcome;
        assert_eq!(told, Outcome::Answered { status, reason });
    }
    target.stays_alone().await;
}

#[tokio::test]
async fn what_comes_before_the_host_is_known_is_told_as_it_came() {
    let (mut gate, _target) = plain("").await;
    let mut client = gate.ask("\x01\x02garbage\r\n\r\n").await;
    client.response().await;
    assert_eq!(gate.decision().await.asked, "\\x01\\x02garbage");
    gate.outbox.offences.recv().await.unwrap();
    let mut client = gate.ask("GET /a?secret=1 HTTP/7.0\r\n\r\n").await;
    client.response().await;
    assert_eq!(gate.decision().await.asked, "GET /a", "without its query");
    // A connection that never says anything is no offence.
    drop(gate.connect().await);
    tokio::time::sleep(Duration::from_millis(50)).await;
    gate.outbox.offences.recv().await.unwrap();
    assert!(gate.outbox.offences.try_recv().is_err());
}
