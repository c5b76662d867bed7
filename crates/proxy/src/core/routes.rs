//! The hosts and rules of one configuration, made ready to decide with.

use super::access::Gate;
use super::balance::{Member, Probe, Standing, Targets};
use super::domains::Domains;
use super::edit::HeadEdit;
use super::passthrough::Passthroughs;
use config::{
    Access, AccessKind, ClientTrust, Config, Host, HttpRule, LoginPage, PathPolicy, Plain,
    ProxyHeader, TargetCertificate, TargetHost, TargetHostHeader, WebSocket,
};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

/// All hosts that serve HTTP.
#[derive(Debug, Default)]
pub struct Routes {
    by_name: HashMap<Box<str>, usize>,
    hosts: Vec<HostRoutes>,
    public_https: u16,
    session_cookies: Vec<Box<str>>,
    passthroughs: Passthroughs,
    domains: Domains,
    standings: Standings,
}

/// Whether targets are well, by how they are asked for it.
type Standings = HashMap<(TargetKey, Option<Probe>), Arc<Standing>>;

/// One host with its rules.
#[derive(Debug)]
pub struct HostRoutes {
    /// Its name, in lower case.
    pub name: Box<str>,
    /// Its line in the file.
    pub line: u32,
    /// Its position among the hosts, for instruments kept beside them.
    pub index: usize,
    /// Its paths, the longest first; of equal ones, the first of the file.
    pub entries: Vec<Entry>,
    /// The rule with `default = true`, which alone has no entry.
    pub default: Option<Arc<Rule>>,
    /// What holds for the paths that are ours, where a rule of the host asks for a login.
    pub own: Option<Arc<Rule>>,
    /// Whose client certificates are believed, where a rule of the host asks for one.
    pub client_trust: Option<Arc<ClientTrust>>,
}

/// One path of a rule.
#[derive(Debug)]
pub struct Entry {
    /// The path as written; empty for every path.
    pub path: Box<str>,
    /// Its line in the file.
    pub line: u32,
    /// What holds for it.
    pub rule: Arc<Rule>,
}

/// What holds for the paths of one `[[host.http]]`.
#[derive(Debug)]
pub struct Rule {
    /// Its line in the file.
    pub line: u32,
    /// Where requests go that came in plain.
    pub plain_targets: Targets,
    /// Where requests go that came in over TLS.
    pub tls_targets: Targets,
    /// What becomes of plain requests.
    pub plain: Plain,
    /// Whether WebSockets may or must be asked for.
    pub websocket: WebSocket,
    /// How long nothing may move; `None` takes the default.
    pub idle: Option<Duration>,
    /// The most bytes of a request's body.
    pub max_body: Option<u64>,
    /// One of these must let the client in, if there are any.
    pub any: Vec<Gate>,
    /// All of these must.
    pub all: Vec<Gate>,
    /// Who is shown the login page.
    pub login_page: LoginPage,
    /// The field that takes the client's address and port.
    pub client_address_header: Option<Box<str>>,
    /// Fields that say of the client what only we know: none of the client's passes.
    pub withheld: Arc<[Box<str>]>,
    /// Those of them that the rule itself writes.
    pub own_headers: Vec<Box<str>>,
    /// Cookies that are for us alone.
    pub own_cookies: Vec<Box<str>>,
    /// Whether its host has a login page.
    pub is_signed_on: bool,
    /// Whether user and password of a client are for us, and not for its target.
    pub takes_login: bool,
    /// Whether those of our visitors are, since browsers send them to all of a host where another rule has asked for them.
    pub takes_visitors: bool,
    /// Whether paths that could be read in two ways are refused.
    pub strict: bool,
    /// The Host that targets see.
    pub target_host: TargetHostHeader,
    /// Whether targets get `Forwarded`, too.
    pub forwarded: bool,
    /// What becomes of the fields of requests.
    pub request_edit: HeadEdit,
    /// What becomes of the fields of responses over plain HTTP.
    pub response_edit: HeadEdit,
    /// What becomes of the fields of responses over TLS.
    pub response_edit_tls: HeadEdit,
}

/// Where requests are sent, and how: connections to equal targets are interchangeable.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Target {
    /// Address or name.
    pub host: TargetHost,
    /// The port.
    pub port: u16,
    /// TLS, if it is spoken.
    pub tls: Option<TargetTls>,
    /// The PROXY header that its connections begin with.
    pub proxy_header: ProxyHeader,
    /// Whether it is the login page, which the box serves itself; then it has no address.
    pub inside: bool,
}

/// How TLS is spoken with a target.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct TargetTls {
    /// Whom we ask for and whose certificate is expected: the name of the target, or, where it has
    /// only an address, the host that is published.
    pub name: Box<str>,
    /// Which certificate is believed.
    pub trust: Trust,
    /// Whether HTTP is what is spoken, which is said in the handshake.
    pub http: bool,
}

/// Which certificate of a target is believed.
#[derive(Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// One from a public authority.
    System,
    /// One from the authorities of a file.
    Ca {
        /// Its name, as written.
        file: Box<str>,
        /// What it holds; `None` where files are not at hand, as in an offline `explain`.
        pem: Option<Box<str>>,
    },
    /// Exactly one.
    Sha256([u8; 32]),
    /// Any.
    Any,
}

/// A shared [`Target`] that hashes fast.
#[derive(Clone)]
pub struct TargetKey {
    target: Arc<Target>,
    digest: u64,
}

/// A rule that can not be put to work; the configuration is to blame.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: access `{name}` is not defined")]
pub struct RoutesError {
    line: u32,
    name: String,
}

impl Routes {
    /// The routes of `config`. `files` holds the text of the files it names, by the names it uses.
    ///
    /// # Errors
    /// [`RoutesError`] when a rule names an access that is not there, which `config::check` refuses.
    pub fn new(config: &Config, files: &BTreeMap<String, String>) -> Result<Self, RoutesError> {
        Self::after(config, files, None)
    }

    /// As [`Routes::new`]; what is known of the health of targets that were there `before` is kept.
    ///
    /// # Errors
    /// As [`Routes::new`].
    pub fn after(
        config: &Config,
        files: &BTreeMap<String, String>,
        before: Option<&Self>,
    ) -> Result<Self, RoutesError> {
        let mut routes = Self {
            public_https: config.site.public_ports.https,
            session_cookies: session_cookies(config),
            passthroughs: Passthroughs::new(config),
            domains: Domains::new(config, files),
            ..Self::default()
        };
        let mut maker = Maker {
            access: &config.access,
            user_headers: user_headers(config),
            own_cookies: own_cookies(config),
            session_cookies: routes.session_cookies.as_slice().into(),
            hosts_of_lists: hosts_of_lists(config),
            asking_hosts: hosts_with(config, |kind| matches!(kind, AccessKind::Basic { .. })),
            login_hosts: hosts_with(config, |kind| matches!(kind, AccessKind::Sso(_))),
            files,
            targets: HashSet::new(),
            before: before.map(|before| &before.standings),
            standings: HashMap::new(),
        };
        for host in config.hosts.iter().filter(|host| !host.http.is_empty()) {
            let name: Box<str> = host.name.domain.to_ascii_lowercase().into();
            let index = match routes.by_name.get(&name) {
                Some(index) => *index,
                None => routes.add(name, host.line),
            };
            maker.fill(&mut routes.hosts[index], host)?;
        }
        routes.standings = maker.standings;
        for host in &mut routes.hosts {
            host.entries
                .sort_by_key(|entry| std::cmp::Reverse(entry.path.len()));
        }
        Ok(routes)
    }

    fn add(&mut self, name: Box<str>, line: u32) -> usize {
        let index = self.hosts.len();
        self.by_name.insert(name.clone(), index);
        self.hosts.push(HostRoutes {
            name,
            line,
            index,
            entries: Vec::new(),
            default: None,
            own: None,
            client_trust: None,
        });
        index
    }

    /// The host of that name, in any case.
    pub fn host(&self, name: &str) -> Option<&HostRoutes> {
        let found = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            // Names of the DNS are at most 253 bytes (RFC 1035 section 2.3.4); what is longer is unknown.
            let mut lower = [0; 254];
            let lower = lower.get_mut(..name.len())?;
            lower.copy_from_slice(name.as_bytes());
            lower.make_ascii_lowercase();
            self.by_name.get(std::str::from_utf8(lower).ok()?)
        } else {
            self.by_name.get(name)
        };
        found.map(|index| &self.hosts[*index])
    }

    /// All hosts, in the order of the file; [`HostRoutes::index`] counts them.
    pub fn hosts(&self) -> &[HostRoutes] {
        &self.hosts
    }

    /// The hosts whose TLS is passed on without being decrypted.
    pub fn passthroughs(&self) -> &Passthroughs {
        &self.passthroughs
    }

    /// The hosts that serve SIP, LDAP or H.323.
    pub fn domains(&self) -> &Domains {
        &self.domains
    }

    /// The port at which clients reach our HTTPS.
    pub fn public_https(&self) -> u16 {
        self.public_https
    }

    /// The cookies that carry sessions, each once.
    pub fn session_cookies(&self) -> &[Box<str>] {
        &self.session_cookies
    }

    /// All targets with the lines that name them, some of them repeatedly.
    pub fn targets(&self) -> impl Iterator<Item = (u32, &TargetKey)> {
        let web = self
            .hosts
            .iter()
            .flat_map(|host| {
                let entries = host.entries.iter().map(|entry| &entry.rule);
                entries.chain(host.default.as_ref())
            })
            .flat_map(|rule| {
                let members = [&rule.plain_targets, &rule.tls_targets].map(Targets::members);
                let members = members.into_iter().flatten();
                members.map(|member| (rule.line, &member.target))
            });
        web.chain(self.domains.targets())
    }

    /// Whose client certificates are believed by hosts that ask for them, with the lines of these.
    pub fn trusts(&self) -> impl Iterator<Item = (u32, &Arc<ClientTrust>)> {
        let web = self.hosts.iter();
        let web = web.filter_map(|host| Some((host.line, host.client_trust.as_ref()?)));
        let domains = self.domains.hosts().iter();
        let domains = domains.filter(|host| host.asks_certificate());
        web.chain(domains.map(|host| (host.line, &host.client_trust)))
    }

    /// The health of all targets, each once for every way in which it is asked for it.
    pub fn standings(&self) -> impl Iterator<Item = (&TargetKey, &Arc<Standing>)> {
        self.standings
            .iter()
            .map(|((target, _), standing)| (target, standing))
    }
}

/// Fields that tell targets who somebody is, of lists that a rule names.
fn user_headers(config: &Config) -> Vec<&str> {
    let lists = named_lists(config).into_iter();
    let headers = lists.flat_map(|list| [list.kind.user_header(), list.kind.groups_header()]);
    headers.flatten().collect()
}

/// The cookies that carry sessions, of lists that a rule names.
fn session_cookies(config: &Config) -> Vec<Box<str>> {
    let mut cookies: Vec<Box<str>> = Vec::new();
    for list in named_lists(config) {
        if let AccessKind::Sso(sso) = &list.kind
            && !cookies.iter().any(|known| **known == *sso.session.cookie)
        {
            cookies.push(Box::from(sso.session.cookie.as_str()));
        }
    }
    cookies
}

/// Cookies with tokens and sessions that no target is to see.
fn own_cookies(config: &Config) -> Vec<&str> {
    let lists = named_lists(config).into_iter();
    let cookies = lists.filter_map(|list| match &list.kind {
        AccessKind::Cookie {
            cookie,
            forward_cookie: false,
            ..
        } => Some(cookie.as_str()),
        AccessKind::Sso(sso) if !sso.forward_cookie => Some(sso.session.cookie.as_str()),
        _ => None,
    });
    cookies.collect()
}

/// The lists that some rule names.
fn named_lists(config: &Config) -> Vec<&Access> {
    let rules = config.hosts.iter().flat_map(|host| &host.http);
    let named: HashSet<&str> = rules
        .flat_map(|rule| rule.access.iter().chain(&rule.access_all))
        .map(String::as_str)
        .collect();
    let lists = config.access.iter();
    lists
        .filter(|list| named.contains(list.name.as_str()))
        .collect()
}

/// The hosts with a rule that names a list, in lower case, by its name.
fn hosts_of_lists(config: &Config) -> HashMap<&str, Vec<Box<str>>> {
    let mut hosts: HashMap<&str, Vec<Box<str>>> = HashMap::new();
    for host in &config.hosts {
        let name: Box<str> = host.name.domain.to_ascii_lowercase().into();
        let rules = host.http.iter();
        for list in rules.flat_map(|rule| rule.access.iter().chain(&rule.access_all)) {
            let known = hosts.entry(list).or_default();
            if known.last() != Some(&name) {
                known.push(name.clone());
            }
        }
    }
    hosts
}

/// The hosts with a list of such a kind in one of their rules.
fn hosts_with(config: &Config, is_such: impl Fn(&AccessKind) -> bool) -> HashSet<String> {
    let asks = |name: &String| {
        let mut lists = config.access.iter();
        lists.any(|list| list.name == *name && is_such(&list.kind))
    };
    let hosts = config.hosts.iter().filter(|host| {
        let rules = host.http.iter();
        rules
            .flat_map(|rule| rule.access.iter().chain(&rule.access_all))
            .any(asks)
    });
    hosts
        .map(|host| host.name.domain.to_ascii_lowercase())
        .collect()
}

/// Makes rules; equal targets are shared.
struct Maker<'a> {
    access: &'a [Access],
    /// Fields that tell a target who somebody is, of all rules: several may lead to one target.
    user_headers: Vec<&'a str>,
    /// Cookies that are for us alone, of all rules.
    own_cookies: Vec<&'a str>,
    /// Cookies with sessions, of all rules.
    session_cookies: Arc<[Box<str>]>,
    /// The hosts with a rule that names a list, in lower case, by its name.
    hosts_of_lists: HashMap<&'a str, Vec<Box<str>>>,
    /// The hosts that ask for user and password somewhere.
    asking_hosts: HashSet<String>,
    /// The hosts that ask for a login somewhere.
    login_hosts: HashSet<String>,
    files: &'a BTreeMap<String, String>,
    targets: HashSet<TargetKey>,
    before: Option<&'a Standings>,
    standings: Standings,
}

impl Maker<'_> {
    fn fill(&mut self, routes: &mut HostRoutes, host: &Host) -> Result<(), RoutesError> {
        if self.login_hosts.contains(&*routes.name) && routes.own.is_none() {
            let withheld = self.user_headers.iter().copied().map(Box::from);
            let rule = Rule::of_login_page(host.line, withheld.collect());
            routes.own = Some(Arc::new(rule));
        }
        for http in &host.http {
            let rule = Arc::new(self.rule(http, &routes.name)?);
            if rule.any.iter().chain(&rule.all).any(Gate::asks_certificate) {
                let trust = || Arc::new(host.client_trust.clone());
                routes.client_trust.get_or_insert_with(trust);
            }
            if http.default {
                routes.default.get_or_insert(rule);
                continue;
            }
            for path in &http.paths {
                routes.entries.push(Entry {
                    path: path.text.as_str().into(),
                    line: path.line,
                    rule: Arc::clone(&rule),
                });
            }
        }
        Ok(())
    }

    fn rule(&mut self, http: &HttpRule, host: &str) -> Result<Rule, RoutesError> {
        let any = self.gates(&http.access, http.line)?;
        let all = self.gates(&http.access_all, http.line)?;
        // Browsers send cookies to all of a host, and of a domain.
        let gates = || any.iter().chain(&all);
        let passes = |cookie: &&str| gates().any(|gate| gate.forwarded_cookie() == Some(*cookie));
        let own_cookies = self
            .own_cookies
            .iter()
            .copied()
            .filter(|cookie| !passes(cookie));
        let own_cookies = own_cookies.map(Box::from).collect();
        let takes_login = any.iter().chain(&all).any(Gate::asks_login);
        let told = any.iter().chain(&all).flat_map(Gate::told_headers);
        let address = http.client_address_header.as_deref();
        let user_headers = self.user_headers.iter().copied();
        let withheld = address.into_iter().chain(user_headers);
        let withheld = withheld.map(Box::from).collect();
        let own_headers = address.into_iter().chain(told).map(Box::from).collect();
        let is_signed_on = self.login_hosts.contains(host);
        let takes_visitors = self.asking_hosts.contains(host);
        let mut targets = |of: fn(&config::Targets) -> &config::Target| {
            let members = http.targets.iter().map(|targets| {
                let target = self.target(of(targets), http, host);
                let standing = self.standing(&target, http, host);
                Member { target, standing }
            });
            Targets::new(members.collect(), http.balance)
        };
        Ok(Rule {
            withheld,
            own_headers,
            own_cookies,
            is_signed_on,
            takes_login,
            takes_visitors,
            line: http.line,
            plain_targets: targets(|targets| &targets.plain),
            tls_targets: targets(|targets| &targets.tls),
            plain: http.plain,
            websocket: http.websocket,
            idle: http.idle_timeout,
            max_body: http.max_body,
            any,
            all,
            login_page: http.login_page,
            client_address_header: http.client_address_header.as_deref().map(Box::from),
            strict: http.path_policy == PathPolicy::Strict,
            target_host: http.target_host.clone(),
            forwarded: http.forwarded,
            request_edit: HeadEdit::new(&http.request_headers, None),
            response_edit: HeadEdit::new(&http.response_headers, None)
                .keeping(&self.session_cookies),
            response_edit_tls: HeadEdit::new(&http.response_headers, http.hsts)
                .keeping(&self.session_cookies),
        })
    }

    fn target(&mut self, target: &config::Target, http: &HttpRule, host: &str) -> TargetKey {
        let tls = target.tls.then(|| TargetTls {
            name: match (&http.target_name, &target.host) {
                (Some(name), _) | (None, TargetHost::Name(name)) => name.as_str().into(),
                (None, TargetHost::Ip(_)) => host.into(),
            },
            trust: Trust::of(&http.target_certificate, self.files),
            http: true,
        });
        let key = TargetKey::new(Target {
            host: target.host.clone(),
            port: target.port,
            tls,
            proxy_header: http.target_proxy_protocol,
            inside: false,
        });
        if let Some(known) = self.targets.get(&key) {
            return known.clone();
        }
        self.targets.insert(key.clone());
        key
    }

    /// Where the same target is asked in the same way, it is asked once.
    fn standing(&mut self, target: &TargetKey, http: &HttpRule, host: &str) -> Arc<Standing> {
        let probe = http.health.as_ref().map(|health| Probe {
            host: match &http.target_host {
                TargetHostHeader::Keep => host.into(),
                TargetHostHeader::Target => target.authority().into(),
                TargetHostHeader::Name(name) => name.as_str().into(),
            },
            path: health.path.as_str().into(),
            every: health.every,
        });
        let key = (target.clone(), probe);
        let known = self.standings.get(&key);
        let standing = match known.or_else(|| self.before?.get(&key)) {
            Some(known) => Arc::clone(known),
            None => Arc::new(Standing::new(key.1.clone())),
        };
        self.standings.insert(key, Arc::clone(&standing));
        standing
    }

    fn gates(&self, names: &[String], line: u32) -> Result<Vec<Gate>, RoutesError> {
        let gate = |name: &String| {
            let access = self.access.iter().find(|access| access.name == *name);
            let access = access.ok_or_else(|| RoutesError {
                line,
                name: name.clone(),
            })?;
            let hosts = self.hosts_of_lists.get(name.as_str());
            Ok(Gate::new(access, hosts.map_or(&[], Vec::as_slice)))
        };
        names.iter().map(gate).collect()
    }
}

impl Trust {
    /// As the file says; `files` holds the texts of those that it names.
    pub(super) fn of(certificate: &TargetCertificate, files: &BTreeMap<String, String>) -> Self {
        match certificate {
            TargetCertificate::System => Self::System,
            TargetCertificate::Ca(file) => Self::Ca {
                file: file.as_str().into(),
                pem: files.get(file).map(|pem| pem.as_str().into()),
            },
            TargetCertificate::Sha256(digest) => Self::Sha256(*digest),
            TargetCertificate::Any => Self::Any,
        }
    }
}

impl Rule {
    /// The cookies that hold a token that one of its lists asks for.
    pub fn ticket_cookies(&self) -> impl Iterator<Item = &str> {
        self.any.iter().chain(&self.all).filter_map(Gate::cookie)
    }

    /// What becomes of the fields of responses to a client that came in so.
    pub fn response_edit(&self, tls: bool) -> &HeadEdit {
        if tls {
            &self.response_edit_tls
        } else {
            &self.response_edit
        }
    }

    /// Where a request goes that came in so.
    pub fn targets(&self, tls: bool) -> &Targets {
        if tls {
            &self.tls_targets
        } else {
            &self.plain_targets
        }
    }
}

impl Target {
    /// Its address, unless it has only a name.
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.host {
            TargetHost::Ip(ip) => Some(SocketAddr::new(*ip, self.port)),
            TargetHost::Name(_) => None,
        }
    }

    /// How it is named in `Host`: without the port that its protocol has anyway.
    pub fn authority(&self) -> String {
        let usual = if self.tls.is_some() { 443 } else { 80 };
        match (&self.host, self.port) {
            (TargetHost::Ip(IpAddr::V6(ip)), port) if port == usual => format!("[{ip}]"),
            (host, port) if port == usual => host.to_string(),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            _ if self.inside => f.write_str("login page"),
            TargetHost::Ip(ip) => SocketAddr::new(*ip, self.port).fmt(f),
            TargetHost::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl TargetKey {
    /// That of `target` without TLS of ours.
    pub(super) fn plain(target: &config::Target, proxy_header: ProxyHeader) -> Self {
        Self::new(Target {
            host: target.host.clone(),
            port: target.port,
            tls: None,
            proxy_header,
            inside: false,
        })
    }

    /// The login page.
    pub(super) fn inside() -> Self {
        Self::new(Target {
            host: TargetHost::Ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            port: 0,
            tls: None,
            proxy_header: ProxyHeader::Off,
            inside: true,
        })
    }

    pub(super) fn new(target: Target) -> Self {
        let mut hasher = DefaultHasher::new();
        target.hash(&mut hasher);
        Self {
            digest: hasher.finish(),
            target: Arc::new(target),
        }
    }
}

impl std::ops::Deref for TargetKey {
    type Target = Target;

    fn deref(&self) -> &Target {
        &self.target
    }
}

impl Hash for TargetKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write_u64(self.digest);
    }
}

impl PartialEq for TargetKey {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.target, &other.target)
            || (self.digest == other.digest && self.target == other.target)
    }
}

impl Eq for TargetKey {}

impl fmt::Debug for TargetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.target.fmt(f)
    }
}
