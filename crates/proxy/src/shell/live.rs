//! What one configuration puts into force, swapped as a whole at a reload.

use crate::core::{Routes, RoutesError, TargetKey, TargetTls, Trust};
use crate::metrics::{HostInstruments, Instruments};
use certs::{Chooser, Material};
use config::Protocol;
use net::resolve::Names;
use net::tls::{self, TrustError};
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::Arc;

/// Routes with all that it takes to serve them.
pub(crate) struct Live {
    pub(crate) routes: Routes,
    pub(crate) chooser: Arc<Chooser>,
    pub(crate) server: Arc<ServerConfig>,
    clients: HashMap<TargetKey, ClientTls>,
    pub(crate) hosts: Vec<HostInstruments>,
    pub(crate) log_rejected: bool,
    pub(crate) log_forwarded: bool,
    pub(crate) names: Names,
    /// Where we listen ourselves.
    listens: Vec<SocketAddr>,
}

/// How TLS is spoken with one target.
#[derive(Clone)]
pub(crate) struct ClientTls {
    pub(crate) config: Arc<ClientConfig>,
    pub(crate) name: ServerName<'static>,
}

/// A configuration that can not be put into force.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It is not consistent.
    #[error(transparent)]
    Routes(#[from] RoutesError),
    /// A certificate can not be used.
    #[error(transparent)]
    Certificate(#[from] certs::Error),
    /// The authorities of a target can not be used.
    #[error("line {line}: {file}: {source}")]
    Trust {
        /// The rule.
        line: u32,
        /// The file, if one is named.
        file: String,
        /// What is wrong.
        source: TrustError,
    },
    /// A file was not handed over.
    #[error("line {0}: the file {1} is not at hand")]
    FileMissing(u32, String),
    /// The name for a TLS target is none.
    #[error("line {0}: {1:?} can not be a TLS server name")]
    ServerName(u32, String),
    /// rustls refuses our side's settings.
    #[error("TLS: {0}")]
    Tls(#[from] rustls::Error),
}

impl Live {
    /// Puts `config` together. What `before` has for equal targets is kept, so that TLS sessions
    /// with them go on to be resumed.
    pub(crate) fn new(
        config: &crate::Config,
        instruments: &Instruments,
        before: Option<&Self>,
    ) -> Result<Self, ConfigError> {
        let routes = Routes::new(&config.config, &config.files)?;
        let chooser = chooser(&config.certificates)?;
        let logs = |protocols: &[Protocol]| protocols.contains(&Protocol::Http);
        Ok(Self {
            server: Arc::new(tls::server_config(chooser.clone(), &[b"http/1.1"])?),
            chooser,
            clients: clients(&routes, before)?,
            hosts: instruments.hosts(&routes),
            log_rejected: logs(&config.config.proxy.log_rejected),
            log_forwarded: logs(&config.config.proxy.log_forwarded),
            names: config.names.clone(),
            listens: config.listeners.iter().map(|l| l.key.addr).collect(),
            routes,
        })
    }

    /// How TLS is spoken with `target`, if it is.
    pub(crate) fn client(&self, target: &TargetKey) -> Option<&ClientTls> {
        self.clients.get(target)
    }

    /// Whether a listener of ours answers at `address`, an address of this machine.
    pub(crate) fn listens_at(&self, address: SocketAddr) -> bool {
        self.listens.iter().any(|listen| {
            listen.port() == address.port()
                && (listen.ip().is_unspecified() || listen.ip() == address.ip())
        })
    }

    /// Whether two server names get one certificate.
    pub(crate) fn same_certificate(&self, server_name: Option<&str>, host: &str) -> bool {
        match server_name {
            Some(name) if name.eq_ignore_ascii_case(host) => true,
            Some(name) => self.chooser.index_for(name) == self.chooser.index_for(host),
            // A hello without a name gets the first certificate.
            None => self.chooser.index_for(host) == Some(0),
        }
    }
}

fn chooser(materials: &[Material]) -> Result<Arc<Chooser>, certs::Error> {
    Chooser::new(materials.to_vec()).map(Arc::new)
}

fn clients(
    routes: &Routes,
    before: Option<&Live>,
) -> Result<HashMap<TargetKey, ClientTls>, ConfigError> {
    let mut clients: HashMap<TargetKey, ClientTls> = HashMap::new();
    let mut configs: HashMap<&Trust, Arc<ClientConfig>> = HashMap::new();
    for (rule, key) in routes.targets() {
        let Some(tls) = &key.tls else { continue };
        if clients.contains_key(key) {
            continue;
        }
        if let Some(known) = before.and_then(|before| before.client(key)) {
            clients.insert(key.clone(), known.clone());
            continue;
        }
        let config = match configs.entry(&tls.trust) {
            Entry::Occupied(known) => Arc::clone(known.get()),
            Entry::Vacant(place) => {
                let config = Arc::new(client_config(rule.line, tls)?);
                Arc::clone(place.insert(config))
            }
        };
        let name = ServerName::try_from(tls.name.to_string())
            .map_err(|_| ConfigError::ServerName(rule.line, tls.name.to_string()))?;
        clients.insert(key.clone(), ClientTls { config, name });
    }
    Ok(clients)
}

fn client_config(line: u32, tls: &TargetTls) -> Result<ClientConfig, ConfigError> {
    let (trust, file) = match &tls.trust {
        Trust::System => (tls::Trust::System, ""),
        Trust::Sha256(digest) => (tls::Trust::Sha256(*digest), ""),
        Trust::Any => (tls::Trust::Any, ""),
        Trust::Ca { file, pem } => match pem {
            Some(pem) => (tls::Trust::Ca(pem.to_string()), &**file),
            None => return Err(ConfigError::FileMissing(line, file.to_string())),
        },
    };
    tls::client_config(&trust).map_err(|source| ConfigError::Trust {
        line,
        file: file.to_owned(),
        source,
    })
}

/// The texts of the files that `config` names for its targets, by those names; for whoever reads them.
pub fn files_wanted(config: &config::Config) -> Vec<String> {
    let routes = Routes::new(config, &BTreeMap::new());
    let mut files: Vec<String> = routes
        .iter()
        .flat_map(Routes::targets)
        .filter_map(|(_, target)| match &target.tls.as_ref()?.trust {
            Trust::Ca { file, .. } => Some(file.to_string()),
            _ => None,
        })
        .collect();
    files.sort();
    files.dedup();
    files
}
