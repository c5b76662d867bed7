//! A connection that was accepted: its TLS handshake, and which HTTP it speaks.

use crate::core::Identity;
use crate::shell::caps::Admitted;
use crate::shell::hello::{self, Greeted};
use crate::shell::worker::{Slot, Worker};
use crate::shell::{http1, http2, passthrough};
use net::stream::Stream;
use service::metrics::Gauge;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::TcpStream;

/// A connection that was accepted.
pub(crate) struct Arrival {
    pub(crate) io: TcpStream,
    pub(crate) client: SocketAddr,
    /// Whether it came in on a TLS port.
    pub(crate) tls: bool,
    pub(crate) admitted: Admitted,
}

/// Serves a connection to its end.
pub(crate) async fn serve(worker: Rc<Worker>, slot: Rc<Slot>, arrival: Arrival) {
    // Dropped last, when the connection is no longer counted as one.
    let _open = Open::count(&worker, arrival.tls);
    let admitted = Rc::new(arrival.admitted);
    let Ok(local) = arrival.io.local_addr() else {
        return;
    };
    let identity = Rc::new(Identity::new(arrival.client, local, arrival.tls));
    if !arrival.tls {
        let stream = Stream::plain(arrival.io);
        return http1::serve(worker, slot, stream, identity, admitted, None).await;
    }
    let Some(greeted) = hello::greet(&worker, arrival.io, &identity).await else {
        return;
    };
    let (stream, server_name) = match greeted {
        Greeted::Spoken(stream, server_name) => (stream, server_name),
        Greeted::Passed(passed) => return passthrough::serve(worker, slot, identity, passed).await,
    };
    match stream.alpn() {
        Some(b"h2") => {
            http2::serve(worker, slot, stream, identity, admitted, server_name).await;
        }
        _ => http1::serve(worker, slot, stream, identity, admitted, server_name).await,
    }
}

/// Counts an open connection.
struct Open {
    worker: Rc<Worker>,
    tls: bool,
}

impl Open {
    fn count(worker: &Rc<Worker>, tls: bool) -> Self {
        let open = Self {
            worker: Rc::clone(worker),
            tls,
        };
        open.gauge().inc();
        open
    }

    fn gauge(&self) -> &Gauge {
        let instruments = &self.worker.shared.instruments;
        if self.tls {
            &instruments.open_tls
        } else {
            &instruments.open_plain
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge().dec();
        if self.worker.is_draining() {
            self.worker.shared.closed.notify_waiters();
        }
    }
}
