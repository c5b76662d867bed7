//! Certificates of the box.

use std::fmt;

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
    /// What is done for it now; none: nothing, or nobody has said yet.
    #[serde(default)]
    pub step: Option<OrderStep>,
}

/// What is done for an order now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OrderStep {
    /// The CA is asked what it offers, and who we are there.
    Account,
    /// The order is made.
    Order,
    /// The proofs are laid out, and the CA looks at them.
    Proofs,
    /// The CA makes the certificate.
    Issuance,
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

/// What is to come out of the box.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateExport {
    /// One of the names of the certificate.
    #[schema(min_length = 1, max_length = 253)]
    pub name: String,
    /// What the key is encrypted with; without it the chain comes out alone, and no key.
    #[schema(min_length = 8, max_length = 256)]
    pub passphrase: Option<String>,
}

impl CertificateExport {
    /// The fewest characters of a passphrase under which a key leaves the box.
    pub const SHORTEST_PASSPHRASE: usize = 8;
    /// The most bytes of a passphrase.
    pub const LONGEST_PASSPHRASE: usize = 256;
}

impl fmt::Debug for CertificateExport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateExport")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A certificate that came out of the box.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ExportedCertificate {
    /// The names it is for.
    pub names: Vec<String>,
    /// The certificate, then what leads to its CA, in PEM; where no key was asked for.
    pub pem: Option<String>,
    /// The same with the key as a PKCS#12 file, in base64; where a passphrase was given.
    #[schema(format = Byte)]
    pub pkcs12: Option<String>,
}
