//! The log.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::Api;
use super::answer::{Asked, Refused};
use crate::{Backend, Journal, LogQuery, Record, Refusal};

/// Log lines on their way to one reader.
const LINES_UNDER_WAY: usize = 64;

/// How often a stream of events shows that it lives, where there is nothing to tell.
const LIFE_SIGN: Duration = Duration::from_secs(15);

const EVENTS: &str = "text/event-stream";

/// The log: what is there, and what comes.
///
/// With `Accept: text/event-stream`, each record is an event `record` with its id, and the stream goes on with what comes.
#[utoipa::path(
    get,
    path = "/v1/log",
    tag = "log",
    params(LogQuery),
    responses(
        (
            status = 200, description = "One Record a line or event, for as long as the reader likes.",
            content(
                (String = "application/x-ndjson"),
                (String = "text/event-stream"),
            )
        ),
        (status = 422, description = "A number is none.", body = Refusal)
    )
)]
pub(super) async fn log<B: Backend>(
    State(api): State<Api<B>>,
    head: HeaderMap,
    Asked(mut query): Asked<LogQuery>,
) -> Result<Response, Refused> {
    query.after = last_event(&head)?.or(query.after);
    let shape = Shape::wanted(&head);
    query.follow |= shape == Shape::Events;
    let (sender, lines) = mpsc::channel(LINES_UNDER_WAY);
    tokio::spawn(write_log(
        api.backend.journal(),
        query,
        shape,
        sender,
        api.ended,
    ));
    let kind = HeaderValue::from_static(shape.content_type());
    let fresh = HeaderValue::from_static("no-store");
    let fields = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, fresh)];
    Ok((fields, Body::new(Lines(lines))).into_response())
}

/// How records are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    /// JSON, one a line.
    Lines,
    /// Server-sent events (WHATWG HTML section 9.2).
    Events,
}

impl Shape {
    fn wanted(head: &HeaderMap) -> Self {
        let accept = head
            .get(header::ACCEPT)
            .and_then(|value| value.to_str().ok());
        let mut kinds = accept.unwrap_or_default().split(',');
        let is_events = |kind: &str| {
            let kind = kind.split(';').next().unwrap_or_default();
            kind.trim().eq_ignore_ascii_case(EVENTS)
        };
        if kinds.any(is_events) {
            Self::Events
        } else {
            Self::Lines
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Lines => "application/x-ndjson",
            Self::Events => EVENTS,
        }
    }

    /// JSON has no line ends of its own, so that one line of data is enough.
    fn write(self, record: &Record) -> Option<Bytes> {
        let json = serde_json::to_string(record).ok()?;
        let text = match self {
            Self::Lines => format!("{json}\n"),
            Self::Events => format!("id: {}\nevent: record\ndata: {json}\n\n", record.id),
        };
        Some(text.into())
    }
}

/// The id that a browser has come to before its connection broke.
fn last_event(head: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let Some(value) = head.get("last-event-id") else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some)
        .ok_or_else(|| Refusal::invalid("Last-Event-ID is no id of a record"))
}

/// Ends when all that was wanted is sent, the reader is gone, or the box ends.
async fn write_log(
    journal: Journal,
    query: LogQuery,
    shape: Shape,
    sender: mpsc::Sender<Bytes>,
    mut ended: watch::Receiver<bool>,
) {
    let mut follower = journal.read(&query);
    let mut quiet = tokio::time::interval_at(Instant::now() + LIFE_SIGN, LIFE_SIGN);
    loop {
        let record = match follower.try_next() {
            Some(record) => Some(record),
            None if !query.follow => return,
            None => tokio::select! {
                record = follower.next() => Some(record),
                _ = quiet.tick(), if shape == Shape::Events => None,
                () = sender.closed() => return,
                _ = ended.wait_for(|ended| *ended) => return,
            },
        };
        let text = match record {
            Some(record) => shape.write(&record),
            // Whoever reads, or stands between, sees that the connection lives.
            None => Some(Bytes::from_static(b":\n\n")),
        };
        if let Some(text) = text
            && sender.send(text).await.is_err()
        {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Moment;

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_of_events_shows_that_it_lives() {
        let journal = Journal::new(4, Moment(0));
        let (sender, mut lines) = mpsc::channel(4);
        let (_end, ended) = watch::channel(false);
        let query = LogQuery {
            follow: true,
            ..LogQuery::default()
        };
        let began = Instant::now();
        tokio::spawn(write_log(journal, query, Shape::Events, sender, ended));
        for times in 1..=3 {
            assert_eq!(lines.recv().await.unwrap(), ":\n\n");
            assert_eq!(began.elapsed(), LIFE_SIGN * times);
        }
    }

    #[test]
    fn events_are_for_who_asks_for_them() {
        for (accept, shape) in [
            ("text/event-stream", Shape::Events),
            ("text/html, Text/Event-Stream;q=0.9", Shape::Events),
            ("*/*", Shape::Lines),
            ("application/json", Shape::Lines),
            ("", Shape::Lines),
        ] {
            let mut head = HeaderMap::new();
            head.insert(header::ACCEPT, HeaderValue::from_static(accept));
            assert_eq!(Shape::wanted(&head), shape, "{accept}");
        }
        assert_eq!(Shape::wanted(&HeaderMap::new()), Shape::Lines);
    }
}
