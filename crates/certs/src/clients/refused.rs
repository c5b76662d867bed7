//! Why a certificate of a client is not believed.

use std::fmt;
use std::time::SystemTime;

use super::{Verified, instant};
use crate::check::Day;

/// A certificate of a client that is not believed, and why. `Display` is the operator's sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// What the certificate calls its holder; that is not proven.
    pub subject: Option<Box<str>>,
    /// Why.
    pub why: Why,
}

/// Why a certificate is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// None of the authorities signed it; who did, by its own word.
    UnknownAuthority(String),
    /// It, or what leads to it, ended then.
    Expired(SystemTime),
    /// It, or what leads to it, begins then.
    NotYetValid(SystemTime),
    /// Its authority is not in its time.
    AuthorityNotInTime {
        /// The authority.
        subject: String,
        /// When it begins.
        not_before: SystemTime,
        /// When it ends.
        not_after: SystemTime,
    },
    /// It, or what leads to it, was revoked.
    Revoked,
    /// It says what it is for, and that is not clients.
    NotForClients,
    /// It is of the box's own CA, and was not issued for clients alone.
    NotIssuedForClients,
    /// The list of revoked certificates should have been followed by another then.
    ListOutdated(SystemTime),
    /// It comes with more others than lead from a client to its authority.
    ChainTooLong,
    /// It can not be read or judged.
    Unusable(String),
}

impl Refused {
    pub(super) fn new(of: &Verified, why: Why) -> Self {
        Self {
            subject: of.subject().map(Box::from),
            why,
        }
    }

    pub(super) fn unreadable(reason: String) -> Self {
        Self {
            subject: None,
            why: Why::Unusable(reason),
        }
    }
}

impl Why {
    /// Whether it is rather to be told than `other`: that one authority did not sign it says little
    /// where another did.
    pub(super) fn says_more_than(&self, other: Option<&Self>) -> bool {
        match other {
            None | Some(Self::UnknownAuthority(_)) => true,
            Some(Self::Unusable(_)) => !matches!(self, Self::UnknownAuthority(_)),
            Some(_) => false,
        }
    }
}

impl From<&webpki::Error> for Why {
    fn from(error: &webpki::Error) -> Self {
        use webpki::Error;
        match error {
            // A certificate of the authority's name, but not of its key, is a stranger's as well.
            Error::UnknownIssuer | Error::InvalidSignatureForPublicKey => {
                Self::UnknownAuthority(String::new())
            }
            Error::CertExpired { not_after, .. } => Self::Expired(instant(*not_after)),
            Error::CertNotValidYet { not_before, .. } => Self::NotYetValid(instant(*not_before)),
            Error::CertRevoked => Self::Revoked,
            Error::RequiredEkuNotFoundContext(_) => Self::NotForClients,
            Error::CrlExpired { next_update, .. } => Self::ListOutdated(instant(*next_update)),
            other => Self::Unusable(other.to_string()),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => write!(f, "the client certificate of {subject:?} {}", self.why),
            None => write!(f, "the client certificate {}", self.why),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownAuthority(issuer) => {
                write!(f, "is not from a trusted authority, but from {issuer:?}")
            }
            Self::Expired(at) => write!(f, "expired on {}", Day(*at)),
            Self::NotYetValid(from) => {
                write!(f, "is not valid before {}; is the clock right?", Day(*from))
            }
            Self::AuthorityNotInTime {
                subject,
                not_before,
                not_after,
            } => write!(
                f,
                "is from the authority {subject}, which is valid from {} to {} only",
                Day(*not_before),
                Day(*not_after)
            ),
            Self::Revoked => f.write_str("was revoked"),
            Self::NotForClients => f.write_str("was not made for clients (no clientAuth)"),
            Self::NotIssuedForClients => f.write_str(
                "is one that the box shows of itself; `gatehouse certificate issue` makes those for clients",
            ),
            Self::ListOutdated(at) => write!(
                f,
                "can not be judged: the list of revoked certificates expired on {}",
                Day(*at)
            ),
            Self::ChainTooLong => f.write_str("comes with more certificates than any chain needs"),
            Self::Unusable(why) => write!(f, "can not be used: {why}"),
        }
    }
}
