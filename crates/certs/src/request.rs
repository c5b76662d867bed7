//! What a CA is asked with: a key of our own, and the request that goes with it.

use data_encoding::BASE64URL_NOPAD;
use rcgen::{
    CertificateParams, DistinguishedName, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256,
    RsaKeySize,
};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use x509_parser::prelude::ParsedExtension;

use crate::Error;
use crate::authority::is_possible;
use crate::material::parse;
use crate::name::normal_name;

/// The kind of a private key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyKind {
    /// ECDSA on P-256: small and quick, and known to all clients since 2014.
    #[default]
    P256,
    /// RSA of 2048 bits, for clients that know nothing else.
    Rsa2048,
    /// RSA of 3072 bits.
    Rsa3072,
}

/// A new private key, PKCS#8 in PEM. One of RSA takes up to a second of work.
///
/// # Errors
/// [`Error::Issue`]: the system gave no randomness.
pub fn new_key(kind: KeyKind) -> Result<String, Error> {
    let key = match kind {
        KeyKind::P256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
        KeyKind::Rsa2048 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        KeyKind::Rsa3072 => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_3072),
    };
    let key = key.map_err(|error| Error::Issue(error.to_string()))?;
    Ok(key.serialize_pem())
}

/// The request for a certificate of `names` (host names, perhaps `*.domain`, or addresses) that belongs to
/// the key in PEM (PKCS#8): PKCS#10 in DER (RFC 2986), names in subjectAltName only.
///
/// # Errors
/// [`Error::BadName`] for a name that no certificate can carry, [`Error::BadKey`] for a key that is none, and
/// [`Error::Issue`] without names.
pub fn request<S: AsRef<str>>(key: &str, names: &[S]) -> Result<Vec<u8>, Error> {
    if names.is_empty() {
        return Err(Error::Issue("no name given".to_owned()));
    }
    let key = KeyPair::from_pem(key).map_err(|error| Error::BadKey(error.to_string()))?;
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for name in names {
        let name = normal_name(name.as_ref()).into_owned();
        let carried = CertificateParams::new(vec![name.clone()]);
        let carried = carried.map_err(|_| Error::BadName(name.clone()))?;
        if !is_possible(&name) {
            return Err(Error::BadName(name));
        }
        params.subject_alt_names.extend(carried.subject_alt_names);
    }
    let request = params.serialize_request(&key);
    let request = request.map_err(|error| Error::Issue(error.to_string()))?;
    Ok(request.der().to_vec())
}

/// What a CA calls the first certificate of the chain in PEM (RFC 9773 section 4.1): the key identifier of its
/// issuer and its serial number. None where the certificate does not name its issuer's key.
///
/// # Errors
/// [`Error::NoCertificate`], [`Error::BadCertificate`].
pub fn certificate_id(chain: &str) -> Result<Option<String>, Error> {
    let bad = |reason: String| Error::BadCertificate {
        position: 1,
        reason,
    };
    let der = CertificateDer::pem_slice_iter(chain.as_bytes()).next();
    let der = der
        .ok_or(Error::NoCertificate)?
        .map_err(|error| bad(error.to_string()))?;
    let certificate = parse(&der).map_err(bad)?;
    let issuer = certificate.extensions().iter().find_map(|extension| {
        let ParsedExtension::AuthorityKeyIdentifier(issuer) = extension.parsed_extension() else {
            return None;
        };
        issuer.key_identifier.as_ref().map(|key| key.0)
    });
    Ok(issuer.map(|issuer| {
        let issuer = BASE64URL_NOPAD.encode(issuer);
        let serial = BASE64URL_NOPAD.encode(certificate.raw_serial());
        format!("{issuer}.{serial}")
    }))
}

#[cfg(test)]
mod tests;
