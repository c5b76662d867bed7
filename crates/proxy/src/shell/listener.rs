//! The main loop of one worker: what the service orders, and what its listeners accept.

use crate::core::{ClientAddr, Identity, LocalAddr, Reason, Spoken};
use crate::shell::arrival::{self, Arrival};
use crate::shell::health::Health;
use crate::shell::limits;
use crate::shell::worker::{Shared, Worker};
use net::ListenKey;
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

/// What the service tells a worker.
pub(crate) enum Order {
    /// Accept here, too.
    Listen(ListenKey, std::net::TcpListener),
    /// Accept here no more.
    Unlisten(ListenKey),
    /// Another configuration is in force.
    Reloaded,
    /// Accept no more, and let connections end.
    Drain,
    /// End everything.
    Cut,
}

/// Runs the share of the worker of that number of the proxy until it is cut, or the service is gone.
pub(crate) async fn run(index: usize, shared: Arc<Shared>, mut orders: mpsc::Receiver<Order>) {
    let worker = Rc::new(Worker::new(shared));
    let mut listeners = Listeners::default();
    let mut health = Health::default();
    // One of them asks for all.
    let asks = index == 0;
    if asks {
        health.follow(&worker);
    }
    let mut losses = worker.shared.context.entrance.watch_losses();
    // Whoever signs in and out all the time must not have everything look again each time.
    let mut pace = pin!(sleep(Duration::ZERO));
    let mut is_paced = false;
    let mut sweep = interval(limits::SWEEP);
    sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let order = tokio::select! {
            order = orders.recv() => order.unwrap_or(Order::Cut),
            Ok(()) = losses.changed(), if !is_paced => {
                worker.wake_all();
                pace.as_mut().reset(Instant::now() + limits::WAKE_PACE);
                is_paced = true;
                continue;
            }
            () = &mut pace, if is_paced => {
                is_paced = false;
                continue;
            }
            _ = sweep.tick() => {
                worker.sweep();
                continue;
            }
        };
        match order {
            Order::Listen(key, socket) => listeners.add(&worker, key, socket),
            Order::Unlisten(key) => listeners.remove(&key),
            Order::Reloaded => {
                worker.reloaded();
                if asks {
                    health.follow(&worker);
                }
            }
            Order::Drain => {
                listeners.0.clear();
                health = Health::default();
                worker.drain();
            }
            Order::Cut => {
                worker.cut();
                return;
            }
        }
    }
}

/// The accept loops of a worker; one that is removed ends.
#[derive(Default)]
struct Listeners(HashMap<ListenKey, Accepting>);

struct Accepting(AbortHandle);

impl Drop for Accepting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listeners {
    fn add(&mut self, worker: &Rc<Worker>, key: ListenKey, socket: std::net::TcpListener) {
        let Some(spoken) = Spoken::named(&key.protocol) else {
            return worker.notice(format!("{key} can not be served: not known here"));
        };
        match TcpListener::from_std(socket) {
            Ok(socket) => {
                let task = spawn_local(accept(Rc::clone(worker), socket, spoken));
                self.0.insert(key, Accepting(task.abort_handle()));
            }
            Err(error) => worker.notice(format!("{key} can not be served: {error}")),
        }
    }

    fn remove(&mut self, key: &ListenKey) {
        self.0.remove(key);
    }
}

async fn accept(worker: Rc<Worker>, socket: TcpListener, spoken: Spoken) {
    let mut failing = false;
    loop {
        match socket.accept().await {
            Ok((io, client)) => {
                failing = false;
                admit(&worker, io, client, spoken);
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Out of descriptors or memory: what ends meanwhile makes room.
                if !failing {
                    worker.notice(format!("can not accept connections: {error}"));
                }
                failing = true;
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Whether accepting failed for a connection that ended before it was accepted (accept(2)).
fn is_the_clients(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::HostUnreachable
    )
}

fn admit(worker: &Rc<Worker>, io: TcpStream, peer: SocketAddr, spoken: Spoken) {
    let shared = &worker.shared;
    let balancer = worker.current().live.is_balancer(peer.ip());
    let limits = worker.limits();
    let admitted = if !balancer && shared.context.bans.contains(peer.ip()) {
        Err(Reason::Banned)
    } else {
        if shared.caps.is_nearly_full(&limits) {
            worker.shed();
        }
        if balancer {
            shared.caps.admit_unnamed(&limits)
        } else {
            shared.caps.admit(peer.ip(), &limits)
        }
    };
    match admitted {
        Ok(admitted) => {
            let arrival = Arrival {
                io,
                peer,
                balancer,
                spoken,
                admitted,
            };
            worker.spawn(|slot| arrival::serve(Rc::clone(worker), slot, arrival));
        }
        Err(reason) => {
            // One without an address of ours is of no use to anybody.
            let local = io.local_addr().unwrap_or(peer);
            let identity = Identity::new(ClientAddr(peer), LocalAddr(local), spoken);
            arrival::reject(worker, &identity, &reason);
        }
    }
}
