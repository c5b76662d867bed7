//! TLS on both sides.

use crate::gate::{Gate, PLAIN, issue, plain};
use crate::peer::{GET, OK, Peer, Target, field, within};
use certs::{Ca, Usage};
use net::stream::Stream;
use net::tls::server_config;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const THREE: &str = r#"
[[host]]
name = "web.example"
[[host.http]]
target = "http://{target}"
[[host]]
name = "ws.example"
[[host.http]]
target = "http://{target}"
[[host]]
name = "other.example"
[[host.http]]
target = "http://{target}"
"#;

#[tokio::test]
async fn requests_come_in_over_tls() {
    let (mut gate, target) = plain("").await;
    let mut client = gate.connect_tls("web.example").await;
    assert_eq!(client.stream.alpn(), Some(&b"http/1.1"[..]));
    client.send(GET).await;
    let mut there = target.accept().await;
    assert_eq!(
        field(&there.head().await, "x-forwarded-proto"),
        Some("https")
    );
    client.is_served_by(&mut there).await;
    assert_eq!(gate.decision().await.protocol, "https");
    client.send(GET).await;
    there
        .answers("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end")
        .await;
    there.finish().await;
    assert_eq!(client.response().await.1, b"until the end");
    client.finish().await;
    assert_eq!(
        client.rest().await,
        (Vec::new(), true),
        "close_notify is answered"
    );
}

#[tokio::test]
async fn a_cut_off_body_over_tls_has_no_clean_end() {
    let (gate, target) = plain("").await;
    let mut client = gate.connect_tls("web.example").await;
    client.send(GET).await;
    let mut there = target.asked().await;
    there
        .send("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc")
        .await;
    client.head().await;
    assert_eq!(client.text(3).await, "abc");
    drop(there);
    assert_eq!(client.rest().await, (Vec::new(), false));
}

#[tokio::test]
async fn hosts_of_one_certificate_share_a_connection_and_others_are_misdirected() {
    let target = Target::start().await;
    let mut gate = Gate::start(&target, THREE);
    let mut client = gate.connect_tls("web.example").await;
    client.send(GET.replace("web", "ws")).await;
    let mut there = target.accept().await;
    assert_eq!(field(&there.head().await, "host"), Some("ws.example"));
    there.send(OK).await;
    client.response().await;
    client.send(GET.replace("web", "other")).await;
    client.gets("421 Misdirected Request").await;
    client.ends().await;
    assert!(gate.outbox.offences.try_recv().is_err(), "browsers do that");
}

#[tokio::test]
async fn an_unknown_server_name_gets_an_alert() {
    let (mut gate, _target) = plain("").await;
    let refused = gate.try_tls("nobody.example").await.err().unwrap();
    assert!(
        refused.to_string().contains("UnrecognisedName"),
        "{refused}"
    );
    let decision = gate.decision().await;
    assert_eq!(decision.host, "nobody.example");
    assert_eq!(gate.outbox.offences.recv().await.unwrap().weight, 1);
}

/// Large bodies through all buffers, both ways, over TLS on both sides.
#[tokio::test]
async fn ten_megabytes_arrive_unchanged() {
    let (gate, target, ca) = over_tls("target_certificate = { ca = \"targets.pem\" }").await;
    let body: Vec<u8> = (0..10_000_000_u32)
        .map(|index| (index.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut client = gate.connect_tls("web.example").await;
    let head = format!(
        "POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let length = body.len();
    let serve = async {
        let mut there = accept_tls(&target, &ca).await.unwrap();
        there.head().await;
        let mut echoed =
            format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n").into_bytes();
        echoed.extend(there.bytes(length).await);
        there.send(&echoed).await;
        there
    };
    let ask = async {
        client.send(head).await;
        client.send(&body).await;
        client.response().await.1
    };
    let (mut there, echoed) = tokio::join!(serve, ask);
    assert!(echoed == body);
    // Session tickets that came meanwhile do not make the idle connection a dead one.
    client.send(GET).await;
    there.head().await;
}

/// A gate that reaches its target over TLS, with this line of the rule; and the CA of the target.
async fn over_tls(trust: &str) -> (Gate, Target, Ca) {
    let target = Target::start().await;
    let ca = Ca::create("Targets", SystemTime::now()).unwrap();
    let hosts = PLAIN.replace("http://{target}", "https://{target}") + trust + "\n";
    let files = BTreeMap::from([("targets.pem".to_owned(), ca.root_pem().to_owned())]);
    let gate = Gate::with_files(&target, &hosts, files);
    (gate, target, ca)
}

async fn accept_tls(target: &Target, ca: &Ca) -> std::io::Result<Peer<Stream>> {
    let chooser = certs::Chooser::new(vec![issue(ca, &["web.example"])]).unwrap();
    let config = server_config(Arc::new(chooser), &[b"http/1.1"]).unwrap();
    let io = target.accept().await.stream;
    let shaken = within(Stream::accept(io, Arc::new(config), b"")).await;
    shaken.map(Peer::new)
}

/// As [`accept_tls`], for a target that lets in only whom `clients` knows.
async fn accept_known(
    target: &Target,
    ca: &Ca,
    clients: &Ca,
    version: &'static SupportedProtocolVersion,
) -> std::io::Result<Peer<Stream>> {
    let provider = net::tls::provider();
    let mut roots = RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(clients.root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone());
    let chooser = certs::Chooser::new(vec![issue(ca, &["web.example"])]).unwrap();
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[version])
        .unwrap()
        .with_client_cert_verifier(verifier.build().unwrap())
        .with_cert_resolver(Arc::new(chooser));
    let io = target.accept().await.stream;
    let shaken = within(Stream::accept(io, Arc::new(config), b"")).await;
    shaken.map(Peer::new)
}

#[tokio::test]
async fn a_target_that_asks_who_we_are_is_shown_our_certificate() {
    is_shown_our_certificate(&TLS13).await;
}

#[tokio::test]
async fn a_target_that_knows_only_tls_1_2_is_shown_it_as_well() {
    is_shown_our_certificate(&TLS12).await;
}

async fn is_shown_our_certificate(version: &'static SupportedProtocolVersion) {
    let (mut gate, target, ca) = over_tls("target_certificate = { trust = \"any\" }").await;
    let ours = Ca::create("Ours", SystemTime::now()).unwrap();
    let identity = |ca: &Ca| ca.issue(&["gate.example"], Usage::Identity, SystemTime::now());
    for wrong in [None, Some(identity(&ca).unwrap())] {
        gate.shows(wrong);
        let mut client = gate.ask(GET).await;
        assert!(accept_known(&target, &ca, &ours, version).await.is_err());
        client.gets("502 Bad Gateway").await;
    }
    gate.shows(Some(identity(&ours).unwrap()));
    let mut client = gate.ask(GET).await;
    let mut there = accept_known(&target, &ca, &ours, version).await.unwrap();
    there.head().await;
    client.is_served_by(&mut there).await;
    // With another, what was connected as the first is not used again.
    gate.shows(Some(identity(&ours).unwrap()));
    client.send(GET).await;
    let mut again = accept_known(&target, &ca, &ours, version).await.unwrap();
    again.head().await;
    client.is_served_by(&mut again).await;
    there.ends().await;
}

#[tokio::test]
async fn targets_that_are_not_trusted_get_no_request() {
    let zeros = "00".repeat(32);
    let untrusted = [
        String::new(),
        "target_certificate = { trust = \"system\" }".to_owned(),
        format!("target_certificate = {{ sha256 = \"{zeros}\" }}"),
    ];
    for trust in untrusted {
        let (mut gate, target, ca) = over_tls(&trust).await;
        let mut client = gate.ask(GET).await;
        if let Ok(mut there) = accept_tls(&target, &ca).await {
            there.ends().await;
        }
        client.gets("502 Bad Gateway").await;
        gate.rejects_for("TLS failed").await;
    }
}

#[tokio::test]
async fn any_certificate_will_do_where_the_file_says_so() {
    let (gate, target, ca) = over_tls("target_certificate = { trust = \"any\" }").await;
    let mut client = gate.ask(GET).await;
    let mut there = accept_tls(&target, &ca).await.unwrap();
    there.head().await;
    client.is_served_by(&mut there).await;
}

/// Where anybody may sit in the middle anyway, old servers may leave out TLS's goodbye.
#[tokio::test]
async fn a_target_that_ends_tls_without_saying_so_was_cut_off_unless_any_certificate_will_do() {
    let verified = "target_certificate = { ca = \"targets.pem\" }";
    let any = "target_certificate = { trust = \"any\" }";
    for (trust, clean, whole) in [
        (verified, true, true),
        (verified, false, false),
        (any, true, true),
        (any, false, true),
    ] {
        let (gate, target, ca) = over_tls(trust).await;
        let mut client = gate.ask(GET).await;
        let mut there = accept_tls(&target, &ca).await.unwrap();
        there
            .answers("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc")
            .await;
        client.head().await;
        assert_eq!(client.text(8).await, "3\r\nabc\r\n");
        if clean {
            there.finish().await;
        } else {
            drop(there);
        }
        if whole {
            assert_eq!(client.text(5).await, "0\r\n\r\n", "{trust} {clean}");
        } else {
            client.ends().await;
        }
    }
}

#[tokio::test]
async fn a_hello_may_come_byte_by_byte() {
    let (gate, target) = plain("").await;
    let (near, far) = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .map(|listener| (listener.local_addr().unwrap(), listener))
        .unwrap();
    // A relay between client and gate that hands on single bytes.
    let https = gate.https;
    let relay = tokio::spawn(async move {
        let (client, _) = far.accept().await.unwrap();
        let gate = tokio::net::TcpStream::connect(https).await.unwrap();
        gate.set_nodelay(true).unwrap();
        let (mut from, mut to) = client.into_split();
        let (mut back, mut forth) = gate.into_split();
        tokio::spawn(async move { tokio::io::copy(&mut back, &mut to).await });
        let mut byte = [0];
        while from.read(&mut byte).await.unwrap_or(0) == 1 {
            if forth.write_all(&byte).await.is_err() {
                return;
            }
            tokio::task::yield_now().await;
        }
    });
    let trust = net::tls::Trust::Ca(gate.ca.root_pem().to_owned());
    let config = Arc::new(net::tls::client_config(&trust, None).unwrap());
    let io = tokio::net::TcpStream::connect(near).await.unwrap();
    let name = rustls_pki_types::ServerName::try_from("web.example").unwrap();
    let stream = within(Stream::connect(io, config, name)).await.unwrap();
    let mut client = Peer::new(stream);
    client.send(GET).await;
    let mut there = target.asked().await;
    client.is_served_by(&mut there).await;
    relay.abort();
}

#[tokio::test]
async fn plain_http_on_the_tls_port_gets_a_page() {
    let (mut gate, _target) = plain("").await;
    let mut client = Peer::connect(gate.https).await;
    client.send(GET).await;
    client.gets("400 Bad Request").await;
    gate.rejects_for("no TLS hello").await;
}
