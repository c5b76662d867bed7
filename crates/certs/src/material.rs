//! A private key with its chain, and how it is read from PEM.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::sign::{CertifiedKey, SigningKey};
use rustls_pki_types::pem::{Error as PemError, PemObject};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::Error;
use crate::name::normal_name;

/// No public chain has more than five; a bundle of roots given by mistake has hundreds.
const MOST_CERTIFICATES: usize = 16;

/// A private key with its chain, and the names it serves.
///
/// `Debug` does not show the key.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Material {
    /// Host names (perhaps `*.domain`) and addresses it is chosen for; normal form.
    pub names: Vec<String>,
    /// The certificate first, then its intermediates, in PEM.
    pub chain_pem: String,
    /// The private key in PEM: PKCS#8, SEC1 or PKCS#1.
    pub key_pem: String,
    /// Stands in until the right one arrives; any other one for the same name goes first.
    pub temporary: bool,
    /// Line of the `[[certificate]]` in the configuration; none for what the box made itself.
    pub line: Option<u32>,
}

impl Material {
    /// The chain, leaf first.
    ///
    /// # Errors
    /// [`Error::NoCertificate`], [`Error::BadCertificate`], [`Error::TooManyCertificates`].
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        read_chain(&self.chain_pem)
    }

    /// What rustls serves or shows: chain and key, proven to belong together.
    ///
    /// # Errors
    /// As [`load_pem`].
    pub fn certified_key(&self) -> Result<CertifiedKey, Error> {
        let chain = self.chain()?;
        let key = read_key(&self.key_pem)?;
        if !fits(&chain[0], key.as_ref()) {
            return Err(Error::KeyMismatch {
                subject: subject_of(&chain[0]),
            });
        }
        Ok(CertifiedKey::new(chain, key))
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Material")
            .field("names", &self.names)
            .field("temporary", &self.temporary)
            .field("line", &self.line)
            .finish_non_exhaustive()
    }
}

/// Reads a chain and its key from PEM text; text around the PEM sections is ignored.
///
/// The chain may be in any order: the certificate that belongs to the key comes first in the
/// result, each next one signed the one before; a root and what does not belong are left out, since
/// clients need neither. Names are those the certificate itself lists.
///
/// # Errors
/// Whoever provided the files is to blame: [`Error`] says which part of which one.
pub fn load_pem(chain: &str, key: &str) -> Result<Material, Error> {
    let certificates = read_chain(chain)?;
    let signing_key = read_key(key)?;
    let leaf = certificates
        .iter()
        .position(|c| fits(c, signing_key.as_ref()))
        .ok_or_else(|| Error::KeyMismatch {
            subject: subject_of(&certificates[0]),
        })?;
    let ordered = in_order(certificates, leaf);
    let names = names_of(&parse(&ordered[0]).map_err(|reason| Error::BadCertificate {
        position: leaf + 1,
        reason,
    })?);
    Ok(Material {
        names,
        chain_pem: ordered.iter().map(|c| certificate_pem(c)).collect(),
        key_pem: key_section(key),
        temporary: false,
        line: None,
    })
}

/// The names a certificate lists (subjectAltName: host names and addresses), in normal form.
pub(crate) fn names_of(certificate: &X509Certificate<'_>) -> Vec<String> {
    let Ok(Some(extension)) = certificate.subject_alternative_name() else {
        return Vec::new();
    };
    let listed = extension.value.general_names.iter();
    listed
        .filter_map(|name| match name {
            GeneralName::DNSName(name) => Some(normal_name(name).into_owned()),
            GeneralName::IPAddress(bytes) => address(bytes).map(|a| a.to_string()),
            _ => None,
        })
        .collect()
}

/// The certificate as PEM (RFC 7468).
pub(crate) fn certificate_pem(der: &[u8]) -> String {
    let config = pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF);
    pem::encode_config(&pem::Pem::new("CERTIFICATE", der), config)
}

pub(crate) fn parse(der: &[u8]) -> Result<X509Certificate<'_>, String> {
    match X509Certificate::from_der(der) {
        Ok(([], certificate)) => Ok(certificate),
        Ok(_) => Err("bytes follow its end".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

pub(crate) fn subject_of(der: &[u8]) -> String {
    let Ok(certificate) = parse(der) else {
        return "(unreadable)".to_owned();
    };
    let names = names_of(&certificate);
    match names.first() {
        Some(name) => name.clone(),
        None => certificate.subject().to_string(),
    }
}

/// True when `issuer` signed `certificate`; a signature of a kind that can not be verified here
/// counts when the names fit.
pub(crate) fn signed_by(certificate: &X509Certificate<'_>, issuer: &X509Certificate<'_>) -> bool {
    certificate.issuer().as_raw() == issuer.subject().as_raw()
        && !matches!(
            certificate.verify_signature(Some(issuer.public_key())),
            Err(x509_parser::error::X509Error::SignatureVerificationError)
        )
}

pub(crate) fn is_self_signed(certificate: &X509Certificate<'_>) -> bool {
    signed_by(certificate, certificate)
}

/// The certificates in PEM text, as they stand there.
///
/// # Errors
/// [`Error::NoCertificate`], [`Error::BadCertificate`], [`Error::TooManyCertificates`].
pub fn chain(text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    read_chain(text)
}

fn read_chain(text: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let mut chain = Vec::new();
    for section in CertificateDer::pem_slice_iter(text.as_bytes()) {
        let position = chain.len() + 1;
        if position > MOST_CERTIFICATES {
            return Err(Error::TooManyCertificates {
                most: MOST_CERTIFICATES,
            });
        }
        let der = section.map_err(|error| Error::BadCertificate {
            position,
            reason: error.to_string(),
        })?;
        parse(&der).map_err(|reason| Error::BadCertificate { position, reason })?;
        chain.push(der);
    }
    if chain.is_empty() {
        return Err(Error::NoCertificate);
    }
    Ok(chain)
}

fn read_key(text: &str) -> Result<Arc<dyn SigningKey>, Error> {
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----")
        || text.contains("Proc-Type: 4,ENCRYPTED")
    {
        return Err(Error::EncryptedKey);
    }
    let der = PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|error| match error {
        PemError::NoItemsFound => Error::NoKey,
        other => Error::BadKey(other.to_string()),
    })?;
    aws_lc_rs::default_provider()
        .key_provider
        .load_private_key(der)
        .map_err(|error| Error::BadKey(error.to_string()))
}

/// True when the public key of the certificate is the one of `key`.
fn fits(certificate: &CertificateDer<'_>, key: &dyn SigningKey) -> bool {
    let (Ok(certificate), Some(public)) = (parse(certificate), key.public_key()) else {
        return false;
    };
    certificate.public_key().raw == public.as_ref()
}

/// The leaf, then each signer of the one before, without the root.
fn in_order(mut rest: Vec<CertificateDer<'static>>, leaf: usize) -> Vec<CertificateDer<'static>> {
    let mut ordered = vec![rest.swap_remove(leaf)];
    while let Some(last) = ordered.last() {
        let next = rest
            .iter()
            .position(|candidate| match (parse(last), parse(candidate)) {
                (Ok(below), Ok(above)) => !is_self_signed(&above) && signed_by(&below, &above),
                _ => false,
            });
        match next {
            Some(at) => ordered.push(rest.swap_remove(at)),
            None => break,
        }
    }
    ordered
}

/// The private key section alone, so that a combined file does not carry its chain twice.
fn key_section(text: &str) -> String {
    let begin = text.find("-----BEGIN ").and_then(|first| {
        text[first..]
            .match_indices("-----BEGIN ")
            .map(|(at, _)| first + at)
            .find(|&at| {
                text[at..]
                    .lines()
                    .next()
                    .is_some_and(|l| l.trim_end().ends_with("PRIVATE KEY-----"))
            })
    });
    let Some(begin) = begin else {
        return text.to_owned();
    };
    let mut section = String::new();
    for line in text[begin..].lines() {
        section.push_str(line.trim_end());
        section.push('\n');
        if line.starts_with("-----END ") {
            break;
        }
    }
    section
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => <[u8; 4]>::try_from(bytes).ok().map(IpAddr::from),
        16 => <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
