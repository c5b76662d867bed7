//! SIP by the domain of From of the first REGISTER or INVITE.

use crate::domains::{Site, every_combination};
use crate::peer::Peer;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

/// A request of john with a To of its own and more headers, each with its line end.
fn request(method: &str, from: &str, to: &str, more: &str) -> String {
    format!(
        "{method} sip:dvl-ckl2.net SIP/2.0\r\nVia: SIP/2.0/TCP 10.9.8.7:5060;branch=z9hG4bK1\r\nFrom: <{from}>;tag=1\r\nTo: <{to}>\r\n\
         Call-ID: c@10.9.8.7\r\nCSeq: 1 {method}\r\n{more}Content-Length: 0\r\n\r\n"
    )
}

const JOHN: &str = "sip:john@dvl-ckl2.net";

fn register(more: &str) -> String {
    request("REGISTER", JOHN, JOHN, more)
}

/// A message without a body, with its empty line.
async fn message<S: AsyncRead + AsyncWrite + Unpin>(peer: &mut Peer<S>) -> String {
    peer.head().await + "\r\n\r\n"
}

#[tokio::test]
async fn a_registration_goes_on_over_tls_only_for_who_has_proven_its_name() {
    every_combination("sip", register("").as_bytes(), "john").await;
}

#[tokio::test]
async fn who_registers_another_than_himself_has_not_proven_it() {
    let mut site = Site::start("sip", "").await;
    let john = site.phone("john");
    let mut client = site.connect_tls("sips", Some(&john)).await;
    let boss = request("REGISTER", JOHN, "sip:boss@dvl-ckl2.net", "");
    client.send(&boss).await;
    site.plain.accept().await.bytes(boss.len()).await;
    site.tls.stays_alone().await;

    // Nor does he later, on a connection that he was let in on by certificate.
    let mut client = site.connect_tls("sips", Some(&john)).await;
    client.send(register("")).await;
    let mut there = site.accept_tls().await;
    there.bytes(register("").len()).await;
    client.send(&boss).await;
    assert_eq!(there.rest().await.0, b"");
    site.gate.rejects_for("\"boss\" is claimed").await;
}

/// What nobody may send on a connection that john's certificate has opened.
fn disguises() -> Vec<String> {
    let boss = "sip:boss@dvl-ckl2.net";
    let with_to = |text: String, to: &str| text.replacen(&format!("To: <{JOHN}>"), to, 1);
    vec![
        request("INVITE", boss, JOHN, ""),
        with_to(
            request("INVITE", boss, JOHN, ""),
            "To: <sip:9@dvl-ckl2.net>;tag=",
        ),
        with_to(
            request("MESSAGE", boss, JOHN, ""),
            "To: <sip:9@dvl-ckl2.net>;tag=x",
        ),
        with_to(
            request("INVITE", boss, JOHN, ""),
            "To: <sip:9@dvl-ckl2.net>;tag=x",
        ),
        request("register", JOHN, boss, ""),
        request("REGISTER", JOHN, "sip:john@elsewhere.example", ""),
        request("REGISTER", JOHN, "tel:john", ""),
        request("INVITE", "sip:boss@anonymous.invalid", JOHN, ""),
        request("REGISTER", JOHN, "sip:john@dvl-ckl2.net/branch-b", ""),
        request(
            "INVITE",
            JOHN,
            JOHN,
            "P-Asserted-Identity: <sip:boss@dvl-ckl2.net>\r\n",
        ),
        request(
            "INVITE",
            JOHN,
            JOHN,
            "P-Preferred-Identity: sip:john@a, sip:boss@a\r\n",
        ),
    ]
}

#[tokio::test]
async fn who_has_proven_to_be_one_is_nobody_else_in_any_disguise() {
    let site = Site::start("sip", "").await;
    let john = site.phone("john");
    for disguise in disguises() {
        let mut client = site.connect_tls("sips", Some(&john)).await;
        client.send(register("")).await;
        let mut there = site.accept_tls().await;
        there.bytes(register("").len()).await;
        client.send(&disguise).await;
        assert_eq!(there.rest().await.0, b"", "{disguise}");
    }
    // What he may send: hidden, and in a dialogue that the PBX has begun with whoever it called.
    let mut client = site.connect_tls("sips", Some(&john)).await;
    client.send(register("")).await;
    let mut there = site.accept_tls().await;
    there.bytes(register("").len()).await;
    let hidden = request("INVITE", "sip:anonymous@anonymous.invalid", JOHN, "");
    client.send(&hidden).await;
    there.bytes(hidden.len()).await;
    let call =
        request("INVITE", "sip:boss@dvl-ckl2.net", "sip:100@10.9.8.7", "").replace("c@10", "d@10");
    there.send(&call).await;
    client.bytes(call.len()).await;
    let bye = request("BYE", "sip:100@10.9.8.7", "sip:boss@dvl-ckl2.net", "")
        .replace("c@10", "d@10")
        .replace("boss@dvl-ckl2.net>", "boss@dvl-ckl2.net>;tag=1");
    client.send(&bye).await;
    assert_eq!(there.text(bye.len()).await, bye);
    // The same call names nobody else, and another claims nothing beside it.
    let asserted = bye.replacen(
        "Content-Length",
        "P-Asserted-Identity: <sip:boss@dvl-ckl2.net>\r\nContent-Length",
        1,
    );
    client.send(&asserted).await;
    assert_eq!(there.rest().await.0, b"");
}

#[tokio::test]
async fn domain_and_location_choose_the_target_and_pings_before_are_answered() {
    let mut site = Site::start("sip", "").await;
    let mut client = site.connect("sip").await;
    client.send("\r\n\r\n").await;
    assert_eq!(client.text(2).await, "\r\n");
    client.send(request("OPTIONS", JOHN, JOHN, "")).await;
    let answer = message(&mut client).await;
    assert!(answer.starts_with("SIP/2.0 200 OK\r\n"), "{answer}");
    let at_branch = "sip:john@DVL-ckl2.net/branch-b";
    let first = request("INVITE", at_branch, JOHN, "");
    client.send(&first).await;
    let mut there = site.branch.accept().await;
    assert_eq!(there.text(first.len()).await, first);
    let decision = site.gate.decision().await;
    assert_eq!(decision.asked, "INVITE john@dvl-ckl2.net/branch-b");
    // Some telephones name the location in From alone.
    let mut client = site.connect("sip").await;
    let registers = request("REGISTER", at_branch, JOHN, "");
    client.send(&registers).await;
    let mut there = site.branch.accept().await;
    assert_eq!(there.text(registers.len()).await, registers);
    client.send(request("REGISTER", JOHN, at_branch, "")).await;
    assert_eq!(there.rest().await.0, b"");
    site.gate.rejects_for("for another domain").await;
    site.plain.stays_alone().await;
}

#[tokio::test]
async fn what_may_not_be_first_is_refused_and_attackers_hear_nothing() {
    let mut site = Site::start("sip", "").await;
    let elsewhere = "sip:john@elsewhere.example";
    for (bytes, answer, words) in [
        (
            request("REGISTER", elsewhere, JOHN, ""),
            "SIP/2.0 403",
            "serves sip",
        ),
        (
            request("SUBSCRIBE", JOHN, JOHN, ""),
            "SIP/2.0 403",
            "SUBSCRIBE before",
        ),
        (
            register("User-Agent: friendly-scanner\r\n"),
            "",
            "attack tool",
        ),
        (
            request("OPTIONS", JOHN, JOHN, "User-Agent: friendly-scanner\r\n"),
            "",
            "attack tool",
        ),
        (
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "",
            "malformed sip",
        ),
    ] {
        let mut client = site.connect("sip").await;
        client.send(&bytes).await;
        let (told, _) = client.rest().await;
        let told = String::from_utf8(told).unwrap();
        assert!(told.starts_with(answer), "{told}");
        assert_eq!(told.is_empty(), answer.is_empty(), "{told}");
        site.gate.rejects_for(words).await;
    }
    site.plain.stays_alone().await;
}

#[tokio::test]
async fn later_requests_are_of_the_same_domain() {
    let elsewhere = "sip:john@elsewhere.example";
    let hidden = request("INVITE", "sip:anonymous@anonymous.invalid", JOHN, "");
    let within = request("BYE", elsewhere, JOHN, "")
        .replace("john@dvl-ckl2.net>", "john@dvl-ckl2.net>;tag=2");
    let mut site = Site::start("sip", "").await;
    let mut client = site.connect("sip").await;
    for fine in [register(""), hidden, within] {
        client.send(&fine).await;
    }
    let mut there = site.plain.accept().await;
    for method in ["REGISTER", "INVITE", "BYE"] {
        let text = message(&mut there).await;
        assert!(text.starts_with(method), "{text}");
    }
    client.send(request("MESSAGE", elsewhere, JOHN, "")).await;
    assert_eq!(there.rest().await.0, b"");
    site.gate.rejects_for("for another domain").await;
}

#[tokio::test]
async fn private_addresses_are_shown_as_the_public_one_and_come_back_as_they_were() {
    let mut site = Site::start("sip", "").await;
    let mut client = site.connect("sip").await;
    client.send(register("")).await;
    let mut there = site.plain.accept().await;
    message(&mut there).await;
    let port = site.plain.address.port();
    let via = format!("Via: SIP/2.0/TCP 127.0.0.1:{port};branch=z9hG4bK2\r\n");
    let route = format!("Record-Route: <sip:127.0.0.1:{port};lr>\r\n");
    let asked = request("OPTIONS", JOHN, JOHN, &format!("{via}{route}"));
    there.send(&asked).await;
    let seen = message(&mut client).await;
    assert!(seen.contains("203.0.113.20"), "{seen}");
    assert!(!seen.contains("127.0.0.1"), "{seen}");
    let answer = seen.replacen("OPTIONS sip:dvl-ckl2.net SIP/2.0", "SIP/2.0 200 OK", 1);
    client.send(&answer).await;
    let back = message(&mut there).await;
    assert!(back.contains(&via) && back.contains(&route), "{back}");
    site.gate.decision().await;

    // The next message knows that the public address is another now.
    site.gate.moves_to("203.0.113.99");
    there.send(&asked).await;
    let seen = message(&mut client).await;
    assert!(seen.contains("203.0.113.99"), "{seen}");
    assert!(!seen.contains("127.0.0.1"), "{seen}");
}

#[tokio::test]
async fn what_nobody_had_to_prove_opens_nothing_once_it_has_to_be_proven() {
    let hosts = |checks: bool, site: &Site| {
        site.hosts_anew("sip", &format!("check_certificate = {checks}"))
    };
    let mut site = Site::start("sip", "check_certificate = false").await;
    let john = site.phone("john");
    // The branch asks for certificates, so that it is shown one.
    let mut client = site.connect_tls("sips", Some(&john)).await;
    client.send(register("")).await;
    let mut there = site.accept_tls().await;
    there.bytes(register("").len()).await;
    let checked = hosts(true, &site);
    site.reload(&checked);
    assert_eq!(there.rest().await.0, b"");
    let boss = "sip:boss@dvl-ckl2.net";
    // It may be gone already.
    let _ = client
        .stream
        .write_all(request("REGISTER", boss, boss, "").as_bytes())
        .await;
    site.plain.stays_alone().await;
}

#[tokio::test]
async fn what_is_open_is_counted_while_it_is() {
    let mut site = Site::start("sip", "").await;
    let mut client = site.connect("sip").await;
    client.send(register("")).await;
    let mut there = site.plain.accept().await;
    there.bytes(register("").len()).await;
    let series = "gatehouse_proxy_bytes_total{host=\"dvl-ckl2.net\",direction=\"received\"}";
    site.gate
        .metric(series, &register("").len().to_string())
        .await;
    site.gate.decision().await;
}

#[tokio::test]
async fn who_was_not_let_in_makes_room_for_others() {
    let limits = "[proxy.limits]\nconnections = 8\nconnections_per_address = 8";
    let site = Site::with_proxy_keys("sip", "", limits).await;
    let answer = |text: &str, status: &str| text.replacen(text.lines().next().unwrap(), status, 1);
    let mut open = Vec::new();
    for status in ["SIP/2.0 200 OK", "SIP/2.0 401 Unauthorized"] {
        for _ in 0..3 {
            let mut client = site.connect("sip").await;
            client.send(register("")).await;
            let mut there = site.plain.accept().await;
            let seen = message(&mut there).await;
            there.send(answer(&seen, status)).await;
            message(&mut client).await;
            open.push((client, there));
        }
    }
    let _seventh = site.connect("sip").await;
    let _eighth = site.connect("sip").await;
    let mut strangers = open.split_off(3);
    let (first, rest) = strangers.split_at_mut(1);
    let (second, third) = rest.split_at_mut(1);
    tokio::select! {
        _ = first[0].0.rest() => {}
        _ = second[0].0.rest() => {}
        _ = third[0].0.rest() => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("nobody made room"),
    }
    for (client, there) in &mut open {
        client.send("\r\n\r\n").await;
        there.bytes(4).await;
    }
}

#[tokio::test]
async fn passwords_and_numbers_that_are_tried_count() {
    let mut site = Site::start("sip", "").await;
    let mut client = site.connect("sip").await;
    let tried = register("Authorization: Digest username=\"john\"\r\n");
    client.send(&tried).await;
    let mut there = site.plain.accept().await;
    let answer = |text: &str, status: &str| {
        let start = text.split("\r\n").next().unwrap().to_owned();
        text.replacen(&start, &format!("SIP/2.0 {status}"), 1)
    };
    let seen = message(&mut there).await;
    there.send(answer(&seen, "401 Unauthorized")).await;
    message(&mut client).await;
    let offence = site.gate.outbox.offences.recv().await.unwrap();
    assert_eq!(offence.weight, 1);
    for number in 100..105 {
        let user = format!("sip:{number}@dvl-ckl2.net");
        let call = request("REGISTER", &user, &user, "").replace("c@10", &format!("{number}@10"));
        client.send(&call).await;
        let seen = message(&mut there).await;
        there.send(answer(&seen, "404 Not Found")).await;
    }
    let (told, _) = client.rest().await;
    let told = String::from_utf8(told).unwrap();
    assert_eq!(told.matches("SIP/2.0 404").count(), 4, "{told}");
    site.gate.rejects_for("in series").await;
}
