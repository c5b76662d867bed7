//! What is in force, and the making ready of what shall be.

use super::certificates::Certificates;
use super::child::Desired;
use super::listens;
use crate::message::Load;
use certs::Material;
use config::{Config, Known};
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
    /// Every open listener.
    pub listeners: BTreeMap<ListenKey, Listener>,
    /// The configuration.
    pub running: Running,
    /// Whether it waits to be confirmed.
    pub trial: Option<Trial>,
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

/// A configuration that waits to be confirmed.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Its generation.
    pub generation: u32,
    /// When it is given up.
    pub until: Instant,
    /// What was confirmed last.
    pub base: Arc<Config>,
}

/// A configuration with everything that could fail already done.
pub struct Prepared {
    /// What it says.
    pub running: Running,
    /// What edge is to serve.
    pub edge: Desired,
    /// What admin is to serve.
    pub admin: Desired,
}

impl Prepared {
    /// Gives it the number that it got when it was kept.
    pub fn number(&mut self, generation: u32) {
        self.running.generation = generation;
        self.edge.load.generation = generation;
        self.admin.load.generation = generation;
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
    /// A port is taken, or a certificate or file is missing; with `lenient`, our own CA stands in for those.
    pub fn prepare(&mut self, name: &str, wanted: Running, lenient: bool) -> anyhow::Result<Prepared> {
        let config = Arc::clone(&wanted.config);
        let certificates = self.certificates.gather(&config, &mut self.store, lenient)?;
        let files = self.certificates.files(&config)?;
        let names = Names::from_system();
        let shown = self.certificates.own(&config.system.hostname, &mut self.store)?;
        let (mut listeners, mut pages, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        for key in listens::proxy(&config) {
            match self.listener(&key) {
                Ok(listener) => listeners.push(listener),
                Err(error @ ListenError::NoFamily(_)) => missing.push((key, error.to_string())),
                Err(error) => return Err(error.into()),
            }
        }
        for key in listens::admin(&config) {
            match self.listener(&key) {
                Ok(listener) => pages.push(listener),
                Err(error) => missing.push((key, format!("admin pages: {error}"))),
            }
        }
        let load = |listeners: &[Listener], certificates: Vec<Material>| Load {
            generation: wanted.generation,
            file: name.to_owned(),
            text: wanted.text.clone(),
            listeners: listeners.iter().map(|listener| listener.key.clone()).collect(),
            certificates,
            files: files.clone(),
            names: names.clone(),
        };
        Ok(Prepared {
            edge: Desired {
                load: load(&listeners, certificates.clone()),
                listeners,
            },
            admin: Desired {
                load: load(&pages, vec![shown]),
                listeners: pages,
            },
            running: Running {
                missing,
                certificates,
                ..wanted
            },
        })
    }

    /// The newest confirmed generation before the one in force.
    pub fn earlier(&self) -> Option<u32> {
        let list = self.store.list();
        let confirmed = list.iter().rev().filter(|generation| generation.is_confirmed());
        confirmed
            .map(|generation| generation.number)
            .find(|number| *number < self.running.generation)
    }

    fn listener(&self, key: &ListenKey) -> Result<Listener, ListenError> {
        if let Some(listener) = self.listeners.get(key) {
            return Ok(listener.clone());
        }
        let shards = match key.service.as_str() {
            "admin" => 1,
            _ => super::workers(),
        };
        Listener::open(key, shards)
    }
}

/// What the guard is to do under `config`.
pub fn policy(config: &Config) -> guard::Policy {
    guard::Policy {
        suspicious_per_minute: config.guard.suspicious_per_minute,
        ban_for: config.guard.ban_for,
        never: config.guard.never.clone(),
        exempt: servers(config),
    }
}

/// The servers behind the box: never banned, whatever they ask.
fn servers(config: &Config) -> Vec<IpAddr> {
    let rules = config.hosts.iter().flat_map(|host| &host.http);
    rules
        .flat_map(|rule| [&rule.target.plain.host, &rule.target.tls.host])
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
