//! Fields that a rule sets, adds and removes, and limits that the file sets.

use crate::gate::{Gate, PLAIN, plain};
use crate::peer::{GET, OK, Peer, Target, field};

#[tokio::test]
async fn the_fields_of_requests_are_those_of_the_rule() {
    let (gate, target) = plain(
        "forwarded = true\ntarget_host = \"inner.example:8080\"\n\
         request_headers = { set = { \"X-Set\" = \"ours\" }, add = { \"X-Add\" = \"more\" }, remove = [\"X-Gone\"] }",
    )
    .await;
    let mut client = gate
        .ask("GET / HTTP/1.1\r\nHost: web.example\r\nX-Set: theirs\r\nx_set: twin\r\nX-Gone: 1\r\nX-Add: theirs\r\n\r\n")
        .await;
    let mut there = target.accept().await;
    let head = there.head().await;
    let lines: Vec<&str> = head.lines().skip(1).collect();
    let of = |name: &str| -> Vec<&str> {
        let prefix = format!("{name}: ");
        lines
            .iter()
            .filter_map(|line| line.strip_prefix(&prefix))
            .collect()
    };
    assert_eq!(of("X-Set"), ["ours"], "{head}");
    assert_eq!(of("X-Add"), ["theirs", "more"], "{head}");
    assert!(of("X-Gone").is_empty() && of("x_set").is_empty(), "{head}");
    assert_eq!(of("Host"), ["inner.example:8080"], "{head}");
    assert_eq!(of("X-Forwarded-Host"), ["web.example"], "{head}");
    assert_eq!(
        of("Forwarded"),
        ["for=127.0.0.1;host=\"web.example\";proto=http"],
        "{head}"
    );
    client.is_served_by(&mut there).await;
}

#[tokio::test]
async fn the_fields_of_responses_are_those_of_the_rule_and_hsts_is_for_tls() {
    let lines = "hsts = \"180d\"\nresponse_headers = { set = { \"Server\" = \"gate\" }, remove = [\"X-Powered-By\"] }";
    let (gate, target) = plain(lines).await;
    let answer = "HTTP/1.1 200 OK\r\nServer: old/1.0\r\nX-Powered-By: x\r\n\
        Strict-Transport-Security: max-age=1\r\nContent-Length: 0\r\n\r\n";
    let mut client = gate.ask(GET).await;
    target.accept().await.answers(answer).await;
    let head = client.head().await;
    assert_eq!(field(&head, "server"), Some("gate"));
    assert_eq!(field(&head, "x-powered-by"), None);
    assert_eq!(field(&head, "strict-transport-security"), Some("max-age=1"));
    let mut client = gate.connect_tls("web.example").await;
    client.send(GET).await;
    target.accept().await.answers(answer).await;
    let head = client.head().await;
    assert_eq!(
        field(&head, "strict-transport-security"),
        Some("max-age=15552000")
    );
}

#[tokio::test]
async fn limits_are_those_of_the_file() {
    let target = Target::start().await;
    let limits = "[proxy.limits]\nrequests_per_connection = 2\nhead_size = \"1kB\"\nhead_fields = 8\n\
        connections_per_address = 2\nhead_timeout = \"300ms\"\n";
    let gate = Gate::start(&target, &format!("{PLAIN}{limits}"));
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    client.is_served_by(&mut there).await;
    client.send(GET).await;
    there.answers(OK).await;
    let (head, body) = client.response().await;
    assert_eq!(field(&head, "connection"), Some("close"));
    assert_eq!(body, b"ok");
    client.ends().await;

    let long = format!("X: {}\r\n", "x".repeat(1000));
    for fields in [long, "X: 1\r\n".repeat(8)] {
        let head = format!("GET / HTTP/1.1\r\nHost: web.example\r\n{fields}\r\n");
        let mut client = gate.ask(head).await;
        client.gets("431 Request Header Fields Too Large").await;
    }
    let mut slow = gate.ask("GET / HTTP/1.1\r\n").await;
    slow.gets("408 Request Timeout").await;
    drop(slow);

    gate.metric("gatehouse_proxy_connections{protocol=\"http\"}", "0")
        .await;
    let held = [gate.connect().await, gate.connect().await];
    Peer::connect(gate.http).await.ends().await;
    let full = "gatehouse_proxy_rejected_total{reason=\"too_many_connections\"}";
    gate.metric(full, "1").await;
    drop(held);
}
