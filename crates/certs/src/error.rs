//! Why a key or a chain can not be used at all.

/// Why a key or a chain can not be used at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The chain holds no `CERTIFICATE` section.
    #[error(
        "the chain holds no certificate; a PEM file with `-----BEGIN CERTIFICATE-----` is needed"
    )]
    NoCertificate,
    /// A section of the chain is not a certificate. Counted from 1.
    #[error("certificate {position} of the chain can not be read: {reason}")]
    BadCertificate {
        /// Which `CERTIFICATE` section, from 1.
        position: usize,
        /// What the reader says.
        reason: String,
    },
    /// More certificates than any chain has.
    #[error(
        "the chain holds more than {most} certificates; give the certificate and its intermediates only"
    )]
    TooManyCertificates {
        /// The cap.
        most: usize,
    },
    /// The key holds no private key section.
    #[error("no private key found; a PEM key (PKCS#8, SEC1 or PKCS#1) is needed")]
    NoKey,
    /// The key is protected by a pass phrase.
    #[error(
        "the private key is encrypted; name its passphrase, or store it without one (`openssl pkey -in KEY -out PLAIN`)"
    )]
    EncryptedKey,
    /// The key is of a kind that can not be used for TLS.
    #[error("the private key can not be used: {0}")]
    BadKey(String),
    /// No certificate of the chain belongs to the key.
    #[error("the private key does not belong to the certificate of {subject}")]
    KeyMismatch {
        /// Subject of the first certificate of the chain.
        subject: String,
    },
    /// The CA certificate or its key is not what [`crate::Ca::create`] made.
    #[error("the box's own CA can not be loaded: {0}")]
    BadCa(String),
    /// A name that no certificate can carry.
    #[error("`{0}` is not a name a certificate can carry")]
    BadName(String),
    /// [`crate::Ca::issue`] was called without a name, or at a time when the CA is not valid.
    #[error("can not issue: {0}")]
    Issue(String),
}
