//! What the operator sees in a browser: one page so far, which says that the box runs.
//!
//! Each connection gets TLS, one request and one answer, and a few seconds for all of it.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")
)]

mod metrics;
mod page;
mod visit;

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::task::{Context as Wake, Poll};
use std::time::Duration;

use ipnet::IpNet;
use net::{ListenKey, Listener};
use rustls::sign::SingleCertAndKey;
use service::{Blame, Context, Decision, Event, Outcome, Reloaded, Service};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsAcceptor;

use metrics::Metrics;
use visit::Visit;

/// Connections at a time; further ones wait until one has ended, which is a matter of seconds.
const MOST_CONNECTIONS: usize = 64;

/// How long to wait when a connection could not be accepted: descriptors are short.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What the admin pages need.
#[derive(Debug, Clone)]
pub struct Config {
    /// `system.hostname`, which the page shows.
    pub hostname: String,
    /// Where to listen; those that are known from before are kept open.
    pub listeners: Vec<Listener>,
    /// What is shown to every browser, whatever name it asks for.
    pub certificate: certs::Material,
    /// Which clients are let in; empty: all.
    pub from: Vec<IpNet>,
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
    settings: Arc<Settings>,
    sessions: JoinSet<()>,
    context: Context,
    metrics: Metrics,
}

/// What a connection is served by, all its life.
struct Settings {
    hostname: String,
    from: Vec<IpNet>,
    tls: TlsAcceptor,
}

impl Service for Admin {
    const NAME: &'static str = "admin";
    type Config = Config;
    type Error = Error;

    /// Call it within a tokio runtime: the sockets are registered with it.
    fn start(config: Config, context: Context) -> Result<Self, Error> {
        let mut doors = BTreeMap::new();
        open(&mut doors, &config.listeners)?;
        Ok(Self {
            doors,
            turn: 0,
            settings: Arc::new(Settings::new(config)?),
            sessions: JoinSet::new(),
            metrics: Metrics::new(&context.metrics),
            context,
        })
    }

    async fn run(&mut self) -> Result<(), Error> {
        loop {
            while self.sessions.try_join_next().is_some() {}
            if self.sessions.len() >= MOST_CONNECTIONS {
                self.sessions.join_next().await;
                continue;
            }
            match poll_fn(|wake| accept(&self.doors, &mut self.turn, wake)).await {
                Ok((stream, client)) => self.admit(stream, client),
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn reload(&mut self, config: Config) -> Result<Reloaded, Error> {
        // What can fail comes first, so that a failure leaves everything as it was.
        let mut doors = BTreeMap::new();
        let unknown = |listener: &&Listener| !self.doors.contains_key(&listener.key);
        open(&mut doors, config.listeners.iter().filter(unknown))?;
        let kept = config.listeners.iter().map(|listener| listener.key.clone());
        let kept: Vec<_> = kept.collect();
        self.settings = Arc::new(Settings::new(config)?);
        self.doors.retain(|key, _| kept.contains(key));
        self.doors.append(&mut doors);
        Ok(Reloaded::Applied)
    }

    async fn shutdown(mut self, deadline: Instant) {
        self.doors.clear();
        while let Ok(Some(_)) = timeout_at(deadline, self.sessions.join_next()).await {}
        self.sessions.shutdown().await;
    }
}

impl Admin {
    fn admit(&mut self, stream: TcpStream, client: SocketAddr) {
        let address = client.ip().to_canonical();
        if self.context.bans.contains(address) {
            return self.metrics.refused.inc();
        }
        if !self.settings.lets_in(address) {
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
        let visit = Visit {
            client,
            hostname: self.settings.hostname.clone(),
            tls: self.settings.tls.clone(),
            context: self.context.clone(),
            metrics: self.metrics.clone(),
        };
        self.sessions.spawn(visit.serve(stream));
    }
}

impl Settings {
    fn new(config: Config) -> Result<Self, Error> {
        let key = config.certificate.certified_key()?;
        let chooser = Arc::new(SingleCertAndKey::from(key));
        let tls = net::tls::server_config(chooser, &[b"http/1.1"])?;
        Ok(Self {
            hostname: config.hostname,
            from: config.from,
            tls: TlsAcceptor::from(Arc::new(tls)),
        })
    }

    fn lets_in(&self, client: IpAddr) -> bool {
        self.from.is_empty() || self.from.iter().any(|net| net.contains(&client))
    }
}

/// A log entry of this service.
fn decision(client: SocketAddr, asked: &str, outcome: Outcome) -> Event {
    Event::Decision(Decision {
        service: Admin::NAME.into(),
        protocol: "https".into(),
        client,
        host: String::new(),
        asked: asked.to_owned(),
        outcome,
        rule: None,
    })
}

fn open<'l>(
    doors: &mut BTreeMap<ListenKey, Vec<TcpListener>>,
    listeners: impl IntoIterator<Item = &'l Listener>,
) -> Result<(), Error> {
    for listener in listeners {
        let sockets = listener.shards.iter().map(|shard| {
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
) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
    let sockets: Vec<_> = doors.values().flatten().collect();
    for step in 0..sockets.len() {
        let index = (*turn + step) % sockets.len();
        if let Poll::Ready(result) = sockets[index].poll_accept(wake) {
            *turn = index + 1;
            return Poll::Ready(result);
        }
    }
    Poll::Pending
}

#[cfg(test)]
mod tests;
