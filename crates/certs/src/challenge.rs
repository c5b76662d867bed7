//! What a CA finds where it looks whether a name is ours.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::BASE64URL_NOPAD;
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, KeyPair};
use rustls::crypto::aws_lc_rs::sign::any_supported_type;
use rustls::sign::CertifiedKey;
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::Error;
use crate::name::normal_name;

/// The protocol of a TLS hello that looks for a proof (RFC 8737 section 6.2).
pub const TLS_PROTOCOL: &[u8] = b"acme-tls/1";

/// The path below which a CA looks for a proof (RFC 8555 section 8.3).
pub const HTTP_PATH: &str = "/.well-known/acme-challenge/";

/// Proofs that lie out at one time: some orders of a hundred names each.
const MOST: usize = 256;

/// The proofs that lie out for CAs now: what lays them out and what serves them share one table.
#[derive(Clone, Default)]
pub struct Answers(Arc<Mutex<Table>>);

/// One proof for one name.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A page on the plain port (RFC 8555 section 8.3).
    Http {
        /// The name.
        host: String,
        /// The last part of the path.
        token: String,
        /// The page.
        text: String,
    },
    /// A certificate for a hello with [`TLS_PROTOCOL`] (RFC 8737).
    Tls {
        /// The name.
        name: String,
        /// The certificate, as [`tls_certificate`] makes it.
        key: Arc<CertifiedKey>,
    },
    /// A TXT record (RFC 8555 section 8.4).
    Txt {
        /// Where it stands.
        name: String,
        /// The record, as [`dns_text`] makes it.
        text: String,
    },
}

/// A proof that lies out until this is dropped.
#[derive(Debug)]
#[must_use = "the proof lies out only while this lives"]
pub struct Held {
    answers: Answers,
    number: u64,
}

/// No more proofs can lie out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{MOST} proofs lie out already")]
pub struct Full;

#[derive(Default)]
struct Table {
    next: u64,
    rows: Vec<(u64, Answer)>,
}

impl Answers {
    /// Lays out a proof until what is returned is dropped.
    ///
    /// # Errors
    /// [`Full`]: ours, as more is ordered at a time than is reasonable.
    pub fn add(&self, answer: Answer) -> Result<Held, Full> {
        let mut table = self.table();
        if table.rows.len() >= MOST {
            return Err(Full);
        }
        let number = table.next;
        table.next += 1;
        table.rows.push((number, answer.normal()));
        Ok(Held {
            answers: self.clone(),
            number,
        })
    }

    /// The page that a request for this path at this host (without a port) gets; none where the
    /// request has nothing to do with a proof.
    pub fn http(&self, host: &str, path: &str) -> Option<String> {
        let asked = path.strip_prefix(HTTP_PATH)?;
        let wanted = normal_name(host);
        self.table().rows.iter().find_map(|(_, row)| match row {
            Answer::Http { host, token, text } if *host == wanted && token == asked => {
                Some(text.clone())
            }
            _ => None,
        })
    }

    /// The certificate for a hello that offers [`TLS_PROTOCOL`] and this server name; the one that
    /// was laid out last, as an order given up may leave one behind for a moment.
    pub fn tls(&self, server_name: &str) -> Option<Arc<CertifiedKey>> {
        let wanted = normal_name(server_name);
        let table = self.table();
        table.rows.iter().rev().find_map(|(_, row)| match row {
            Answer::Tls { name, key } if *name == wanted => Some(Arc::clone(key)),
            _ => None,
        })
    }

    /// The TXT records of this name.
    pub fn txt(&self, name: &str) -> Vec<String> {
        let wanted = normal_name(name);
        let table = self.table();
        let texts = table.rows.iter().filter_map(|(_, row)| match row {
            Answer::Txt { name, text } if *name == wanted => Some(text.clone()),
            _ => None,
        });
        texts.collect()
    }

    /// How many proofs lie out.
    pub fn len(&self) -> usize {
        self.table().rows.len()
    }

    /// Whether none lies out.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A panic of another holder leaves the table whole: no change of it can fail half way.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Answers").field(&self.len()).finish()
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut table = self.answers.table();
        table.rows.retain(|(number, _)| *number != self.number);
    }
}

impl Answer {
    fn normal(mut self) -> Self {
        let (Self::Http { host: name, .. } | Self::Tls { name, .. } | Self::Txt { name, .. }) =
            &mut self;
        *name = normal_name(name).into_owned();
        self
    }
}

/// The certificate that proves `name` by a key authorization (RFC 8737 section 3): of its own making, with the
/// digest in a critical extension.
///
/// # Errors
/// [`Error::BadName`] for a name that no certificate can carry, [`Error::Issue`] when the system gave no
/// randomness.
pub fn tls_certificate(name: &str, key_authorization: &str) -> Result<CertifiedKey, Error> {
    let issue = |error: rcgen::Error| Error::Issue(error.to_string());
    let name = normal_name(name).into_owned();
    let params = CertificateParams::new(vec![name.clone()]);
    let mut params = params.map_err(|_| Error::BadName(name))?;
    params.distinguished_name = DistinguishedName::new();
    let digest = digest(&SHA256, key_authorization.as_bytes());
    params.custom_extensions = vec![CustomExtension::new_acme_identifier(digest.as_ref())];
    let key = KeyPair::generate().map_err(issue)?;
    let certificate = params.self_signed(&key).map_err(issue)?;
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = any_supported_type(&key).map_err(|error| Error::BadKey(error.to_string()))?;
    Ok(CertifiedKey::new(vec![certificate.der().clone()], key))
}

/// The TXT record that proves a name by a key authorization (RFC 8555 section 8.4).
pub fn dns_text(key_authorization: &str) -> String {
    let digest = digest(&SHA256, key_authorization.as_bytes());
    BASE64URL_NOPAD.encode(digest.as_ref())
}

#[cfg(test)]
mod tests;
