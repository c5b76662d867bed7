//! Ports of the box that get their address by DHCP: their sockets are opened here, edge asks.

use super::gate::Gate;
use super::journal::Journal;
use crate::message::Port;
use net::Device;
use net::datagram::{dhcp_client_key, open_dhcp_client};
use router::{Leased, Link, Overlap, Wanted};
use service::{Backoff, clip};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::watch;
use tokio::time::sleep;
use uplink::dhcp::{HardwareAddr, Identity, Lease, Loss, Standing};

/// Ports that are asked for at most: their sockets travel in one message.
const MOST: usize = 32;
/// A longer text of edge is cut.
const TEXT_LIMIT: usize = 256;
/// The most time between two changes that are taken in; it grows to this while they do not stop.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// In seconds.
const HOUR: u64 = 3600;
/// Where the box finds its name servers.
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// The ports that edge asks for. Clones are the same.
#[derive(Clone)]
pub struct Uplink {
    journal: Journal,
    ports: watch::Sender<OpenPorts>,
    /// By interface: what edge said last of its port.
    standings: watch::Sender<BTreeMap<Box<str>, Standing>>,
    memory: Arc<Mutex<Memory>>,
}

/// Leases by interface.
pub type Leases = BTreeMap<Box<str>, Lease>;

/// All of them.
pub type OpenPorts = Arc<[Arc<OpenPort>]>;

/// A port with its socket.
pub struct OpenPort {
    /// The interface.
    pub device: Device,
    /// Its socket.
    pub socket: Arc<UdpSocket>,
    identity: Identity,
    carriers: u32,
}

/// A lease, dated by our own clock: edge may fail before it ends.
struct Held {
    leased: Leased,
    until: Option<Instant>,
}

impl Held {
    fn of(lease: &Lease) -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_secs();
        let left = lease.times.map(|times| {
            let left = times.expires.saturating_sub(now);
            Duration::from_secs(left.min(u64::from(times.lasts)))
        });
        Self {
            leased: Leased {
                address: lease.address,
                router: lease.router,
            },
            until: left.map(|left| Instant::now() + left),
        }
    }

    fn counts(&self) -> bool {
        self.until.is_none_or(|until| Instant::now() < until)
    }
}

#[derive(Default)]
struct Memory {
    /// By interface: the last lease, also of an earlier run.
    leases: Leases,
    /// By interface: the lease that counts, and until when it does.
    held: BTreeMap<Box<str>, Held>,
    /// What was said against ports, once each.
    told: BTreeSet<String>,
}

impl Uplink {
    /// No ports yet, with the leases of an earlier run.
    pub fn new(leases: Leases, journal: Journal) -> Self {
        let sound = leases.into_iter().filter(|(_, lease)| lease.is_sound());
        Self {
            journal,
            ports: watch::Sender::new(Arc::new([])),
            standings: watch::Sender::default(),
            memory: Arc::new(Mutex::new(Memory {
                leases: sound.take(MOST).collect(),
                ..Memory::default()
            })),
        }
    }

    /// The ports, published anew whenever they change.
    pub fn ports(&self) -> watch::Receiver<OpenPorts> {
        self.ports.subscribe()
    }

    /// What a process is told of `ports`.
    pub fn orders(&self, ports: &[Arc<OpenPort>]) -> Vec<Port> {
        let memory = self.memory();
        let order = |port: &Arc<OpenPort>| Port {
            device: port.device.clone(),
            identity: port.identity.clone(),
            carriers: port.carriers,
            remembered: memory.leases.get(&port.device.name).cloned(),
        };
        ports.iter().map(order).collect()
    }

    /// Resolves when some port has something else than before.
    pub fn standings(&self) -> watch::Receiver<BTreeMap<Box<str>, Standing>> {
        self.standings.subscribe()
    }

    /// The leases to be kept over a restart.
    pub fn leases(&self) -> Leases {
        self.memory().leases.clone()
    }

    /// Adds to `wanted` what the ports have; returns what does not fit.
    ///
    /// Inside zones come first, so that nobody outside can take their network. Theirs also keep an address that edge says is lost
    /// until the lease ends: it is what the operator comes in by, and edge is not to be believed that far.
    pub fn teach(&self, wanted: &mut Wanted) -> Vec<Overlap> {
        let standings = self.standings.borrow();
        let memory = self.memory();
        let mut ports: Vec<_> = wanted
            .dynamic
            .iter()
            .map(|(interface, dynamic)| (!dynamic.inside, interface.clone()))
            .collect();
        ports.sort();
        let mut unfit = Vec::new();
        for (outside, interface) in ports {
            let Some(standing) = standings.get(interface.as_str()) else {
                continue;
            };
            let held = memory.held.get(interface.as_str());
            let held = held.filter(|held| held.counts());
            let is_lost = outside && standing.lease.is_none() && standing.loss.is_some();
            // Without a lease and without a loss, one is being asked for.
            let is_known = standing.lease.is_some() || standing.loss.is_some();
            if is_known {
                let leased = held.filter(|_| !is_lost).map(|held| held.leased);
                unfit.extend(wanted.learn(&interface, leased).err());
            }
        }
        unfit
    }

    /// What keeps ports from having an address, one sentence each.
    pub fn faults(&self) -> Vec<String> {
        let ports = self.ports.borrow().clone();
        let standings = self.standings.borrow();
        let waiting = ports.iter().filter_map(|port| {
            let name = &port.device.name;
            let standing = standings.get(name).cloned().unwrap_or_default();
            let Standing {
                loss,
                refusal,
                fault,
                ..
            } = &standing;
            standing.lease.is_none().then(|| {
                let why = (fault.clone())
                    .or_else(|| refusal.as_ref().map(ToString::to_string))
                    .or_else(|| loss.as_ref().map(ToString::to_string));
                let why = why.unwrap_or_else(|| "no server has answered yet".to_owned());
                format!("{name}: no address by DHCP: {why}")
            })
        });
        let told = self.memory().told.clone();
        told.into_iter().chain(waiting).collect()
    }

    /// Opens the ports that `wanted` wants of those that there are, and closes all others.
    pub fn open(&self, wanted: &Wanted, links: &BTreeMap<String, Link>, hostname: &str) {
        let held = self.ports.borrow().clone();
        let mut open = Vec::new();
        let mut faults = BTreeSet::new();
        for name in wanted.dynamic.keys() {
            let Some(link) = links.get(name).filter(|link| link.up) else {
                continue;
            };
            match self.port(name, *link, hostname, &held) {
                Ok(port) if open.len() < MOST => open.push(Arc::new(port)),
                Ok(_) => {
                    faults.insert(format!(
                        "{name}: no more than {MOST} ports ask for an address"
                    ));
                }
                Err(fault) => {
                    faults.insert(fault);
                }
            }
        }
        let is_same = |(one, other): (&Arc<OpenPort>, &Arc<OpenPort>)| {
            Arc::ptr_eq(&one.socket, &other.socket)
                && (&one.identity, one.carriers) == (&other.identity, other.carriers)
        };
        if held.len() != open.len() || !held.iter().zip(&open).all(is_same) {
            let is_open = |interface: &str| open.iter().any(|port| &*port.device.name == interface);
            self.standings.send_if_modified(|all| {
                let before = all.len();
                all.retain(|interface, _| is_open(interface));
                all.len() != before
            });
            self.ports.send_replace(open.into());
        }
        let mut memory = self.memory();
        for fault in faults.difference(&memory.told) {
            self.journal.notice("uplink", fault.clone());
        }
        memory.told = faults;
    }

    fn port(
        &self,
        name: &str,
        link: Link,
        hostname: &str,
        held: &[Arc<OpenPort>],
    ) -> Result<OpenPort, String> {
        let mac = link
            .mac
            .ok_or_else(|| format!("{name}: DHCP needs an interface with an Ethernet address"))?;
        let device = Device {
            name: name.into(),
            index: Some(link.index),
        };
        let same = held.iter().find(|port| port.device == device);
        let socket = if let Some(port) = same {
            Arc::clone(&port.socket)
        } else {
            // What is known of an interface of that name is not of this one.
            self.standings
                .send_if_modified(|all| all.remove(name).is_some());
            let key = dhcp_client_key(device.clone());
            Arc::new(open_dhcp_client(&key).map_err(|error| error.to_string())?)
        };
        Ok(OpenPort {
            device,
            socket,
            identity: Identity {
                hardware: HardwareAddr(mac),
                hostname: Some(hostname.to_owned()),
            },
            carriers: link.carriers,
        })
    }

    /// Takes in what edge says of a port. It is believed as far as it can be true.
    pub fn heard(&self, device: &Device, mut standing: Standing) {
        let is_asked = self
            .ports
            .borrow()
            .iter()
            .any(|port| port.device == *device);
        let is_sound = standing.lease.as_ref().is_none_or(Lease::is_sound);
        if !is_asked || !is_sound {
            return;
        }
        if let Some(fault) = &mut standing.fault {
            clip(fault, TEXT_LIMIT);
        }
        if let Some(Loss::Denied(words)) = &mut standing.loss {
            clip(words, TEXT_LIMIT);
        }
        let name = &device.name;
        let before = self
            .standings
            .borrow()
            .get(name)
            .cloned()
            .unwrap_or_default();
        if before == standing {
            return;
        }
        for text in news(&before, &standing) {
            self.journal.notice("uplink", format!("{name}: {text}"));
        }
        if let Some(lease) = &standing.lease {
            let mut memory = self.memory();
            memory.leases.insert(name.clone(), lease.clone());
            memory.held.insert(name.clone(), Held::of(lease));
        }
        // What a server has denied is not asked for again.
        if matches!(standing.loss, Some(Loss::Denied(_) | Loss::InUse)) {
            self.memory().leases.remove(name);
        }
        self.standings.send_modify(|all| {
            all.insert(name.clone(), standing);
        });
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the operator should know of a change; a lease that was only renewed is no news.
fn news(before: &Standing, now: &Standing) -> Vec<String> {
    let given = |standing: &Standing| {
        let lease = standing.lease.as_ref()?;
        Some((lease.address, lease.router, lease.server))
    };
    let mut news = Vec::new();
    if let Some((address, router, server)) = given(now).filter(|_| given(now) != given(before)) {
        let router = router.map_or_else(
            || "without a router".to_owned(),
            |router| format!("router {router}"),
        );
        news.push(format!("{address} by DHCP from {server}, {router}"));
    }
    if let Some(loss) = now.loss.as_ref().filter(|_| now.loss != before.loss) {
        news.push(format!("no address by DHCP any more: {loss}"));
    }
    if let Some(refusal) = now
        .refusal
        .as_ref()
        .filter(|_| now.refusal != before.refusal)
    {
        news.push(format!(
            "an answer of a DHCP server was not taken: {refusal}"
        ));
    }
    if let Some(fault) = now.fault.as_ref().filter(|_| now.fault != before.fault) {
        news.push(format!("can not ask for an address: {fault}"));
    }
    news
}

/// Keeps the leases over a restart, and has the name servers of the box taken in, whenever there is something new.
pub async fn follow(gate: Gate) {
    let uplink = gate.hub.uplink.clone();
    let mut standings = uplink.standings();
    let mut kept = uplink.leases();
    let mut names = String::new();
    // Whoever changes every second must not wear out the disk.
    let mut pause = Backoff::up_to(LONGEST_PAUSE);
    let mut last = Instant::now();
    while standings.changed().await.is_ok() {
        let wanted = resolv_conf(&standings.borrow_and_update());
        if gate.hub.machine.is_box() && names != wanted {
            match std::fs::write(RESOLV_CONF, &wanted) {
                Ok(()) => names = wanted,
                Err(error) => {
                    let text = format!("the name servers can not be set: {RESOLV_CONF}: {error}");
                    gate.hub.journal.notice("uplink", text);
                }
            }
            gate.refresh().await;
        }
        let leases = uplink.leases();
        if is_worth_keeping(&kept, &leases) {
            gate.keep_leases(&leases).await;
            kept = leases;
        }
        let quiet = last.elapsed();
        last = Instant::now();
        sleep(pause.next(quiet)).await;
    }
}

/// Whether the disk is worth it: a short lease that is renewed every minute is not.
fn is_worth_keeping(kept: &Leases, now: &Leases) -> bool {
    let lasting = |lease: &Lease| Lease {
        times: None,
        ..lease.clone()
    };
    let expires = |lease: &Lease| lease.times.map_or(u64::MAX, |times| times.expires);
    kept.len() != now.len()
        || now.iter().any(|(interface, lease)| {
            kept.get(interface).is_none_or(|kept| {
                lasting(kept) != lasting(lease)
                    || expires(lease) >= expires(kept).saturating_add(HOUR)
            })
        })
}

/// The name servers of all ports, as `resolv.conf(5)`.
fn resolv_conf(standings: &BTreeMap<Box<str>, Standing>) -> String {
    let leases = standings
        .values()
        .filter_map(|standing| standing.lease.as_ref());
    let servers = leases.flat_map(|lease| &lease.name_servers);
    let mut text = String::new();
    for server in servers {
        // Writing to a string does not fail.
        let _ = writeln!(text, "nameserver {server}");
    }
    text
}

#[cfg(test)]
mod tests;
