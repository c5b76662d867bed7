//! Hosts that are published, with the rules of their protocols.

use std::fmt;
use std::time::Duration;

use crate::sections::{Balance, LoginPage, PathPolicy, Plain, ProxyHeader, WebSocket};
use crate::types::ClientTrust;
use crate::value::{HostName, TargetHost, TargetHostHeader};

/// A host that is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// The name clients use.
    pub name: HostName,
    /// 1-based line of its header.
    pub line: u32,
    /// What the internal DNS answers for it, the default applied.
    pub internal: Internal,
    /// Whose client certificates are believed here, the default applied.
    pub client_trust: ClientTrust,
    /// Rules for HTTP, in the order of the file.
    pub http: Vec<HttpRule>,
    /// LDAP.
    pub ldap: Option<LdapRule>,
    /// SIP.
    pub sip: Option<SipRule>,
    /// H.323.
    pub h323: Option<H323Rule>,
    /// TLS that is passed on without being decrypted.
    pub tls_passthrough: Option<Passthrough>,
}

impl Host {
    /// Whether we speak TLS under its name, and do not only pass it through.
    pub fn speaks_tls(&self) -> bool {
        !self.http.is_empty() || self.ldap.is_some() || self.sip.is_some() || self.h323.is_some()
    }
}

/// What the internal DNS answers for a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Internal {
    /// The address of the target.
    Target,
    /// Our own address.
    Gateway,
    /// Nothing.
    None,
}

/// A rule for HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpRule {
    /// 1-based line of its header.
    pub line: u32,
    /// Initial parts of the paths it serves; never empty: one of "" is every path.
    pub paths: Vec<RulePath>,
    /// Serves the empty path ("/") and nothing else.
    pub default: bool,
    /// Where requests go, in the order of the file; never empty, none twice.
    pub targets: Vec<Targets>,
    /// Which of several targets a request goes to.
    pub balance: Balance,
    /// How targets are asked whether they are well; `None`: requests alone show it.
    pub health: Option<Health>,
    /// The name a TLS target is asked for and its certificate is checked for, in lower case;
    /// `None`: the name of the target, or that of the host where the target is an address.
    pub target_name: Option<String>,
    /// The Host that targets see.
    pub target_host: TargetHostHeader,
    /// The PROXY header that connections to targets begin with.
    pub target_proxy_protocol: ProxyHeader,
    /// Whether targets get `Forwarded` (RFC 7239), too.
    pub forwarded: bool,
    /// `max-age` of `Strict-Transport-Security` (RFC 6797) in responses over TLS, in whole
    /// seconds; zero makes browsers forget it, `None` sends none.
    pub hsts: Option<Duration>,
    /// What becomes of the fields of requests.
    pub request_headers: HeaderRules,
    /// What becomes of the fields of responses.
    pub response_headers: HeaderRules,
    /// What becomes of requests that come in without TLS.
    pub plain: Plain,
    /// Whether WebSocket is allowed.
    pub websocket: WebSocket,
    /// Without a byte for so long, a connection is closed; `None`: 5 minutes, 24 hours once it is
    /// upgraded.
    pub idle_timeout: Option<Duration>,
    /// The longest body of a request, in bytes; `None`: no limit.
    pub max_body: Option<u64>,
    /// Names of access lists; one is enough.
    pub access: Vec<String>,
    /// Names of access lists; all are needed.
    pub access_all: Vec<String>,
    /// Who is shown the login page of an access list.
    pub login_page: LoginPage,
    /// A header for the client's address and port.
    pub client_address_header: Option<String>,
    /// Which certificate of a TLS target is believed.
    pub target_certificate: TargetCertificate,
    /// What becomes of paths that two servers could read differently.
    pub path_policy: PathPolicy,
}

/// The initial part of paths that a rule serves.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RulePath {
    /// The text; "" is every path.
    pub text: String,
    /// 1-based line it stands in.
    pub line: u32,
}

/// Where a request goes, by how it came in: plain or over TLS.
///
/// With one target port in the file, both are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Targets {
    /// For what came in plain.
    pub plain: Target,
    /// For what came in over TLS.
    pub tls: Target,
}

/// How targets are asked whether they are well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Health {
    /// The path that is asked for; begins with "/" and may hold a query.
    pub path: String,
    /// How often.
    pub every: Duration,
}

/// What becomes of the fields of a head; all in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct HeaderRules {
    /// Names and values that replace all fields of these names.
    pub set: Vec<(String, String)>,
    /// Names and values that come beside what is there.
    pub add: Vec<(String, String)>,
    /// Names of fields that are left out.
    pub remove: Vec<String>,
}

/// A server that we forward to; displays as `172.31.31.2:443`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Target {
    /// Its address or name.
    pub host: TargetHost,
    /// Its port.
    pub port: u16,
    /// Whether TLS is spoken to it.
    pub tls: bool,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// Which certificate of a TLS target is believed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TargetCertificate {
    /// One of a public CA for the name we connect to.
    System,
    /// One of the CA in this file.
    Ca(String),
    /// The one with this SHA-256.
    Sha256([u8; 32]),
    /// Any.
    Any,
}

/// LDAP of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct LdapRule {
    /// 1-based line of its header.
    pub line: u32,
    /// Where connections go.
    pub target: Targets,
    /// Which certificate of a TLS target is believed.
    pub target_certificate: TargetCertificate,
    /// Without a byte for so long, a connection is closed; `None`: 2 hours.
    pub idle_timeout: Option<Duration>,
    /// Whether it takes clients whose first message names no domain.
    pub default: bool,
}

/// SIP of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct SipRule {
    /// 1-based line of its header.
    pub line: u32,
    /// Where connections go.
    pub target: Targets,
    /// Whether the TLS target is only for clients whose certificate names their user.
    pub check_certificate: bool,
    /// Which certificate of a TLS target is believed.
    pub target_certificate: TargetCertificate,
    /// Without a byte for so long, a connection is closed; `None`: 24 hours.
    pub idle_timeout: Option<Duration>,
}

/// H.323 of a host.
#[derive(Debug, Clone, PartialEq)]
pub struct H323Rule {
    /// 1-based line of its header.
    pub line: u32,
    /// Where connections go.
    pub target: Targets,
    /// Whether the TLS target is only for clients whose certificate names their terminal.
    pub check_certificate: bool,
    /// Which certificate of a TLS target is believed.
    pub target_certificate: TargetCertificate,
    /// Without a byte for so long, a connection is closed; `None`: 24 hours.
    pub idle_timeout: Option<Duration>,
    /// Whether it takes calls of callers who are not registered.
    pub unregistered_calls: bool,
}

/// TLS of a host that is passed on without being decrypted.
#[derive(Debug, Clone, PartialEq)]
pub struct Passthrough {
    /// 1-based line of its header.
    pub line: u32,
    /// Where connections go.
    pub target: Target,
    /// An address of the box that takes connections for this host alone.
    pub listen: Option<std::net::IpAddr>,
    /// Whether hellos without a server name at `listen` are taken, too.
    pub default: bool,
    /// The PROXY header that connections to the target begin with.
    pub target_proxy_protocol: ProxyHeader,
    /// Without a byte for so long, a connection is closed; `None`: 24 hours.
    pub idle_timeout: Option<Duration>,
}
