//! The processes that the supervisor starts: each shuts itself in, then serves what it is told to.

mod admin;
mod edge;
mod orders;
mod ports;
mod zones;

pub use admin::admin;
pub use edge::edge;

use crate::message::{FromRole, Load, Start, ToRole};
use anyhow::{Context as _, bail};
use certs::Answers;
use net::link::{self, Side};
use net::sandbox::Sandbox;
use net::{Device, ListenKey, Listener, sandbox};
use nix::sys::signal::{SigSet, Signal};
use orders::Orders;
use ports::Ports;
use proxy::Figures;
use service::{
    Answer, BanWatch, Context, Event, Numbered, Outbox, Outdated, Registry, RollWatch, Service,
    SessionReport, Supervised, Workers, clip, supervise,
};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, timeout_at};
use uplink::acme::{News, Wanted};
use uplink::dhcp::Standing;
use zones::Zones;

/// How long sessions may go on when the supervisor is gone: it is started anew and wants the ports.
const ORPHAN_GRACE: Duration = Duration::from_secs(5);
/// How many events or offences travel in one message at most.
const BATCH: usize = 64;
/// How much longer than its sessions a service may take to end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A longer text in an event is cut, as the supervisor would.
const TEXT_LIMIT: usize = 2048;

/// Runs service `S` in this process until the supervisor says stop or is gone.
///
/// `prepare` gets what services are given and what came with the first message, and returns what makes the service's configuration of what the
/// supervisor sends. A process that orders certificates gives the table in which authorities find its proofs.
fn host<S, C>(
    prepare: impl AsyncFnOnce(Context, Option<OwnedFd>) -> anyhow::Result<C>,
    proofs: Option<Answers>,
) -> anyhow::Result<()>
where
    S: Service + 'static,
    C: Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
{
    ignore_signals()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())?;
    runtime.block_on(async {
        let (role, line) = Role::<S>::start(proofs).await?;
        let context = role.context.clone();
        role.serve(prepare(context, line).await?).await;
        Ok(())
    })
}

/// What ends this process is the supervisor's word, or its silence: a signal to all of Gatehouse must not
/// cut the sessions that the supervisor gives time to end. Holds for threads that start later.
fn ignore_signals() -> anyhow::Result<()> {
    let signals: SigSet = [Signal::SIGHUP, Signal::SIGINT, Signal::SIGTERM]
        .into_iter()
        .collect();
    Ok(signals.thread_block()?)
}

type Message = (ToRole, Vec<OwnedFd>);

struct Role<S: Service> {
    inbox: mpsc::Receiver<io::Result<Message>>,
    sender: link::Sender,
    outbox: Outbox,
    context: Context,
    listeners: BTreeMap<ListenKey, Listener>,
    outdated: mpsc::Receiver<Outdated>,
    sessions: SessionReport,
    ports: Ports,
    standings: mpsc::Receiver<(Device, Standing)>,
    orders: Orders,
    zones: Zones,
    news: mpsc::Receiver<News>,
    configs: watch::Sender<Option<Numbered<S::Config>>>,
    answers: watch::Receiver<Option<Answer>>,
    stop: watch::Sender<Option<Instant>>,
    life: JoinHandle<()>,
}

impl<S: Service + 'static> Role<S> {
    async fn start(proofs: Option<Answers>) -> anyhow::Result<(Self, Option<OwnedFd>)> {
        let end = io::stdin().as_fd().try_clone_to_owned()?;
        let (mut sender, mut receiver) = link::open(UnixStream::from(end), Side::Process).context(
            "this command is for the supervisor only: it needs its link as standard input",
        )?;
        let Some((ToRole::Start(start), given)) = receiver.receive().await? else {
            bail!("the supervisor did not say how to start");
        };
        let (shut_in, workers) = match begin(start) {
            Ok(begun) => begun,
            Err(error) => {
                let reason = format!("it could not start: {error:#}");
                let _ = sender.send(&FromRole::Failed(reason), &[]).await;
                return Err(error);
            }
        };
        sender.send(&FromRole::Started(shut_in), &[]).await?;
        let inbox = hear(receiver);
        let (events, offences, outbox) = Outbox::new();
        let (entrance, outdated, sessions) = RollWatch::new();
        let context = Context {
            events,
            offences,
            bans: BanWatch::default(),
            entrance,
            metrics: Registry::default(),
            workers,
        };
        let (configs, seen) = watch::channel(None);
        let (answering, answers) = watch::channel(None);
        let (stop, stop_seen) = watch::channel(None);
        let inputs = Supervised {
            configs: seen,
            answers: answering,
            stop: stop_seen,
        };
        let (ports, standings) = Ports::new();
        let zones = Zones::new(proofs.clone().unwrap_or_default());
        let (orders, news) = Orders::new(proofs);
        let life = spawn_local(supervise::<S>(inputs, context.clone()));
        let role = Self {
            inbox,
            sender,
            outbox,
            context,
            listeners: BTreeMap::new(),
            outdated,
            sessions,
            ports,
            standings,
            orders,
            zones,
            news,
            configs,
            answers,
            stop,
            life,
        };
        Ok((role, given.into_iter().next()))
    }

    async fn serve(
        mut self,
        configure: impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) {
        let Err(error) = self.talk(&configure).await else {
            return;
        };
        if self.life.is_finished() {
            return;
        }
        let text = format!(
            "{}: the link to the supervisor broke: {error}; sessions have {} s to finish",
            S::NAME,
            ORPHAN_GRACE.as_secs()
        );
        // On a thread of its own: a standard error that nobody reads any more must not keep the ports.
        let _ = thread::Builder::new().spawn(move || writeln!(io::stderr(), "{text}"));
        let deadline = Instant::now() + ORPHAN_GRACE;
        self.wind_down(deadline);
        let _ = timeout_at(deadline + LAST_WORDS, self.life).await;
    }

    /// Does what the supervisor says and tells it what there is to tell, until the service has ended.
    ///
    /// # Errors
    /// The link broke, or the supervisor is gone.
    async fn talk(
        &mut self,
        configure: &impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) -> io::Result<()> {
        let (mut events, mut offences) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                message = self.inbox.recv() => {
                    let gone = || io::Error::new(io::ErrorKind::UnexpectedEof, "it was closed");
                    let (message, sockets) = message.ok_or_else(gone)??;
                    self.obey(message, sockets, configure).await?;
                }
                count = self.outbox.events.recv_many(&mut events, BATCH) => if count > 0 {
                    self.tell_events(&mut events).await?;
                },
                count = self.outbox.offences.recv_many(&mut offences, BATCH) => if count > 0 {
                    let list = offences.drain(..).map(|offence| (offence.client, offence.weight));
                    self.sender.send(&FromRole::Offences(list.collect()), &[]).await?;
                },
                Ok(()) = self.answers.changed() => {
                    let answer = self.answers.borrow_and_update().clone();
                    if let Some(answer) = answer {
                        self.answer(answer).await?;
                    }
                },
                Some((device, standing)) = self.standings.recv() => {
                    let standing = Box::new(standing);
                    self.sender.send(&FromRole::Standing { device, standing }, &[]).await?;
                },
                Some(Outdated { user, password }) = self.outdated.recv() => {
                    self.sender.send(&FromRole::Outdated { user, password }, &[]).await?;
                },
                news = self.sessions.next() => {
                    self.sender.send(&FromRole::Sessions(news), &[]).await?;
                },
                Some(news) = self.news.recv() => {
                    self.sender.send(&FromRole::Acme(Box::new(news)), &[]).await?;
                },
                _ = &mut self.life => break,
            }
        }
        loop {
            while events.len() < BATCH
                && let Ok(event) = self.outbox.events.try_recv()
            {
                events.push(event);
            }
            if events.is_empty() {
                return self.tell_events(&mut events).await;
            }
            self.tell_events(&mut events).await?;
        }
    }

    async fn obey(
        &mut self,
        message: ToRole,
        sockets: Vec<OwnedFd>,
        configure: &impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) -> io::Result<()> {
        match message {
            ToRole::Start(_) => {}
            ToRole::Listener(key) => {
                let listener = Listener::received(key.clone(), sockets);
                self.listeners.insert(key, listener);
            }
            ToRole::Load { number, load } => {
                // What it comes to, the service says.
                if let Err(error) = self.load(number, &load, configure) {
                    let fault = Some(format!("{error:#}"));
                    self.answer(Answer { number, fault }).await?;
                }
            }
            ToRole::Bans(bans) => self.context.bans.publish(bans),
            ToRole::Roll(roll) => self.context.entrance.publish(*roll),
            ToRole::Entrance(changes) => self.context.entrance.change(changes),
            ToRole::Ports(ports) => self.ports.set(ports, sockets),
            ToRole::Orders(wanted) => self.orders.set(*wanted),
            ToRole::Metrics => self.tell_metrics().await?,
            ToRole::Figures => self.tell_figures().await?,
            ToRole::Stop { grace_ms } => {
                self.wind_down(Instant::now() + Duration::from_millis(grace_ms));
            }
        }
        Ok(())
    }

    async fn answer(&mut self, answer: Answer) -> io::Result<()> {
        let number = answer.number;
        let message = match answer.fault {
            None => FromRole::Loaded { number },
            Some(mut why) => {
                clip(&mut why, TEXT_LIMIT);
                FromRole::Refused { number, why }
            }
        };
        self.sender.send(&message, &[]).await
    }

    fn load(
        &mut self,
        number: u64,
        load: &Load,
        configure: &impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) -> anyhow::Result<()> {
        if self.stop.borrow().is_some() {
            bail!("it ends");
        }
        let listeners = load
            .listeners
            .iter()
            .map(|key| {
                let listener = self.listeners.get(key).cloned();
                listener.with_context(|| format!("listener {key} was not handed over"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let (questions, listeners) = listeners
            .into_iter()
            .partition(|listener| listener.key.service == "uplink");
        let config = configure(load, listeners)?;
        self.configs.send_replace(Some(Numbered { number, config }));
        self.orders.resolve_by(&load.names);
        self.zones.answer(questions, &load.zones)?;
        self.listeners.retain(|key, _| load.listeners.contains(key));
        Ok(())
    }

    /// Lets the service end by `deadline`, and gives up what would keep its ports open meanwhile.
    fn wind_down(&mut self, deadline: Instant) {
        self.stop.send_if_modified(|stop| {
            let first = stop.is_none();
            stop.get_or_insert(deadline);
            first
        });
        self.listeners.clear();
        self.zones.close();
        self.orders.set(Wanted::default());
        self.configs.send_replace(None);
    }

    async fn tell_metrics(&mut self) -> io::Result<()> {
        let text = FromRole::Metrics(self.context.metrics.render());
        match self.sender.send(&text, &[]).await {
            // The question must have its answer, or the next one would get this.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let none = FromRole::Metrics(String::new());
                self.sender.send(&none, &[]).await
            }
            sent => sent,
        }
    }

    async fn tell_figures(&mut self) -> io::Result<()> {
        let figures = Figures::read(&self.context.metrics);
        let answer = FromRole::Figures(Box::new(figures));
        match self.sender.send(&answer, &[]).await {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let none = FromRole::Figures(Box::default());
                self.sender.send(&none, &[]).await
            }
            sent => sent,
        }
    }

    async fn tell_events(&mut self, events: &mut Vec<Event>) -> io::Result<()> {
        let count = self.outbox.take_dropped();
        if count > 0 {
            events.push(Event::Dropped { count });
        }
        if events.is_empty() {
            return Ok(());
        }
        for event in &mut *events {
            event.clip(TEXT_LIMIT);
        }
        let batch = FromRole::Events(std::mem::take(events));
        match (self.sender.send(&batch, &[]).await, batch) {
            (Err(error), FromRole::Events(lost)) if error.kind() == io::ErrorKind::InvalidInput => {
                let count = u64::try_from(lost.len()).unwrap_or(u64::MAX);
                let dropped = FromRole::Events(vec![Event::Dropped { count }]);
                self.sender.send(&dropped, &[]).await
            }
            (sent, _) => sent,
        }
    }
}

/// Reads the link on a task of its own, whatever is written to it meanwhile.
fn hear(mut link: link::Receiver) -> mpsc::Receiver<io::Result<Message>> {
    let (queue, inbox) = mpsc::channel(16);
    spawn_local(async move {
        while let Some(message) = link.receive().await.transpose() {
            let broken = message.is_err();
            if queue.send(message).await.is_err() || broken {
                return;
            }
        }
    });
    inbox
}

/// Shuts this process in, then starts its threads.
fn begin(start: Start) -> anyhow::Result<(Sandbox, Workers)> {
    // With fewer files open than could be it serves as well.
    let _ = sandbox::raise_open_files(0);
    sandbox::drop_rights(start.uid)?;
    let shut_in = sandbox::shut_in()?;
    Ok((shut_in, Workers::start(start.workers)?))
}
