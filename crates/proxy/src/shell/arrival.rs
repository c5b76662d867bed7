//! A connection that was accepted: whose it is, its TLS handshake, and what it speaks.

use crate::core::{ClientAddr, Identity, LocalAddr, Reason, Spoken};
use crate::shell::balancer::{Introduced, introduction};
use crate::shell::buffer::Buffer;
use crate::shell::caps::Admitted;
use crate::shell::connection::Connection;
use crate::shell::hello::{self, Greeted};
use crate::shell::report::{Report, Told};
use crate::shell::worker::{Slot, Worker};
use crate::shell::{domain, http1, http2, passthrough};
use config::Protocol;
use net::stream::Stream;
use service::metrics::Gauge;
use std::net::SocketAddr;
use std::rc::Rc;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A connection that was accepted.
pub(crate) struct Arrival {
    pub(crate) io: TcpStream,
    /// The other end of it.
    pub(crate) peer: SocketAddr,
    /// Whether that is a load balancer, which is to name the client.
    pub(crate) balancer: bool,
    /// What is spoken where it came in.
    pub(crate) spoken: Spoken,
    pub(crate) admitted: Admitted,
}

/// A client that is known, and what was read of it.
struct Client {
    stream: Stream,
    ahead: Buffer,
    identity: Rc<Identity>,
    admitted: Rc<Admitted>,
}

/// Serves a connection to its end.
pub(crate) async fn serve(worker: Rc<Worker>, slot: Rc<Slot>, arrival: Arrival) {
    let _open = Open::count(&worker, arrival.spoken);
    let until = Instant::now() + worker.limits().handshake;
    let Some(client) = Box::pin(known(&worker, arrival, until)).await else {
        return;
    };
    let Client {
        stream,
        ahead,
        identity,
        admitted,
    } = client;
    if identity.protocol() != Protocol::Http {
        let caller = domain::Caller::new(worker, slot, stream, ahead, identity, admitted);
        return Box::pin(domain::serve(caller, until)).await;
    }
    if !identity.tls() {
        let asker = Connection::new(worker, slot, stream, identity, admitted, None, None);
        return Box::pin(http1::serve(asker, ahead)).await;
    }
    // What is done once is not to make the connection large for all its life, nor what another protocol needs.
    let greeting = Box::pin(hello::greet(&worker, stream, ahead, &identity, until));
    let Some(greeted) = greeting.await else {
        return;
    };
    let (stream, server_name, presented) = match greeted {
        Greeted::Spoken(stream, server_name, presented) => (stream, server_name, presented),
        Greeted::Proven => return,
        Greeted::Passed(passed) => {
            return Box::pin(passthrough::serve(worker, slot, identity, passed)).await;
        }
    };
    if stream.alpn() == Some(b"h2") {
        return Box::pin(http2::serve(
            worker,
            slot,
            stream,
            identity,
            admitted,
            server_name,
            presented,
        ))
        .await;
    }
    let asker = Connection::new(
        worker,
        slot,
        stream,
        identity,
        admitted,
        server_name,
        presented,
    );
    Box::pin(http1::serve(asker, Buffer::default())).await;
}

/// Who it is, as a load balancer says, where one is in front of us.
async fn known(worker: &Rc<Worker>, arrival: Arrival, until: Instant) -> Option<Client> {
    let Arrival {
        io,
        peer,
        balancer,
        spoken,
        mut admitted,
    } = arrival;
    let local = io.local_addr().ok()?;
    let mut stream = Stream::plain(io);
    let of = |client, local| Rc::new(Identity::new(ClientAddr(client), LocalAddr(local), spoken));
    if !balancer {
        return Some(Client {
            stream,
            ahead: Buffer::default(),
            identity: of(peer, local),
            admitted: Rc::new(admitted),
        });
    }
    let Introduced { header, ahead } = match introduction(&mut stream, until).await {
        Ok(introduced) => introduced?,
        Err(reason) => {
            reject(worker, &of(peer, local), &reason);
            return None;
        }
    };
    // One that speaks for itself, or does not know for whom, is its own client.
    let source = header.source.unwrap_or(peer);
    let identity = of(source, header.destination.unwrap_or(local));
    let banned = worker.shared.context.bans.contains(identity.address());
    let refused = if banned {
        Err(Reason::Banned)
    } else {
        admitted.name(identity.address(), &worker.limits())
    };
    if let Err(reason) = refused {
        reject(worker, &identity, &reason);
        return None;
    }
    Some(Client {
        stream,
        ahead,
        identity,
        admitted: Rc::new(admitted),
    })
}

/// Tells of a connection that is closed without a byte.
pub(crate) fn reject(worker: &Rc<Worker>, identity: &Identity, reason: &Reason) {
    let report = Report {
        shared: &worker.shared,
        current: &worker.current(),
        identity,
        told: &Told::default(),
        host: None,
        line: None,
    };
    report.rejected(reason, None);
}

/// Counts an open connection.
struct Open {
    worker: Rc<Worker>,
    spoken: Spoken,
}

impl Open {
    fn count(worker: &Rc<Worker>, spoken: Spoken) -> Self {
        let open = Self {
            worker: Rc::clone(worker),
            spoken,
        };
        open.gauge().inc();
        open
    }

    fn gauge(&self) -> &Gauge {
        self.worker.shared.instruments.open(self.spoken)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge().dec();
    }
}
