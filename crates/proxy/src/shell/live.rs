//! What one configuration puts into force, swapped as a whole at a reload.

use crate::core::{Routes, RoutesError, TargetKey, TargetTls, Trust};
use crate::metrics::{HostInstruments, Instruments};
use crate::shell::inside::Inside;
use crate::shell::limits::Limits;
use crate::shell::presented::Asking;
use certs::{Answers, Chooser, Material};
use config::{ClientTrust, Protocol};
use ipnet::IpNet;
use net::resolve::Names;
use net::tls::{self, TrustError};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::ServerName;
use sip::rewrite::Place;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::SystemTime;

/// The protocols we speak over TLS, in order of preference.
pub(super) const ALPN: &[&[u8]] = &[b"h2", b"http/1.1"];

/// Routes with all that it takes to serve them.
pub(crate) struct Live {
    pub(crate) routes: Routes,
    pub(crate) chooser: Arc<Chooser>,
    pub(crate) server: Arc<ServerConfig>,
    /// What listeners of SIP and H.323 present, whose clients are asked for certificates where a host wants to see them.
    asking_server: Arc<ServerConfig>,
    /// What those of LDAP present.
    directory_server: Arc<ServerConfig>,
    /// How clients are asked for certificates, by whose are believed.
    asking: AskingTable,
    clients: HashMap<TargetKey, Result<ClientTls, Box<str>>>,
    /// What is shown to targets that ask who we are.
    pub(crate) identity: Option<Material>,
    pub(crate) hosts: Vec<HostInstruments>,
    /// The protocols of which is told what was rejected, and what was forwarded.
    pub(crate) log_rejected: Vec<Protocol>,
    pub(crate) log_forwarded: Vec<Protocol>,
    pub(crate) names: Names,
    /// The proofs that lie out for certificate authorities.
    pub(crate) answers: Answers,
    /// Who answers for our own pages.
    pub(crate) inside: Inside,
    pub(crate) limits: Limits,
    /// What SIP clients outside are shown instead of private addresses, where the file says it.
    pub(crate) sip_site: Option<SipSite>,
    /// Networks of load balancers in front of us.
    balancers: Vec<IpNet>,
    /// Where we listen ourselves.
    listens: Vec<SocketAddr>,
}

/// How SIP clients outside reach us.
pub(crate) struct SipSite {
    /// The public address with its ports.
    pub(crate) public: Place,
    /// The ports that we listen on, plain and TLS.
    pub(crate) listen: (u16, u16),
}

impl SipSite {
    fn of(config: &config::Config) -> Option<Self> {
        let ports = &config.site.public_ports;
        let address = config.site.public_address.as_ref()?.to_string();
        let public = Place::new(&address, ports.sip, ports.sips)?;
        let mut domains = config.hosts.iter().filter(|host| host.sip.is_some());
        let is_domain = domains.any(|host| host.name.domain.eq_ignore_ascii_case(&address));
        let listen = &config.proxy.listen;
        Some(Self {
            public: if is_domain { public.shared() } else { public },
            listen: (listen.sip, listen.sips),
        })
    }
}

type AskingTable = HashMap<Arc<ClientTrust>, Result<Arc<Asking>, Box<str>>>;

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
    /// The authorities of clients can not be used.
    #[error("line {0}: trusted_clients: {1}")]
    Clients(u32, Box<str>),
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
        let known = before.map(|before| &before.routes);
        let routes = Routes::after(&config.config, &config.files, known)?;
        let chooser = chooser(&config.certificates)?;
        let identity = certified(config.identity.as_ref())?;
        // A session that was begun as somebody else is not to go on.
        let same_identity = before.filter(|before| before.identity == config.identity);
        let asking = asking(&routes, &config.files, &chooser);
        let domain_chooser = domain_chooser(&config.config, &config.certificates)?;
        Ok(Self {
            server: Arc::new(tls::server_config(chooser.clone(), ALPN)?),
            asking_server: Arc::new(asking_server(&routes, &asking, domain_chooser.clone())?),
            directory_server: Arc::new(tls::server_config(domain_chooser, &[])?),
            asking,
            chooser,
            clients: clients(&routes, identity.as_ref(), same_identity),
            identity: config.identity.clone(),
            hosts: instruments.hosts(&routes),
            log_rejected: config.config.proxy.log_rejected.clone(),
            log_forwarded: config.config.proxy.log_forwarded.clone(),
            names: config.names.clone(),
            answers: config.answers.clone(),
            inside: config.inside.clone(),
            limits: Limits::from(&config.config.proxy.limits),
            sip_site: SipSite::of(&config.config),
            balancers: config.config.proxy.proxy_protocol_from.clone(),
            listens: config.listeners.iter().map(|l| l.key.addr).collect(),
            routes,
        })
    }

    /// How TLS is spoken with `target`: `None` for a plain one.
    ///
    /// # Errors
    /// Why it can not be; never a reason to speak plain with it.
    pub(crate) fn client(&self, target: &TargetKey) -> Result<Option<&ClientTls>, &str> {
        match (self.clients.get(target), &target.tls) {
            (Some(Ok(client)), _) => Ok(Some(client)),
            (Some(Err(why)), _) => Err(why),
            (None, None) => Ok(None),
            (None, Some(_)) => Err("its TLS settings are not known"),
        }
    }

    /// How a client that greets `server_name` is asked for a certificate, if a rule of that host needs
    /// one. Where it can not be judged it is not asked for, and the rules refuse.
    pub(crate) fn asks_under(&self, server_name: &str) -> Option<&Arc<Asking>> {
        let host = self.routes.host(server_name)?;
        self.asking(host.client_trust.as_ref()?).ok()
    }

    /// What listeners present that are none of HTTP.
    pub(crate) fn domain_server(&self, protocol: Protocol) -> &Arc<ServerConfig> {
        match protocol {
            Protocol::Ldap => &self.directory_server,
            _ => &self.asking_server,
        }
    }

    /// How certificates are asked for and judged by `trust`.
    ///
    /// # Errors
    /// Why they can not be.
    pub(crate) fn asking(&self, trust: &Arc<ClientTrust>) -> Result<&Arc<Asking>, &str> {
        match self.asking.get(trust) {
            Some(Ok(asking)) => Ok(asking),
            Some(Err(why)) => Err(why),
            None => Err("its trusted_clients are not known"),
        }
    }

    /// What the operator should know of the authorities of clients and their lists, and of what can
    /// not be used among them.
    pub(crate) fn client_problems(&self, now: SystemTime) -> Vec<String> {
        let all = self.asking.values();
        let mut problems: Vec<String> = all
            .flat_map(|asking| match asking {
                Ok(asking) => asking.clients.problems(now),
                Err(why) => vec![format!("client certificates are refused: {why}")],
            })
            .collect();
        problems.sort();
        problems.dedup();
        problems
    }

    /// Whether anything is told of what comes in by `protocol`.
    pub(crate) fn is_logged(&self, protocol: Protocol) -> bool {
        self.log_rejected.contains(&protocol) || self.log_forwarded.contains(&protocol)
    }

    /// Whether connections from `address` begin with a PROXY header.
    pub(crate) fn is_balancer(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.balancers.iter().any(|net| net.contains(&address))
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

fn certified(identity: Option<&Material>) -> Result<Option<CertifiedKey>, certs::Error> {
    identity.map(Material::certified_key).transpose()
}

fn chooser(materials: &[Material]) -> Result<Arc<Chooser>, certs::Error> {
    Chooser::new(materials.to_vec()).map(Arc::new)
}

/// Who comes says whom it wants only behind the handshake, so that all are asked by one list of authorities.
fn asking_server(
    routes: &Routes,
    asking: &AskingTable,
    chooser: Arc<Chooser>,
) -> Result<ServerConfig, rustls::Error> {
    let hosts = routes.domains().hosts().iter();
    let trusts = hosts.filter(|host| host.asks_certificate());
    let believed = trusts.filter_map(|host| asking.get(&host.client_trust)?.as_ref().ok());
    let mut names: Vec<_> = believed
        .flat_map(|asking| asking.clients.authority_names())
        .collect();
    names.sort();
    names.dedup();
    if routes.domains().ask_certificates() {
        tls::asking_config(chooser, &[], names)
    } else {
        tls::server_config(chooser, &[])
    }
}

/// Which certificate clients of SIP, LDAP and H.323 are shown. Few of them say a server name, or one that is ours: they get the one of the site's domain, or of the
/// first host that serves such a protocol.
fn domain_chooser(
    config: &config::Config,
    materials: &[Material],
) -> Result<Arc<Chooser>, certs::Error> {
    let chooser = Chooser::new(materials.to_vec())?.with_strangers();
    let hosts = config.hosts.iter();
    let hosts =
        hosts.filter(|host| host.sip.is_some() || host.h323.is_some() || host.ldap.is_some());
    let hosts = hosts.map(|host| host.name.domain.as_str());
    let mut names = config.site.domain.as_deref().into_iter().chain(hosts);
    Ok(Arc::new(
        match names.find(|name| chooser.index_for(name).is_some()) {
            Some(name) => chooser.with_nameless(name),
            None => chooser,
        },
    ))
}

/// What can not be put together costs its hosts' rules that ask for certificates, and no others.
fn asking(
    routes: &Routes,
    files: &BTreeMap<String, String>,
    chooser: &Arc<Chooser>,
) -> AskingTable {
    let mut table = AskingTable::new();
    for (_, trust) in routes.trusts() {
        if let Entry::Vacant(place) = table.entry(Arc::clone(trust)) {
            let asking = Asking::new(trust, files, chooser.clone());
            place.insert(asking.map(Arc::new).map_err(Into::into));
        }
    }
    table
}

/// What can not be put together costs its target, not the others: that a configuration is whole
/// is asked of [`check`] before.
fn clients(
    routes: &Routes,
    identity: Option<&CertifiedKey>,
    before: Option<&Live>,
) -> HashMap<TargetKey, Result<ClientTls, Box<str>>> {
    let mut clients = HashMap::new();
    let mut configs = HashMap::new();
    for (line, key) in routes.targets() {
        let Some(tls) = &key.tls else { continue };
        let Entry::Vacant(place) = clients.entry(key.clone()) else {
            continue;
        };
        let known = before.and_then(|before| before.client(key).ok().flatten());
        place.insert(match known {
            Some(known) => Ok(known.clone()),
            None => {
                client(line, tls, identity, &mut configs).map_err(|error| error.to_string().into())
            }
        });
    }
    clients
}

fn client<'r>(
    line: u32,
    tls: &'r TargetTls,
    identity: Option<&CertifiedKey>,
    configs: &mut HashMap<(&'r Trust, bool), Arc<ClientConfig>>,
) -> Result<ClientTls, ConfigError> {
    let config = match configs.entry((&tls.trust, tls.http)) {
        Entry::Occupied(known) => Arc::clone(known.get()),
        Entry::Vacant(place) => {
            Arc::clone(place.insert(Arc::new(client_config(line, tls, identity)?)))
        }
    };
    let name = ServerName::try_from(tls.name.to_string())
        .map_err(|_| ConfigError::ServerName(line, tls.name.to_string()))?;
    Ok(ClientTls { config, name })
}

/// Whether the proxy can put `config` to work whole, with these certificates, this identity and these
/// files.
///
/// # Errors
/// The first thing that it can not; the configuration or a file it names is to blame.
pub fn check(
    config: &config::Config,
    certificates: &[Material],
    identity: Option<&Material>,
    files: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let routes = Routes::new(config, files)?;
    let chooser = chooser(certificates)?;
    let asking = asking(&routes, files, &chooser);
    for (line, trust) in routes.trusts() {
        if let Some(Err(why)) = asking.get(trust) {
            return Err(ConfigError::Clients(line, why.clone()));
        }
    }
    asking_server(&routes, &asking, chooser)?;
    let identity = certified(identity)?;
    let mut configs = HashMap::new();
    for (line, key) in routes.targets() {
        if let Some(tls) = &key.tls {
            client(line, tls, identity.as_ref(), &mut configs)?;
        }
    }
    Ok(())
}

fn client_config(
    line: u32,
    tls: &TargetTls,
    identity: Option<&CertifiedKey>,
) -> Result<ClientConfig, ConfigError> {
    let (trust, file) = match &tls.trust {
        Trust::System => (tls::Trust::System, ""),
        Trust::Sha256(digest) => (tls::Trust::Sha256(*digest), ""),
        Trust::Any => (tls::Trust::Any, ""),
        Trust::Ca { file, pem } => match pem {
            Some(pem) => (tls::Trust::Ca(pem.to_string()), &**file),
            None => return Err(ConfigError::FileMissing(line, file.to_string())),
        },
    };
    let config = tls::client_config(&trust, identity.cloned());
    let mut config = config.map_err(|source| ConfigError::Trust {
        line,
        file: file.to_owned(),
        source,
    })?;
    if !tls.http {
        config.alpn_protocols.clear();
    }
    Ok(config)
}

/// The files that `config` names for its targets and clients, by those names; for whoever reads them. "own" among them is
/// the root of the box's own CA.
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
    for (_, trust) in routes.iter().flat_map(Routes::trusts) {
        files.extend(trust.authorities.iter().chain(&trust.revoked).cloned());
    }
    files.sort();
    files.dedup();
    files
}
