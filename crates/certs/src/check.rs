//! What is wrong with a certificate that can be read.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use x509_parser::prelude::X509Certificate;

use crate::material::{is_self_signed, names_of, parse, signed_by, subject_of};
use crate::name::covers;
use crate::{Error, Material};

/// How long before its end a certificate is reported: two weeks.
pub const SOON: Duration = Duration::from_hours(24 * 14);

/// From when until when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// First instant it is valid at.
    pub not_before: SystemTime,
    /// Last instant it is valid at.
    pub not_after: SystemTime,
}

impl Validity {
    /// When to replace it: after two thirds of its life.
    pub fn renew_at(&self) -> SystemTime {
        let life = self
            .not_after
            .duration_since(self.not_before)
            .unwrap_or_default();
        self.not_before + life * 2 / 3
    }
}

/// Something the operator should know about a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Chain or key can not be used at all.
    Unusable(Error),
    /// Its time is over.
    Expired {
        /// When it ended.
        at: SystemTime,
    },
    /// Its time has not come; often the clock of the box is wrong.
    NotYetValid {
        /// When it begins.
        from: SystemTime,
    },
    /// Its time ends within [`SOON`].
    ExpiresSoon {
        /// When it ends.
        at: SystemTime,
    },
    /// It does not cover a name it is wanted for.
    NotCovered {
        /// The wanted name.
        name: String,
    },
    /// It is signed by an authority whose certificate is not in the chain and may be no root.
    ///
    /// A chain of one certificate from a root is complete, and can not be told apart; so this is
    /// never fatal.
    Incomplete {
        /// Who signed the last certificate of the chain.
        issuer: String,
    },
    /// A certificate of the chain other than the first ends before the first does.
    IntermediateExpired {
        /// Its subject.
        subject: String,
        /// When it ended.
        at: SystemTime,
    },
    /// A certificate follows that did not sign the one before.
    Unordered {
        /// The subject of the certificate that does not belong there.
        subject: String,
    },
    /// Its extended key usage does not include serverAuth.
    NotForServers,
    /// It is signed by itself, and clients believe it only where it is installed by hand.
    SelfSigned,
}

impl Problem {
    /// True when clients that check certificates will refuse it.
    pub fn is_fatal(&self) -> bool {
        !matches!(
            self,
            Self::ExpiresSoon { .. } | Self::Incomplete { .. } | Self::SelfSigned
        )
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unusable(error) => error.fmt(f),
            Self::Expired { at } => write!(f, "expired on {}", Day(*at)),
            Self::NotYetValid { from } => {
                write!(f, "not valid before {}; is the clock right?", Day(*from))
            }
            Self::ExpiresSoon { at } => write!(f, "expires on {}", Day(*at)),
            Self::NotCovered { name } => write!(f, "does not cover the name `{name}`"),
            Self::Incomplete { issuer } => write!(
                f,
                "the chain ends with a certificate signed by {issuer}; if that is not a root, add it"
            ),
            Self::IntermediateExpired { subject, at } => {
                write!(
                    f,
                    "the certificate of {subject} in its chain expired on {}",
                    Day(*at)
                )
            }
            Self::Unordered { subject } => {
                write!(
                    f,
                    "the certificate of {subject} does not belong where it stands in the chain"
                )
            }
            Self::NotForServers => f.write_str("not made for servers (no serverAuth key usage)"),
            Self::SelfSigned => {
                f.write_str("signed by itself: clients believe it only where it is installed")
            }
        }
    }
}

/// Everything that is wrong with `material` at `now`, where it is wanted for `wanted` names.
pub fn check<S: AsRef<str>>(material: &Material, wanted: &[S], now: SystemTime) -> Vec<Problem> {
    let chain = match material.certified_key() {
        Ok(key) => key.cert,
        Err(error) => return vec![Problem::Unusable(error)],
    };
    let parsed: Vec<_> = chain.iter().filter_map(|der| parse(der).ok()).collect();
    let Some((leaf, above)) = parsed.split_first() else {
        return vec![Problem::Unusable(Error::NoCertificate)];
    };
    let mut problems = Vec::new();
    check_time(leaf, now, &mut problems);
    let names = names_of(leaf);
    for name in wanted.iter().map(AsRef::as_ref) {
        if !names.iter().any(|own| covers(own, name)) {
            problems.push(Problem::NotCovered {
                name: name.to_owned(),
            });
        }
    }
    if let Ok(Some(usage)) = leaf.extended_key_usage()
        && !usage.value.server_auth
        && !usage.value.any
    {
        problems.push(Problem::NotForServers);
    }
    check_chain(leaf, above, now, &mut problems);
    problems
}

/// From when until when the certificate of `material` is valid.
///
/// # Errors
/// [`Error`] when its chain can not be read.
pub fn validity(material: &Material) -> Result<Validity, Error> {
    let chain = material.chain()?;
    let leaf = parse(&chain[0]).map_err(|reason| Error::BadCertificate {
        position: 1,
        reason,
    })?;
    Ok(validity_of(&leaf))
}

/// How the certificate of `material` names itself, for a list: its first name, or its subject.
pub fn subject(material: &Material) -> String {
    match material.chain() {
        Ok(chain) => subject_of(&chain[0]),
        Err(_) => "(unreadable)".to_owned(),
    }
}

pub(crate) fn validity_of(certificate: &X509Certificate<'_>) -> Validity {
    let validity = certificate.validity();
    Validity {
        not_before: instant(validity.not_before.timestamp()),
        not_after: instant(validity.not_after.timestamp()),
    }
}

fn check_time(leaf: &X509Certificate<'_>, now: SystemTime, problems: &mut Vec<Problem>) {
    let Validity {
        not_before,
        not_after,
    } = validity_of(leaf);
    if now < not_before {
        problems.push(Problem::NotYetValid { from: not_before });
    } else if now > not_after {
        problems.push(Problem::Expired { at: not_after });
    } else if now + SOON > not_after {
        problems.push(Problem::ExpiresSoon { at: not_after });
    }
}

fn check_chain(
    leaf: &X509Certificate<'_>,
    above: &[X509Certificate<'_>],
    now: SystemTime,
    problems: &mut Vec<Problem>,
) {
    let mut last = leaf;
    for certificate in above {
        if !signed_by(last, certificate) {
            problems.push(Problem::Unordered {
                subject: certificate.subject().to_string(),
            });
        }
        let at = validity_of(certificate).not_after;
        if now > at {
            problems.push(Problem::IntermediateExpired {
                subject: certificate.subject().to_string(),
                at,
            });
        }
        last = certificate;
    }
    if is_self_signed(last) {
        if above.is_empty() {
            problems.push(Problem::SelfSigned);
        }
    } else if above.is_empty() && !last.issuer().as_raw().is_empty() {
        problems.push(Problem::Incomplete {
            issuer: last.issuer().to_string(),
        });
    }
}

pub(crate) fn instant(unix: i64) -> SystemTime {
    let distance = Duration::from_secs(unix.unsigned_abs());
    let shifted = if unix < 0 {
        UNIX_EPOCH.checked_sub(distance)
    } else {
        UNIX_EPOCH.checked_add(distance)
    };
    shifted.unwrap_or(UNIX_EPOCH)
}

/// A date as the operator reads it: year, month, day in UTC.
pub(crate) struct Day(pub(crate) SystemTime);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::try_from(self.0) {
            Ok(at) => at.strftime("%Y-%m-%d").fmt(f),
            Err(_) => f.write_str("a day beyond the calendar"),
        }
    }
}

#[cfg(test)]
mod tests;
