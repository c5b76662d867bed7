//! The log.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::{mpsc, watch};

use super::Api;
use super::answer::Asked;
use crate::{Backend, Journal, LogQuery, Refusal};

/// Log lines on their way to one reader.
const LINES_UNDER_WAY: usize = 64;

/// The log: what is there, and what comes.
#[utoipa::path(
    get,
    path = "/v1/log",
    tag = "log",
    params(LogQuery),
    responses(
        (
            status = 200, description = "One Record a line, for as long as the reader likes.", body = String,
            content_type = "application/x-ndjson"
        ),
        (status = 422, description = "A number is none.", body = Refusal)
    )
)]
pub(super) async fn log<B: Backend>(
    State(api): State<Api<B>>,
    Asked(query): Asked<LogQuery>,
) -> Response {
    let (sender, lines) = mpsc::channel(LINES_UNDER_WAY);
    tokio::spawn(write_log(api.backend.journal(), query, sender, api.ended));
    let kind = HeaderValue::from_static("application/x-ndjson");
    ([(header::CONTENT_TYPE, kind)], Body::new(Lines(lines))).into_response()
}

/// Ends when all that was wanted is sent, the reader is gone, or the box ends.
async fn write_log(
    journal: Journal,
    query: LogQuery,
    sender: mpsc::Sender<Bytes>,
    mut ended: watch::Receiver<bool>,
) {
    let mut follower = journal.read(&query);
    loop {
        let record = match follower.try_next() {
            Some(record) => record,
            None if !query.follow => return,
            None => tokio::select! {
                record = follower.next() => record,
                () = sender.closed() => return,
                _ = ended.wait_for(|ended| *ended) => return,
            },
        };
        let Ok(mut line) = serde_json::to_vec(&*record) else {
            continue;
        };
        line.push(b'\n');
        if sender.send(line.into()).await.is_err() {
            return;
        }
    }
}

/// A body that ends when its sender is dropped.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let line = self.0.poll_recv(context);
        line.map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
