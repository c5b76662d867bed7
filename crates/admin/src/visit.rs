//! One connection: TLS, one request, one answer.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use proto::http::{self, Limits};
use service::{Blame, Context, Outcome};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::decision;
use crate::metrics::Metrics;
use crate::page::{self, Answer};

/// For the handshake, and again for the head of the request.
const PATIENCE: Duration = Duration::from_secs(10);

/// For the answer to be taken and the connection to be closed.
const FAREWELL: Duration = Duration::from_secs(5);

/// Bytes of a request head; a browser sends one or two thousand.
const LONGEST_HEAD: usize = 16 * 1024;

/// A client that was let in, and all that is needed to serve it.
pub(crate) struct Visit {
    pub(crate) client: SocketAddr,
    pub(crate) hostname: String,
    pub(crate) tls: TlsAcceptor,
    pub(crate) context: Context,
    pub(crate) metrics: Metrics,
}

/// What came of reading a request.
enum Asked {
    /// An answer, whatever it says.
    Answer(Answer),
    /// What was sent is no request that can be read in one way only.
    Malformed(http::Malformed),
    /// The client said nothing or not enough, or went away.
    Gone,
}

impl Visit {
    /// Serves the connection to its end.
    pub(crate) async fn serve(self, stream: TcpStream) {
        self.metrics.open.inc();
        // A task that is aborted drops this as well.
        let _open = Leaves(&self.metrics);
        let Ok(Ok(mut stream)) = timeout(PATIENCE, self.tls.accept(stream)).await else {
            return self.metrics.failed.inc();
        };
        let asked = timeout(PATIENCE, self.listen(&mut stream)).await;
        let answer = match asked {
            Ok(Ok(Asked::Answer(answer))) => answer,
            Ok(Ok(Asked::Malformed(fault))) => self.refuse(fault),
            Ok(Ok(Asked::Gone) | Err(_)) | Err(_) => return self.metrics.failed.inc(),
        };
        self.metrics.answered(answer.status);
        let _ = timeout(FAREWELL, say(&mut stream, &answer)).await;
    }

    async fn listen(&self, stream: &mut TlsStream<TcpStream>) -> io::Result<Asked> {
        let limits = Limits {
            head: LONGEST_HEAD,
            ..Limits::default()
        };
        let (mut buffer, mut progress) = (Vec::with_capacity(2048), http::Progress::default());
        loop {
            if progress.is_worth_parsing(&buffer, &limits) {
                match http::request(&buffer, &limits) {
                    Ok(Some(request)) => {
                        let path = request.target.path;
                        let answer = page::answer(request.method, path, &self.hostname);
                        return Ok(Asked::Answer(answer));
                    }
                    Ok(None) => {}
                    Err(fault) => return Ok(Asked::Malformed(fault)),
                }
            }
            if stream.read_buf(&mut buffer).await? == 0 {
                return Ok(Asked::Gone);
            }
        }
    }

    fn refuse(&self, fault: http::Malformed) -> Answer {
        let status = fault.status();
        let outcome = Outcome::Rejected {
            status: Some(status),
            reason: fault.to_string(),
            blame: Blame::Peer,
        };
        let client = self.client.ip().to_canonical();
        self.context.offences.report(client, 1);
        self.context.events.send(decision(self.client, "", outcome));
        page::refusal(status)
    }
}

/// Takes a connection off the count when it ends, however it does.
struct Leaves<'m>(&'m Metrics);

impl Drop for Leaves<'_> {
    fn drop(&mut self) {
        self.0.open.dec();
    }
}

async fn say(stream: &mut TlsStream<TcpStream>, answer: &Answer) -> io::Result<()> {
    stream.write_all(&answer.bytes).await?;
    stream.shutdown().await?;
    // A close with unread bytes would be a reset, which may take the answer away again.
    let mut rest = [0; 1024];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}
