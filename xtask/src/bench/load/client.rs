//! A TLS client of our own, where no program counts what we want.
//!
//! It offers what nginx and HAProxy of the same machine agree on with wrk: TLS 1.3, AES-256-GCM and X25519,
//! and never resumes, so that all servers do the same work.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::client::Resumption;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs::{cipher_suite, default_provider, kx_group};
use rustls::crypto::{CryptoProvider, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, HandshakeKind, SignatureScheme, version};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::HOST;

/// An open connection.
pub(crate) type Connection = TlsStream<TcpStream>;

/// Addresses that clients come from: one has neither ports nor, with Gatehouse, connections enough.
const ADDRESSES: usize = 64;
/// How long one step of a client may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Connects to one server.
#[derive(Clone)]
pub(crate) struct Client {
    port: u16,
    name: ServerName<'static>,
    tls: TlsConnector,
}

impl Client {
    /// For the server at this port of the loopback address; `protocols` are offered by ALPN.
    pub(crate) fn new(port: u16, protocols: &[&[u8]]) -> Result<Self> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: vec![cipher_suite::TLS13_AES_256_GCM_SHA384],
            kx_groups: vec![kx_group::X25519],
            ..default_provider()
        });
        let mut config = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&version::TLS13])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody(provider)))
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
        config.resumption = Resumption::disabled();
        Ok(Self {
            port,
            name: ServerName::try_from(HOST)?,
            tls: TlsConnector::from(Arc::new(config)),
        })
    }

    /// A new connection with a full handshake; `number` chooses the address it comes from.
    pub(crate) async fn connect(&self, number: usize) -> Result<Connection> {
        let stream = self.connect_plain(number).await?;
        let handshake = self.tls.connect(self.name.clone(), stream);
        let stream = patiently(async { Ok(handshake.await?) }).await?;
        ensure!(
            stream.get_ref().1.handshake_kind() == Some(HandshakeKind::Full),
            "the handshake was not a full one"
        );
        Ok(stream)
    }

    /// The same without TLS.
    pub(crate) async fn connect_plain(&self, number: usize) -> Result<TcpStream> {
        let last = u8::try_from(number % ADDRESSES).expect("64 addresses") + 1;
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from(([127, 0, 1, last], 0)))?;
        patiently(async {
            let stream = socket
                .connect(SocketAddr::from((Ipv4Addr::LOCALHOST, self.port)))
                .await?;
            stream.set_nodelay(true)?;
            Ok(stream)
        })
        .await
    }
}

/// The protocol that the server at `port` chooses when it may have HTTP/2.
///
/// # Errors
/// When it does not speak TLS 1.3 with what all of them are to use.
pub(crate) fn negotiated(port: u16) -> Result<Option<Vec<u8>>> {
    let client = Client::new(port, &[b"h2", b"http/1.1"])?;
    let stream = block_on(async move { client.connect(0).await })?;
    Ok(stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec))
}

/// The size of an answer with its head, from the server at `port`.
///
/// # Errors
/// When it is not the right one, to the byte.
pub(crate) fn answer(port: u16, path: &str, cookie: Option<&str>, size: u64) -> Result<u64> {
    let client = Client::new(port, &[])?;
    let field = cookie.map_or(String::new(), |cookie| format!("Cookie: {cookie}\r\n"));
    block_on(async move {
        let mut stream = client.connect(0).await?;
        ask_with(&mut stream, path, &field, size, false).await
    })
}

/// One request for a body of so many bytes, and its answer; `last` asks the server to close. Returns the size
/// of the whole answer.
///
/// # Errors
/// When the answer is not the right one, to the byte.
pub(crate) async fn ask(stream: &mut Connection, path: &str, size: u64, last: bool) -> Result<u64> {
    let field = if last { "Connection: close\r\n" } else { "" };
    ask_with(stream, path, field, size, last).await
}

async fn ask_with(
    stream: &mut Connection,
    path: &str,
    field: &str,
    size: u64,
    last: bool,
) -> Result<u64> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{field}\r\n");
    stream.write_all(request.as_bytes()).await?;
    let (head, mut body) = patiently(head(stream)).await?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{head}");
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<u64>().ok());
    ensure!(length == Some(size), "{size} bytes were wanted: {head}");
    body.reserve(usize::try_from(size)?.saturating_sub(body.len()));
    while (body.len() as u64) < size {
        ensure!(
            patiently(async { Ok(stream.read_buf(&mut body).await?) }).await? > 0,
            "the body ends too early"
        );
    }
    if last {
        // With or without close_notify: the peers differ.
        patiently(async { Ok(stream.read_buf(&mut body).await.ok()) }).await?;
    }
    ensure!(body.len() as u64 == size, "more than the body");
    ensure!(body.iter().all(|byte| *byte == b'x'), "another body");
    Ok(head.len() as u64 + size)
}

/// The head of a response, and what came behind it.
pub(crate) async fn head(stream: &mut Connection) -> Result<(String, Vec<u8>)> {
    let mut bytes = Vec::with_capacity(1024);
    loop {
        ensure!(
            stream.read_buf(&mut bytes).await? > 0,
            "closed without an answer"
        );
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8(bytes)?, rest));
        }
        if bytes.len() > 8192 {
            bail!("no end of the head");
        }
    }
}

/// Ends with a fault instead of never.
pub(crate) async fn patiently<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, work)
        .await
        .context("no progress for 20 s")?
}

/// Runs a load on this thread.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}

/// Takes every certificate, but wants its key to be there.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Err(rustls::Error::General("only TLS 1.3 is offered".to_owned()))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        // The key of all three servers.
        vec![SignatureScheme::ECDSA_NISTP256_SHA256]
    }
}
