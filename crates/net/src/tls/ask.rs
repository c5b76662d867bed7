use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;

/// What all names of authorities may take together in a handshake, in bytes; beyond it, a client is told
/// none, and offers what it has.
const MOST_NAMES: usize = 8 * 1024;

/// Asks a client for a certificate, and sees only that it holds the key: whether the certificate is
/// believed is the matter of a rule, which can say why not.
#[derive(Debug)]
pub(super) struct Ask {
    names: Vec<DistinguishedName>,
    provider: Arc<CryptoProvider>,
}

impl Ask {
    /// Of clients that have one from authorities of these names (DER).
    pub(super) fn new(names: Vec<Vec<u8>>) -> Self {
        let all: usize = names.iter().map(|name| name.len() + 2).sum();
        let names = if all > MOST_NAMES { Vec::new() } else { names };
        Self {
            names: names.into_iter().map(DistinguishedName::from).collect(),
            provider: super::provider(),
        }
    }
}

impl ClientCertVerifier for Ask {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.names
    }

    fn verify_client_cert(
        &self,
        _leaf: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
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
