//! How the box is.

use serde::{Deserialize, Serialize};
use service::ServiceState;
use utoipa::ToSchema;

use super::{CertificateStatus, Generation, OpenConnections};
use crate::Moment;

/// The state of the running box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Status {
    /// Version of the program.
    pub version: String,
    /// `system.hostname`.
    pub hostname: String,
    /// When the supervisor started.
    pub started: Moment,
    /// The time at the box.
    pub now: Moment,
    /// The configuration in force.
    pub generation: Generation,
    /// The processes of the box.
    pub processes: Vec<ProcessStatus>,
    /// Where the box listens, or should.
    pub listeners: Vec<ListenerStatus>,
    /// What the box shows to TLS clients.
    pub certificates: Vec<CertificateStatus>,
    /// What went through the reverse proxy since it started; none: it does not answer.
    pub traffic: Option<Traffic>,
    /// How many addresses are banned now.
    pub bans: u64,
    /// Sections of the configuration whose service does not exist yet.
    pub not_built: Vec<NotBuilt>,
    /// What could not be done with the rights at hand (without root), one sentence each.
    pub left_out: Vec<String>,
    /// The machine, where Gatehouse is the firmware of a box.
    pub machine: Option<MachineStatus>,
}

/// What went through the reverse proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Traffic {
    /// What each host got, in the order of the file.
    pub hosts: Vec<HostTraffic>,
    /// What was rejected, the most frequent reason first.
    pub rejected: Vec<RejectedFor>,
}

/// What a host got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HostTraffic {
    /// `domain` or `domain/location`.
    pub name: String,
    /// Its connections that are open now, by protocol; requests of HTTP are none.
    pub open: Vec<OpenConnections>,
    /// HTTP requests that were answered.
    pub requests: u64,
    /// Bytes that clients sent, of bodies and connections.
    pub received: u64,
    /// Bytes that clients got.
    pub sent: u64,
    /// Requests and connections that were rejected.
    pub rejected: u64,
}

/// How much was rejected for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RejectedFor {
    /// The reason, as the metrics call it.
    pub reason: String,
    /// Requests and connections.
    pub count: u64,
}

/// The machine of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MachineStatus {
    /// Its memory, in bytes.
    pub memory: u64,
    /// How much of that is in use, in bytes.
    pub memory_used: u64,
    /// How much of that our processes have, in bytes; what they share counts once.
    pub memory_ours: u64,
    /// From the start of the kernel until the box served, in milliseconds; `None`: not yet.
    pub served_after_ms: Option<u64>,
}

/// One process of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProcessStatus {
    /// `supervisor`, `edge` or `admin`.
    pub name: String,
    /// Its process id, while it lives.
    pub pid: Option<u32>,
    /// How it is.
    #[serde(flatten)]
    pub state: ServiceState,
    /// Since when it is so.
    pub since: Moment,
    /// How often it was started anew after a failure.
    pub restarts: u64,
}

/// One place where the box listens, or should.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ListenerStatus {
    /// The service it belongs to.
    pub service: String,
    /// What is spoken there.
    pub protocol: String,
    /// Address and port.
    pub address: String,
    /// The network interface it is bound to; none: all.
    pub interface: Option<String>,
    /// Why it is not open; none: it is.
    pub fault: Option<String>,
}

/// A section that is checked, but served by nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotBuilt {
    /// The section, as the file writes it.
    pub section: String,
    /// Its line.
    pub line: u32,
}
