//! What the API speaks of.

mod bans;
mod configuration;
mod explain;
mod log;
mod machine;
mod network;
mod operators;
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
pub use operators::{
    Claim, ClaimStatus, Login, NewUser, PasswordChange, PasswordProof, RecoveryCodes, Role,
    Session, SessionStarted, TotpCode, TotpOffer, User, UserChange,
};
pub(crate) use operators::{SessionQuery, UserQuery};
pub use secrets::Secret;
pub(crate) use secrets::SecretQuery;
pub use status::{
    CertificateStatus, ListenerStatus, MachineStatus, NotBuilt, ProcessStatus, Status,
};
