//! Bodies: framed anew, never held whole, and never ended as if they were complete when they are not.

use crate::gate::plain;
use crate::peer::{EMPTY, GET, field, first};
use std::time::Duration;
use tokio::io::AsyncWriteExt;

#[tokio::test]
async fn chunks_and_trailers_pass_both_ways() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask(
            "POST / HTTP/1.1\r\nHost: web.example\r\nTE: trailers\r\nConnection: TE\r\n\
             Transfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;ext=1\r\nhello\r\n",
        )
        .await;
    let mut there = target.accept().await;
    let head = there.head().await;
    assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
    assert_eq!(field(&head, "te"), Some("trailers"));
    assert_eq!(field(&head, "trailer"), Some("X-Sum"));
    assert_eq!(field(&head, "content-length"), None);
    assert_eq!(there.line().await, "5", "extensions end here");
    assert_eq!(there.text(7).await, "hello\r\n");
    client.send("006\r\n world\r\n0\r\nX-Sum: 11\r\n\r\n").await;
    let (rest, trailers) = there.chunks().await;
    assert_eq!(
        (rest, trailers),
        (b" world".to_vec(), vec!["X-Sum: 11".to_owned()])
    );
    there
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-T: 1\r\n\r\n")
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
    let (data, trailers) = client.chunks().await;
    assert_eq!(
        (data, trailers),
        (b"abcde".to_vec(), vec!["X-T: 1".to_owned()])
    );
    client.send(GET).await;
    there.head().await;
}

#[tokio::test]
async fn a_trailer_can_not_stand_in_for_the_clients_address() {
    let (gate, target) = plain("client_address_header = \"X-Client-IP\"").await;
    let _client = gate
        .ask(
            "POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n\
             0\r\nX-Client-Ip: 1.2.3.4:5\r\nX_Client_IP: 6\r\nSet-Cookie: a\r\nX-Sum: 1\r\n\r\n",
        )
        .await;
    let mut there = target.asked().await;
    assert_eq!(
        there.chunks().await,
        (Vec::new(), vec!["X-Sum: 1".to_owned()])
    );
}

#[tokio::test]
async fn a_target_may_answer_while_the_request_is_still_coming() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 6\r\n\r\nab")
        .await;
    let mut there = target.asked().await;
    assert_eq!(there.text(2).await, "ab");
    client.is_served_by(&mut there).await;
    // The rest is taken, and both connections go on.
    client.send("cdef").await;
    assert_eq!(there.text(4).await, "cdef");
    client.send(GET).await;
    there.answers("HTTP/1.1 204 No Content\r\n\r\n").await;
    assert_eq!(first(&client.head().await), "HTTP/1.1 204 No Content");
}

#[tokio::test]
async fn an_early_answer_that_ends_the_targets_connection_reaches_the_client() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 10000000\r\n\r\nab")
        .await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 403 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno")
        .await;
    drop(there);
    let (head, body) = client.response().await;
    assert_eq!((first(&head), &*body), ("HTTP/1.1 403 No", &b"no"[..]));
    client.ends().await;
}

#[tokio::test]
async fn a_client_that_expects_to_be_asked_is_asked_by_the_target() {
    let (gate, target) = plain("").await;
    let post =
        "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
    let mut client = gate.ask(post).await;
    let mut there = target.accept().await;
    assert_eq!(field(&there.head().await, "expect"), Some("100-continue"));
    client.stays_silent().await;
    there.send("HTTP/1.1 100 Continue\r\n\r\n").await;
    assert_eq!(client.head().await, "HTTP/1.1 100 Continue");
    client.send("ok").await;
    assert_eq!(there.text(2).await, "ok");
    there.send(EMPTY).await;
    assert_eq!(field(&client.head().await, "connection"), None);

    // Refused: nobody knows whether the body follows, so that the connection ends.
    client.send(post).await;
    there
        .answers("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "connection"), Some("close"));
    client.ends().await;
}

#[tokio::test]
async fn responses_without_a_body_leave_the_connection_open() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("HEAD / HTTP/1.1\r\nHost: web.example\r\n\r\n")
        .await;
    let mut there = target.accept().await;
    assert!(there.head().await.starts_with("HEAD / "));
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        .await;
    assert_eq!(field(&client.head().await, "content-length"), Some("1000"));
    for answer in [
        "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\nContent-Length: 7\r\n\r\n",
        "HTTP/1.1 205 Reset\r\nContent-Length: 0\r\n\r\n",
    ] {
        client.send(GET).await;
        there.answers(answer).await;
        let head = client.head().await;
        assert_eq!(first(&head), first(answer));
        assert_eq!(field(&head, "transfer-encoding"), None);
    }
}

#[tokio::test]
async fn a_body_that_ends_with_the_connection_becomes_chunks() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there.send("HTTP/1.0 200 OK\r\n\r\nsome").await;
    there.send("thing").await;
    there.finish().await;
    let (head, body) = client.response().await;
    assert_eq!(field(&head, "transfer-encoding"), Some("chunked"));
    assert_eq!(body, b"something");
    client.send(GET).await;
    target.accept().await.head().await;
}

#[tokio::test]
async fn http_1_0_gets_chunks_as_plain_bytes_until_the_end() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET / HTTP/1.0\r\nHost: web.example\r\nConnection: keep-alive\r\n\r\n")
        .await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
        .await;
    let head = client.head().await;
    assert_eq!(field(&head, "transfer-encoding"), None);
    assert_eq!(field(&head, "connection"), Some("close"));
    assert_eq!(client.rest().await, (b"abc".to_vec(), true));
}

#[tokio::test]
async fn a_body_that_was_cut_off_never_looks_complete() {
    let (mut gate, target) = plain("").await;
    let answers = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", "abc"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "3\r\nabc\r\n",
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
            "3\r\nabc\r\n",
        ),
    ];
    for (answer, seen) in answers {
        let mut client = gate.ask(GET).await;
        let mut there = target.asked().await;
        there.send(answer).await;
        let head = client.head().await;
        assert_eq!(first(&head), "HTTP/1.1 200 OK");
        assert_eq!(client.text(seen.len()).await, seen);
        drop(there);
        client.ends().await;
        gate.rejects_for("broke off").await;
    }
}

#[tokio::test]
async fn a_cut_off_body_without_framing_is_reset() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("GET / HTTP/1.0\r\nHost: web.example\r\n\r\n")
        .await;
    let mut there = target.asked().await;
    there.send("HTTP/1.0 200 OK\r\n\r\nabc").await;
    client.head().await;
    assert_eq!(client.text(3).await, "abc");
    there.stream.set_zero_linger().unwrap();
    drop(there);
    assert_eq!(client.rest().await, (Vec::new(), false));
}

#[tokio::test]
async fn wrong_chunks_of_a_target_are_not_passed_on() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    client.head().await;
    assert_eq!(client.text(8).await, "3\r\nabc\r\n");
    there.send("+3\r\ndef\r\n0\r\n\r\n").await;
    client.ends().await;
    there.ends().await;
}

#[tokio::test]
async fn max_body_holds_for_lengths_and_for_chunks() {
    let (mut gate, target) = plain("max_body = \"1kB\"").await;
    let mut client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 1001\r\n\r\n")
        .await;
    client.gets("413 Content Too Large").await;
    client.ends().await;
    target.stays_alone().await;

    let mut client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let mut there = target.asked().await;
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    client.send(chunk.repeat(2)).await;
    client.send("1\r\nx\r\n").await;
    client.gets("413 Content Too Large").await;
    let (seen, _) = there.rest().await;
    assert!(
        !seen.ends_with(b"0\r\n\r\n"),
        "the target must not take it for whole"
    );
    gate.rejects_for("max_body").await;
}

#[tokio::test]
async fn wrong_chunks_of_a_client_do_not_reach_the_target() {
    let (gate, target) = plain("").await;
    let mut client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        .await;
    let mut there = target.asked().await;
    client
        .send("3\nabc\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n")
        .await;
    client.gets("400 Bad Request").await;
    client.ends().await;
    let (seen, _) = there.rest().await;
    assert_eq!(seen, b"3\r\nabc\r\n");
}

#[tokio::test]
async fn who_does_not_read_is_not_written_to_without_end() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let mut there = target.asked().await;
    let whole: usize = 32 * 1024 * 1024;
    there
        .send(format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {whole}\r\n\r\n"
        ))
        .await;
    let block = vec![b'x'; 64 * 1024];
    let mut written = 0;
    while let Ok(count) =
        tokio::time::timeout(Duration::from_millis(500), there.stream.write(&block)).await
    {
        written += count.unwrap();
        assert!(written < whole / 2, "nothing held the target back");
    }
    // And once the client reads, everything comes.
    client.head().await;
    let rest = tokio::spawn(async move {
        while written < whole {
            let count = block.len().min(whole - written);
            there.stream.write_all(&block[..count]).await.unwrap();
            written += count;
        }
        there
    });
    assert_eq!(client.bytes(whole).await.len(), whole);
    rest.await.unwrap();
}

#[tokio::test]
async fn a_target_that_does_not_read_holds_the_client_back() {
    let (gate, target) = plain("").await;
    let whole = 32 * 1024 * 1024;
    let mut client = gate
        .ask(format!(
            "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: {whole}\r\n\r\n"
        ))
        .await;
    let _there = target.accept().await;
    let block = vec![b'x'; 64 * 1024];
    let mut written = 0;
    while let Ok(count) =
        tokio::time::timeout(Duration::from_millis(500), client.stream.write(&block)).await
    {
        written += count.unwrap();
        assert!(written < whole / 2, "nothing held the client back");
    }
}

#[tokio::test]
async fn a_client_that_hangs_up_takes_its_request_along() {
    let (mut gate, target) = plain("").await;
    let client = gate
        .ask("POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 9\r\n\r\nabc")
        .await;
    let mut there = target.asked().await;
    assert_eq!(there.text(3).await, "abc");
    drop(client);
    there.ends().await;
    gate.rejects_for("hung up").await;
}

#[tokio::test]
async fn a_client_may_end_its_direction_and_still_get_its_answer() {
    let (gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    client.finish().await;
    let mut there = target.asked().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    client.is_served_by(&mut there).await;
    client.ends().await;
}

/// Nothing of it has reached the client, so that it can be told.
#[tokio::test]
async fn an_answer_that_breaks_before_its_first_byte_is_passed_on_is_a_502() {
    let (mut gate, target) = plain("").await;
    let mut client = gate.ask(GET).await;
    let broken = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n";
    target.accept().await.answers(broken).await;
    client.gets("502 Bad Gateway").await;
    gate.rejects_for("broke off").await;
}
