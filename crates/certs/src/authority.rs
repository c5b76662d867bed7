//! The box's own certificate authority.

mod clients;

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::check::validity_of;
use crate::material::{is_self_signed, parse};
use crate::name::normal_name;
use crate::{Error, Material, Validity};
pub use clients::ForClient;

/// Longest life of what the CA issues: browsers refuse more than 398 days.
pub const LEAF_LIFETIME: Duration = Duration::from_hours(24 * 397);

/// Life of the CA itself: ten years, as installing it on every client is work.
const CA_LIFETIME: Duration = Duration::from_hours(24 * 3_653);

/// Clients whose clock is a little slow should believe us, too.
const CLOCK_TOLERANCE: Duration = Duration::from_hours(1);

/// Longest common name (RFC 5280 appendix A, ub-common-name).
const LONGEST_COMMON_NAME: usize = 64;

/// What an issued certificate may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Usage {
    /// Serving clients (serverAuth).
    Server,
    /// Serving clients and being shown to targets that ask who we are (serverAuth, clientAuth).
    Identity,
}

/// The box's own certificate authority: a P-256 key and a root of ten years.
///
/// The key never leaves the process that holds this.
pub struct Ca {
    issuer: Issuer<'static, KeyPair>,
    root_pem: String,
    validity: Validity,
}

impl Ca {
    /// A new authority whose root is named `common_name` (at most 64 characters), valid from `now`.
    ///
    /// # Errors
    /// [`Error::BadName`] for a common name that does not fit.
    pub fn create(common_name: &str, now: SystemTime) -> Result<Self, Error> {
        if common_name.is_empty() || common_name.chars().count() > LONGEST_COMMON_NAME {
            return Err(Error::BadName(common_name.to_owned()));
        }
        let validity = Validity {
            not_before: now.checked_sub(CLOCK_TOLERANCE).unwrap_or(UNIX_EPOCH),
            not_after: now + CA_LIFETIME,
        };
        let mut params = params(validity, Some(common_name));
        // It signs leaves only: a leaf that got away can not become an authority.
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![
            KeyUsagePurpose::KeyCertSign,
            KeyUsagePurpose::CrlSign,
            KeyUsagePurpose::DigitalSignature,
        ];
        let key = KeyPair::generate().map_err(|e| issue_error(&e))?;
        let root_pem = params.self_signed(&key).map_err(|e| issue_error(&e))?.pem();
        Self::load(&root_pem, &key.serialize_pem())
    }

    /// The authority that [`Ca::root_pem`] and [`Ca::key_pem`] were taken from.
    ///
    /// # Errors
    /// [`Error::BadCa`]: the store holds something else than it was given.
    pub fn load(root_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let bad = |what: &str| Error::BadCa(what.to_owned());
        let der = CertificateDer::from_pem_slice(root_pem.as_bytes())
            .map_err(|error| Error::BadCa(error.to_string()))?;
        let root = parse(&der).map_err(Error::BadCa)?;
        if !root.is_ca() || !is_self_signed(&root) {
            return Err(bad("its certificate is not that of an authority"));
        }
        let key = KeyPair::from_pem(key_pem).map_err(|_| bad("its key can not be read"))?;
        if root.public_key().subject_public_key.data.as_ref() != key.public_key_raw() {
            return Err(bad("its key does not belong to its certificate"));
        }
        let validity = validity_of(&root);
        let issuer =
            Issuer::from_ca_cert_der(&der, key).map_err(|error| Error::BadCa(error.to_string()))?;
        Ok(Self {
            issuer,
            root_pem: root_pem.to_owned(),
            validity,
        })
    }

    /// The root certificate in PEM: what clients install to believe what this CA issues.
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The private key of the CA in PEM (PKCS#8): for the store, and nothing else.
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// From when until when the root is valid.
    pub fn validity(&self) -> Validity {
        self.validity
    }

    /// A new P-256 key and a certificate for `names` (host names, `*.domain`, addresses).
    ///
    /// Valid from an hour before `now` for [`LEAF_LIFETIME`], but never beyond the root. The first
    /// name is its common name as well, which is what a PBX is told for an identity.
    ///
    /// # Errors
    /// [`Error::BadName`] for a name that no certificate can carry, [`Error::Issue`] without names
    /// or when the root is not valid at `now`.
    pub fn issue<S: AsRef<str>>(
        &self,
        names: &[S],
        usage: Usage,
        now: SystemTime,
    ) -> Result<Material, Error> {
        let names: Vec<String> = names
            .iter()
            .map(|name| normal_name(name.as_ref()).into_owned())
            .collect();
        let first = names
            .first()
            .ok_or_else(|| Error::Issue("no name given".to_owned()))?;
        self.is_valid_at(now)?;
        let validity = Validity {
            not_before: (now - CLOCK_TOLERANCE).max(self.validity.not_before),
            not_after: (now - CLOCK_TOLERANCE + LEAF_LIFETIME).min(self.validity.not_after),
        };
        let common_name = (first.len() <= LONGEST_COMMON_NAME).then_some(first.as_str());
        let mut params = params(validity, common_name);
        for name in &names {
            let carried = CertificateParams::new(vec![name.clone()])
                .map_err(|_| Error::BadName(name.clone()))?;
            if !is_possible(name) {
                return Err(Error::BadName(name.clone()));
            }
            params.subject_alt_names.extend(carried.subject_alt_names);
        }
        params.is_ca = IsCa::ExplicitNoCa;
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        if usage == Usage::Identity {
            let client = ExtendedKeyUsagePurpose::ClientAuth;
            params.extended_key_usages.push(client);
        }
        let key = KeyPair::generate().map_err(|e| issue_error(&e))?;
        let certificate = params
            .signed_by(&key, &self.issuer)
            .map_err(|e| issue_error(&e))?;
        Ok(Material {
            names,
            chain_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            temporary: false,
            line: None,
        })
    }
}

impl Ca {
    fn is_valid_at(&self, now: SystemTime) -> Result<(), Error> {
        if now > self.validity.not_after || now < self.validity.not_before {
            return Err(Error::Issue(
                "the box's own CA is not valid at this time; is the clock right?".to_owned(),
            ));
        }
        Ok(())
    }
}

impl fmt::Debug for Ca {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ca")
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

fn params(validity: Validity, common_name: Option<&str>) -> CertificateParams {
    let mut params = CertificateParams::default();
    let since_epoch = |at: SystemTime| at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(since_epoch(validity.not_before));
    params.not_after = epoch + Duration::from_secs(since_epoch(validity.not_after));
    params.distinguished_name = DistinguishedName::new();
    if let Some(name) = common_name {
        params.distinguished_name.push(DnType::CommonName, name);
    }
    params
}

/// An address, or labels of letters, digits, `-` and `_`, the first of which may be `*`.
pub(crate) fn is_possible(name: &str) -> bool {
    if name.parse::<std::net::IpAddr>().is_ok() {
        return true;
    }
    let labels = name.strip_prefix("*.").unwrap_or(name);
    labels.len() <= 253
        && labels.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        })
}

fn issue_error(error: &rcgen::Error) -> Error {
    Error::Issue(error.to_string())
}

#[cfg(test)]
mod tests;
