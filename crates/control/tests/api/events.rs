//! The log as a stream of events, as browsers read it.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;

use super::{Running, raw};

/// A stream of events; what it says until `expected` has come.
async fn stream(running: &Running, fields: &str) -> UnixStream {
    let mut stream = UnixStream::connect(running.folder.socket()).await.unwrap();
    let request =
        format!("GET /v1/log HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\n{fields}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn read_until(stream: &mut UnixStream, expected: &str) -> String {
    let mut said = String::new();
    while !said.contains(expected) {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).await.unwrap();
        assert!(count > 0, "{expected} never came: {said}");
        said.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
    }
    said
}

#[tokio::test]
async fn records_come_as_events_and_a_stream_goes_on_where_it_broke() {
    let running = Running::start("events");
    running.backend.note("1");
    running.backend.note("two\nlines");
    let mut first = stream(&running, "").await;
    let said = read_until(&mut first, r"two\nlines").await;
    assert!(said.contains("content-type: text/event-stream"), "{said}");
    let record = r#"{"id":1795225367000001,"time":"2026-11-21T01:42:47.000Z","event":"notice","service":"edge","text":"1"}"#;
    let event = format!("id: 1795225367000001\nevent: record\ndata: {record}\n\n");
    assert!(said.contains(&event), "{said}");
    running.backend.note("3");
    read_until(&mut first, r#""text":"3"}"#).await;
    drop(first);
    let mut again = stream(&running, "Last-Event-ID: 1795225367000002\r\n").await;
    let said = read_until(&mut again, r#""text":"3"}"#).await;
    assert!(!said.contains("two"), "{said}");
}

#[tokio::test]
async fn what_was_missed_is_a_record_with_its_count() {
    let running = Running::start("missed-events");
    for number in 0..103 {
        running.backend.note(&number.to_string());
    }
    let mut stream = stream(&running, "Last-Event-ID: 1795225367000001\r\n").await;
    let said = read_until(&mut stream, r#""text":"102"}"#).await;
    assert!(said.contains(r#""event":"dropped","count":2}"#), "{said}");
}

#[tokio::test]
async fn an_id_that_is_none_is_refused() {
    let running = Running::start("odd-events");
    let request =
        "GET /v1/log HTTP/1.1\r\nHost: x\r\nConnection: close\r\nLast-Event-ID: x\r\n\r\n";
    let answer = raw(&running.folder.socket(), request).await;
    assert!(answer.starts_with("HTTP/1.1 422"), "{answer}");
}
