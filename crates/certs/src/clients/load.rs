//! How authorities and lists of revoked certificates are read.

use std::time::SystemTime;

use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use webpki::{OwnedCertRevocationList, anchor_from_trusted_cert};
use x509_parser::error::X509Error;
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate, X509Version};

use super::{Authority, Clients, Layer, OWN_CA, Outdated};
use crate::check::{instant as timestamp, validity_of};
use crate::material::parse;

/// Nobody trusts more by hand; a bundle of all public roots has some 150.
const MOST_AUTHORITIES: usize = 512;
/// Authorities that share one subject. Each has every certificate verified once more.
const MOST_LAYERS: usize = 8;
/// One list for each authority, or a few.
const MOST_LISTS: usize = 512;
/// The extension issuingDistributionPoint (RFC 5280 section 5.2.5).
const SCOPE: &str = "2.5.29.28";

/// The text of a file, with its name for what is said of it.
#[derive(Debug, Clone, Copy)]
pub struct PemFile<'a> {
    /// Its name, as the configuration has it.
    pub name: &'a str,
    /// What it holds.
    pub pem: &'a str,
}

/// A file with authorities or with revoked certificates that can not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {fault}")]
pub struct ClientsError {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub fault: ClientsFault,
}

/// What is wrong with such a file. Sections are counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClientsFault {
    /// No `CERTIFICATE` section.
    #[error("holds no certificate; a PEM file with the certificate of the authority is needed")]
    NoCertificate,
    /// No `X509 CRL` section.
    #[error(
        "holds no list of revoked certificates; a PEM file with `-----BEGIN X509 CRL-----` is needed (`openssl crl -inform DER -in FILE`)"
    )]
    NoList,
    /// A certificate can not be read.
    #[error("certificate {0} can not be read: {1}")]
    BadCertificate(usize, String),
    /// A certificate is not that of an authority.
    #[error(
        "certificate {0} ({1}) is not that of an authority; give the certificate that signs those of the clients"
    )]
    NoAuthority(usize, String),
    /// A list can not be read.
    #[error("list {0} can not be used: {1}")]
    BadList(usize, String),
    /// A list bears the name of an authority that did not sign it.
    #[error("list {0} bears the name of {1}, but was not signed by it")]
    ForeignList(usize, String),
    /// Too many of them.
    #[error("more than {0} of them; give only what clients here need")]
    TooMany(usize),
}

/// A list as it was read.
struct List {
    parsed: OwnedCertRevocationList,
    issuer: Vec<u8>,
    /// The authorities that signed it; empty where none has its name.
    signers: Vec<usize>,
    since: SystemTime,
}

pub(super) fn clients(
    authorities: &[PemFile<'_>],
    lists: &[PemFile<'_>],
    outdated: Outdated,
) -> Result<Clients, ClientsError> {
    let mut known: Vec<(Authority, CertificateDer<'static>)> = Vec::new();
    for file in authorities {
        read_authorities(file, &mut known).map_err(|fault| fault_of(file, fault))?;
    }
    // Of one that was renewed, the certificate that lasts longest is tried first.
    known.sort_by_key(|(authority, _)| std::cmp::Reverse(authority.validity.not_after));
    let mut read = Vec::new();
    let mut ends = Vec::new();
    for file in lists {
        read_lists(file, &known, &mut read, &mut ends).map_err(|fault| fault_of(file, fault))?;
    }
    read.sort_by_key(|list| std::cmp::Reverse(list.since));
    let authorities: Vec<_> = known.into_iter().map(|(authority, _)| authority).collect();
    let layers =
        layers(&authorities, read).map_err(|(file, fault)| ClientsError { file, fault })?;
    Ok(Clients {
        layers,
        authorities,
        ends,
        outdated,
    })
}

/// Whether the certificate of `root` is among those of `pem`; both are PEM.
pub fn holds(pem: &str, root: &str) -> bool {
    let Ok(root) = CertificateDer::from_pem_slice(root.as_bytes()) else {
        return false;
    };
    CertificateDer::pem_slice_iter(pem.as_bytes())
        .flatten()
        .any(|certificate| certificate == root)
}

fn fault_of(file: &PemFile<'_>, fault: ClientsFault) -> ClientsError {
    ClientsError {
        file: file.name.to_owned(),
        fault,
    }
}

fn read_authorities(
    file: &PemFile<'_>,
    known: &mut Vec<(Authority, CertificateDer<'static>)>,
) -> Result<(), ClientsFault> {
    let mut position = 0;
    for section in CertificateDer::pem_slice_iter(file.pem.as_bytes()) {
        position += 1;
        let bad = |reason: String| ClientsFault::BadCertificate(position, reason);
        let der = section.map_err(|error| bad(error.to_string()))?;
        let authority = authority(file.name, &der, position)?;
        if let Some((other, _)) = known.iter_mut().find(|(_, other)| *other == der) {
            // What counts for the box's own CA counts under whatever other name its root is given once more.
            if file.name == OWN_CA {
                OWN_CA.clone_into(&mut other.file);
            }
            continue;
        }
        if known.len() == MOST_AUTHORITIES {
            return Err(ClientsFault::TooMany(MOST_AUTHORITIES));
        }
        known.push((authority, der));
    }
    if position == 0 {
        return Err(ClientsFault::NoCertificate);
    }
    Ok(())
}

fn authority(
    file: &str,
    der: &CertificateDer<'_>,
    position: usize,
) -> Result<Authority, ClientsFault> {
    let bad = |reason: String| ClientsFault::BadCertificate(position, reason);
    let parsed = parse(der).map_err(bad)?;
    let subject = parsed.subject().to_string();
    // Certificates of the first version can not say it.
    if parsed.version() == X509Version::V3 && !parsed.is_ca() {
        return Err(ClientsFault::NoAuthority(position, subject));
    }
    let anchor = anchor_from_trusted_cert(der).map_err(|error| bad(error.to_string()))?;
    Ok(Authority {
        file: file.to_owned(),
        anchor: anchor.to_owned(),
        name: parsed.subject().as_raw().to_vec(),
        validity: validity_of(&parsed),
        subject,
    })
}

fn read_lists(
    file: &PemFile<'_>,
    known: &[(Authority, CertificateDer<'static>)],
    lists: &mut Vec<List>,
    ends: &mut Vec<(String, SystemTime)>,
) -> Result<(), ClientsFault> {
    let mut position = 0;
    for section in CertificateRevocationListDer::pem_slice_iter(file.pem.as_bytes()) {
        position += 1;
        let bad = |reason: String| ClientsFault::BadList(position, reason);
        let der = section.map_err(|error| bad(error.to_string()))?;
        if lists.len() == MOST_LISTS {
            return Err(ClientsFault::TooMany(MOST_LISTS));
        }
        let (list, end) = list(&der, known, position)?;
        lists.push(list);
        ends.push((file.name.to_owned(), end));
    }
    if position == 0 {
        return Err(ClientsFault::NoList);
    }
    Ok(())
}

/// The list, and when it is to be followed by the next.
fn list(
    der: &[u8],
    known: &[(Authority, CertificateDer<'static>)],
    position: usize,
) -> Result<(List, SystemTime), ClientsFault> {
    let bad = |reason: String| ClientsFault::BadList(position, reason);
    let (_, parsed) =
        CertificateRevocationList::from_der(der).map_err(|error| bad(error.to_string()))?;
    let end = parsed
        .next_update()
        .ok_or_else(|| bad("it does not say until when it holds (nextUpdate)".to_owned()))?;
    if parsed.version() != Some(X509Version::V2) {
        let why = "it is of version 1; set `crlnumber` in the configuration of `openssl ca`";
        return Err(bad(why.to_owned()));
    }
    // Where it is not sure to cover a certificate, it would be passed over in silence.
    if parsed
        .extensions()
        .iter()
        .any(|extension| extension.oid.to_id_string() == SCOPE)
    {
        let why = "it says that it covers a part of the certificates only (issuingDistributionPoint), and \
                   who is revoked in the others would come in; ask the authority for its full list, \
                   without that extension";
        return Err(bad(why.to_owned()));
    }
    let owned = OwnedCertRevocationList::from_der(der).map_err(|error| bad(error.to_string()))?;
    let issuer = parsed.issuer().as_raw();
    let named = || {
        let all = known.iter().enumerate();
        all.filter(|(_, (authority, _))| authority.name == issuer)
    };
    // One of a kind that can not be verified here is left to the verification of certificates.
    let signed = |certificate: &CertificateDer<'_>| {
        parse(certificate).is_ok_and(|ca: X509Certificate<'_>| {
            let verified = parsed.verify_signature(ca.public_key());
            !matches!(verified, Err(X509Error::SignatureVerificationError))
        })
    };
    let signers: Vec<_> = named()
        .filter(|(_, (_, certificate))| signed(certificate))
        .map(|(index, _)| index)
        .collect();
    if signers.is_empty() && named().next().is_some() {
        let issuer = parsed.issuer().to_string();
        return Err(ClientsFault::ForeignList(position, issuer));
    }
    let list = List {
        parsed: owned,
        issuer: issuer.to_vec(),
        signers,
        since: timestamp(parsed.last_update().timestamp()),
    };
    Ok((list, timestamp(end.timestamp())))
}

/// Authorities of one subject apart from each other, each with its lists; lists of nobody here are those
/// of intermediates, and go with all.
fn layers(
    authorities: &[Authority],
    lists: Vec<List>,
) -> Result<Vec<Layer>, (String, ClientsFault)> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut places = Vec::with_capacity(authorities.len());
    for (index, authority) in authorities.iter().enumerate() {
        let before = authorities[..index].iter();
        let place = before.filter(|other| other.name == authority.name).count();
        if place == MOST_LAYERS {
            let fault = ClientsFault::TooMany(MOST_LAYERS);
            return Err((authority.file.clone(), fault));
        }
        if place == layers.len() {
            layers.push(Layer::default());
        }
        layers[place].anchors.push(authority.anchor.clone());
        places.push(place);
    }
    for list in lists {
        let own: Vec<_> = list.signers.iter().map(|signer| places[*signer]).collect();
        let of_none = !authorities.iter().any(|known| known.name == list.issuer);
        for (place, layer) in layers.iter_mut().enumerate() {
            if of_none || own.contains(&place) {
                layer.lists.push(list.parsed.clone().into());
            }
        }
    }
    Ok(layers)
}
