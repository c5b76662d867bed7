//! Certificates of the box.

use std::fmt;
use std::ops::RangeInclusive;

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

/// A certificate on its way into the box, with its key: PEM, or PKCS#12.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CertificateImport {
    /// A name of the `[[certificate]]` that it is for; without it, the one whose names it covers.
    #[schema(min_length = 1, max_length = 253)]
    pub name: Option<String>,
    /// The certificate and what leads to its CA, in PEM; perhaps with the key.
    #[schema(max_length = 65_536)]
    pub pem: Option<String>,
    /// The key in PEM, where it is not in `pem`; it may be encrypted.
    #[schema(max_length = 16_384)]
    pub key: Option<String>,
    /// All of it as a PKCS#12 file, in base64.
    #[schema(format = Byte, max_length = 87_384)]
    pub pkcs12: Option<String>,
    /// What the key or the file is encrypted with.
    #[schema(max_length = 256)]
    pub passphrase: Option<String>,
}

impl CertificateImport {
    /// The most bytes of a file.
    pub const LONGEST_FILE: usize = 64 * 1024;
    /// The most bytes of a key.
    pub const LONGEST_KEY: usize = 16 * 1024;
}

impl fmt::Debug for CertificateImport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CertificateImport")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A certificate that was taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportedCertificate {
    /// The names it is for.
    pub names: Vec<String>,
    /// When it ends.
    pub expires: Moment,
    /// The line of the `[[certificate]]` that it serves from now on; none: the configuration does not name it yet.
    pub line: Option<u32>,
    /// The lines to put into the configuration so that it is served, where it does not name it yet.
    pub lines: Option<String>,
    /// What else the operator should know.
    pub notes: Vec<String>,
}

/// A certificate for a client that the box's own CA is to issue.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewClientCertificate {
    /// Whose it is: a name, a mail address or a host name.
    #[schema(min_length = 1, max_length = 64)]
    pub name: String,
    /// How many days it holds; 397 if missing.
    #[schema(minimum = 1, maximum = 3650)]
    pub days: Option<u16>,
    /// What the file with it is encrypted with.
    #[schema(min_length = 8, max_length = 256)]
    pub passphrase: String,
}

impl NewClientCertificate {
    /// How many days one can hold.
    pub const DAYS: RangeInclusive<u16> = 1..=3650;
    /// How many days one holds unless something else is said: what is forgotten ends within 13 months, as that of a server.
    pub const USUAL_DAYS: u16 = 397;
}

impl fmt::Debug for NewClientCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewClientCertificate")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// A certificate for a client that the box's own CA has issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ClientCertificate {
    /// Whose it is.
    pub name: String,
    /// Its serial number, in hexadecimal digits.
    pub serial: String,
    /// When it was issued.
    pub issued: Moment,
    /// When it ends.
    pub expires: Moment,
    /// Since when it holds no more, where it was revoked.
    pub revoked: Option<Moment>,
}

/// A certificate for a client, as it goes to whoever is to have it. The box keeps no key of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IssuedCertificate {
    /// What the box knows of it.
    pub certificate: ClientCertificate,
    /// Certificate and key as a PKCS#12 file, in base64.
    #[schema(format = Byte)]
    pub pkcs12: String,
}

/// What is to hold no more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Revocation {
    /// A serial number, or a name: then every certificate of that name.
    #[schema(min_length = 1, max_length = 128)]
    pub certificate: String,
}
