//! Requests that do not come at once.

use super::*;

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use control::Peer;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::{self, SendRequest};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::sync::mpsc;
use tokio::time::Instant;

const SECRET: &str = r#"{"name":"a","value":"b"}"#;

/// What comes as the test sends it.
struct Late(mpsc::Receiver<Bytes>);

impl Body for Late {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = self.0.poll_recv(context);
        bytes.map(|bytes| bytes.map(|bytes| Ok(Frame::data(bytes))))
    }
}

/// A connection like that of the admin pages.
async fn pages() -> (SendRequest<Late>, Memory) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let backend = Memory::new();
    let never = std::future::pending();
    tokio::spawn(control::serve_connection(
        theirs,
        backend.clone(),
        Peer::Pages,
        never,
    ));
    let io = TokioIo::new(ours);
    let (sender, connection) = http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(connection);
    (sender, backend)
}

/// A request to `asked` (`GET /path`) as somebody, and what its body is sent by.
fn request(asked: &str, token: &str) -> (Request<Late>, mpsc::Sender<Bytes>) {
    let (sender, body) = mpsc::channel(4);
    let (method, path) = asked.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(format!("http://gatehouse{path}"))
        .header("content-type", "application/json")
        .header("authorization", format!("Bearer {token}"))
        .body(Late(body))
        .unwrap();
    (request, sender)
}

async fn whole(response: Response<Incoming>) -> (StatusCode, String) {
    let status = response.status();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn who_is_signed_out_when_the_rest_comes_has_asked_nothing() {
    let (sender, backend) = pages().await;
    for ends in [false, true] {
        let (asked, rest) = request("PUT /v1/secrets", "operator");
        let answer = tokio::spawn(sender.clone().send_request(asked));
        rest.send(SECRET[..5].into()).await.unwrap();
        // Once this is answered, the head of the other was looked at.
        let (status, end) = request("GET /v1/status", "viewer");
        drop(end);
        let status = sender.clone().send_request(status).await.unwrap();
        assert_eq!(whole(status).await.0, StatusCode::OK);
        if ends {
            backend.over.send_replace(7);
        }
        rest.send(SECRET[5..].into()).await.unwrap();
        drop(rest);
        let (status, said) = whole(answer.await.unwrap().unwrap()).await;
        let expected = [StatusCode::OK, StatusCode::UNAUTHORIZED][usize::from(ends)];
        assert_eq!(status, expected, "{said}");
        assert_eq!(backend.secrets.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_does_not_come_whole_is_not_waited_for() {
    let (sender, _) = pages().await;
    let (asked, rest) = request("PUT /v1/secrets", "operator");
    let response = sender.clone().send_request(asked).await.unwrap();
    let (status, said) = whole(response).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(said.contains("did not come within 10 s"), "{said}");
    drop(rest);
    // Strangers are refused at once.
    let began = Instant::now();
    let (asked, rest) = request("PUT /v1/secrets", "nobody");
    let response = sender.clone().send_request(asked).await.unwrap();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(began.elapsed(), Duration::ZERO);
    drop(rest);
}

#[tokio::test]
async fn two_configurations_are_taken_in_at_a_time() {
    let (sender, backend) = pages().await;
    let draft = r#"{"text":"slow"}"#;
    let post = async |text: &'static str| {
        let (asked, rest) = request("POST /v1/check", "operator");
        let answer = tokio::spawn(sender.clone().send_request(asked));
        rest.send(text.into()).await.unwrap();
        (answer, rest)
    };
    // Two that are not there yet.
    let waiting = [post(&draft[..5]).await, post(&draft[..5]).await];
    let (third, rest) = post(draft).await;
    let (status, said) = whole(third.await.unwrap().unwrap()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{said}");
    drop(rest);
    for (answer, rest) in waiting {
        rest.send(draft[5..].into()).await.unwrap();
        drop(rest);
        // Nobody waits for it any more: it is looked at all the same.
        let (status, end) = request("GET /v1/status", "viewer");
        drop(end);
        sender.clone().send_request(status).await.unwrap();
        answer.abort();
        assert!(answer.await.is_err());
    }
    let again = async || {
        let (answer, rest) = post(r#"{"text":""}"#).await;
        drop(rest);
        whole(answer.await.unwrap().unwrap()).await.0
    };
    assert_eq!(again().await, StatusCode::SERVICE_UNAVAILABLE);
    backend.over.send_replace(9);
    while again().await != StatusCode::OK {}
}
