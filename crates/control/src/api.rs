//! What the API speaks of.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use service::ServiceState;

use crate::Moment;

/// The state of the running box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// How many addresses are banned now.
    pub bans: u64,
    /// Sections of the configuration whose service does not exist yet.
    pub not_built: Vec<NotBuilt>,
    /// What could not be done with the rights at hand (without root), one sentence each.
    pub left_out: Vec<String>,
    /// The machine, where Gatehouse is the firmware of a box.
    pub machine: Option<MachineStatus>,
}

/// The machine of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

/// One certificate of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateStatus {
    /// The names it is for.
    pub names: Vec<String>,
    /// Where it is from: a file, `own`, `acme`.
    pub source: String,
    /// When it ends; none: there is no certificate.
    pub expires: Option<Moment>,
    /// Line of its `[[certificate]]`; none: the box made it on its own account.
    pub line: Option<u32>,
    /// What the operator should know about it.
    pub problems: Vec<String>,
}

/// A section that is checked, but served by nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotBuilt {
    /// The section, as the file writes it.
    pub section: String,
    /// Its line.
    pub line: u32,
}

/// One banned client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// An IPv4 address, or an IPv6 network of 64 bits.
    pub client: String,
    /// Since when.
    pub since: Moment,
    /// Until when.
    pub until: Moment,
    /// The offences of the minute that led to it.
    pub offences: u32,
}

/// How many bans were lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    /// The count.
    pub cleared: u64,
}

/// One numbered configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Generation {
    /// Its number, counted up from 1.
    pub number: u32,
    /// When it was made.
    pub created: Moment,
    /// Where it came from, such as `reload` or `rollback to 12`.
    pub origin: String,
    /// What it is now.
    #[serde(flatten)]
    pub state: GenerationState,
}

/// What a generation is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum GenerationState {
    /// In force, and kept.
    Active,
    /// In force, and rolled back unless it is confirmed.
    Trial {
        /// Seconds left to confirm.
        seconds: u64,
    },
    /// Once in force; can be rolled back to.
    Kept,
    /// Was on trial and not confirmed; kept so that the work in it is not lost.
    GivenUp,
}

/// What came of a reload, a confirmation or a rollback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Applied {
    /// The generation in force now.
    pub generation: Generation,
    /// False: the file is the same as what was in force already.
    pub changed: bool,
    /// What the operator should know, one sentence each.
    pub notes: Vec<String>,
}

/// The text of one generation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigText {
    /// Its number.
    pub generation: u32,
    /// The file as it was given.
    pub text: String,
}

/// How two generations differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diff {
    /// The older one.
    pub from: u32,
    /// The newer one.
    pub to: u32,
    /// In unified format; empty: they do not differ.
    pub text: String,
}

/// A secret on its way into the store; there is no way out. `Debug` does not show the value.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret {
    /// The name the configuration refers to.
    pub name: String,
    /// The value.
    pub value: String,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// What would happen to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Explanation {
    /// For people, some lines.
    pub text: String,
    /// For programs: whatever the deciding service says of itself.
    pub decision: serde_json::Value,
}

/// The networks of the box: what the kernel has, and what the configuration wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// The interfaces, as the kernel has them now.
    pub interfaces: Vec<InterfaceStatus>,
    /// The zones of the configuration in force.
    pub zones: Vec<ZoneStatus>,
}

/// One network interface, as the kernel has it now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceStatus {
    /// Its name.
    pub name: String,
    /// The zone it belongs to; none: the configuration does not name it.
    pub zone: Option<String>,
    /// Whether it is up and has a link.
    pub up: bool,
    /// Its hardware address.
    pub mac: Option<String>,
    /// Its addresses with their networks.
    pub addresses: Vec<String>,
}

/// One zone of the configuration in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneStatus {
    /// Its name.
    pub name: String,
    /// `inside` or `outside`.
    pub trust: String,
    /// Its network interface.
    pub interface: String,
    /// Its addresses, as the file has them.
    pub addresses: Vec<String>,
    /// Its gateway, as the file has it.
    pub gateway: Option<IpAddr>,
}

/// Another address for a zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneChange {
    /// The zone.
    pub zone: String,
    /// `dhcp`, `auto6`, or an address with its network; takes the place of those of its family.
    pub address: String,
    /// The router towards everything else; none: the zone leads nowhere.
    pub gateway: Option<IpAddr>,
}

/// What the box as a whole is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MachineOrder {
    /// Start anew.
    Reboot,
    /// Switch itself off.
    PowerOff,
    /// Remove everything that is kept, and begin with the configuration that the box came with.
    FactoryReset,
}

/// What comes of a [`MachineOrder`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ordered {
    /// One sentence for the operator.
    pub text: String,
}

/// Which records of the log are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogQuery {
    /// Only what came after the record of this id.
    pub after: Option<u64>,
    /// Only the last so many of what is there already; what comes later is not counted.
    pub last: Option<usize>,
    /// Only what this service says.
    pub service: Option<String>,
    /// Go on with what comes.
    #[serde(default)]
    pub follow: bool,
}
