//! A connection to a target: an idle one, or a new one.

use crate::core::{Identity, Member, Reason, Target, TargetKey, Targets, Tried};
use crate::shell::limits;
use crate::shell::worker::{Current, Worker};
use config::{ProxyHeader, TargetHost};
use net::connect::{connect, is_out_of_room, peer_on_this_machine};
use net::stream::Stream;
use proto::proxy_header::{write_v1, write_v1_local, write_v2, write_v2_local};
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
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

    /// A connection to one of `targets` for a request of `client`: an idle one, unless it must be a
    /// `fresh` one, or a new one. Where one can not be connected, the next is tried, as long as less
    /// time has passed than two may take.
    pub(crate) async fn reach<'t>(
        &self,
        current: &Current,
        targets: &'t Targets,
        client: &Identity,
        fresh: bool,
    ) -> Result<(&'t TargetKey, Connected), Reason> {
        let mut tried = Tried::default();
        let mut failed = None;
        let until = Instant::now() + 2 * current.live.limits.connect;
        while let Some(Member { target, standing }) =
            targets.choose(client.address(), &mut tried, || self.now())
        {
            // Only a new connection shows that it is well again.
            if !fresh
                && !standing.is_in_doubt()
                && let Some(idle) = self.take_idle(target)
            {
                return Ok((target, idle));
            }
            // Seldom needed, and large: it would make every connection and stream that large.
            match Box::pin(self.connect(current, target, Some(client))).await {
                Ok(connected) => {
                    if standing.connected() {
                        self.tell_well(target, standing);
                    }
                    return Ok((target, connected));
                }
                Err(reason) => {
                    if is_the_targets(&reason) && standing.fail(self.now()) {
                        self.tell_unwell(target, standing, &reason.to_string());
                    }
                    failed.get_or_insert(reason);
                }
            }
            if Instant::now() >= until {
                break;
            }
        }
        Err(failed.expect("there is a target, and it was tried"))
    }

    /// Keeps a connection that served a request of `current` for the next one. After a reload
    /// nobody may want it any more, and one that names a client serves no other.
    pub(crate) fn keep_idle(&self, current: &Rc<Current>, target: &TargetKey, stream: Stream) {
        let shared = target.proxy_header == ProxyHeader::Off;
        if shared && !self.is_draining() && Rc::ptr_eq(current, &self.current()) {
            let mut pool = self.pool.borrow_mut();
            pool.put(target.clone(), stream, Instant::now());
        }
    }

    /// A new connection to `target` for `client`, or for ourselves.
    pub(crate) async fn connect(
        &self,
        current: &Current,
        target: &TargetKey,
        client: Option<&Identity>,
    ) -> Result<Connected, Reason> {
        if target.inside {
            let stream = current.live.inside.connect();
            let stream = stream.map_err(|e| Reason::NoRoom(name(target), e.to_string().into()))?;
            return Ok(Connected {
                stream,
                reused: false,
            });
        }
        self.shared.instruments.connects_new.inc();
        let addresses = addresses(current, target).await?;
        let mut io = connect(&addresses, current.live.limits.connect)
            .await
            .map_err(|error| unreachable(target, current.live.limits.connect, &error))?;
        if peer_on_this_machine(&io).is_some_and(|peer| current.live.listens_at(peer)) {
            return Err(Reason::TargetIsUs(name(target)));
        }
        let header = proxy_header(target.proxy_header, client);
        io.write_all(&header)
            .await
            .map_err(|error| Reason::TargetHungUp(name(target), error.to_string().into()))?;
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

/// What a connection for `client`, or for ourselves, begins with.
fn proxy_header(kind: ProxyHeader, client: Option<&Identity>) -> Vec<u8> {
    let mut header = Vec::new();
    match (kind, client) {
        (ProxyHeader::Off, _) => {}
        (ProxyHeader::V1, Some(client)) => write_v1(&mut header, client.client(), client.local()),
        (ProxyHeader::V1, None) => write_v1_local(&mut header),
        (ProxyHeader::V2, Some(client)) => write_v2(&mut header, client.client(), client.local()),
        (ProxyHeader::V2, None) => write_v2_local(&mut header),
    }
    header
}

/// Whether it is the target that failed, and not we or a name server.
fn is_the_targets(reason: &Reason) -> bool {
    matches!(
        reason,
        Reason::TargetUnreachable(..)
            | Reason::TargetConnectLate(..)
            | Reason::TargetTls(..)
            | Reason::TargetHungUp(..)
    )
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
        _ if is_out_of_room(error) => Reason::NoRoom(name(target), error.to_string().into()),
        io::ErrorKind::TimedOut => Reason::TargetConnectLate(name(target), patience.as_secs()),
        _ => Reason::TargetUnreachable(name(target), error.to_string().into()),
    }
}
