use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, OtherError, SignatureScheme};
use rustls_pki_types::{CertificateDer, UnixTime};
use std::sync::Arc;

/// What all names of authorities may take together in a handshake, in bytes; beyond it, a client is told
/// none, and offers what it has.
const MOST_NAMES: usize = 8 * 1024;
/// Certificates that a client may show above its own. Whoever judges them tries every way up.
const MOST_ABOVE: usize = 6;
/// What they may take together with its own, in bytes: they are kept as long as the connection.
const MOST_SHOWN: usize = 16 * 1024;

/// A client shows far more than leads from its certificate to an authority.
#[derive(Debug, thiserror::Error)]
#[error(
    "the client shows more certificates than any chain needs, {MOST_ABOVE} above its own or {MOST_SHOWN} bytes"
)]
struct ShowsTooMuch;

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
        leaf: &CertificateDer<'_>,
        above: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        let shown: usize = above.iter().map(|one| one.len()).sum();
        if above.len() > MOST_ABOVE || leaf.len() + shown > MOST_SHOWN {
            return Err(rustls::Error::Other(OtherError(Arc::new(ShowsTooMuch))));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_chain_needs_ends_the_handshake() {
        let ask = Ask::new(Vec::new());
        let now = UnixTime::since_unix_epoch(std::time::Duration::ZERO);
        let taken = |leaf: usize, above: &[usize]| {
            let of = |length: usize| CertificateDer::from(vec![0; length]);
            let above: Vec<_> = above.iter().copied().map(of).collect();
            ask.verify_client_cert(&of(leaf), &above, now).is_ok()
        };
        assert!(taken(1000, &[]) && taken(1000, &[2000; 6]));
        assert!(!taken(1, &[1; 7]));
        assert!(taken(MOST_SHOWN - 1, &[1]));
        assert!(!taken(MOST_SHOWN, &[1]) && !taken(1, &[MOST_SHOWN]));
        assert!(!taken(MOST_SHOWN + 1, &[]));
    }
}
