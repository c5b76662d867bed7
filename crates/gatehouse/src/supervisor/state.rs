//! What is in force, and the making ready of what shall be.

use super::certificates::Certificates;
use super::child::Desired;
use super::kernel_network::KernelNetwork;
use super::listens;
use crate::message::Load;
use certs::Material;
use config::tables::delegations;
use config::{Config, Known, Trust, ZoneAddress};
use control::{Actor, Refusal};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use net::resolve::Names;
use net::{ListenError, ListenKey, Listener};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use store::Store;
use tokio::time::Instant;

/// What is in force.
pub struct State {
    /// What survives.
    pub store: Store,
    /// Where certificates come from.
    pub certificates: Certificates,
    /// What the kernel is told of addresses and routes.
    pub network: KernelNetwork,
    /// Threads of edge, and so sockets of its listeners; fixed at the start, as edge's are.
    pub workers: usize,
    /// Every open listener.
    pub listeners: BTreeMap<ListenKey, Listener>,
    /// The configuration.
    pub running: Running,
    /// What edge and admin were told last.
    pub told: Option<Told>,
    /// Whether it waits to be confirmed.
    pub trial: Option<Trial>,
}

/// What the processes serve.
#[derive(Clone)]
pub struct Told {
    /// What edge serves.
    pub edge: Desired,
    /// What admin serves.
    pub admin: Desired,
}

/// The configuration in force.
#[derive(Clone)]
pub struct Running {
    /// Its generation.
    pub generation: u32,
    /// The text.
    pub text: String,
    /// What it says.
    pub config: Arc<Config>,
    /// Listeners that it wants and this machine can not give, and why.
    pub missing: Vec<(ListenKey, String)>,
    /// What its TLS listeners present.
    pub certificates: Vec<Material>,
}

impl Running {
    /// What `config` says, with nothing opened yet.
    pub fn new(generation: u32, text: String, config: Config) -> Self {
        Self {
            generation,
            text,
            config: Arc::new(config),
            missing: Vec::new(),
            certificates: Vec::new(),
        }
    }
}

/// How much of a configuration must be possible for it to be put to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// All: nobody is to be surprised by what does not work.
    Strict,
    /// All listeners. For certificates that are not there our own CA stands in: they often come after the
    /// first start, and are taken by a reload.
    Listeners,
    /// All listeners, but for those on interfaces and addresses that are not there yet: what was confirmed once is not to
    /// be given up because a cable or card is out.
    Present,
    /// Anything: at a start and at a rollback something must come up, the rest follows.
    Lenient,
}

/// A configuration that waits to be confirmed.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its generation.
    pub generation: u32,
    /// When it is given up.
    pub until: Instant,
    /// What was confirmed last.
    pub base: Arc<Config>,
    /// Who began it.
    pub by: Actor,
}

/// A configuration with everything that could fail already done.
pub struct Prepared {
    /// What it says.
    pub running: Running,
    /// What the processes are to serve.
    pub told: Told,
}

impl Told {
    /// Whether no process gets anything else by `other`.
    pub fn is_same(&self, other: &Self) -> bool {
        self.edge.load == other.edge.load && self.admin.load == other.admin.load
    }
}

/// The file with what it can not be without, for a process that listens there.
fn load(name: &str, text: &str, listeners: &[Listener], certificates: Vec<Material>) -> Load {
    let keys = listeners.iter().map(|listener| listener.key.clone());
    Load {
        file: name.to_owned(),
        text: text.to_owned(),
        listeners: keys.collect(),
        certificates,
        identity: None,
        files: BTreeMap::new(),
        secrets: BTreeMap::new(),
        zones: Vec::new(),
        names: Names::default(),
    }
}

impl State {
    /// What the store knows, for the check of a configuration.
    pub fn known(&self) -> anyhow::Result<Known> {
        known(&self.store)
    }

    /// Opens what must be opened and reads what must be read, and changes nothing that is in force.
    ///
    /// # Errors
    /// With [`Mode::Strict`] a port that is taken, a certificate or file that is missing or unfit; with
    /// [`Mode::Listeners`] and [`Mode::Present`] a port; with [`Mode::Lenient`] only what makes it impossible to serve anything.
    pub fn prepare(&mut self, name: &str, wanted: Running, mode: Mode) -> anyhow::Result<Prepared> {
        let config = Arc::clone(&wanted.config);
        let lenient = mode != Mode::Strict;
        let certificates = self
            .certificates
            .gather(&config, &mut self.store, lenient)?;
        let files = self.certificates.files(&config, &self.store, lenient)?;
        let secrets = self
            .certificates
            .login_secrets(&config, &mut self.store, lenient)?;
        let identity =
            self.certificates
                .identity(&config, &certificates, &mut self.store, lenient)?;
        if !lenient {
            proxy::check(&config, &certificates, identity.as_ref(), &files)?;
            signin::check(&config, &secrets, &files)?;
        }
        let shown = self
            .certificates
            .pages(&config, &certificates, &mut self.store, lenient)?;
        let mut missing = Vec::new();
        let listeners = self.open(listens::edge(&config), mode, &mut missing)?;
        let pages = self.open(listens::admin(&config), mode, &mut missing)?;
        let load = |listeners: &[Listener], certificates| {
            load(name, &wanted.text, listeners, certificates)
        };
        let edge = Load {
            identity,
            files,
            secrets,
            zones: zones(&config),
            names: Names::from_system(),
            ..load(&listeners, certificates.clone())
        };
        let admin = load(&pages, shown);
        anyhow::ensure!(
            edge.fits(),
            "{name}, its certificates and the files it names are too long to be handed over"
        );
        Ok(Prepared {
            told: Told {
                edge: Desired {
                    load: edge,
                    listeners,
                },
                admin: Desired {
                    load: admin,
                    listeners: pages,
                },
            },
            running: Running {
                missing,
                certificates,
                ..wanted
            },
        })
    }

    /// Opens `keys`; what may be left out goes to `missing` with the reason.
    fn open(
        &self,
        keys: Vec<ListenKey>,
        mode: Mode,
        missing: &mut Vec<(ListenKey, String)>,
    ) -> Result<Vec<Listener>, ListenError> {
        let mut open = Vec::new();
        for key in keys {
            match self.listener(&key, &open) {
                Ok(listener) => open.push(listener),
                Err(error) if mode == Mode::Lenient || may_miss(&key, &error, mode) => {
                    missing.push((key, error.to_string()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(open)
    }

    /// Whether a listener waits at a network interface that is gone, or was made anew.
    pub fn is_deaf(&self) -> bool {
        let mut devices = self.listeners.keys().filter_map(|key| key.device.as_ref());
        devices.any(|device| !device.is_current())
    }

    /// # Errors
    /// Generation `number` is not the one on trial: it was confirmed or given up, by somebody or by the clock.
    pub fn expect_trial(&self, number: u32) -> Result<(), Refusal> {
        let trial = self.trial.as_ref();
        if trial.is_some_and(|trial| trial.generation == number) {
            return Ok(());
        }
        let in_force = self.running.generation;
        Err(Refusal::conflict(format!(
            "generation {number} is not on trial any more; generation {in_force} is in force, and nothing was changed"
        )))
    }

    /// The newest confirmed generation before `current` that says something else.
    pub fn earlier(&self, current: u32) -> Option<u32> {
        let same = self.store.generation(current).map(|now| now.sha256.clone());
        let list = self.store.list();
        let mut older = list
            .iter()
            .rev()
            .filter(|generation| generation.is_confirmed() && generation.number < current);
        older
            .find(|generation| Some(&generation.sha256) != same.as_ref())
            .map(|generation| generation.number)
    }

    /// The listener of `key`, opened beside those that are held, and `opened` just now.
    fn listener(&self, key: &ListenKey, opened: &[Listener]) -> Result<Listener, ListenError> {
        if let Some(listener) = self.listeners.get(key) {
            return Ok(listener.clone());
        }
        let shards = match key.service.as_str() {
            "admin" | "uplink" => 1,
            _ => self.workers,
        };
        let same_place = |held: &&Listener| {
            (held.key.transport, held.key.addr, &held.key.device)
                == (key.transport, key.addr, &key.device)
                && held.shards.count() == shards
        };
        // What changes its protocol keeps its sockets, and who waits on them.
        if let Some(held) = self.listeners.values().find(same_place) {
            return Ok(Listener {
                key: key.clone(),
                shards: held.shards.clone(),
            });
        }
        let ours = |held: &ListenKey| {
            (held.transport, held.addr.port(), held.addr.is_ipv4())
                == (key.transport, key.addr.port(), key.addr.is_ipv4())
        };
        let opened = opened.iter().map(|listener| &listener.key);
        let beside_ours = self.listeners.keys().chain(opened).any(ours);
        Listener::open(key, shards, beside_ours)
    }
}

/// The zones that edge answers, each with the name of its server.
fn zones(config: &Config) -> Vec<(String, String)> {
    let zones = delegations(config).into_iter();
    zones.map(|one| (one.zone, one.server)).collect()
}

/// A machine without IPv6 serves IPv4; a box whose admin interface is not there serves the others.
fn may_miss(key: &ListenKey, error: &ListenError, mode: Mode) -> bool {
    let admin = key.service == "admin";
    match error {
        ListenError::NoFamily(_) => true,
        ListenError::NoDevice(_) | ListenError::NoAddress(_) => admin || mode == Mode::Present,
        _ => false,
    }
}

/// What the guard is to do under `config`.
pub fn policy(config: &Config) -> guard::Policy {
    guard::Policy {
        suspicious_per_minute: config.guard.suspicious_per_minute,
        ban_for: config.guard.ban_for,
        never: never(config),
        exempt: servers(config),
        operators: operators(config),
    }
}

/// Whole networks that are not banned: those of the file, and load balancers, which speak for many.
fn never(config: &Config) -> Vec<IpNet> {
    let balancers = &config.proxy.proxy_protocol_from;
    config
        .guard
        .never
        .iter()
        .chain(balancers)
        .copied()
        .collect()
}

/// From where the admin pages are opened: `from` of [admin], or the networks of the zones that reach them.
fn operators(config: &Config) -> Vec<IpNet> {
    if !config.admin.from.is_empty() {
        return config.admin.from.clone();
    }
    let named = &config.admin.zones;
    let zones = config.zones.iter().filter(|zone| match named.as_slice() {
        [] => zone.trust == Trust::Inside,
        named => named.contains(&zone.name),
    });
    let addresses = zones.flat_map(|zone| &zone.addresses);
    addresses
        .flat_map(|address| match address {
            ZoneAddress::Static(network) => vec![network.trunc()],
            // Which networks these are, the router says; any may be the operator's.
            ZoneAddress::Dhcp => vec![Ipv4Net::default().into()],
            ZoneAddress::Auto6 => vec![Ipv6Net::default().into()],
        })
        .collect()
}

/// The servers behind the box: never banned, whatever they ask.
fn servers(config: &Config) -> Vec<IpAddr> {
    let rules = config.hosts.iter().flat_map(|host| &host.http);
    let passed = config
        .hosts
        .iter()
        .filter_map(|host| host.tls_passthrough.as_ref());
    rules
        .flat_map(|rule| &rule.targets)
        .flat_map(|targets| [&targets.plain.host, &targets.tls.host])
        .chain(passed.map(|rule| &rule.target.host))
        .filter_map(|host| match host {
            config::TargetHost::Ip(ip) => Some(*ip),
            config::TargetHost::Name(_) => None,
        })
        .collect()
}

/// What the store knows, for the check of a configuration.
pub fn known(store: &Store) -> anyhow::Result<Known> {
    Ok(Known {
        secrets: Some(store.secret_names()?),
        ..Known::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn load_balancers_are_never_banned() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
             interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[guard]\nnever = [\"10.1.0.0/16\"]\n\
             [proxy]\nproxy_protocol_from = [\"10.2.0.5\"]\n";
        let config = config::check(text, "test.toml").unwrap().config;
        let never = policy(&config).never;
        let never: Vec<_> = never.iter().map(ToString::to_string).collect();
        assert_eq!(never, ["10.1.0.0/16", "10.2.0.5/32"]);
    }

    #[test]
    fn operators_are_who_reaches_the_admin_pages() {
        let of = |admin: &str| {
            let text = format!(
                "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
                 interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[network.wan]\ntrust = \"outside\"\n\
                 interface = \"eth1\"\naddresses = [\"dhcp\"]\n[admin]\n{admin}\n"
            );
            let config = config::check(&text, "test.toml").unwrap().config;
            let networks = policy(&config).operators;
            networks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(of(""), ["192.0.2.0/24"]);
        assert_eq!(of("from = [\"10.1.0.0/16\"]"), ["10.1.0.0/16"]);
        assert_eq!(of("zones = [\"wan\"]"), ["0.0.0.0/0"]);
    }
}
