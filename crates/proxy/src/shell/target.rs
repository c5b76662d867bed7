//! A connection to a target: an idle one, or a new one.

use crate::core::{Reason, Target, TargetKey};
use crate::shell::limits;
use crate::shell::worker::{Current, Worker};
use config::TargetHost;
use net::connect::{connect, peer_on_this_machine};
use net::stream::Stream;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::time::timeout;

/// A connection to a target, and whether it has served before.
pub(crate) struct Connected {
    pub(crate) stream: Stream,
    pub(crate) reused: bool,
}

impl Worker {
    /// An idle connection to `target`.
    fn take_idle(&self, target: &TargetKey) -> Option<Connected> {
        // The kernel is asked, not the last event: an answer that nobody asked for may just have
        // come, and would be taken for the answer to the next request, another client's.
        let mut pool = self.pool.borrow_mut();
        let stream = pool.take(target, Instant::now(), Stream::is_quiet_now)?;
        self.shared.instruments.connects_reused.inc();
        Some(Connected {
            stream,
            reused: true,
        })
    }

    /// An idle connection, unless it must be a `fresh` one, or a new one.
    pub(crate) async fn connected(
        &self,
        current: &Current,
        target: &TargetKey,
        fresh: bool,
    ) -> Result<Connected, Reason> {
        let idle = if fresh { None } else { self.take_idle(target) };
        match idle {
            Some(connected) => Ok(connected),
            None => self.connect(current, target).await,
        }
    }

    /// Keeps a connection that served a request of `current` for the next one. After a reload
    /// nobody may want it any more.
    pub(crate) fn keep_idle(&self, current: &Rc<Current>, target: &TargetKey, stream: Stream) {
        if !self.is_draining() && Rc::ptr_eq(current, &self.current()) {
            let mut pool = self.pool.borrow_mut();
            pool.put(target.clone(), stream, Instant::now());
        }
    }

    /// A new connection to `target`.
    pub(crate) async fn connect(
        &self,
        current: &Current,
        target: &TargetKey,
    ) -> Result<Connected, Reason> {
        self.shared.instruments.connects_new.inc();
        let addresses = addresses(current, target).await?;
        let io = connect(&addresses, current.live.limits.connect)
            .await
            .map_err(|error| unreachable(target, current.live.limits.connect, &error))?;
        if peer_on_this_machine(&io).is_some_and(|peer| current.live.listens_at(peer)) {
            return Err(Reason::TargetIsUs(name(target)));
        }
        let tls = current.live.client(target);
        let stream = match tls.map_err(|why| Reason::TargetTls(name(target), why.into()))? {
            None => Stream::plain(io),
            Some(tls) => {
                let handshake = Stream::connect(io, tls.config.clone(), tls.name.clone());
                match timeout(limits::TARGET_HANDSHAKE, handshake).await {
                    Ok(Ok(stream)) => stream,
                    Ok(Err(error)) => {
                        return Err(Reason::TargetTls(name(target), error.to_string().into()));
                    }
                    Err(_) => {
                        let late = "the handshake did not end in time";
                        return Err(Reason::TargetTls(name(target), late.into()));
                    }
                }
            }
        };
        Ok(Connected {
            stream,
            reused: false,
        })
    }
}

/// How a target is named in the log.
pub(crate) fn name(target: &Target) -> Box<str> {
    target.to_string().into()
}

async fn addresses(current: &Current, target: &Target) -> Result<Vec<SocketAddr>, Reason> {
    let host = match &target.host {
        TargetHost::Ip(ip) => return Ok(vec![SocketAddr::new(*ip, target.port)]),
        TargetHost::Name(host) => host,
    };
    let unresolved = |why: &dyn std::fmt::Display| {
        Reason::TargetUnresolved(name(target), why.to_string().into())
    };
    let resolver = current.resolver().map_err(|error| unresolved(error))?;
    let found = match timeout(limits::RESOLVE, resolver.addresses(host)).await {
        Ok(found) => found.map_err(|error| unresolved(&error))?,
        Err(_) => return Err(unresolved(&"the name servers do not answer")),
    };
    Ok(found
        .into_iter()
        .map(|ip| SocketAddr::new(ip, target.port))
        .collect())
}

fn unreachable(target: &Target, patience: Duration, error: &io::Error) -> Reason {
    match error.kind() {
        io::ErrorKind::TimedOut => Reason::TargetConnectLate(name(target), patience.as_secs()),
        _ => Reason::TargetUnreachable(name(target), error.to_string().into()),
    }
}
