use std::time::SystemTime;

use certs::{Ca, Usage};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use service::{BanWatch, Outbox, Registry, Workers};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio_rustls::TlsConnector;

use super::*;

struct Running {
    addresses: Vec<SocketAddr>,
    connector: TlsConnector,
    outbox: Outbox,
    bans: BanWatch,
    registry: Registry,
    _end: oneshot::Sender<()>,
}

/// A listener on a port that the system chose, and is known by.
fn listener() -> Listener {
    let key = ListenKey {
        service: "admin".to_owned(),
        protocol: "https".to_owned(),
        addr: SocketAddr::from(([127, 0, 0, 1], 0)),
        device: None,
    };
    let mut listener = Listener::open(&key, 1, false).unwrap();
    listener.key.addr = address(&listener);
    listener
}

fn address(listener: &Listener) -> SocketAddr {
    listener.shards[0].local_addr().unwrap()
}

fn config(ca: &Ca, listeners: Vec<Listener>) -> Config {
    let names = ["gate-hq.example", "127.0.0.1"];
    Config {
        hostname: "gate-hq".to_owned(),
        listeners,
        certificate: ca.issue(&names, Usage::Server, SystemTime::now()).unwrap(),
        from: Vec::new(),
    }
}

fn context() -> (Context, Outbox) {
    let (events, offences, outbox) = Outbox::new();
    let context = Context {
        events,
        offences,
        bans: BanWatch::default(),
        metrics: Registry::default(),
        workers: Workers::start(1).unwrap(),
    };
    (context, outbox)
}

fn connector(ca: &Ca) -> TlsConnector {
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(ca.root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let config = rustls::ClientConfig::builder_with_provider(net::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    TlsConnector::from(Arc::new(config))
}

fn start(from: &[&str]) -> Running {
    let ca = Ca::create("test", SystemTime::now()).unwrap();
    let listeners = vec![listener(), listener()];
    let addresses = listeners.iter().map(address).collect();
    let mut config = config(&ca, listeners);
    config.from = from.iter().map(|net| net.parse().unwrap()).collect();
    let (context, outbox) = context();
    let (bans, registry) = (context.bans.clone(), context.metrics.clone());
    let mut admin = Admin::start(config, context).unwrap();
    let (end, ends) = oneshot::channel::<()>();
    tokio::spawn(async move {
        tokio::select! {
            _ = admin.run() => {}
            _ = ends => {}
        }
    });
    Running {
        addresses,
        connector: connector(&ca),
        outbox,
        bans,
        registry,
        _end: end,
    }
}

impl Running {
    async fn ask(&self, address: SocketAddr, request: &[u8]) -> io::Result<String> {
        let stream = TcpStream::connect(address).await?;
        let name = ServerName::try_from("gate-hq.example").unwrap();
        let mut stream = self.connector.connect(name, stream).await?;
        stream.write_all(request).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }
}

#[tokio::test]
async fn the_page_is_served_on_every_listener() {
    let running = start(&["127.0.0.0/8"]);
    for address in &running.addresses {
        for _ in 0..3 {
            let request = b"GET /?x HTTP/1.1\r\nHost: gate-hq.example\r\n\r\n";
            let answer = running.ask(*address, request).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
            assert!(answer.contains("<h1>gate-hq</h1>"), "{answer}");
        }
    }
    let text = running.registry.render();
    assert!(
        text.contains("gatehouse_admin_answers_total{status=\"200\"} 6"),
        "{text}"
    );
}

#[tokio::test]
async fn a_request_with_a_body_gets_its_answer_and_not_a_reset() {
    let running = start(&[]);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{}",
        "x".repeat(60_000)
    );
    let answer = running
        .ask(running.addresses[0], request.as_bytes())
        .await
        .unwrap();
    assert!(answer.starts_with("HTTP/1.1 405 "), "{answer}");
}

#[tokio::test]
async fn a_malformed_head_is_refused_counted_and_told() {
    let mut running = start(&[]);
    let request = b"GET / HTTP/1.1\nHost: x\n\n";
    let answer = running.ask(running.addresses[0], request).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    let offence = running.outbox.offences.recv().await.unwrap();
    assert_eq!(offence.client, IpAddr::from([127, 0, 0, 1]));
    let event = running.outbox.events.recv().await.unwrap();
    assert_eq!(event.service(), "admin");
    let endless = vec![b'a'; 100_000];
    let answer = running.ask(running.addresses[0], &endless).await;
    assert!(answer.is_err() || answer.unwrap().starts_with("HTTP/1.1 4"));
}

#[tokio::test]
async fn who_is_not_let_in_or_banned_gets_not_even_tls() {
    let mut outside = start(&["192.0.2.0/24"]);
    let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    assert!(outside.ask(outside.addresses[0], request).await.is_err());
    assert_eq!(outside.outbox.offences.recv().await.unwrap().weight, 1);

    let banned = start(&[]);
    let now = std::time::Instant::now();
    let mut guard = guard::Guard::new(guard::Policy {
        suspicious_per_minute: 0,
        ban_for: Duration::from_mins(5),
        never: Vec::new(),
        exempt: Vec::new(),
        operators: Vec::new(),
    });
    guard.offence(IpAddr::from([127, 0, 0, 1]), 1, now);
    banned.bans.publish(guard.ban_set(now));
    assert!(banned.ask(banned.addresses[0], request).await.is_err());
}

#[tokio::test]
async fn a_reload_keeps_known_listeners_and_changes_the_rest() {
    let ca = Ca::create("test", SystemTime::now()).unwrap();
    let (kept, gone, fresh) = (listener(), listener(), listener());
    let (context, _outbox) = context();
    let mut admin = Admin::start(config(&ca, vec![kept.clone(), gone]), context).unwrap();
    let next = config(&ca, vec![kept.clone(), fresh.clone()]);
    assert_eq!(admin.reload(next).unwrap(), Reloaded::Applied);
    let mut expected = [kept.key, fresh.key];
    expected.sort();
    assert!(admin.doors.keys().eq(&expected));
    let mut broken = config(&ca, Vec::new());
    broken.certificate.key_pem.clear();
    assert!(admin.reload(broken).is_err());
    assert_eq!(admin.doors.len(), 2);
}

#[tokio::test]
async fn the_end_does_not_wait_for_silent_clients() {
    let ca = Ca::create("test", SystemTime::now()).unwrap();
    let listener = listener();
    let address = address(&listener);
    let (context, _outbox) = context();
    let registry = context.metrics.clone();
    let mut admin = Admin::start(config(&ca, vec![listener]), context).unwrap();
    let silent = TcpStream::connect(address).await.unwrap();
    let _ = tokio::time::timeout(Duration::from_millis(200), admin.run()).await;
    assert_eq!(admin.sessions.len(), 1);
    let patience = Duration::from_secs(5);
    let ended = admin.shutdown(Instant::now() + Duration::from_millis(50));
    tokio::time::timeout(patience, ended).await.unwrap();
    assert!(registry.render().contains("gatehouse_admin_open 0"));
    drop(silent);
}
