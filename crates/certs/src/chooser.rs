//! Which certificate a TLS handshake gets.

use std::collections::HashMap;
use std::sync::Arc;

use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::name::{normal_name, parent};
use crate::{Error, Material};

/// Picks the certificate for the server name of a TLS hello: the exact name first, then the
/// wildcard, and none for a name nobody listed. A hello without a name gets the first certificate.
///
/// Where several certificates list one name (say, RSA and ECDSA), the first whose key the client
/// can verify is taken, temporary ones last.
#[derive(Debug)]
pub struct Chooser {
    keys: Vec<Arc<CertifiedKey>>,
    /// By name; a wildcard stands under its name with the `*`. Never an empty list.
    by_name: HashMap<Box<str>, Vec<Candidate>>,
    /// What a hello without a name gets.
    nameless: usize,
    /// Whether names without a certificate get that, too.
    takes_strangers: bool,
}

/// One certificate for a name; the lasting ones sort before the temporary ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Candidate {
    temporary: bool,
    index: usize,
}

impl Chooser {
    /// A chooser among `materials`; an index means the position in this list.
    ///
    /// # Errors
    /// As [`crate::load_pem`], for the first material that can not be used.
    pub fn new(materials: Vec<Material>) -> Result<Self, Error> {
        let mut keys = Vec::with_capacity(materials.len());
        let mut by_name: HashMap<Box<str>, Vec<Candidate>> = HashMap::new();
        for (index, material) in materials.into_iter().enumerate() {
            keys.push(Arc::new(material.certified_key()?));
            for name in &material.names {
                let candidates = by_name.entry(normal_name(name).into()).or_default();
                candidates.push(Candidate {
                    temporary: material.temporary,
                    index,
                });
            }
        }
        for candidates in by_name.values_mut() {
            candidates.sort_unstable();
            candidates.dedup();
        }
        Ok(Self {
            keys,
            by_name,
            nameless: 0,
            takes_strangers: false,
        })
    }

    /// The same, where a hello without a name gets what one with `name` gets, if there is such, and not the first of all.
    #[must_use]
    pub fn with_nameless(mut self, name: &str) -> Self {
        if let Some(index) = self.index_for(name) {
            self.nameless = index;
        }
        self
    }

    /// The same, where a name without a certificate gets what a hello without one gets, and is not refused.
    #[must_use]
    pub fn with_strangers(mut self) -> Self {
        self.takes_strangers = true;
        self
    }

    /// The position of the certificate that a hello with `name` gets; none: it is refused.
    ///
    /// Two names with the same index share a certificate, so that a request for either may come
    /// over a connection that was made for the other.
    pub fn index_for(&self, name: &str) -> Option<usize> {
        self.candidates(name)
            .first()
            .map(|candidate| candidate.index)
    }

    /// True when there is no certificate at all.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// How many certificates there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    fn candidates(&self, name: &str) -> &[Candidate] {
        let name = normal_name(name);
        if let Some(exact) = self.by_name.get(name.as_ref()) {
            return exact;
        }
        parent(&name)
            .and_then(|domain| self.by_name.get(format!("*.{domain}").as_str()))
            .map_or(&[], Vec::as_slice)
    }
}

impl ResolvesServerCert for Chooser {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let Some(name) = hello.server_name() else {
            return self.keys.get(self.nameless).cloned();
        };
        let candidates = self.candidates(name);
        if candidates.is_empty() && self.takes_strangers {
            return self.keys.get(self.nameless).cloned();
        }
        let verifiable = candidates.iter().find(|candidate| {
            let key = &self.keys[candidate.index].key;
            key.choose_scheme(hello.signature_schemes()).is_some()
        });
        // With none that fits, rustls says itself that there is no common signature scheme.
        let candidate = verifiable.or(candidates.first())?;
        Some(Arc::clone(&self.keys[candidate.index]))
    }
}

#[cfg(test)]
mod tests;
