//! Certificates of the box.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::Moment;

/// One certificate of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CertificateStatus {
    /// The names it is for.
    pub names: Vec<String>,
    /// Where it is from: `files`, `own`, `acme`.
    pub source: String,
    /// When it ends; none: there is no certificate.
    pub expires: Option<Moment>,
    /// Whole days until then; negative afterwards.
    pub days_left: Option<i64>,
    /// Line of its `[[certificate]]`; none: the box made it on its own account.
    pub line: Option<u32>,
    /// What the operator should know about it.
    pub problems: Vec<String>,
    /// What happens with it next, where it is had from a CA.
    pub renewal: Option<Renewal>,
}

/// What happens next with a certificate that is had from a CA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Renewal {
    /// How it stands.
    pub state: RenewalState,
    /// When the next one is ordered; none: it is ordered now, or nobody knows.
    pub at: Option<Moment>,
    /// Why the last order came to nothing, or why none can be made.
    pub text: Option<String>,
}

/// How it stands with a certificate that is had from a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenewalState {
    /// The next one is ordered in time.
    Planned,
    /// One is ordered now.
    Ordered,
    /// The last order came to nothing; there is a next try.
    Failed,
    /// None can be ordered.
    Held,
}

/// Which certificate is meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateName {
    /// One of its names.
    #[schema(min_length = 1, max_length = 253)]
    pub name: String,
}

/// The root of the box's own CA: who installs it believes what the box shows until there is something better.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RootCertificate {
    /// In PEM.
    pub pem: String,
}
