//! What the API speaks of.

mod bans;
mod certificates;
mod configuration;
mod derived;
mod entrance;
mod explain;
mod factors;
mod history;
mod hosts;
mod log;
mod machine;
mod network;
mod operators;
mod secrets;
mod status;
mod whole;

pub(crate) use bans::BanQuery;
pub use bans::{Ban, Cleared, NewBan};
pub use certificates::{
    CertificateExport, CertificateImport, CertificateName, CertificateStatus, ClientCertificate,
    ExportedCertificate, ImportedCertificate, IssuedCertificate, NewClientCertificate, OrderStep,
    Renewal, RenewalState, Revocation, RootCertificate,
};
pub use configuration::{
    Applied, Apply, Checked, ConfigText, Diff, Draft, Fault, Generation, GenerationState, Rollback,
};
pub(crate) use configuration::{DiffQuery, GenerationQuery, RollbackQuery};
pub use derived::{Derived, Table};
pub use entrance::{
    AccessKey, AccessKeyMade, Htpasswd, Imported, NewAccessKey, NewToken, NewVisitor, Revoked,
    SsoEnded, SsoSession, Token, TokenMade, Visitor, VisitorPassword, WhichSessions,
};
pub(crate) use entrance::{AccessPath, NumberPath, NumberQuery, VisitorQuery, WhichQuery};
pub(crate) use explain::ExplainQuery;
pub use explain::{ExplainShown, Explanation};
pub(crate) use factors::FactorQuery;
pub use factors::{FactorsReset, SsoFactor, WhichFactors};
pub(crate) use history::HistoryQuery;
pub use history::{History, Series, SeriesKind};
pub use hosts::{Host, HostFigures, HostProtocol, HostRule, HostTarget, OpenConnections};
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
    HostTraffic, ListenerStatus, MachineStatus, NotBuilt, ProcessStatus, RejectedFor, Status,
    Traffic,
};
