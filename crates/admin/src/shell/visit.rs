//! One connection of a browser: TLS, then HTTP/1.1 or HTTP/2.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::desk::Desk;
use crate::metrics::Metrics;

/// For the handshake, and for the head of each request.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long what is under way at the end may take: a change is answered once all processes have taken it.
const FAREWELL: Duration = Duration::from_secs(12);

/// How often a connection that says nothing is asked whether somebody is there, and how long it may take to answer.
const ASKED_EVERY: Duration = Duration::from_secs(30);

/// Bytes of a request head; a browser sends one or two thousand.
const LONGEST_HEAD: usize = 32 * 1024;

/// Requests that one connection may have under way.
const MOST_STREAMS: u32 = 32;

/// Bytes of a request body that may come before they are asked for, and of an answer that wait for the browser.
const STREAM_BYTES: u32 = 64 * 1024;

/// The same for all requests of a connection.
const CONNECTION_BYTES: u32 = 4 * STREAM_BYTES;

/// A client that was let in, and all that is needed to serve it.
pub(crate) struct Visit {
    pub(crate) client: SocketAddr,
    pub(crate) tls: TlsAcceptor,
    /// What answers a request, always the newest.
    pub(crate) desk: watch::Receiver<Arc<Desk>>,
    pub(crate) metrics: Metrics,
    /// Turns true when requests under way are the last ones of all connections.
    pub(crate) ending: watch::Receiver<bool>,
    /// The same for this one.
    pub(crate) leave: oneshot::Receiver<()>,
    /// Turns true once somebody has signed in over it.
    pub(crate) known: Arc<AtomicBool>,
}

impl Visit {
    /// Serves the connection to its end.
    pub(crate) async fn serve(mut self, stream: TcpStream) {
        self.metrics.open.inc();
        // A task that is aborted drops this as well.
        let metrics = self.metrics.clone();
        let _open = Leaves(&metrics);
        let Ok(Ok(stream)) = timeout(PATIENCE, self.tls.accept(stream)).await else {
            return self.metrics.failed.inc();
        };
        let speaks_2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
        let (desk, client, metrics) = (self.desk, self.client, self.metrics);
        let (heard, banned) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let over = is_over(Arc::clone(&heard), Arc::clone(&banned));
        let service = service_fn(move |request: Request<Incoming>| {
            let (desk, metrics) = (Arc::clone(&desk.borrow()), metrics.clone());
            let (known, banned) = (Arc::clone(&self.known), Arc::clone(&banned));
            heard.notify_one();
            async move {
                if desk.context.bans.contains(client.ip().to_canonical()) {
                    metrics.refused.inc();
                    banned.notify_one();
                    // The connection is cut instead of an answer.
                    return std::future::pending().await;
                }
                let response = desk.answer(request, client, &known).await;
                metrics.answered(response.status().as_u16());
                Ok::<_, Infallible>(response)
            }
        });
        let ended = async {
            tokio::select! {
                _ = self.ending.wait_for(|ending| *ending) => {}
                // Its sender is dropped where the connection is forgotten, and then it is cut.
                _ = self.leave => {}
            }
        };
        let stream = TokioIo::new(stream);
        // What breaks here is the browser's or the network's; nothing can be told to it.
        if speaks_2 {
            let mut connection = std::pin::pin!(http2_server().serve_connection(stream, service));
            tokio::select! {
                _ = &mut connection => return,
                () = over => return,
                () = ended => connection.as_mut().graceful_shutdown(),
            }
            drop(timeout(FAREWELL, connection).await);
        } else {
            let mut connection = std::pin::pin!(http1_server().serve_connection(stream, service));
            tokio::select! {
                _ = &mut connection => return,
                () = over => return,
                () = ended => connection.as_mut().graceful_shutdown(),
            }
            drop(timeout(FAREWELL, connection).await);
        }
    }
}

fn http2_server() -> http2::Builder<TokioExecutor> {
    let mut server = http2::Builder::new(TokioExecutor::new());
    server
        .timer(TokioTimer::new())
        .keep_alive_interval(ASKED_EVERY)
        .keep_alive_timeout(PATIENCE)
        .max_concurrent_streams(MOST_STREAMS)
        .initial_stream_window_size(STREAM_BYTES)
        .initial_connection_window_size(CONNECTION_BYTES)
        .max_send_buf_size(STREAM_BYTES as usize)
        .max_header_list_size(u32::try_from(LONGEST_HEAD).unwrap_or(u32::MAX));
    server
}

fn http1_server() -> http1::Builder {
    let mut server = http1::Builder::new();
    server
        .timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(LONGEST_HEAD);
    server
}

/// Ready when the connection is to be cut: nothing was asked over it in time, or its client is banned.
async fn is_over(heard: Arc<Notify>, banned: Arc<Notify>) {
    if timeout(PATIENCE, heard.notified()).await.is_ok() {
        banned.notified().await;
    }
}

struct Leaves<'m>(&'m Metrics);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}
