//! What targets and clients get to see of each other's heads.

use crate::gate::{Gate, PLAIN, plain};
use crate::http2::{Http2, ROOT, whole};
use crate::peer::{EMPTY, GET, Target, field, first};

#[tokio::test]
async fn the_target_sees_one_normal_form_and_what_we_say_of_the_client() {
    let (gate, target) = plain("").await;
    let _client = gate
        .ask(
            "GET /a%20b?c=d&e HTTP/1.1\r\nhOST: Web.Example:90\r\nX-CuStOm:   two  words \r\n\
             Connection: keep-alive, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: timeout=5\r\n\
             X-Forwarded-For: 10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\n\
             X-Forwarded-Proto: https\r\nProxy-Authorization: Basic eDp5\r\nTE: gzip\r\n\
             Accept: a\r\nAccept: b\r\n\r\n",
        )
        .await;
    let mut there = target.accept().await;
    assert_eq!(
        there.head().await.replace("\r\n", "\n"),
        "GET /a%20b?c=d&e HTTP/1.1\n\
         hOST: Web.Example:90\n\
         X-CuStOm: two  words\n\
         Accept: a\n\
         Accept: b\n\
         X-Forwarded-Host: Web.Example:90\n\
         X-Real-IP: 127.0.0.1\n\
         X-Forwarded-For: 127.0.0.1\n\
         X-Forwarded-Proto: http"
    );
}

#[tokio::test]
async fn the_client_sees_the_targets_fields_in_their_order_and_case() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there
        .send(
            "HTTP/1.1 203 Sort of   OK\r\nX-b: 1\r\nsEt-Cookie: a=b; Path=/; Secure\r\n\
             Set-Cookie: c=d\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: max=3\r\n\
             Content-Length: 2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\nok",
        )
        .await;
    assert_eq!(
        client.head().await.replace("\r\n", "\n"),
        "HTTP/1.1 203 Sort of   OK\n\
         X-b: 1\n\
         sEt-Cookie: a=b; Path=/; Secure\n\
         Set-Cookie: c=d\n\
         Content-Length: 2\n\
         Date: Sun, 06 Nov 1994 08:49:37 GMT"
    );
    assert_eq!(client.text(2).await, "ok");
}

#[tokio::test]
async fn a_date_is_added_where_the_target_has_none() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there.send(EMPTY).await;
    let head = client.head().await;
    assert!(field(&head, "date").unwrap().ends_with(" GMT"), "{head}");
}

#[tokio::test]
async fn the_clients_address_in_a_field_of_its_own_replaces_the_clients_word() {
    let (gate, target) = plain("client_address_header = \"X-Client-IP\"").await;
    let mut client = gate.connect().await;
    let port = client.stream.local_addr().unwrap().port();
    client
        .send("GET / HTTP/1.1\r\nHost: web.example\r\nX-Client-Ip: 1.2.3.4:5\r\n\r\n")
        .await;
    let head = target.accept().await.head().await;
    let own = format!("127.0.0.1:{port}");
    assert_eq!(field(&head, "x-client-ip"), Some(own.as_str()));
}

#[tokio::test]
async fn a_twin_of_the_field_for_the_clients_address_is_refused() {
    let (mut gate, target) = plain("client_address_header = \"X-Client-IP\"").await;
    for twin in ["X_Client_IP", "x-client_ip", "X.Client.IP"] {
        let mut client = gate
            .ask(format!(
                "GET / HTTP/1.1\r\nHost: web.example\r\n{twin}: 1.2.3.4:5\r\n\r\n"
            ))
            .await;
        client.gets("400 Bad Request").await;
        client.ends().await;
        gate.rejects_for("only by an underscore").await;
        assert_eq!(gate.outbox.offences.recv().await.unwrap().weight, 1);
    }
    let mut client = Http2::connect(&gate).await;
    let request = http::Request::get(ROOT).header("x_client_ip", "1.2.3.4:5");
    let (response, _) = client.open(request.body(()).unwrap(), true).await;
    assert_eq!(whole(response).await.0, 400);
    client.is_sent_away().await;
    target.stays_alone().await;
}

#[tokio::test]
async fn fields_that_would_lead_a_target_astray_end_here() {
    let (gate, target) = plain("").await;
    let _client = gate
        .ask(
            "GET / HTTP/1.1\r\nHost: web.example\r\nProxy: evil.example\r\nX-Original-URL: /evil\r\n\
             x-rewrite-url: /evil\r\nX_Original_URL: /evil\r\nX_Rewrite_Url: /evil\r\nX-Proxy: 1\r\n\r\n",
        )
        .await;
    let head = target.accept().await.head().await;
    assert!(!head.contains("evil"), "{head}");
    assert_eq!(field(&head, "x-proxy"), Some("1"));
}

#[tokio::test]
async fn interim_responses_are_passed_on_but_not_to_http_1_0() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET /1 HTTP/1.1\r\nHost: web.example\r\n\r\n")
        .await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n")
        .await;
    let hints = client.head().await;
    assert_eq!(first(&hints), "HTTP/1.1 103 Early Hints");
    assert_eq!(field(&hints, "link"), Some("</s.css>; rel=preload"));
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")
        .await;
    assert_eq!(client.response().await.1, b"x");

    let mut old = gate
        .ask("GET /0 HTTP/1.0\r\nHost: web.example\r\n\r\n")
        .await;
    there
        .answers("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny")
        .await;
    let (head, body) = old.response().await;
    assert_eq!((first(&head), &*body), ("HTTP/1.1 200 OK", &b"y"[..]));
    assert_eq!(field(&head, "connection"), Some("close"));
    old.ends().await;
}

#[tokio::test]
async fn http_1_0_without_host_but_with_an_absolute_target() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET http://web.example?q HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        .await;
    let mut there = target.accept().await;
    let head = there.head().await;
    assert_eq!(first(&head), "GET /?q HTTP/1.1");
    assert_eq!(field(&head, "host"), Some("web.example"));
    there.send(EMPTY).await;
    let head = client.head().await;
    assert_eq!(field(&head, "connection"), Some("keep-alive"));
    client
        .send("GET / HTTP/1.0\r\nHost: web.example\r\n\r\n")
        .await;
    there.head().await;
}

#[tokio::test]
async fn a_head_may_come_in_small_pieces_and_be_large() {
    let (gate, target) = plain("").await;
    let mut client = gate.connect().await;
    for byte in GET.as_bytes() {
        client.send([*byte]).await;
    }
    let mut there = target.asked().await;
    let cookie = "c".repeat(25_000);
    there
        .send(format!(
            "HTTP/1.1 200 OK\r\nSet-Cookie: {cookie}\r\nContent-Length: 0\r\n\r\n"
        ))
        .await;
    assert_eq!(field(&client.head().await, "set-cookie"), Some(&*cookie));
    client
        .send(format!(
            "GET / HTTP/1.1\r\nHost: web.example\r\nCookie: {cookie}\r\n\r\n"
        ))
        .await;
    assert_eq!(field(&there.head().await, "cookie"), Some(&*cookie));
}

#[tokio::test]
async fn a_target_may_be_named() {
    let target = Target::start().await;
    let port = target.address.port();
    let hosts = PLAIN.replace("{target}", &format!("target.test:{port}"));
    let mut gate = Gate::start(&target, &hosts);
    let mut client = gate.ask(GET).await;
    let mut there = target.accept().await;
    assert_eq!(field(&there.head().await, "host"), Some("web.example"));
    there.send(EMPTY).await;
    client.head().await;
    gate.reload(&target, &hosts.replace("target.test", "nowhere.test"));
    client.send(GET).await;
    assert_eq!(first(&client.head().await), "HTTP/1.1 502 Bad Gateway");
    gate.rejects_for("nowhere.test").await;
}

#[tokio::test]
async fn a_dot_at_the_end_of_a_host_is_not_passed_on() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET / HTTP/1.1\r\nHost: Web.example.:8080\r\n\r\n")
        .await;
    let mut there = target.accept().await;
    let head = there.head().await;
    assert_eq!(field(&head, "host"), Some("Web.example:8080"));
    assert_eq!(field(&head, "x-forwarded-host"), Some("Web.example:8080"));
    client.is_served_by(&mut there).await;
}
