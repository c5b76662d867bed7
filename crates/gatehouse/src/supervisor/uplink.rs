//! Ports of the box that get their address by DHCP: their sockets are opened here, edge asks.

use super::gate::Gate;
use super::journal::Journal;
use crate::message::Port;
use net::Device;
use net::datagram::{dhcp_client_key, open_dhcp_client};
use router::{Leased, Link, Overlap, Wanted};
use service::clip;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::sleep;
use uplink::dhcp::{HardwareAddr, Identity, Lease, Standing};

/// Ports that are asked for at most: their sockets travel in one message.
const MOST: usize = 32;
/// A longer text of edge is cut.
const TEXT_LIMIT: usize = 256;
/// The least time between two changes that are taken in.
const PACE: Duration = Duration::from_secs(1);
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

#[derive(Default)]
struct Memory {
    /// By interface: the last lease, also of an earlier run.
    leases: Leases,
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
                told: BTreeSet::new(),
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
    pub fn teach(&self, wanted: &mut Wanted) -> Vec<Overlap> {
        let mut unfit = Vec::new();
        for (interface, standing) in &*self.standings.borrow() {
            let lease = standing.lease.as_ref();
            // Only what lost its lease has none for sure; another is being asked for.
            if lease.is_some() || standing.loss.is_some() {
                let leased = lease.map(|lease| Leased {
                    address: lease.address,
                    router: lease.router,
                });
                unfit.extend(wanted.learn(interface, leased).err());
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
            self.memory().leases.insert(name.clone(), lease.clone());
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
        sleep(PACE).await;
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
mod tests {
    use super::*;
    use uplink::dhcp::Times;

    fn lease(address: &str, expires: u64) -> Lease {
        Lease {
            address: address.parse().unwrap(),
            router: Some("192.0.2.1".parse().unwrap()),
            routes: Vec::new(),
            name_servers: vec!["192.0.2.53".parse().unwrap()],
            domain: None,
            time_servers: Vec::new(),
            mtu: None,
            server: "192.0.2.2".parse().unwrap(),
            times: Some(Times {
                renew: 60,
                rebind: 105,
                lasts: 120,
                expires,
            }),
        }
    }

    fn standing(address: &str) -> Standing {
        Standing {
            lease: Some(lease(address, 1000)),
            ..Standing::default()
        }
    }

    fn of(lease: Lease) -> Leases {
        [("eth0".into(), lease)].into()
    }

    /// With a port on the loopback, as if it were eth0.
    fn asking(leases: Leases) -> (Uplink, Device) {
        let uplink = Uplink::new(leases, Journal::new());
        let device = Device {
            name: "eth0".into(),
            index: Some(7),
        };
        let port = OpenPort {
            device: device.clone(),
            socket: Arc::new(UdpSocket::bind("127.0.0.1:0").unwrap()),
            identity: Identity {
                hardware: HardwareAddr([2, 0, 0, 0, 0, 1]),
                hostname: None,
            },
            carriers: 1,
        };
        uplink.ports.send_replace([Arc::new(port)].into());
        (uplink, device)
    }

    fn wanted() -> Wanted {
        Wanted {
            dynamic: [("eth0".to_owned(), 100)].into(),
            pending: ["eth0".to_owned()].into(),
            ..Wanted::default()
        }
    }

    #[test]
    fn what_edge_says_counts_for_ports_that_were_asked_for_and_addresses_that_can_be() {
        let (uplink, eth0) = asking(Leases::new());
        let mut learned = wanted();
        let other = Device {
            index: Some(8),
            ..eth0.clone()
        };
        uplink.heard(&other, standing("192.0.2.7/24"));
        for impossible in ["0.0.0.0/0", "127.0.0.1/8", "192.0.2.255/24", "224.0.0.5/24"] {
            uplink.heard(&eth0, standing(impossible));
        }
        assert!(uplink.teach(&mut learned).is_empty());
        assert_eq!(learned, wanted());
        uplink.heard(&eth0, standing("192.0.2.7/24"));
        assert!(uplink.teach(&mut learned).is_empty());
        assert!(learned.interfaces["eth0"].contains(&"192.0.2.7/24".parse().unwrap()));
        assert!(learned.pending.is_empty());
    }

    #[test]
    fn a_lease_is_remembered_and_the_address_goes_only_when_it_is_lost() {
        let (uplink, eth0) = asking(of(lease("192.0.2.7/24", 1000)));
        let ports = uplink.ports().borrow().clone();
        let remembered = uplink.orders(&ports).remove(0).remembered;
        assert_eq!(
            remembered,
            Some(lease("192.0.2.7/24", 1000)),
            "of an earlier run"
        );
        uplink.heard(&eth0, standing("192.0.2.8/24"));
        let remembered = uplink.orders(&ports).remove(0).remembered;
        assert_eq!(remembered, Some(lease("192.0.2.8/24", 1000)));
        let lost = Standing {
            loss: Some(uplink::dhcp::Loss::Expired),
            ..Standing::default()
        };
        assert!(uplink.faults().is_empty());
        uplink.heard(&eth0, Standing::default());
        let faults = uplink.faults();
        assert!(faults[0].contains("no server has answered"), "{faults:?}");
        let mut learned = wanted();
        assert!(uplink.teach(&mut learned).is_empty());
        assert_eq!(learned, wanted(), "asking, not lost");
        uplink.heard(&eth0, lost);
        assert!(uplink.teach(&mut learned).is_empty());
        assert!(learned.pending.is_empty() && learned.interfaces.is_empty());
    }

    #[test]
    fn a_port_that_is_not_wanted_any_more_is_forgotten() {
        let (uplink, eth0) = asking(Leases::new());
        uplink.heard(&eth0, standing("192.0.2.7/24"));
        uplink.open(&Wanted::default(), &BTreeMap::new(), "gate");
        assert!(uplink.ports().borrow().is_empty());
        assert!(uplink.faults().is_empty());
        assert!(uplink.standings().borrow().is_empty());
    }

    #[test]
    fn renewals_of_short_leases_do_not_wear_out_the_disk() {
        let kept = of(lease("192.0.2.7/24", 1000));
        assert!(!is_worth_keeping(&kept, &of(lease("192.0.2.7/24", 1060))));
        assert!(is_worth_keeping(
            &kept,
            &of(lease("192.0.2.7/24", 1000 + HOUR))
        ));
        assert!(is_worth_keeping(&kept, &of(lease("192.0.2.8/24", 1060))));
        assert!(is_worth_keeping(&Leases::new(), &kept));
        let names = resolv_conf(&[("eth0".into(), standing("192.0.2.7/24"))].into());
        assert_eq!(names, "nameserver 192.0.2.53\n");
    }
}
