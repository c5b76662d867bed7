//! What the operator sees in a browser.
//!
//! This process shows and passes on: what a page does, the control API does, in the name of the operator whose session the
//! browser's cookie carries. The process itself may do nothing (`control::Peer::Pages`). Claim, login, confirm and roll back are
//! pages without script; all else is one program in the browser that uses the same API as everybody.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")
)]

mod core;
mod crowd;
mod metrics;
mod shell;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};
use std::task::{Context as Wake, Poll};
use std::time::Duration;

use control::Line;
use ipnet::IpNet;
use net::{ListenKey, Listener};
use service::{Blame, Context, Decision, Event, Outcome, Reloaded, Service};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::core::names::Names;
use crowd::Crowd;
use metrics::Metrics;
use shell::certificates::Certificates;
use shell::desk::Desk;
use shell::permits::Permits;
use shell::visit::Visit;

/// How long requests under way have at the end; a followed log has no end of its own.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long to wait when a connection could not be accepted: descriptors are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Requests at a time whose body is longer than a form: configurations that are looked at or applied.
const MOST_LONG_REQUESTS: usize = 4;

/// What the admin pages need.
#[derive(Debug, Clone)]
pub struct Config {
    /// `system.hostname`, which the pages show and answer to.
    pub hostname: String,
    /// The domain of the site; the pages answer to the hostname within it as well.
    pub domain: Option<String>,
    /// Where to listen; those that are known from before are kept open.
    pub listeners: Vec<Listener>,
    /// The box's own certificate, which is shown under every name that `trusted` is not for.
    pub certificate: certs::Material,
    /// Certificates for the box's own name that browsers trust.
    pub trusted: Vec<certs::Material>,
    /// Which clients are let in; empty: all.
    pub from: Vec<IpNet>,
    /// The way to the control API.
    pub line: Line,
}

/// Why the admin pages can not be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The certificate that was handed over can not be used.
    #[error("the certificate of the admin pages: {0}")]
    Certificate(#[from] certs::Error),
    /// TLS can not be set up.
    #[error("TLS of the admin pages: {0}")]
    Tls(#[from] rustls::Error),
    /// A listener that was handed over can not be used.
    #[error("{0}: {1}")]
    Listener(ListenKey, #[source] io::Error),
}

/// The admin pages as a service.
pub struct Admin {
    doors: BTreeMap<ListenKey, Vec<TcpListener>>,
    /// Which socket is asked first for the next connection, so that none is starved.
    turn: usize,
    from: Vec<IpNet>,
    tls: TlsAcceptor,
    desk: watch::Sender<Arc<Desk>>,
    permits: Permits,
    visits: JoinSet<()>,
    crowd: Crowd,
    ending: watch::Sender<bool>,
    context: Context,
    metrics: Metrics,
}

impl Service for Admin {
    const NAME: &'static str = "admin";
    type Config = Config;
    type Error = Error;

    /// Call it within a tokio runtime: the sockets are registered with it.
    fn start(config: Config, context: Context) -> Result<Self, Error> {
        let mut doors = BTreeMap::new();
        open(&mut doors, &config.listeners)?;
        let tls = acceptor(&config)?;
        let permits = Permits::default();
        Ok(Self {
            doors,
            turn: 0,
            tls,
            desk: watch::Sender::new(desk(&config, &context, &permits)),
            permits,
            from: config.from,
            visits: JoinSet::new(),
            crowd: Crowd::default(),
            ending: watch::Sender::new(false),
            metrics: Metrics::new(&context.metrics),
            context,
        })
    }

    async fn run(&mut self) -> Result<(), Error> {
        loop {
            while self.visits.try_join_next().is_some() {}
            match poll_fn(|wake| accept(&self.doors, &mut self.turn, wake)).await {
                Ok((stream, client, door)) => self.admit(stream, client, door),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn reload(&mut self, config: Config) -> Result<Reloaded, Error> {
        // What can fail comes first, so that a failure leaves everything as it was.
        let mut doors = BTreeMap::new();
        let unknown = |listener: &&Listener| !self.doors.contains_key(&listener.key);
        open(&mut doors, config.listeners.iter().filter(unknown))?;
        let tls = acceptor(&config)?;
        let kept = config.listeners.iter().map(|listener| listener.key.clone());
        let kept: Vec<_> = kept.collect();
        self.tls = tls;
        self.desk
            .send_replace(desk(&config, &self.context, &self.permits));
        self.from = config.from;
        self.doors.retain(|key, _| kept.contains(key));
        self.doors.append(&mut doors);
        let (doors, from) = (&self.doors, &self.from);
        self.crowd
            .keep(|client, door| doors.contains_key(door) && lets_in(from, client));
        Ok(Reloaded::Applied)
    }

    async fn shutdown(mut self, deadline: Instant) {
        self.doors.clear();
        self.ending.send_replace(true);
        let deadline = deadline.min(Instant::now() + LAST_WORDS);
        while let Ok(Some(_)) = timeout_at(deadline, self.visits.join_next()).await {}
        self.visits.shutdown().await;
    }
}

impl Admin {
    fn admit(&mut self, stream: TcpStream, client: SocketAddr, door: ListenKey) {
        let address = client.ip().to_canonical();
        if self.context.bans.contains(address) {
            return self.metrics.refused.inc();
        }
        if !lets_in(&self.from, address) {
            self.metrics.refused.inc();
            self.context.offences.report(address, 1);
            let reason = "this address is not in `from` of [admin]".to_owned();
            let outcome = Outcome::Rejected {
                status: None,
                reason,
                blame: Blame::Peer,
            };
            return self.context.events.send(decision(client, "", outcome));
        }
        let (leave, told_to_leave) = oneshot::channel();
        let known = Arc::new(AtomicBool::new(false));
        let visit = Visit {
            client,
            tls: self.tls.clone(),
            desk: self.desk.subscribe(),
            metrics: self.metrics.clone(),
            ending: self.ending.subscribe(),
            leave: told_to_leave,
            known: Arc::clone(&known),
        };
        let visit = self.visits.spawn(visit.serve(stream));
        self.crowd.enter(address, door, known, visit, leave);
    }
}

fn lets_in(from: &[IpNet], client: IpAddr) -> bool {
    from.is_empty() || from.iter().any(|net| net.contains(&client))
}

fn acceptor(config: &Config) -> Result<TlsAcceptor, Error> {
    let certificates = Certificates::new(&config.certificate, &config.trusted)?;
    let tls = net::tls::server_config(Arc::new(certificates), &[b"h2", b"http/1.1"])?;
    Ok(TlsAcceptor::from(Arc::new(tls)))
}

fn desk(config: &Config, context: &Context, permits: &Permits) -> Arc<Desk> {
    Arc::new(Desk {
        hostname: config.hostname.clone(),
        names: Names::new(&config.hostname, config.domain.as_deref()),
        line: config.line.clone(),
        permits: permits.clone(),
        room: Semaphore::new(MOST_LONG_REQUESTS),
        quiet: Mutex::default(),
        context: context.clone(),
    })
}

/// A log entry of this service.
fn decision(client: SocketAddr, host: &str, outcome: Outcome) -> Event {
    Event::Decision(Decision {
        service: Admin::NAME.into(),
        protocol: "https".into(),
        client,
        host: host.to_owned(),
        asked: String::new(),
        outcome,
        rule: None,
    })
}

fn open<'l>(
    doors: &mut BTreeMap<ListenKey, Vec<TcpListener>>,
    listeners: impl IntoIterator<Item = &'l Listener>,
) -> Result<(), Error> {
    for listener in listeners {
        let sockets = listener.shards.tcp().iter().map(|shard| {
            let socket = shard.try_clone().and_then(TcpListener::from_std);
            socket.map_err(|error| Error::Listener(listener.key.clone(), error))
        });
        let sockets = sockets.collect::<Result<_, _>>()?;
        doors.insert(listener.key.clone(), sockets);
    }
    Ok(())
}

fn accept(
    doors: &BTreeMap<ListenKey, Vec<TcpListener>>,
    turn: &mut usize,
    wake: &mut Wake<'_>,
) -> Poll<io::Result<(TcpStream, SocketAddr, ListenKey)>> {
    let sockets: Vec<_> = doors
        .iter()
        .flat_map(|(key, sockets)| sockets.iter().map(move |socket| (key, socket)))
        .collect();
    for step in 0..sockets.len() {
        let index = (*turn + step) % sockets.len();
        let (key, socket) = sockets[index];
        if let Poll::Ready(result) = socket.poll_accept(wake) {
            *turn = index + 1;
            return Poll::Ready(result.map(|(stream, client)| (stream, client, key.clone())));
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests;
