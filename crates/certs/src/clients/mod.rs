//! Which certificate of a client is believed, and what it says of the client.

mod load;
mod refused;
mod verified;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustls::crypto::aws_lc_rs;
use rustls_pki_types::{CertificateDer, TrustAnchor, UnixTime};
use x509_parser::prelude::X509Certificate;

use webpki::{
    CertRevocationList, EndEntityCert, ExpirationPolicy, KeyUsage, RevocationOptionsBuilder,
    UnknownStatusPolicy,
};

use crate::check::{Day, Validity};
use crate::material::parse;
pub use load::{ClientsError, ClientsFault, PemFile, holds};
pub use refused::{Refused, Why};
pub(crate) use verified::clean;
pub use verified::{Verified, matches_name};

/// What the root of the box's own CA is called among the files with authorities: of what it issues, only what is for clients
/// alone lets anybody in, and not what the box shows of itself.
pub const OWN_CA: &str = "own";

/// Certificates between that of a client and its authority. More would have every way up tried, which
/// takes seconds for some hundreds.
const MOST_INTERMEDIATES: usize = 6;

/// How long before its end an authority is told of: its clients need other certificates by then.
const ENDS_SOON: Duration = Duration::from_hours(24 * 30);

/// What becomes of certificates whose list of revoked ones is older than it says it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Outdated {
    /// They are refused: nobody knows who was revoked since.
    #[default]
    Refuse,
    /// They are judged by the old list.
    Accept,
}

/// The authorities whose client certificates are believed, with their lists of revoked ones.
#[derive(Debug)]
pub struct Clients {
    /// Authorities that share a subject stand in layers of their own, so that each has its own lists.
    layers: Vec<Layer>,
    authorities: Vec<Authority>,
    /// When each list should have been followed by the next one, with its file.
    ends: Vec<(String, SystemTime)>,
    outdated: Outdated,
}

/// Authorities of different subjects, and the lists that belong to them.
#[derive(Debug, Default)]
struct Layer {
    anchors: Vec<TrustAnchor<'static>>,
    /// The newest first, since the first that fits decides.
    lists: Vec<CertRevocationList<'static>>,
}

/// One authority.
#[derive(Debug)]
struct Authority {
    file: String,
    anchor: TrustAnchor<'static>,
    /// Its subject as DER, tag and length included.
    name: Vec<u8>,
    subject: String,
    validity: Validity,
}

impl Clients {
    /// The authorities of `authorities` with the lists of revoked certificates of `lists`, PEM both.
    ///
    /// # Errors
    /// [`ClientsError`]: a file holds nothing of the kind, or what can not be used; who provided it
    /// is to blame.
    pub fn new(
        authorities: &[PemFile<'_>],
        lists: &[PemFile<'_>],
        outdated: Outdated,
    ) -> Result<Self, ClientsError> {
        load::clients(authorities, lists, outdated)
    }

    /// Judges the certificate that a client has shown, who has proven to hold its key: signed by one of
    /// the authorities, perhaps by way of `intermediates`, in its time, made for clients unless it does
    /// not say what it is for (RFC 5280 section 4.2.1.12), and not revoked, nor what leads to it. More than
    /// six intermediates are refused unseen.
    ///
    /// An authority without a list revokes nothing.
    ///
    /// # Errors
    /// [`Refused`]; the client is to blame, or who looks after the lists ([`Why::ListOutdated`]).
    pub fn verify(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<Verified, Refused> {
        let parsed = parse(certificate).map_err(Refused::unreadable)?;
        let verified = Verified::of(&parsed);
        if intermediates.len() > MOST_INTERMEDIATES {
            return Err(Refused::new(&verified, Why::ChainTooLong));
        }
        let leaf = EndEntityCert::try_from(certificate)
            .map_err(|error| Refused::new(&verified, Why::Unusable(error.to_string())))?;
        let mut refused = None;
        for layer in &self.layers {
            match self.verify_in(layer, (&leaf, &parsed), intermediates, now) {
                Ok(()) => return Ok(verified),
                Err(why) if why.says_more_than(refused.as_ref()) => refused = Some(why),
                Err(_) => {}
            }
        }
        let why = match refused {
            None | Some(Why::UnknownAuthority(_)) => {
                Why::UnknownAuthority(parsed.issuer().to_string())
            }
            Some(why) => why,
        };
        Err(Refused::new(&verified, why))
    }

    /// The names of the authorities as DER: what a client is told to choose its certificate by
    /// (RFC 8446 section 4.2.4).
    pub fn authority_names(&self) -> Vec<Vec<u8>> {
        let mut names: Vec<_> = self.authorities.iter().map(|a| a.name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// What the operator should know at `now`, one sentence each: authorities whose time is over, or soon will be, and lists
    /// that are outdated.
    pub fn problems(&self, now: SystemTime) -> Vec<String> {
        let ended = self
            .authorities
            .iter()
            .filter(|authority| now > authority.validity.not_after)
            .map(|authority| {
                let Authority { file, subject, .. } = authority;
                let day = Day(authority.validity.not_after);
                format!("{file}: the authority {subject} expired on {day}, and its client certificates are refused")
            });
        let soon = self.authorities.iter().filter(|authority| {
            let end = authority.validity.not_after;
            now <= end && now + ENDS_SOON > end && !self.has_follower(authority)
        });
        let soon = soon.map(|authority| {
            let Authority { file, subject, .. } = authority;
            let day = Day(authority.validity.not_after);
            format!("{file}: the authority {subject} expires on {day}, and its client certificates are refused then; add the one that follows it")
        });
        let outdated = self.ends.iter().filter(|(_, end)| now > *end);
        let outdated = outdated.map(|(file, end)| {
            let judged = match self.outdated {
                Outdated::Refuse => "client certificates of its authority are refused",
                Outdated::Accept => "who was revoked since is not known",
            };
            format!("{file}: the list of revoked certificates expired on {}, and {judged}; fetch the next one", Day(*end))
        });
        ended.chain(soon).chain(outdated).collect()
    }

    /// Whether there is another certificate of an authority, which lasts longer.
    fn has_follower(&self, of: &Authority) -> bool {
        self.authorities
            .iter()
            .any(|other| other.name == of.name && other.validity.not_after > of.validity.not_after)
    }

    fn verify_in(
        &self,
        layer: &Layer,
        (leaf, parsed): (&EndEntityCert<'_>, &X509Certificate<'_>),
        intermediates: &[CertificateDer<'_>],
        now: SystemTime,
    ) -> Result<(), Why> {
        let lists: Vec<_> = layer.lists.iter().collect();
        let revocation = RevocationOptionsBuilder::new(&lists).ok().map(|options| {
            options
                .with_status_policy(UnknownStatusPolicy::Allow)
                .with_expiration_policy(match self.outdated {
                    Outdated::Refuse => ExpirationPolicy::Enforce,
                    Outdated::Accept => ExpirationPolicy::Ignore,
                })
                .build()
        });
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let path = leaf
            .verify_for_usage(
                aws_lc_rs::default_provider()
                    .signature_verification_algorithms
                    .all,
                &layer.anchors,
                intermediates,
                UnixTime::since_unix_epoch(since),
                KeyUsage::client_auth(),
                revocation,
                None,
            )
            .map_err(|error| Why::from(&error))?;
        self.is_in_time(path.anchor(), now)?;
        if self.is_own(path.anchor()) && !is_for_clients_alone(parsed) {
            return Err(Why::NotIssuedForClients);
        }
        Ok(())
    }

    fn is_own(&self, anchor: &TrustAnchor<'_>) -> bool {
        self.authorities.iter().any(|authority| {
            let known = &authority.anchor;
            authority.file == OWN_CA
                && known.subject == anchor.subject
                && known.subject_public_key_info == anchor.subject_public_key_info
        })
    }

    /// Whether the authority itself is; the library takes it as given. One that was renewed with its key
    /// counts by whichever of its certificates is valid.
    fn is_in_time(&self, anchor: &TrustAnchor<'_>, now: SystemTime) -> Result<(), Why> {
        let same = self.authorities.iter().filter(|authority| {
            let known = &authority.anchor;
            known.subject == anchor.subject
                && known.subject_public_key_info == anchor.subject_public_key_info
        });
        let mut ended = None;
        for authority in same {
            let Validity {
                not_before,
                not_after,
            } = authority.validity;
            if now >= not_before && now <= not_after {
                return Ok(());
            }
            ended = Some(authority);
        }
        match ended {
            Some(authority) => Err(Why::AuthorityNotInTime {
                subject: authority.subject.clone(),
                not_before: authority.validity.not_before,
                not_after: authority.validity.not_after,
            }),
            None => Err(Why::Unusable("its authority is not known".to_owned())),
        }
    }
}

fn is_for_clients_alone(certificate: &X509Certificate<'_>) -> bool {
    let usage = certificate.extended_key_usage().ok().flatten();
    usage.is_some_and(|usage| {
        let usage = usage.value;
        usage.client_auth && !usage.server_auth && !usage.any
    })
}

/// The instant that `time` means.
fn instant(time: UnixTime) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(time.as_secs())
}

#[cfg(test)]
mod tests;
