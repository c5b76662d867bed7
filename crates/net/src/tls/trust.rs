use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::{CertificateError, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::sync::Arc;

/// Which certificate of a target is believed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Trust {
    /// One from a public authority, for the name we ask for.
    System,
    /// One from the authorities in this PEM text, for the name we ask for.
    Ca(String),
    /// Exactly the one with this SHA-256 over its DER form; neither name nor dates matter.
    Sha256([u8; 32]),
    /// Any: the connection is encrypted, and the target is whoever answers.
    Any,
}

/// A [`Trust`] that can not be put to work.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The PEM text holds no certificate.
    #[error("no certificate in the PEM text")]
    Empty,
    /// The PEM text is broken.
    #[error("the PEM text can not be read: {0}")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// A certificate in it can not be an authority.
    #[error("a certificate can not be used as an authority: {0}")]
    Authority(rustls::Error),
    /// rustls refuses the set of authorities.
    #[error("the authorities can not be used: {0}")]
    Verifier(#[from] rustls::client::VerifierBuilderError),
    /// The provider lacks a protocol version.
    #[error(transparent)]
    Tls(rustls::Error),
}

impl Trust {
    pub(super) fn verifier(&self) -> Result<Arc<dyn ServerCertVerifier>, TrustError> {
        let provider = super::provider();
        let roots: RootCertStore = match self {
            Self::System => webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect(),
            Self::Ca(pem) => authorities(pem)?,
            Self::Sha256(digest) => {
                return Ok(Arc::new(Unnamed {
                    digest: Some(*digest),
                    provider,
                }));
            }
            Self::Any => {
                return Ok(Arc::new(Unnamed {
                    digest: None,
                    provider,
                }));
            }
        };
        Ok(WebPkiServerVerifier::builder_with_provider(roots.into(), provider).build()?)
    }
}

fn authorities(pem: &str) -> Result<RootCertStore, TrustError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate?).map_err(TrustError::Authority)?;
    }
    if roots.is_empty() {
        return Err(TrustError::Empty);
    }
    Ok(roots)
}

/// Believes without asking for a name or a chain; the peer must still hold the certificate's key.
#[derive(Debug)]
struct Unnamed {
    digest: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Unnamed {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.digest {
            Some(wanted) if sha256(leaf).as_ref() != wanted => Err(
                rustls::Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure),
            ),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, leaf, signed, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, leaf, signed, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

fn sha256(bytes: &[u8]) -> rustls::crypto::hash::Output {
    let suite = TLS13_AES_128_GCM_SHA256
        .tls13()
        .expect("a constant that names a TLS 1.3 suite");
    suite.common.hash_provider.hash(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_certificate_is_no_authority() {
        assert!(matches!(
            Trust::Ca("nothing".into()).verifier(),
            Err(TrustError::Empty)
        ));
        assert!(Trust::System.verifier().is_ok());
        assert!(Trust::Any.verifier().is_ok());
    }

    #[test]
    fn the_digest_is_that_of_the_der_form() {
        // FIPS 180-4, the empty message.
        let empty = sha256(b"");
        assert_eq!(empty.as_ref()[..4], [0xe3, 0xb0, 0xc4, 0x42]);
    }
}
