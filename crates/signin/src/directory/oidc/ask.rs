//! One request to a provider: HTTP/1 over TLS, on a connection of its own, with an end to everything.

use super::provider::is_https;
use super::text::clean;
use bytes::Bytes;
use guard::entrance::Typed;
use http::header::{ACCEPT, AUTHORIZATION, CONNECTION, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderValue, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use net::connect::connect;
use net::resolve::Names;
use net::stream::Stream;
use net::tls::{Trust, client_config};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// From the name of the provider to the end of its answer.
const LIMIT: Duration = Duration::from_secs(10);
/// For the TCP connection alone.
const CONNECT: Duration = Duration::from_secs(5);
/// The body of an answer: a list of keys with their certificates is the longest.
const BODY: usize = 256 * 1024;
/// The head of an answer.
const HEAD: usize = 32 * 1024;

/// How a provider is reached.
pub(super) struct Http {
    tls: Arc<ClientConfig>,
    names: Names,
}

/// What is sent.
#[derive(Debug, Default)]
pub(super) struct Question {
    /// A form; without one, it is a GET.
    pub(super) form: Option<Typed>,
    /// The value of the `Authorization` field.
    pub(super) authorization: Option<Typed>,
}

/// What a provider has answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

impl Http {
    /// Reaches providers whose certificates lead to `roots` (PEM), or to the public ones.
    ///
    /// # Errors
    /// Why the roots are none.
    pub(super) fn new(roots: Option<&str>, names: Names) -> Result<Self, String> {
        let trust = match roots {
            Some(pem) => Trust::Ca(pem.to_owned()),
            None => Trust::System,
        };
        let tls = client_config(&trust, None)
            .map_err(|error| format!("the roots of its certificate: {error}"))?;
        Ok(Self {
            tls: Arc::new(tls),
            names,
        })
    }

    /// Asks `address`, and goes nowhere else, whatever the answer says.
    ///
    /// # Errors
    /// Why there is no answer: the provider can not be reached, is not who it should be, or breaks off. An answer of any
    /// status is none.
    pub(super) async fn ask(&self, address: &str, question: Question) -> Result<Answer, String> {
        match timeout(LIMIT, self.ask_at(address, question)).await {
            Ok(answered) => answered,
            Err(_) => Err(format!("no answer within {} s", LIMIT.as_secs())),
        }
    }

    async fn ask_at(&self, address: &str, question: Question) -> Result<Answer, String> {
        let uri: Option<Uri> = Some(address)
            .filter(|address| is_https(address))
            .and_then(|address| address.parse().ok());
        let uri = uri.ok_or("this is no https address")?;
        let request = request(&uri, &question)?;
        let stream = self.connect(&uri).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD)
            .max_headers(64)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| told(&error))?;
        let answered = async {
            let response = sender.send_request(request).await;
            let (head, body) = response.map_err(|error| told(&error))?.into_parts();
            let body = Limited::new(body, BODY).collect().await;
            let body = body.map_err(|error| format!("its answer broke off: {error}"))?;
            Ok(Answer {
                status: head.status.as_u16(),
                body: body.to_bytes(),
            })
        };
        tokio::pin!(answered, connection);
        let mut open = true;
        loop {
            tokio::select! {
                answer = &mut answered => return answer,
                // How it ended, the answer tells.
                _ = &mut connection, if open => open = false,
            }
        }
    }

    async fn connect(&self, uri: &Uri) -> Result<Stream, String> {
        let name = uri.host().unwrap_or_default();
        let name = name.trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(443);
        let addresses = self.addresses(name, port).await?;
        let io = connect(&addresses, CONNECT)
            .await
            .map_err(|error| format!("no connection: {error}"))?;
        let name = ServerName::try_from(name.to_owned());
        let name = name.map_err(|_| "this is no name of a TLS server")?;
        let stream = Stream::connect(io, Arc::clone(&self.tls), name).await;
        stream.map_err(|error| {
            // It may hold names of the other side's certificate.
            let error = clean(&error.to_string());
            format!("TLS failed: {error}; a CA of your own needs its root given as issuer_ca")
        })
    }

    async fn addresses(&self, name: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
        if let Ok(address) = name.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        // Of this worker's runtime: a resolver's connections live on the one that asks.
        let resolver = self.names.resolver().map_err(|error| error.to_string())?;
        let found = resolver.addresses(name).await;
        let found = found.map_err(|error| format!("its name has no address: {error}"))?;
        Ok(found.iter().map(|&ip| SocketAddr::new(ip, port)).collect())
    }
}

fn request(uri: &Uri, question: &Question) -> Result<Request<Full<Bytes>>, String> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let method = match &question.form {
        Some(_) => Method::POST,
        None => Method::GET,
    };
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, authority)
        .header(USER_AGENT, concat!("Gatehouse/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "application/json")
        .header(CONNECTION, "close");
    if let Some(value) = &question.authorization {
        let value = HeaderValue::from_str(value.as_str());
        let mut value = value.map_err(|_| "a secret that no field can hold")?;
        value.set_sensitive(true);
        request = request.header(AUTHORIZATION, value);
    }
    let mut body = Bytes::new();
    if let Some(form) = &question.form {
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        body = Bytes::copy_from_slice(form.as_str().as_bytes());
    }
    request
        .body(Full::new(body))
        .map_err(|error| error.to_string())
}

/// hyper keeps what has happened behind what it makes of it.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => clean(&format!("{error}: {source}")),
        None => clean(&error.to_string()),
    }
}
