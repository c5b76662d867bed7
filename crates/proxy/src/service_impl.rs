use crate::metrics::Instruments;
use crate::shell::{self, Caps, ConfigError, Handshakes, Inside, Live, Logins, Order, Shared};
use arc_swap::ArcSwap;
use certs::{Answers, Material};
use guard::entrance::PROOF_KEY_BYTES;
use net::resolve::Names;
use net::{ListenKey, Listener};
use service::metrics::Counter;
use service::{Context, Event, Reloaded, Service, WorkerGone};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Orders that may wait for a worker; there are a few per listener and reload.
const ORDERS: usize = 1024;
/// How long connections have to end once they are cut.
const CUT: Duration = Duration::from_millis(500);

/// What the proxy is to serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// The checked configuration.
    pub config: Arc<config::Config>,
    /// The certificates for its hosts; a hello without a name gets the first.
    pub certificates: Vec<Material>,
    /// What is shown to targets that ask who we are.
    pub identity: Option<Material>,
    /// All sockets it is to listen on, one shard for each worker; `protocol` is `http` or `https`.
    /// Those it knows by their key already are kept as they are.
    pub listeners: Vec<Listener>,
    /// The texts of the files that [`crate::files_wanted`] lists, by the names used there.
    pub files: BTreeMap<String, String>,
    /// Name servers and hosts file for the names of targets.
    pub names: Names,
    /// The proofs that lie out for certificate authorities.
    pub answers: Answers,
    /// The login page of access lists of kind "sso".
    pub inside: Inside,
}

/// The proxy.
pub struct Proxy {
    shared: Arc<Shared>,
    workers: Vec<mpsc::Sender<Order>>,
    listening: BTreeSet<ListenKey>,
    ended: mpsc::Receiver<usize>,
}

/// Why the proxy can not start, reload or go on.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration can not be put into force.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A worker thread takes no work.
    #[error(transparent)]
    Worker(#[from] WorkerGone),
    /// A worker's share of the proxy has ended.
    #[error("the proxy on worker {0} has ended")]
    Ended(usize),
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    Random,
    /// The thread that looks at passwords can not be started.
    #[error("the thread that looks at passwords can not be started: {0}")]
    Thread(#[source] io::Error),
    /// A listener does not have a socket for each worker.
    #[error("{0}: {1} sockets for {2} workers")]
    Shards(Box<ListenKey>, usize, usize),
    /// A socket can not be used.
    #[error("{0}: {1}")]
    Listener(Box<ListenKey>, #[source] io::Error),
}

impl Service for Proxy {
    const NAME: &'static str = "proxy";
    type Config = Config;
    type Error = Error;

    fn start(config: Config, context: Context) -> Result<Self, Error> {
        let instruments = Instruments::new(context.metrics.clone());
        let logins = logins(&context, instruments.passwords.clone())?;
        let live = Live::new(&config, &instruments, None)?;
        tell_problems(&live, &context);
        let shared = Arc::new(Shared {
            live: ArcSwap::from_pointee(live),
            instruments,
            caps: Caps::new(),
            handshakes: Handshakes::default(),
            logins,
            started: std::time::Instant::now(),
            context,
        });
        let count = shared.context.workers.count();
        let (ending, ended) = mpsc::channel(count);
        let workers = (0..count)
            .map(|index| {
                let (sender, orders) = mpsc::channel(ORDERS);
                let shared = Arc::clone(&shared);
                let ending = Ending(ending.clone(), index);
                let workers = shared.context.workers.clone();
                workers.spawn(index, move || async move {
                    let _ending = ending;
                    shell::run(index, shared, orders).await;
                })?;
                Ok(sender)
            })
            .collect::<Result<Vec<_>, WorkerGone>>()?;
        let mut proxy = Self {
            shared,
            workers,
            listening: BTreeSet::new(),
            ended,
        };
        let fresh = proxy.fresh(&config.listeners)?;
        proxy.listen(&config.listeners, fresh)?;
        Ok(proxy)
    }

    async fn run(&mut self) -> Result<(), Error> {
        // While the service lives, its workers do; one that ends has panicked.
        let index = self.ended.recv().await.unwrap_or_default();
        Err(Error::Ended(index))
    }

    fn reload(&mut self, config: Config) -> Result<Reloaded, Error> {
        let before = self.shared.live.load_full();
        let live = Live::new(&config, &self.shared.instruments, Some(&before))?;
        let fresh = self.fresh(&config.listeners)?;
        tell_problems(&live, &self.shared.context);
        // From here on only a worker that is gone can fail, and with it the service.
        self.shared.live.store(Arc::new(live));
        self.order(|_| Order::Reloaded)?;
        self.listen(&config.listeners, fresh)?;
        Ok(Reloaded::Applied)
    }

    async fn shutdown(mut self, deadline: Instant) {
        // A worker that is gone has nothing left to drain.
        let _ = self.order(|_| Order::Drain);
        while self.shared.caps.open() > 0 {
            let closed = self.shared.caps.closed.notified();
            tokio::pin!(closed);
            closed.as_mut().enable();
            if self.shared.caps.open() == 0 || timeout_at(deadline, closed).await.is_err() {
                break;
            }
        }
        let _ = self.order(|_| Order::Cut);
        self.workers.clear();
        let until = Instant::now() + CUT;
        while let Ok(Some(_)) = timeout_at(until, self.ended.recv()).await {}
        if self.shared.caps.open() > 0 {
            sleep_until(Instant::now() + Duration::from_millis(10)).await;
        }
    }
}

impl Proxy {
    /// What is new among `listeners`, with a socket of its own for each worker; nothing changes yet.
    fn fresh(&self, listeners: &[Listener]) -> Result<Vec<Fresh>, Error> {
        let is_new = |listener: &&Listener| !self.listening.contains(&listener.key);
        let sockets = |listener: &Listener| {
            let (have, want) = (listener.shards.count(), self.workers.len());
            if have != want {
                return Err(Error::Shards(listener.key.clone().into(), have, want));
            }
            let shards = listener.shards.tcp().iter();
            let sockets = shards.map(std::net::TcpListener::try_clone);
            let sockets = sockets.collect::<io::Result<Vec<_>>>();
            let sockets =
                sockets.map_err(|error| Error::Listener(listener.key.clone().into(), error))?;
            Ok((listener.key.clone(), sockets))
        };
        listeners.iter().filter(is_new).map(sockets).collect()
    }

    /// Opens what is `fresh`, and closes what is no longer among `listeners`.
    fn listen(&mut self, listeners: &[Listener], fresh: Vec<Fresh>) -> Result<(), Error> {
        let wanted: BTreeSet<ListenKey> = listeners.iter().map(|l| l.key.clone()).collect();
        for key in self.listening.difference(&wanted) {
            for worker in &self.workers {
                // A full queue is a worker that hangs; its sockets are the least of it.
                let _ = worker.try_send(Order::Unlisten(key.clone()));
            }
        }
        self.listening.retain(|key| wanted.contains(key));
        for (key, sockets) in fresh {
            for (index, (worker, socket)) in self.workers.iter().zip(sockets).enumerate() {
                worker
                    .try_send(Order::Listen(key.clone(), socket))
                    .map_err(|_| Error::Ended(index))?;
            }
            self.listening.insert(key);
        }
        Ok(())
    }

    fn order(&self, order: impl Fn(usize) -> Order) -> Result<(), Error> {
        for (index, worker) in self.workers.iter().enumerate() {
            worker
                .try_send(order(index))
                .map_err(|_| Error::Ended(index))?;
        }
        Ok(())
    }
}

fn logins(context: &Context, looks: Counter) -> Result<Logins, Error> {
    let mut random = [0; PROOF_KEY_BYTES];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| Error::Random)?;
    Logins::new(random, context.entrance.clone(), looks).map_err(Error::Thread)
}

/// What is wrong with whom clients are believed from, once for every configuration.
fn tell_problems(live: &Live, context: &Context) {
    for text in live.client_problems(SystemTime::now()) {
        context.events.send(Event::Notice {
            service: Proxy::NAME.into(),
            text,
        });
    }
}

/// A listener, and a socket of it for each worker.
type Fresh = (ListenKey, Vec<std::net::TcpListener>);

/// Tells the service that a worker's share of it has ended, even by panic.
struct Ending(mpsc::Sender<usize>, usize);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.try_send(self.1);
    }
}
