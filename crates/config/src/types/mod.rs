//! The checked configuration: what services read.

mod host;
mod ldap;
mod radius;

use ipnet::IpNet;

pub use crate::sections::{
    Admin, Allow, Balance, Challenge, Codec, Dhcp, Direction, Dns, DnsRecord, DnsUpdate,
    ExternalAccount, Field, Forward, ForwardTo, GroupsAttribute, Guard, KeyType, Listen, LoginPage,
    Nat, OidcLogin, PathPolicy, Pbx, Phones, Plain, Protocol, ProxyHeader, ProxyLimits,
    PublicPorts, RadiusLogin, RecordType, RelayAddress, Reservation, Rewrite, Sbc, SbcListen,
    Session, SipTransport, Site, Srtp, System, Transport, Trunk, Trust, Turn, TurnAllow, TurnTls,
    TurnUser, WebSocket, Zone,
};
pub use crate::value::{
    AddressRange, HostName, Mac, Ports, PublicAddress, SecretRef, TargetHost, TargetHostHeader,
    Upstream, ZoneAddress,
};
pub use host::{
    H323Rule, HeaderRules, Health, Host, HttpRule, Internal, LdapRule, Passthrough, RulePath,
    SipRule, Target, TargetCertificate, Targets,
};
pub use ldap::{LdapAccount, LdapLogin, LdapSearch, LdapSecrecy, LdapWay};
pub use radius::RadiusServer;

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
    /// Whose client certificates are believed where a host says nothing else.
    pub client_trust: ClientTrust,
    /// The certificate we show to targets.
    pub identity: Identity,
    /// Networks of load balancers whose connections begin with a PROXY header.
    pub proxy_protocol_from: Vec<IpNet>,
    /// What connections may cost; never more of one address than in all.
    pub limits: ProxyLimits,
}

/// Whose client certificates are believed, by the names of files.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ClientTrust {
    /// CAs that issue them; empty: nobody's are.
    pub authorities: Vec<String>,
    /// Lists of those that were revoked.
    pub revoked: Vec<String>,
    /// Whether a list holds although it is outdated; if not, all of its CA are refused then.
    pub outdated_holds: bool,
}

impl ClientTrust {
    /// The authority that is no file: the box's own CA.
    pub const OWN_CA: &str = "own";
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
    Files(CertificateFiles),
    /// From a public CA (RFC 8555).
    Acme(Box<Acme>),
    /// From the box's own CA.
    Own,
}

/// The files that a certificate and its key come from.
#[derive(Debug, Clone, PartialEq)]
pub enum CertificateFiles {
    /// PEM.
    Pem {
        /// File with the certificate and what leads to its CA.
        chain: String,
        /// Its private key.
        key: SecretRef,
        /// What the key is encrypted with, if it is.
        passphrase: Option<SecretRef>,
    },
    /// PKCS#12.
    Pkcs12 {
        /// File with all of it.
        file: String,
        /// What it is encrypted with.
        passphrase: SecretRef,
    },
}

/// How a certificate is had from a CA (RFC 8555).
#[derive(Debug, Clone, PartialEq)]
pub struct Acme {
    /// How the CA sees that the names are ours.
    pub challenge: Challenge,
    /// Address of the CA's directory.
    pub directory: String,
    /// File with the roots that the CA's own address is checked by; the public ones if missing.
    pub directory_ca: Option<String>,
    /// Mail addresses at which the CA may reach the operator.
    pub contact: Vec<String>,
    /// The kind of the private key.
    pub key_type: KeyType,
    /// The account that the operator has with the CA already.
    pub external_account: Option<ExternalAccount>,
    /// The name server that takes the proofs.
    pub dns: Option<DnsUpdate>,
    /// The zone with the proofs that we answer ourselves, in lower case. For [`Challenge::Dns01`] there is
    /// either this or [`Acme::dns`], else neither.
    pub dns_zone: Option<String>,
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
        /// The header that tells the target the user.
        user_header: Option<String>,
    },
    /// By a cookie with a live token.
    Cookie {
        /// The cookie's name.
        cookie: String,
        /// Origins that are let in; empty: all, and requests without one.
        origins: Vec<String>,
        /// Whether the target gets the cookie.
        forward_cookie: bool,
    },
    /// By a certificate that the client shows.
    Certificate {
        /// Names of which it must have one, `*.example.com` for all directly below; empty: every
        /// trusted one is let in.
        names: Vec<String>,
        /// The header that tells the target the client's name.
        user_header: Option<String>,
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
    /// Whether a second factor is asked for, too.
    pub totp: bool,
    /// Groups of which a user must be in one; empty: every user is let in.
    pub groups: Vec<String>,
    /// The header that tells the target the user's name.
    pub user_header: Option<String>,
    /// The header that tells the target the user's groups.
    pub groups_header: Option<String>,
    /// Whether the target gets the session cookie.
    pub forward_cookie: bool,
}

impl AccessKind {
    /// The header that tells the target the user's name.
    pub fn user_header(&self) -> Option<&str> {
        match self {
            Self::Basic { user_header, .. } | Self::Certificate { user_header, .. } => {
                user_header.as_deref()
            }
            Self::Sso(sso) => sso.user_header.as_deref(),
            Self::Cookie { .. } | Self::Network { .. } => None,
        }
    }

    /// The header that tells the target the user's groups.
    pub fn groups_header(&self) -> Option<&str> {
        match self {
            Self::Sso(sso) => sso.groups_header.as_deref(),
            _ => None,
        }
    }

    /// The word the file has for this kind.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Basic { .. } => "basic",
            Self::Cookie { .. } => "cookie",
            Self::Certificate { .. } => "certificate",
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
