//! TLS of the data path: what a server or client side is configured with, and the session itself.
//!
//! Sessions use rustls without its own buffers: records are read into and written from memory that
//! one thread shares among all its connections, so that an idle connection holds none.

mod records;
mod session;
mod trust;

pub(crate) use session::Session;
pub use trust::{Trust, TrustError};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::server::{NoServerSessionStorage, ProducesTickets, ResolvesServerCert};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ServerConfig};
use std::sync::{Arc, OnceLock};

/// The alert a hello with an unknown server name is answered with (RFC 8446 section 6.2):
/// a fatal `unrecognized_name`, as one record.
pub const UNRECOGNIZED_NAME: [u8; 7] = [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x70];

/// The one provider of cryptography, with X25519MLKEM768 first.
pub fn provider() -> Arc<CryptoProvider> {
    static PROVIDER: OnceLock<Arc<CryptoProvider>> = OnceLock::new();
    Arc::clone(PROVIDER.get_or_init(|| Arc::new(aws_lc_rs::default_provider())))
}

/// What listeners present: TLS 1.2 and 1.3, the certificate that `chooser` picks, `alpn` in order of
/// preference, and session tickets that stay good across reloads of this process.
///
/// # Errors
/// Ours: the provider lacks a protocol version, or the system gave no randomness.
pub fn server_config(
    chooser: Arc<dyn ResolvesServerCert>,
    alpn: &[&[u8]],
) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(chooser);
    config.alpn_protocols = alpn.iter().map(|name| name.to_vec()).collect();
    config.ticketer = ticketer()?;
    Ok(config)
}

/// What a hello gets that offers the one protocol `alpn`, such as RFC 8737's: this certificate, and nothing that
/// outlives the connection.
///
/// # Errors
/// Ours: the provider lacks a protocol version.
pub fn proof_config(proof: CertifiedKey, alpn: &[u8]) -> Result<ServerConfig, rustls::Error> {
    let mut config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(SingleCertAndKey::from(proof)));
    config.alpn_protocols = vec![alpn.to_vec()];
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.send_tls13_tickets = 0;
    Ok(config)
}

/// What connections to targets are opened with: TLS 1.2 and 1.3, `http/1.1`, resumption, the target's
/// certificate judged by `trust`, and `identity` for targets that ask who we are.
///
/// # Errors
/// [`TrustError`] when `trust` holds no usable certificate; the configuration's fault.
pub fn client_config(
    trust: &Trust,
    identity: Option<CertifiedKey>,
) -> Result<ClientConfig, TrustError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(TrustError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(trust.verifier()?);
    let mut config = match identity {
        Some(key) => config.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(key))),
        None => config.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// One set of ticket keys per process, so that a reload does not end resumption.
fn ticketer() -> Result<Arc<dyn ProducesTickets>, rustls::Error> {
    static TICKETER: OnceLock<Arc<dyn ProducesTickets>> = OnceLock::new();
    if let Some(ticketer) = TICKETER.get() {
        return Ok(Arc::clone(ticketer));
    }
    let fresh = aws_lc_rs::Ticketer::new()?;
    Ok(Arc::clone(TICKETER.get_or_init(|| fresh)))
}
