//! The hosts that are published.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::CertificateStatus;

/// A host of the configuration in force, and how it does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Host {
    /// The name that clients use; with `/location` for a registration location.
    pub name: String,
    /// Line of its `[[host]]`.
    pub line: u32,
    /// What is spoken to it: `http`, `tls_passthrough`, `sip`, `ldap`, `h323`.
    pub protocols: Vec<HostProtocol>,
    /// Its rules, in the order of the file.
    pub rules: Vec<HostRule>,
    /// What the box shows to its TLS clients; none: nothing, or there is none yet.
    pub certificate: Option<CertificateStatus>,
    /// What was counted for it since the process that serves it started; none: that does not answer.
    pub figures: Option<HostFigures>,
}

/// What a rule of a host is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum HostProtocol {
    /// HTTP and WebSocket.
    Http,
    /// TLS that is passed on without being decrypted.
    TlsPassthrough,
    /// SIP; served by nothing yet.
    Sip,
    /// LDAP; served by nothing yet.
    Ldap,
    /// H.323; served by nothing yet.
    H323,
}

/// A rule of a host: what goes where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostRule {
    /// Line of its header.
    pub line: u32,
    /// What it is for.
    pub protocol: HostProtocol,
    /// Initial parts of the paths it serves, where it is for HTTP: `/` alone for the empty path, empty for all of them.
    pub paths: Vec<String>,
    /// What holds for it besides, one sentence each.
    pub policy: Vec<String>,
    /// Where it leads, in the order of the file.
    pub targets: Vec<HostTarget>,
}

/// A server that a rule leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostTarget {
    /// Address or name, and port.
    pub address: String,
    /// Whether TLS is spoken to it.
    pub tls: bool,
    /// Whether it is well; none: nobody knows.
    pub well: Option<bool>,
}

/// What was counted for a host.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct HostFigures {
    /// Requests that were answered.
    pub requests: u64,
    /// The same by class of their status: 1xx, 2xx, 3xx, 4xx, 5xx.
    pub by_class: [u64; 5],
    /// Requests and connections that were rejected.
    pub rejected: u64,
    /// Bytes that clients sent, of bodies and upgraded connections.
    pub received: u64,
    /// Bytes that clients got.
    pub sent: u64,
    /// WebSockets and passed-through connections that are open now.
    pub upgraded: u64,
    /// Connections of SIP, LDAP and H.323 that are open now.
    pub forwarded: Vec<OpenConnections>,
    /// Half of the requests took no longer, in seconds; none: there were none.
    pub p50_seconds: Option<f64>,
    /// 95 of 100 requests took no longer, in seconds.
    pub p95_seconds: Option<f64>,
}

/// How many connections are open that speak so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenConnections {
    /// What their clients speak, such as `sips`.
    pub protocol: String,
    /// How many there are.
    pub count: u64,
}
