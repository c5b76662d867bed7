//! Which host a connection of SIP, LDAP or H.323 is for, and which of its targets: the first message names the host, and over TLS the
//! certificate of the client says whether the target may take it for granted who that is.

use super::access::Shown;
use super::reason::Reason;
use super::routes::{Target, TargetKey, TargetTls, Trust};
use config::{
    ClientTrust, Config, Host, Protocol, ProxyHeader, TargetCertificate, TargetHost, Targets,
};
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest name of a host that is looked for, in bytes: a domain and a location.
const LONGEST: usize = 512;

/// All hosts that serve SIP, LDAP or H.323.
#[derive(Debug, Default)]
pub struct Domains {
    by_name: HashMap<Box<str>, usize>,
    hosts: Vec<DomainHost>,
    default_ldap: Option<usize>,
}

/// One of them.
#[derive(Debug)]
pub struct DomainHost {
    /// `domain` or `domain/location`, in lower case.
    pub name: Box<str>,
    /// Its line in the file.
    pub line: u32,
    /// Its position among them, for instruments kept beside them.
    pub index: usize,
    /// Whose client certificates are believed.
    pub client_trust: Arc<ClientTrust>,
    sip: Option<DomainRule>,
    ldap: Option<DomainRule>,
    h323: Option<DomainRule>,
}

/// What holds for one protocol of a host.
#[derive(Debug)]
pub struct DomainRule {
    /// Its line in the file.
    pub line: u32,
    /// Whether a client over TLS has to prove who it is before its target is reached over TLS.
    pub check_certificate: bool,
    /// How long nothing may move.
    pub idle: Duration,
    /// Whether callers are taken who are not registered.
    pub unregistered_calls: bool,
    plain: Option<TargetKey>,
    tls: Option<TargetKey>,
}

/// Whom the first message is for.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What is spoken; never HTTP.
    pub protocol: Protocol,
    /// `domain` or `domain/location` in any case, if the message names one.
    pub domain: Option<&'a str>,
    /// The server name of the TLS hello, which counts for LDAP where there is no domain.
    pub server_name: Option<&'a str>,
}

/// What is known of who a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Proof {
    /// It came without TLS.
    Plain,
    /// It came over TLS, and the host does not ask who it is.
    Unasked,
    /// Its certificate is believed and has the name that it claims, which is this one.
    Given(Box<str>),
    /// It has none, or one that proves nothing, for this reason.
    Lacking(Box<str>),
}

impl Domains {
    /// Those of `config`. `files` holds the text of the files it names, by the names it uses.
    pub(super) fn new(config: &Config, files: &BTreeMap<String, String>) -> Self {
        let mut all = Self::default();
        for host in &config.hosts {
            if host.sip.is_some() || host.ldap.is_some() || host.h323.is_some() {
                all.add(host, files);
            }
        }
        all
    }

    fn add(&mut self, host: &Host, files: &BTreeMap<String, String>) {
        let name: Box<str> = host.name.to_string().to_lowercase().into();
        let index = self.hosts.len();
        let maker = Maker {
            server_name: &host.name.domain,
            files,
        };
        if host.ldap.as_ref().is_some_and(|rule| rule.default) {
            self.default_ldap.get_or_insert(index);
        }
        self.by_name.insert(name.clone(), index);
        self.hosts.push(DomainHost {
            name,
            line: host.line,
            index,
            client_trust: Arc::new(host.client_trust.clone()),
            sip: host.sip.as_ref().map(|rule| {
                let (plain, tls) = maker.apart(&rule.target, &rule.target_certificate);
                DomainRule {
                    check_certificate: rule.check_certificate,
                    ..DomainRule::new(rule.line, rule.idle_timeout, (plain, tls))
                }
            }),
            ldap: host.ldap.as_ref().map(|rule| {
                let plain = maker.key(&rule.target.plain, &rule.target_certificate);
                let tls = maker.key(&rule.target.tls, &rule.target_certificate);
                let idle = rule.idle_timeout.or(Some(IDLE_LDAP));
                DomainRule::new(rule.line, idle, (Some(plain), Some(tls)))
            }),
            h323: host.h323.as_ref().map(|rule| {
                let (plain, tls) = maker.apart(&rule.target, &rule.target_certificate);
                DomainRule {
                    check_certificate: rule.check_certificate,
                    unregistered_calls: rule.unregistered_calls,
                    ..DomainRule::new(rule.line, rule.idle_timeout, (plain, tls))
                }
            }),
        });
    }

    /// All of them, in the order of the file; [`DomainHost::index`] counts them.
    pub fn hosts(&self) -> &[DomainHost] {
        &self.hosts
    }

    /// The host of that name, in any case, with or without a dot at the end of its domain.
    pub fn host(&self, name: &str) -> Option<&DomainHost> {
        if name.len() > LONGEST {
            return None;
        }
        let index = self.by_name.get(&*compared(name))?;
        self.hosts.get(*index)
    }

    /// The host that a first message is for, and what holds for its protocol.
    ///
    /// # Errors
    /// Why there is none, with the host that has that name but not the protocol. The client is to blame.
    pub fn find(
        &self,
        wanted: &Wanted<'_>,
    ) -> Result<(&DomainHost, &DomainRule), (Reason, Option<&DomainHost>)> {
        let Wanted {
            protocol,
            domain,
            server_name,
        } = *wanted;
        let host = match domain {
            Some(domain) => self.host(domain),
            None if protocol == Protocol::Ldap => self.of_nobody(server_name),
            None => None,
        };
        let rule = host.and_then(|host| host.rule(protocol));
        match (host, rule, domain) {
            (Some(host), Some(rule), _) => Ok((host, rule)),
            (None, _, None) => Err((Reason::DomainMissing(protocol), None)),
            (host, _, _) => Err((Reason::DomainUnknown(protocol), host)),
        }
    }

    /// Where a client of LDAP goes that names no domain.
    fn of_nobody(&self, server_name: Option<&str>) -> Option<&DomainHost> {
        let named = server_name.and_then(|name| self.host(name));
        let named = named.filter(|host| host.ldap.is_some());
        named.or_else(|| self.hosts.get(self.default_ldap?))
    }

    /// All targets with the lines that name them, some of them repeatedly.
    pub fn targets(&self) -> impl Iterator<Item = (u32, &TargetKey)> {
        let rules = self.hosts.iter().flat_map(|host| {
            let rules = [&host.sip, &host.ldap, &host.h323];
            rules.into_iter().flatten()
        });
        rules.flat_map(|rule| {
            let targets = [&rule.plain, &rule.tls].into_iter().flatten();
            targets.map(|target| (rule.line, target))
        })
    }

    /// Whether some client has to be asked for a certificate.
    pub fn ask_certificates(&self) -> bool {
        self.hosts.iter().any(DomainHost::asks_certificate)
    }
}

impl DomainHost {
    /// What holds for a protocol here.
    pub fn rule(&self, protocol: Protocol) -> Option<&DomainRule> {
        match protocol {
            Protocol::Sip => self.sip.as_ref(),
            Protocol::Ldap => self.ldap.as_ref(),
            Protocol::H323 => self.h323.as_ref(),
            Protocol::Http => None,
        }
    }

    /// Whether certificates of clients are looked at.
    pub fn asks_certificate(&self) -> bool {
        let rules = [&self.sip, &self.h323].into_iter().flatten();
        rules.into_iter().any(|rule| rule.check_certificate)
    }
}

impl DomainRule {
    /// One that asks nobody for anything.
    fn new(
        line: u32,
        idle: Option<Duration>,
        targets: (Option<TargetKey>, Option<TargetKey>),
    ) -> Self {
        Self {
            line,
            check_certificate: false,
            idle: idle.unwrap_or(IDLE),
            unregistered_calls: false,
            plain: targets.0,
            tls: targets.1,
        }
    }

    /// Where a client goes of whom so much is known. A target over TLS takes the name of its client for granted, so that nobody is passed
    /// on to it who has not proven it.
    ///
    /// # Errors
    /// The client came without TLS, and there is a target over TLS alone.
    pub fn target(&self, proof: &Proof) -> Result<&TargetKey, Reason> {
        let target = match proof {
            Proof::Given(_) => self.tls.as_ref().or(self.plain.as_ref()),
            Proof::Unasked if !self.check_certificate => self.tls.as_ref().or(self.plain.as_ref()),
            Proof::Unasked | Proof::Plain | Proof::Lacking(_) => self.plain.as_ref(),
        };
        target.ok_or(Reason::TlsOnly)
    }

    /// What the certificate that a client has `shown` says of whether it has all of the names that it claims. `None` among them is one that can not
    /// be compared.
    pub fn proof(&self, tls: bool, shown: Shown<'_>, names: &[Option<&str>]) -> Proof {
        if !tls {
            return Proof::Plain;
        }
        if !self.check_certificate {
            return Proof::Unasked;
        }
        let why = match shown {
            Shown::NotAsked | Shown::Nothing => "no client certificate".to_owned(),
            Shown::Refused(refused) => refused.to_string(),
            Shown::Unusable(why) => format!("client certificates are refused: {why}"),
            Shown::Verified(verified) => {
                let called = |name: Option<&str>| name.is_some_and(|name| verified.is_called(name));
                match names.first() {
                    Some(Some(first)) if names.iter().copied().all(called) => {
                        return Proof::Given((*first).into());
                    }
                    None => "a certificate, and no name to compare it with".to_owned(),
                    Some(_) => format!(
                        "the certificate of {:?}, which is another name",
                        verified.subject().unwrap_or_default()
                    ),
                }
            }
        };
        Proof::Lacking(why.into())
    }

    /// The ports of its targets, plain and TLS, as far as there are such.
    pub fn ports(&self) -> (Option<u16>, Option<u16>) {
        let port = |target: &Option<TargetKey>| target.as_ref().map(|target| target.port);
        let tls = self.tls.as_ref().filter(|target| target.tls.is_some());
        (port(&self.plain), tls.map(|target| target.port))
    }

    /// The name or address of its targets.
    pub fn server(&self) -> Option<&TargetHost> {
        let target = self.plain.as_ref().or(self.tls.as_ref())?;
        Some(&target.host)
    }
}

impl Proof {
    /// Who the client has proven to be.
    pub fn given(&self) -> Option<&str> {
        match self {
            Self::Given(name) => Some(name),
            Self::Plain | Self::Unasked | Self::Lacking(_) => None,
        }
    }
}

/// As a line of the log ends; empty where there is nothing to be said.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain | Self::Unasked => Ok(()),
            Self::Given(name) => write!(f, ", certificate of {name}"),
            Self::Lacking(why) => write!(f, ", {why}"),
        }
    }
}

/// The name of a host, `domain` or `domain/location`, as names are compared: in lower case, without a dot at the end of its domain.
pub fn compared(name: &str) -> String {
    let name = name.to_lowercase();
    let (domain, location) = name.split_at(name.find('/').unwrap_or(name.len()));
    let domain = domain.strip_suffix('.').unwrap_or(domain);
    format!("{domain}{location}")
}

/// Registrations and calls: telephones say something at least once a day.
const IDLE: Duration = Duration::from_hours(24);
/// Directories.
const IDLE_LDAP: Duration = Duration::from_hours(2);

/// Makes the targets of a host.
struct Maker<'a> {
    /// Its domain, which a target with an address only is asked for.
    server_name: &'a str,
    files: &'a BTreeMap<String, String>,
}

impl Maker<'_> {
    /// The plain target, and the one over TLS; where there is one only, whatever came in over TLS may go to a plain one, but never the
    /// other way round.
    fn apart(
        &self,
        targets: &Targets,
        certificate: &TargetCertificate,
    ) -> (Option<TargetKey>, Option<TargetKey>) {
        let plain = (!targets.plain.tls).then(|| self.key(&targets.plain, certificate));
        (plain, Some(self.key(&targets.tls, certificate)))
    }

    fn key(&self, target: &config::Target, certificate: &TargetCertificate) -> TargetKey {
        let tls = target.tls.then(|| TargetTls {
            name: match &target.host {
                TargetHost::Name(name) => name.as_str().into(),
                TargetHost::Ip(_) => self.server_name.into(),
            },
            trust: Trust::of(certificate, self.files),
            http: false,
        });
        TargetKey::new(Target {
            host: target.host.clone(),
            port: target.port,
            tls,
            proxy_header: ProxyHeader::Off,
            inside: false,
        })
    }
}
