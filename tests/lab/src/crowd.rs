//! Very many WebSockets at once: clients over TLS from several addresses, and a target that echoes.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::{Lab, PATIENCE, Place, Process};

/// How many handshakes are under way at once.
const HANDSHAKES: usize = 64;
/// How long one handshake or one echo may take: a limit for what hangs.
const TURN: Duration = Duration::from_secs(30);
/// The example of RFC 6455 section 1.3, whose answer the target knows.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

type Socket = TlsStream<TcpStream>;

/// Who comes, from where, and where to.
#[derive(Clone, Debug)]
pub struct Guests {
    /// How many connections.
    pub count: usize,
    /// The addresses they come from, in turn.
    pub from: Vec<IpAddr>,
    /// Where they connect to.
    pub to: SocketAddr,
    /// The name they ask for.
    pub host: &'static str,
    /// The path they ask for.
    pub path: &'static str,
    /// The root certificate they trust.
    pub root: PathBuf,
}

/// Open WebSockets; they are closed when it is dropped.
pub struct Crowd {
    orders: mpsc::UnboundedSender<Order>,
}

/// A reply channel for each round of echoes.
type Order = std::sync::mpsc::Sender<Result<usize>>;

impl Crowd {
    /// Opens all of them at `place`, each with a handshake of its own.
    ///
    /// # Errors
    /// When one is refused or cut.
    pub fn open(lab: &Lab, place: Place, guests: &Guests) -> Result<Self> {
        let connector = connector(&guests.root)?;
        let (orders, inbox) = mpsc::unbounded_channel();
        let (opened, outcome) = std::sync::mpsc::channel();
        let guests = guests.clone();
        // A thread starts in the namespace of the one that starts it.
        lab.enter(place, || {
            thread::spawn(move || host(&guests, &connector, inbox, &opened));
        })?;
        outcome.recv()??;
        Ok(Self { orders })
    }

    /// Sends a message over each of them and demands it back; how many there are.
    ///
    /// # Errors
    /// When one was cut, or brings anything else.
    pub fn echo(&self) -> Result<usize> {
        let (reply, outcome) = std::sync::mpsc::channel();
        self.orders.send(reply).ok().context("the crowd is gone")?;
        outcome.recv_timeout(PATIENCE).context("no echo in time")?
    }
}

/// A target that agrees to every handshake with one key and sends every message back.
pub struct Parrot {
    _process: Process,
}

impl Parrot {
    /// Starts one at `place` on `address`, `IP:PORT`.
    pub fn start(lab: &Lab, place: Place, address: &str) -> Result<Self> {
        let script = crate::websocket::peer("parrot.py");
        let mut process = lab.spawn(place, "parrot", &["/usr/bin/python3", &script, address])?;
        process.wait_for("ready")?;
        Ok(Self { _process: process })
    }
}

fn connector(root: &Path) -> Result<TlsConnector> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(root)?)?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.resumption = Resumption::disabled();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(config)))
}

/// The life of a crowd, on its thread: opens all, then obeys until nobody holds the crowd any more.
fn host(
    guests: &Guests,
    connector: &TlsConnector,
    mut inbox: mpsc::UnboundedReceiver<Order>,
    opened: &std::sync::mpsc::Sender<Result<()>>,
) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(async {
        let mut sockets = match open_all(guests, connector).await {
            Ok(sockets) => sockets,
            Err(error) => return drop(opened.send(Err(error))),
        };
        // Whoever waits for an answer may have given up: then nobody needs it.
        opened.send(Ok(())).ok();
        while let Some(reply) = inbox.recv().await {
            let outcome = echo_all(std::mem::take(&mut sockets)).await;
            let (back, said) = match outcome {
                Ok(back) => {
                    let count = back.len();
                    (back, Ok(count))
                }
                Err(error) => (Vec::new(), Err(error)),
            };
            sockets = back;
            reply.send(said).ok();
        }
    });
}

async fn open_all(guests: &Guests, connector: &TlsConnector) -> Result<Vec<Socket>> {
    let places = Arc::new(Semaphore::new(HANDSHAKES));
    let mut under_way = JoinSet::new();
    for number in 0..guests.count {
        let place = Arc::clone(&places).acquire_owned().await?;
        let (guests, connector) = (guests.clone(), connector.clone());
        under_way.spawn(async move {
            let _place = place;
            let from = guests.from[number % guests.from.len()];
            let opened = tokio::time::timeout(TURN, open(&guests, &connector, from)).await;
            opened
                .context("no handshake in time")
                .flatten()
                .with_context(|| format!("WebSocket {number} from {from}"))
        });
    }
    all(under_way).await
}

async fn echo_all(sockets: Vec<Socket>) -> Result<Vec<Socket>> {
    let mut under_way = JoinSet::new();
    for (number, mut socket) in sockets.into_iter().enumerate() {
        under_way.spawn(async move {
            let done = tokio::time::timeout(TURN, echo(&mut socket, number)).await;
            done.context("no echo in time")
                .flatten()
                .with_context(|| format!("WebSocket {number}"))?;
            Ok(socket)
        });
    }
    all(under_way).await
}

async fn all(mut under_way: JoinSet<Result<Socket>>) -> Result<Vec<Socket>> {
    let mut done = Vec::with_capacity(under_way.len());
    while let Some(ended) = under_way.join_next().await {
        done.push(ended??);
    }
    Ok(done)
}

async fn open(guests: &Guests, connector: &TlsConnector, from: IpAddr) -> Result<Socket> {
    let socket = match from {
        IpAddr::V4(_) => TcpSocket::new_v4()?,
        IpAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.bind(SocketAddr::new(from, 0))?;
    let stream = socket.connect(guests.to).await?;
    stream.set_nodelay(true)?;
    let name = ServerName::try_from(guests.host)?;
    let mut stream = connector.connect(name, stream).await?;
    let (path, host) = (guests.path, guests.host);
    let head = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        ensure!(stream.read_buf(&mut answer).await? > 0, "closed");
        ensure!(answer.len() < 4096, "an answer without end");
    }
    let answer = String::from_utf8_lossy(&answer);
    ensure!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    Ok(stream)
}

/// One masked text frame out, the same unmasked back (RFC 6455 section 5.2).
async fn echo(socket: &mut Socket, number: usize) -> Result<()> {
    let words = format!("message of {number}");
    let length = u8::try_from(words.len())?;
    let mut frame = vec![0x81, 0x80 | length];
    frame.extend(MASK);
    let masked = words.bytes().zip(MASK.iter().cycle());
    frame.extend(masked.map(|(byte, mask)| byte ^ mask));
    socket.write_all(&frame).await?;
    let mut back = vec![0; 2 + words.len()];
    socket.read_exact(&mut back).await?;
    if back[..2] != [0x81, length] || back[2..] != *words.as_bytes() {
        bail!("sent {words:?}, received {}", back.escape_ascii());
    }
    Ok(())
}
