//! The checked configuration: what services read.

use std::fmt;
use std::time::Duration;

use ipnet::IpNet;

pub use crate::sections::{
    Admin, Allow, Challenge, Codec, Dhcp, Direction, Dns, DnsRecord, DnsUpdate, Field, Forward,
    ForwardTo, Guard, LdapLogin, Listen, Nat, OidcLogin, PathPolicy, Pbx, Phones, Plain, Protocol,
    PublicPorts, RadiusLogin, RecordType, RelayAddress, Reservation, Rewrite, Sbc, SbcListen,
    Session, SipTransport, Site, Srtp, System, Transport, Trunk, Trust, Turn, TurnAllow, TurnTls,
    TurnUser, WebSocket, Zone,
};
pub use crate::value::{
    AddressRange, HostName, Mac, Ports, PublicAddress, SecretRef, TargetHost, Upstream, ZoneAddress,
};

/// A whole configuration, checked, with every default applied.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Version of the file's shape.
    pub schema: u32,
    /// The box itself.
    pub system: System,
    /// Zones, in the order of the file.
    pub zones: Vec<Zone>,
    /// The admin pages.
    pub admin: Admin,
    /// What the site looks like from outside.
    pub site: Site,
    /// The reverse proxy.
    pub proxy: Proxy,
    /// Who is banned, when, and for how long.
    pub guard: Guard,
    /// Certificates, in the order of the file.
    pub certificates: Vec<Certificate>,
    /// Access lists, in the order of the file.
    pub access: Vec<Access>,
    /// Hosts, in the order of the file.
    pub hosts: Vec<Host>,
    /// Port forwards, in the order of the file.
    pub forwards: Vec<Forward>,
    /// What may pass between zones.
    pub allows: Vec<Allow>,
    /// Address translation.
    pub nat: Nat,
    /// The media relay.
    pub turn: Option<Turn>,
    /// The internal DNS.
    pub dns: Option<Dns>,
    /// The session border controller.
    pub sbc: Option<Sbc>,
}

impl Config {
    /// The zone of this name.
    pub fn zone(&self, name: &str) -> Option<&Zone> {
        self.zones.iter().find(|zone| zone.name == name)
    }

    /// The access list of this name.
    pub fn access_list(&self, name: &str) -> Option<&Access> {
        self.access.iter().find(|access| access.name == name)
    }

    /// The name of the box, in lower case: `system.hostname` in `site.domain`.
    pub fn own_name(&self) -> String {
        let host = self.system.hostname.to_ascii_lowercase();
        match &self.site.domain {
            Some(domain) => format!("{host}.{}", domain.to_ascii_lowercase()),
            None => host,
        }
    }

    /// The certificate that covers a name, an exact entry before a wildcard.
    pub fn certificate_for(&self, name: &str) -> Option<&Certificate> {
        let exact = |names: &[String]| names.iter().any(|known| known.eq_ignore_ascii_case(name));
        let find = |fits: &dyn Fn(&[String]) -> bool| {
            self.certificates
                .iter()
                .find(|certificate| fits(&certificate.names))
        };
        find(&exact).or_else(|| find(&|names| names.iter().any(|known| covers(known, name))))
    }
}

/// Whether a name of a certificate covers a host name; a wildcard stands for one label
/// (RFC 9525 section 6.3).
pub(crate) fn covers(pattern: &str, name: &str) -> bool {
    if pattern.eq_ignore_ascii_case(name) {
        return true;
    }
    let parent = name.split_once('.').map(|(_, parent)| parent);
    pattern
        .strip_prefix("*.")
        .is_some_and(|wild| parent.is_some_and(|parent| parent.eq_ignore_ascii_case(wild)))
}

/// The reverse proxy.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxy {
    /// Ports it listens on, `standard_ports` applied.
    pub listen: Listen,
    /// Listen on IPv4.
    pub ipv4: bool,
    /// Listen on IPv6.
    pub ipv6: bool,
    /// Zones to listen on; empty: all.
    pub zones: Vec<String>,
    /// Protocols whose rejections are logged.
    pub log_rejected: Vec<Protocol>,
    /// Protocols whose forwarded requests are logged.
    pub log_forwarded: Vec<Protocol>,
    /// Files with the CAs whose client certificates are believed.
    pub trusted_clients: Vec<String>,
    /// The certificate we show to targets.
    pub identity: Identity,
}

/// The certificate we show to targets that ask for one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Identity {
    /// One from the box's own CA.
    Own,
    /// The `[[certificate]]` that covers this name.
    Certificate(String),
}

/// A certificate and the names it is for.
#[derive(Debug, Clone, PartialEq)]
pub struct Certificate {
    /// 1-based line of its header.
    pub line: u32,
    /// The names, in lower case; a first label may be "*".
    pub names: Vec<String>,
    /// Where it comes from.
    pub source: CertificateSource,
}

/// Where a certificate comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum CertificateSource {
    /// From files on the box.
    Files {
        /// File with the certificate and what leads to its CA.
        chain: String,
        /// Its private key.
        key: SecretRef,
    },
    /// From a public CA (RFC 8555).
    Acme {
        /// How the CA sees that the names are ours.
        challenge: Challenge,
        /// Address of the CA's directory; `None`: Let's Encrypt.
        directory: Option<String>,
        /// The name server that takes the proofs; always there for [`Challenge::Dns01`].
        dns: Option<DnsUpdate>,
    },
    /// From the box's own CA.
    Own,
}

/// An access list: one way to show who you are.
#[derive(Debug, Clone, PartialEq)]
pub struct Access {
    /// Its name.
    pub name: String,
    /// 1-based line of its header.
    pub line: u32,
    /// The way.
    pub kind: AccessKind,
}

/// How a client shows who it is.
#[derive(Debug, Clone, PartialEq)]
pub enum AccessKind {
    /// By user name and password (RFC 7617).
    Basic {
        /// What the browser shows.
        realm: String,
        /// Who is let in.
        users: Vec<String>,
    },
    /// By a cookie with a live token.
    Cookie {
        /// The cookie's name.
        cookie: String,
        /// Origins that are let in; empty: all, and requests without one.
        origins: Vec<String>,
    },
    /// By address.
    Network {
        /// Whose clients are let in; at least one.
        from: Vec<IpNet>,
    },
    /// By a login that holds for all hosts of a domain.
    Sso(Box<Sso>),
}

/// A login that holds for all hosts of a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Sso {
    /// The session that a login opens.
    pub session: Session,
    /// Where the login is asked.
    pub login: Login,
    /// The header that tells the target the user's name.
    pub user_header: Option<String>,
    /// Whether the target gets the session cookie.
    pub forward_cookie: bool,
}

impl AccessKind {
    /// The word the file has for this kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "basic",
            Self::Cookie { .. } => "cookie",
            Self::Network { .. } => "network",
            Self::Sso(_) => "sso",
        }
    }
}

/// Where a login is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Login {
    /// An LDAP server.
    Ldap(LdapLogin),
    /// A RADIUS server.
    Radius(RadiusLogin),
    /// An OIDC provider.
    Oidc(OidcLogin),
}

/// A host that is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Host {
    /// The name clients use.
    pub name: HostName,
    /// 1-based line of its header.
    pub line: u32,
    /// What the internal DNS answers for it, the default applied.
    pub internal: Internal,
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
    /// Where requests go.
    pub target: HttpTarget,
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

/// The targets of an HTTP rule.
pub type HttpTarget = Targets;

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
}
