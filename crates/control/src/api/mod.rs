//! What the API speaks of.

mod bans;
mod configuration;
mod explain;
mod log;
mod machine;
mod network;
mod secrets;
mod status;

pub(crate) use bans::BanQuery;
pub use bans::{Ban, Cleared};
pub(crate) use configuration::GenerationQuery;
pub use configuration::{Applied, ConfigText, Diff, Generation, GenerationState};
pub(crate) use explain::ExplainQuery;
pub use explain::Explanation;
pub use log::LogQuery;
pub use machine::{MachineOrder, Ordered};
pub use network::{InterfaceStatus, Network, ZoneChange, ZoneStatus};
pub use secrets::Secret;
pub(crate) use secrets::SecretQuery;
pub use status::{
    CertificateStatus, ListenerStatus, MachineStatus, NotBuilt, ProcessStatus, Status,
};
