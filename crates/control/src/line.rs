//! The control API as a process without files reaches it: one connection that the supervisor gave it.
//!
//! HTTP/2 without TLS over a socket pair (RFC 9113 section 3.3), so that any number of requests, followed logs among
//! them, share one descriptor and none waits for another.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::UnixStream;
use tokio::time::timeout;

/// How long an answer may take to begin; a configuration that is applied waits for all processes.
const PATIENCE: Duration = Duration::from_mins(1);

/// Requests at a time. Whoever speaks on the line refuses more than so many itself: they would wait for each other.
pub const MOST_REQUESTS: u32 = 256;

/// Bytes of an answer that may lie here until its reader takes them.
const WAITING_BYTES: u32 = 64 * 1024;

/// Speaks to the supervisor. Clones share the connection.
#[derive(Debug, Clone)]
pub struct Line {
    requests: SendRequest<Full<Bytes>>,
}

/// Why there is no answer. The supervisor is to blame: it ends, or is being started anew.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// The connection is gone.
    #[error("the line to the supervisor broke: {0}")]
    Broken(#[from] hyper::Error),
    /// Nothing came in time.
    #[error("the supervisor did not answer within {} seconds", PATIENCE.as_secs())]
    Silent,
    /// What came is not what was asked for.
    #[error("the supervisor answered in a way that is not understood")]
    Answer,
}

impl Line {
    /// Takes the line up; `stream` must be non-blocking already, since a process that is shut in can not make it so. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// The system's, or the other end is gone.
    pub async fn open(stream: std::os::unix::net::UnixStream) -> io::Result<Self> {
        let stream = TokioIo::new(UnixStream::from_std(stream)?);
        // All answers that nobody reads together leave room for one that somebody does.
        let shaken = http2::Builder::new(TokioExecutor::new())
            .initial_stream_window_size(WAITING_BYTES)
            .initial_connection_window_size(WAITING_BYTES * (MOST_REQUESTS + 1))
            .handshake(stream)
            .await;
        let (requests, connection) = shaken.map_err(io::Error::other)?;
        // Its end is told to whoever asks next.
        tokio::spawn(connection);
        Ok(Self { requests })
    }

    /// Sends a request and returns its answer once that begins.
    ///
    /// # Errors
    /// [`LineError`].
    pub async fn ask(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, LineError> {
        let mut requests = self.requests.clone();
        let answer = async move {
            requests.ready().await?;
            requests.send_request(request).await
        };
        let answer = timeout(PATIENCE, answer).await;
        Ok(answer.map_err(|_| LineError::Silent)??)
    }
}
