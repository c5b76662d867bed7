//! What is behind the servers, within this process: a registrar, and a place that takes and gives bytes.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use rustls::ServerConfig;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::version;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpSocket;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::{message, pump};

/// Where SIP is taken over TCP: not at the address of the servers, of which one would take it for itself.
pub(super) const SIP: &str = "127.0.0.2:18060";
/// Where SIP is taken over TLS.
pub(super) const SIP_TLS: &str = "127.0.0.2:18061";
/// Where bytes are taken and given over TCP.
pub(super) const PUMP: &str = "127.0.0.2:18070";
/// Where bytes are taken and given over TLS.
pub(super) const PUMP_TLS: &str = "127.0.0.2:18071";

/// A connection, with or without TLS.
pub(super) type Wire = Box<dyn Both>;

/// What a connection can do.
pub(super) trait Both: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Both for T {}

/// Targets that serve while this lives.
pub(super) struct Targets {
    _tasks: JoinSet<Result<()>>,
}

impl Targets {
    /// Begins to serve at all four addresses, with the certificate in `dir`.
    pub(super) fn start(dir: &Path) -> Result<Self> {
        let tls = TlsAcceptor::from(Arc::new(config(dir)?));
        let mut tasks = JoinSet::new();
        tasks.spawn(listen(listener(SIP)?, None, true));
        tasks.spawn(listen(listener(SIP_TLS)?, Some(tls.clone()), true));
        tasks.spawn(listen(listener(PUMP)?, None, false));
        tasks.spawn(listen(listener(PUMP_TLS)?, Some(tls), false));
        Ok(Self { _tasks: tasks })
    }
}

fn listener(address: &str) -> Result<tokio::net::TcpListener> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(address.parse()?)?;
    socket.listen(4096).with_context(|| address.to_owned())
}

async fn listen(
    listener: tokio::net::TcpListener,
    tls: Option<TlsAcceptor>,
    is_sip: bool,
) -> Result<()> {
    let mut open = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let tls = tls.clone();
        // A fault ends the connection; the client counts it.
        open.spawn(async move {
            let wire: Wire = match tls {
                None => Box::new(stream),
                Some(tls) => Box::new(tls.accept(stream).await?),
            };
            if is_sip {
                message::answer_all(wire).await
            } else {
                pump::echo_blocks(wire).await
            }
        });
        while open.try_join_next().is_some() {}
    }
}

/// What HAProxy and Gatehouse agree on with it: TLS 1.3, AES-256-GCM and X25519. Nothing is resumed.
fn config(dir: &Path) -> Result<ServerConfig> {
    let provider = CryptoProvider {
        cipher_suites: vec![cipher_suite::TLS13_AES_256_GCM_SHA384],
        kx_groups: vec![kx_group::X25519],
        ..default_provider()
    };
    let chain = vec![CertificateDer::from_pem_file(dir.join("cert.pem"))?];
    let key = PrivateKeyDer::from_pem_file(dir.join("cert.key"))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.send_tls13_tickets = 0;
    Ok(config)
}
