//! Why a PKCS#12 file or an encrypted key can not be used.

/// Why a PKCS#12 file or an encrypted key can not be used, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Longer than any such file.
    #[error("the file is longer than {most} bytes; it holds one key and its chain only")]
    TooLong {
        /// The cap.
        most: usize,
    },
    /// Not built as RFC 7292 says.
    #[error("this can not be read as PKCS#12: {0}; export it again, or give PEM files")]
    Malformed(&'static str),
    /// The passphrase does not open it.
    #[error("the passphrase is wrong, or the file is damaged")]
    WrongPassphrase,
    /// An encryption that nobody should use any more.
    #[error(
        "it is encrypted with {0}, which anybody can break; convert it: `openssl pkcs12 -legacy -in OLD -nodes -out PLAIN.pem`, then `openssl pkcs12 -export -in PLAIN.pem -out NEW`, and remove PLAIN.pem"
    )]
    Broken(&'static str),
    /// Something of the standard that no program in use writes.
    #[error("it holds {0}, which can not be read; export it again with a passphrase and AES-256")]
    Unsupported(&'static str),
    /// Deriving its keys would take too long.
    #[error(
        "it asks for more than {most} rounds to derive its keys, which would hold up every start; export it again with fewer"
    )]
    TooMuchWork {
        /// The cap.
        most: u32,
    },
    /// There is no private key in it.
    #[error("it holds no private key; export the certificate together with its key")]
    NoKey,
    /// There is more than one private key in it.
    #[error("it holds several private keys; export the one that is meant alone")]
    SeveralKeys,
    /// Keys are written under a passphrase only.
    #[error("keys go out encrypted only; give a passphrase")]
    NoPassphrase,
    /// The operating system gives no random numbers.
    #[error("there are no random numbers to encrypt with")]
    NoRandom,
    /// Key and certificates can be read, and can not be used.
    #[error(transparent)]
    Certificate(#[from] crate::Error),
}
