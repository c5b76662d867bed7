//! The processes that the supervisor starts: each shuts itself in, then serves what it is told to.

mod admin;
mod edge;

pub use admin::admin;
pub use edge::edge;

use crate::message::{FromRole, Load, Start, ToRole};
use anyhow::{Context as _, bail};
use net::sandbox::Sandbox;
use net::{ListenKey, Listener, link, sandbox};
use service::{BanWatch, Context, Event, Outbox, Registry, Service, Supervised, Workers, supervise};
use std::collections::BTreeMap;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::spawn_local;
use tokio::time::Instant;

/// How long sessions may go on when the supervisor is gone: it is started anew and wants the ports.
const ORPHAN_GRACE: Duration = Duration::from_secs(5);
/// How many events or offences travel in one message at most.
const BATCH: usize = 256;

/// Runs service `S` in this process until the supervisor says stop or is gone.
///
/// `configure` makes the service's configuration of what the supervisor sent.
fn host<S: Service + 'static>(
    configure: impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())?;
    runtime.block_on(async {
        let role = Role::<S>::start().await?;
        role.serve(configure).await
    })
}

struct Role<S: Service> {
    inbox: mpsc::Receiver<(ToRole, Vec<std::os::fd::OwnedFd>)>,
    sender: link::Sender,
    outbox: Outbox,
    context: Context,
    listeners: BTreeMap<ListenKey, Listener>,
    configs: watch::Sender<Option<S::Config>>,
    stop: watch::Sender<Option<Instant>>,
    life: tokio::task::JoinHandle<()>,
}

impl<S: Service + 'static> Role<S> {
    async fn start() -> anyhow::Result<Self> {
        let end = std::io::stdin().as_fd().try_clone_to_owned()?;
        let (mut sender, mut receiver) = link::open(UnixStream::from(end))
            .context("this command is for the supervisor only: it needs its link as standard input")?;
        let Some((ToRole::Start(start), _)) = receiver.receive().await? else {
            bail!("the supervisor did not say how to start");
        };
        let shut_in = shut_in(start)?;
        let workers = Workers::start(start.workers)?;
        sender.send(&FromRole::Started(shut_in), &[]).await?;
        let (queue, inbox) = mpsc::channel(16);
        spawn_local(async move {
            while let Ok(Some(message)) = receiver.receive().await {
                if queue.send(message).await.is_err() {
                    return;
                }
            }
        });
        let (events, offences, outbox) = Outbox::new();
        let context = Context {
            events,
            offences,
            bans: BanWatch::default(),
            metrics: Registry::default(),
            workers,
        };
        let (configs, seen) = watch::channel(None);
        let (stop, stop_seen) = watch::channel(None);
        let inputs = Supervised {
            configs: seen,
            stop: stop_seen,
        };
        let life = spawn_local(supervise::<S>(inputs, context.clone()));
        Ok(Self {
            inbox,
            sender,
            outbox,
            context,
            listeners: BTreeMap::new(),
            configs,
            stop,
            life,
        })
    }

    async fn serve(
        mut self,
        configure: impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) -> anyhow::Result<()> {
        let (mut events, mut offences) = (Vec::new(), Vec::new());
        loop {
            tokio::select! {
                message = self.inbox.recv() => {
                    let Some((message, sockets)) = message else {
                        self.stop.send_replace(Some(Instant::now() + ORPHAN_GRACE));
                        let _ = (&mut self.life).await;
                        return Ok(());
                    };
                    self.obey(message, sockets, &configure).await?;
                }
                count = self.outbox.events.recv_many(&mut events, BATCH) => if count > 0 {
                    self.tell_events(&mut events).await?;
                },
                count = self.outbox.offences.recv_many(&mut offences, BATCH) => if count > 0 {
                    let list = offences.drain(..).map(|offence| (offence.client, offence.weight));
                    self.sender.send(&FromRole::Offences(list.collect()), &[]).await?;
                },
                _ = &mut self.life => break,
            }
        }
        while let Ok(event) = self.outbox.events.try_recv() {
            events.push(event);
        }
        self.tell_events(&mut events).await
    }

    async fn obey(
        &mut self,
        message: ToRole,
        sockets: Vec<std::os::fd::OwnedFd>,
        configure: &impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) -> anyhow::Result<()> {
        match message {
            ToRole::Start(_) => {}
            ToRole::Listener(key) => {
                let listener = Listener::received(key.clone(), sockets);
                self.listeners.insert(key, listener);
            }
            ToRole::Load(load) => {
                let fault = self.load(&load, configure).err();
                let generation = load.generation;
                let fault = fault.map(|error| format!("{error:#}"));
                self.sender
                    .send(&FromRole::Loaded { generation, fault }, &[])
                    .await?;
            }
            ToRole::Bans(bans) => self.context.bans.publish(bans),
            ToRole::Metrics => {
                let text = self.context.metrics.render();
                self.sender.send(&FromRole::Metrics(text), &[]).await?;
            }
            ToRole::Stop { grace_ms } => {
                let deadline = Instant::now() + Duration::from_millis(grace_ms);
                self.stop.send_replace(Some(deadline));
            }
        }
        Ok(())
    }

    fn load(
        &mut self,
        load: &Load,
        configure: &impl Fn(&Load, Vec<Listener>) -> anyhow::Result<S::Config>,
    ) -> anyhow::Result<()> {
        let listeners = load
            .listeners
            .iter()
            .map(|key| {
                let listener = self.listeners.get(key).cloned();
                listener.with_context(|| format!("listener {key} was not handed over"))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let config = configure(load, listeners)?;
        self.configs.send_replace(Some(config));
        self.listeners.retain(|key, _| load.listeners.contains(key));
        Ok(())
    }

    async fn tell_events(&mut self, events: &mut Vec<Event>) -> anyhow::Result<()> {
        let count = self.outbox.take_dropped();
        if count > 0 {
            events.push(Event::Dropped { count });
        }
        if !events.is_empty() {
            let batch = FromRole::Events(std::mem::take(events));
            self.sender.send(&batch, &[]).await?;
        }
        Ok(())
    }
}

fn shut_in(start: Start) -> anyhow::Result<Sandbox> {
    if let Some(uid) = start.uid {
        sandbox::become_user(uid)?;
    }
    Ok(sandbox::shut_in()?)
}
