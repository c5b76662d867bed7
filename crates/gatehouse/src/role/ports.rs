//! Ports whose address this process asks for.

use crate::message::Port;
use net::Device;
use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::os::fd::OwnedFd;
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::sleep;
use uplink::dhcp::{self, Order, Standing};

/// How many orders a client has not taken yet at most.
const ORDERS: usize = 4;
/// How many reports wait for the link at most; a port waits with its next one.
const REPORTS: usize = 32;
/// The least time between two reports of a port.
const PACE: Duration = Duration::from_millis(100);

/// The clients that are at work. Dropped, they end; leases stay what they are.
pub(super) struct Ports {
    clients: BTreeMap<Device, Client>,
    reports: mpsc::Sender<(Device, Standing)>,
}

struct Client {
    /// What it was told last.
    port: Port,
    orders: mpsc::Sender<Order>,
    task: AbortHandle,
}

impl Ports {
    /// None yet, and what will be reported.
    pub(super) fn new() -> (Self, mpsc::Receiver<(Device, Standing)>) {
        let (reports, heard) = mpsc::channel(REPORTS);
        let clients = BTreeMap::new();
        (Self { clients, reports }, heard)
    }

    /// Asks for the addresses of `ports` from now on, and of no others. Those that are asked for already go on.
    pub(super) fn set(&mut self, ports: Vec<Port>, sockets: Vec<OwnedFd>) {
        self.clients
            .retain(|device, _| ports.iter().any(|port| port.device == *device));
        for (port, socket) in ports.into_iter().zip(sockets) {
            match self.clients.get_mut(&port.device) {
                Some(client) if client.serves(&port) => client.follow(port),
                _ => {
                    let client = Client::start(port, socket.into(), self.reports.clone());
                    self.clients.insert(client.port.device.clone(), client);
                }
            }
        }
    }
}

impl Client {
    fn start(port: Port, socket: UdpSocket, reports: mpsc::Sender<(Device, Standing)>) -> Self {
        let (orders, taken) = mpsc::channel(ORDERS);
        let task = spawn_local(ask(port.clone(), socket, taken, reports)).abort_handle();
        Self { port, orders, task }
    }

    /// Whether it is at work, and for the same as `port`.
    fn serves(&self, port: &Port) -> bool {
        !self.task.is_finished() && self.port.identity == port.identity
    }

    /// Takes in what has changed since.
    fn follow(&mut self, port: Port) {
        if self.port.carriers != port.carriers {
            // A full queue holds the same already.
            let _ = self.orders.try_send(Order::Verify);
        }
        self.port = port;
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Asks for the address of `port` and reports what it has.
async fn ask(
    port: Port,
    socket: UdpSocket,
    orders: mpsc::Receiver<Order>,
    reports: mpsc::Sender<(Device, Standing)>,
) {
    let (standing, mut seen) = watch::channel(Standing::default());
    let Port {
        device,
        identity,
        remembered,
        ..
    } = port;
    let report = async {
        while seen.changed().await.is_ok() {
            let now = seen.borrow_and_update().clone();
            if reports.send((device.clone(), now)).await.is_err() {
                return;
            }
            sleep(PACE).await;
        }
    };
    let client = dhcp::run(socket, identity, remembered, orders, standing);
    let (ended, ()) = tokio::join!(client, report);
    if let Err(error) = ended {
        let standing = Standing {
            fault: Some(error.to_string()),
            ..Standing::default()
        };
        // Nobody hears it where the process ends.
        let _ = reports.send((device.clone(), standing)).await;
    }
}
