//! One request to a CA: HTTP/1 over TLS, on a connection of its own, with an end to everything.

use super::order::Failure;
use super::problem::{clean, retry_after, unfit, unreachable};
use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, LOCATION, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Method, Request, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use net::connect::connect;
use net::resolve::{Names, Resolver};
use net::stream::Stream;
use net::tls::{Trust, client_config};
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::timeout;

/// From the name of the CA to the end of its answer.
const LIMIT: Duration = Duration::from_secs(30);
/// For the TCP connection alone.
const CONNECT: Duration = Duration::from_secs(10);
/// A directory has 1 KB, a chain less than 10.
const BODY: usize = 128 * 1024;
/// The head of an answer.
const HEAD: usize = 32 * 1024;
/// How an address of the CA is told from a stranger's attempt to fill memory.
const LONGEST_ADDRESS: usize = 2048;

/// How a CA is reached.
pub(super) struct Http {
    tls: Arc<ClientConfig>,
    resolver: Resolver,
}

/// What a CA has answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) nonce: Option<String>,
    pub(super) location: Option<String>,
    pub(super) retry_after: Option<u64>,
}

impl Http {
    /// Reaches CAs whose certificates lead to `roots` (PEM), or to the public ones.
    ///
    /// # Errors
    /// Ours: the roots are none, or the system gives no randomness.
    pub(super) fn new(roots: Option<&str>, names: &Names) -> Result<Self, Failure> {
        let trust = match roots {
            Some(pem) => Trust::Ca(pem.to_owned()),
            None => Trust::System,
        };
        let tls = client_config(&trust, None)
            .map_err(|error| unfit(format!("the root certificates for the CA: {error}")))?;
        let resolver = names
            .resolver()
            .map_err(|error| unfit(format!("no name can be resolved: {error}")))?;
        Ok(Self {
            tls: Arc::new(tls),
            resolver,
        })
    }

    /// Asks for `url`, with a signed `body` or without one.
    ///
    /// # Errors
    /// The CA's: it can not be reached, is not who it should be, or breaks off; an answer of any status is none.
    pub(super) async fn ask(
        &self,
        method: Method,
        url: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, Failure> {
        let place = Place::of(url)?;
        match timeout(LIMIT, self.ask_at(&place, method, body)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(why)) => Err(unreachable(format!("the CA at {}: {why}", place.host))),
            Err(_) => Err(unreachable(format!(
                "the CA at {} did not answer within {} s",
                place.host,
                LIMIT.as_secs()
            ))),
        }
    }

    async fn ask_at(
        &self,
        place: &Place,
        method: Method,
        body: Option<Vec<u8>>,
    ) -> Result<Answer, String> {
        let stream = self.connect(place).await?;
        let (mut sender, connection) = http1::Builder::new()
            .max_buf_size(HEAD)
            .max_headers(64)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(|error| told(&error))?;
        let request = request(place, method, body)?;
        let answered = async {
            let response = sender.send_request(request).await;
            let response = response.map_err(|error| told(&error))?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, BODY).collect().await;
            let body = body.map_err(|error| format!("its answer broke off: {error}"))?;
            let body = body.to_bytes();
            Ok::<_, String>(answer(head.status.as_u16(), &head.headers, body))
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

    async fn connect(&self, place: &Place) -> Result<Stream, String> {
        let addresses = addresses(&self.resolver, &place.name, place.port).await?;
        let io = connect(&addresses, CONNECT)
            .await
            .map_err(|error| format!("it can not be reached: {error}; is the way out open?"))?;
        let name = ServerName::try_from(place.name.clone());
        let name = name.map_err(|_| "this is no name of a TLS server".to_owned())?;
        let stream = Stream::connect(io, Arc::clone(&self.tls), name).await;
        stream.map_err(|error| {
            format!(
                "TLS failed: {error}; a CA of your own needs its root certificate given, and the clock must be right"
            )
        })
    }
}

/// The addresses of `name`, which may be one itself.
pub(super) async fn addresses(
    resolver: &Resolver,
    name: &str,
    port: u16,
) -> Result<Vec<SocketAddr>, String> {
    if let Ok(address) = name.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let found = resolver.addresses(name).await;
    let found = found.map_err(|error| {
        format!("its name has no address: {error}; are the name servers right?")
    })?;
    Ok(found.iter().map(|&ip| SocketAddr::new(ip, port)).collect())
}

/// Where a request goes.
struct Place {
    /// As the request names it.
    host: String,
    /// Without brackets and port.
    name: String,
    port: u16,
    path: String,
}

impl Place {
    fn of(url: &str) -> Result<Self, Failure> {
        let none = || unfit(format!("{:?} is no https address of a CA", clean(url)));
        if url.len() > LONGEST_ADDRESS {
            return Err(none());
        }
        let uri: Uri = url.parse().map_err(|_| none())?;
        let authority = uri.authority().filter(|a| !a.as_str().contains('@'));
        let authority = authority.ok_or_else(none)?;
        if uri.scheme_str() != Some("https") {
            return Err(none());
        }
        let name = authority.host();
        let name = name.strip_prefix('[').unwrap_or(name);
        Ok(Self {
            host: authority.to_string(),
            name: name.strip_suffix(']').unwrap_or(name).to_owned(),
            port: authority.port_u16().unwrap_or(443),
            path: uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
        })
    }
}

fn request(
    place: &Place,
    method: Method,
    body: Option<Vec<u8>>,
) -> Result<Request<Full<Bytes>>, String> {
    let mut request = Request::builder()
        .method(method)
        .uri(&place.path)
        .header(HOST, &place.host)
        // RFC 8555 section 6.1.
        .header(USER_AGENT, concat!("Gatehouse/", env!("CARGO_PKG_VERSION")))
        .header(
            ACCEPT,
            "application/json, application/pem-certificate-chain, */*;q=0.1",
        )
        .header(http::header::CONNECTION, "close");
    if body.is_some() {
        request = request.header(CONTENT_TYPE, "application/jose+json");
    }
    let body = Full::new(Bytes::from(body.unwrap_or_default()));
    request.body(body).map_err(|error| error.to_string())
}

fn answer(status: u16, fields: &HeaderMap, body: Bytes) -> Answer {
    let field = |name: &str| {
        let value = fields.get(name)?.to_str().ok()?;
        Some(value.to_owned()).filter(|value| value.len() <= LONGEST_ADDRESS)
    };
    let wait = field(RETRY_AFTER.as_str());
    Answer {
        status,
        body: body.into(),
        nonce: field("replay-nonce").filter(|nonce| is_nonce(nonce)),
        location: field(LOCATION.as_str()),
        retry_after: wait.and_then(|wait| retry_after(&wait, SystemTime::now())),
    }
}

/// RFC 8555 section 6.5.1.
fn is_nonce(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    !text.is_empty() && text.bytes().all(fits)
}

/// hyper keeps what has happened behind what it makes of it.
fn told(error: &hyper::Error) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_leads_to_a_ca() {
        let place = Place::of("https://ca.example:14000/dir?x=1").ok().unwrap();
        assert_eq!(
            (&*place.host, &*place.name, place.port, &*place.path),
            ("ca.example:14000", "ca.example", 14000, "/dir?x=1")
        );
        let place = Place::of("https://[::1]").ok().unwrap();
        assert_eq!((&*place.name, place.port, &*place.path), ("::1", 443, "/"));
        for url in [
            "http://ca.example/dir",
            "/dir",
            "",
            "https://user@ca.example/",
            "https://ca.example/\u{0}",
            "ftp://ca.example/",
        ] {
            assert!(Place::of(url).is_err(), "{url:?}");
        }
        let long = format!("https://ca.example/{}", "a".repeat(LONGEST_ADDRESS));
        assert!(Place::of(&long).is_err());
    }

    #[test]
    fn a_nonce_that_could_say_something_else_is_none() {
        for (text, is) in [
            ("abc_-09", true),
            ("", false),
            ("a b", false),
            ("a\"b", false),
        ] {
            assert_eq!(is_nonce(text), is, "{text:?}");
        }
    }
}
