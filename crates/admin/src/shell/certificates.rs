//! Which certificate a browser is shown.

use std::sync::Arc;

use certs::{Material, covers};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

/// The box's own certificate, which is for its addresses as well, and perhaps one that browsers trust for its name.
///
/// Whoever comes under any other name is shown the box's own one: the answer then says which names there are.
#[derive(Debug)]
pub(crate) struct Certificates {
    own: Arc<CertifiedKey>,
    trusted: Vec<(Vec<String>, Arc<CertifiedKey>)>,
}

impl Certificates {
    /// Takes `own`, and the others for the names that they are for.
    ///
    /// # Errors
    /// One of them can not be used.
    pub(crate) fn new(own: &Material, trusted: &[Material]) -> Result<Self, certs::Error> {
        let key = |material: &Material| material.certified_key().map(Arc::new);
        let pair = |material: &Material| Ok((material.names.clone(), key(material)?));
        Ok(Self {
            own: key(own)?,
            trusted: trusted.iter().map(pair).collect::<Result<_, _>>()?,
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let found = hello.server_name().and_then(|name| {
            let covers = |names: &[String]| names.iter().any(|known| covers(known, name));
            self.trusted.iter().find(|(names, _)| covers(names))
        });
        Some(Arc::clone(found.map_or(&self.own, |(_, key)| key)))
    }
}
