//! A connection to the server, and TLS on it.

use super::super::Fault;
use config::{LdapLogin, LdapSecrecy, TargetCertificate, TargetHost};
use net::connect::connect;
use net::resolve::Names;
use net::stream::{Stream, tls_fault};
use net::tls::{Trust, TrustError, client_config};
use proto::ldap::{Kind, START_TLS, answer};
use rustls::{CertificateError, ClientConfig};
use rustls_pki_types::ServerName;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long its name, the connection and TLS may take, each.
const STEP: Duration = Duration::from_secs(4);
/// The longest answer to the request for TLS, in bytes.
const LONGEST_START: usize = 4096;

/// Where the server is, and how it is known.
#[derive(Debug)]
pub(super) struct Server {
    url: String,
    host: TargetHost,
    port: u16,
    tls: Option<Tls>,
    names: Names,
}

#[derive(Debug)]
struct Tls {
    config: Arc<ClientConfig>,
    /// It is asked for first (RFC 4511 section 4.14).
    start: bool,
}

impl Server {
    pub(super) fn new(
        login: &LdapLogin,
        ca: Option<&str>,
        names: Names,
    ) -> Result<Self, TrustError> {
        let tls = match &login.secrecy {
            LdapSecrecy::Tls(certificate) => Some((certificate, false)),
            LdapSecrecy::StartTls(certificate) => Some((certificate, true)),
            LdapSecrecy::None => None,
        };
        let tls = tls.map(|(certificate, start)| {
            let trust = match certificate {
                TargetCertificate::System => Trust::System,
                TargetCertificate::Ca(_) => Trust::Ca(ca.unwrap_or_default().to_owned()),
                TargetCertificate::Sha256(digest) => Trust::Sha256(*digest),
                TargetCertificate::Any => Trust::Any,
            };
            let mut config = client_config(&trust, None)?;
            config.alpn_protocols = Vec::new();
            Ok::<_, TrustError>(Tls {
                config: Arc::new(config),
                start,
            })
        });
        Ok(Self {
            url: login.url.clone(),
            host: login.host.clone(),
            port: login.port,
            tls: tls.transpose()?,
            names,
        })
    }

    /// A connection that may carry a password.
    pub(super) async fn connect(&self) -> Result<Stream, Fault> {
        let addresses = self.addresses().await?;
        let connected = connect(&addresses, STEP).await;
        let mut socket = connected.map_err(|error| self.unreachable(words(&error)))?;
        let Some(tls) = &self.tls else {
            return Ok(Stream::plain(socket));
        };
        if tls.start {
            let started = timeout(STEP, self.start_tls(&mut socket)).await;
            started.unwrap_or_else(|_| Err(self.silent()))?;
        }
        let shaken = Stream::connect(socket, Arc::clone(&tls.config), self.tls_name()?);
        match timeout(STEP, shaken).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(error)) => Err(self.unreachable(why_no_tls(&error))),
            Err(_) => Err(self.silent()),
        }
    }

    /// It does not answer in time.
    pub(super) fn silent(&self) -> Fault {
        self.unreachable("it does not answer in time")
    }

    /// It can not be reached.
    fn unreachable(&self, why: impl Into<String>) -> Fault {
        Fault::Unreachable {
            server: self.url.clone(),
            why: why.into(),
        }
    }

    /// What it says is of no use.
    pub(super) fn unfit(&self, why: impl Into<String>) -> Fault {
        Fault::Unfit {
            server: self.url.clone(),
            why: why.into(),
        }
    }

    async fn addresses(&self) -> Result<Vec<SocketAddr>, Fault> {
        let name = match &self.host {
            TargetHost::Ip(address) => return Ok(vec![(*address, self.port).into()]),
            TargetHost::Name(name) => name,
        };
        let no_address =
            |error: String| self.unreachable(format!("its name has no address: {error}"));
        let resolver = self.names.resolver();
        let resolver = resolver.map_err(|error| no_address(error.to_string()))?;
        let found = timeout(STEP, resolver.addresses(name)).await;
        let found = found.map_err(|_| no_address("the name server does not answer".to_owned()))?;
        let found = found.map_err(|error| no_address(error.to_string()))?;
        Ok(found
            .into_iter()
            .map(|address| (address, self.port).into())
            .collect())
    }

    fn tls_name(&self) -> Result<ServerName<'static>, Fault> {
        match &self.host {
            TargetHost::Ip(address) => Ok(ServerName::IpAddress((*address).into())),
            TargetHost::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| self.unfit("its name can not stand in a certificate")),
        }
    }

    /// Asks for TLS. Not a byte beyond the answer is read: what comes in clear is nobody's.
    async fn start_tls(&self, socket: &mut TcpStream) -> Result<(), Fault> {
        let lost = |error: io::Error| self.unreachable(words(&error));
        socket.write_all(START_TLS).await.map_err(lost)?;
        let mut read = Vec::new();
        let answer = loop {
            let mut room = [0; 512];
            let count = socket.read(&mut room).await.map_err(lost)?;
            if count == 0 {
                return Err(self.unreachable("it hangs up when asked for StartTLS"));
            }
            read.extend_from_slice(&room[..count]);
            match answer(&read) {
                Ok(Some(answer)) => break answer,
                Ok(None) if read.len() <= LONGEST_START => {}
                Ok(None) | Err(_) => return Err(self.unfit("it does not speak LDAP on this port")),
            }
        };
        match answer.kind {
            Kind::Extended(0) if answer.length == read.len() => Ok(()),
            Kind::Extended(0) => Err(self.unfit("it speaks out of turn before TLS")),
            Kind::Extended(code) => Err(self.unfit(format!(
                "it refuses StartTLS (code {code}); does it have a certificate?"
            ))),
            _ => Err(self.unfit("it does not know StartTLS")),
        }
    }
}

/// Why a TLS handshake failed, and which key changes it.
fn why_no_tls(error: &io::Error) -> String {
    let Some(fault) = tls_fault(error) else {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset => {
                "it hangs up during the TLS handshake".to_owned()
            }
            _ => words(error),
        };
    };
    let rustls::Error::InvalidCertificate(fault) = fault else {
        return format!("no TLS with it: {fault}");
    };
    match fault {
        CertificateError::UnknownIssuer => {
            "its certificate is from a CA that is not trusted; name the file with that CA in `certificate`"
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name; write that one in `url`, or `certificate` with sha256"
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired"
        }
        CertificateError::ApplicationVerificationFailure => {
            "its certificate is not the one of `certificate`"
        }
        other => return format!("its certificate is not believed: {other}"),
    }
    .to_owned()
}

fn words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nothing listens there".to_owned(),
        io::ErrorKind::TimedOut => "it does not answer in time".to_owned(),
        _ => error.to_string(),
    }
}
