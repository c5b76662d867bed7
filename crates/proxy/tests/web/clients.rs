//! Client certificates: asked for where a rule needs one, judged by the rule, told to the target.

use crate::gate::Gate;
use crate::http2::{Http2, ROOT, head};
use crate::peer::{GET, OK, Peer, Target, field, within};
use crate::upgrades::{SWITCH, UPGRADE};
use certs::{Ca, Material, Usage};
use net::stream::Stream;
use net::tls::{Trust, client_config};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, SupportedProtocolVersion};
use rustls_pki_types::ServerName;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::SystemTime;
use tokio::net::TcpStream;

const HOSTS: &str = r#"trusted_clients = ["phones.pem"]
[access.phones]
kind = "certificate"
names = ["alice", "*.phones.example"]
user_header = "X-Remote-User"
[[host]]
name = "web.example"
[[host.http]]
target = "http://{target}"
access = ["phones"]
[[host.http]]
paths = ["/open"]
target = "http://{target}"
[[host]]
name = "ws.example"
[[host.http]]
target = "http://{target}"
"#;

/// A gate, its target, the CA of its clients, and one who is called so by it.
async fn gate(name: &str) -> (Gate, Target, Ca, Material) {
    let ca = Ca::create("Phones", SystemTime::now()).unwrap();
    let target = Target::start().await;
    let files = BTreeMap::from([("phones.pem".to_owned(), ca.root_pem().to_owned())]);
    let client = issue(&ca, name);
    (Gate::with_files(&target, HOSTS, files), target, ca, client)
}

fn issue(ca: &Ca, name: &str) -> Material {
    ca.issue(&[name], Usage::Identity, SystemTime::now())
        .unwrap()
}

fn config(gate: &Gate, client: Option<&Material>) -> ClientConfig {
    let client = client.map(|client| client.certified_key().unwrap());
    client_config(&Trust::Ca(gate.ca.root_pem().to_owned()), client).unwrap()
}

async fn connect(gate: &Gate, config: ClientConfig, name: &str) -> Peer<Stream> {
    let io = TcpStream::connect(gate.https).await.unwrap();
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let stream = within(Stream::connect(io, Arc::new(config), name)).await;
    Peer::new(stream.unwrap())
}

async fn shows(gate: &Gate, client: Option<&Material>) -> Peer<Stream> {
    connect(gate, config(gate, client), "web.example").await
}

async fn is_told(target: &Target, client: &mut Peer<Stream>, user: Option<&str>) {
    let mut there = target.accept().await;
    let head = there.head().await;
    assert_eq!(field(&head, "x-remote-user"), user, "{head}");
    there.send(OK).await;
    client.response().await;
}

#[tokio::test]
async fn who_shows_a_trusted_certificate_comes_in_by_name() {
    for version in [&TLS12, &TLS13] {
        let (gate, target, _, alice) = gate("alice").await;
        let mut config = config(&gate, Some(&alice));
        config = with_version(&config, &alice, &gate, version);
        let mut client = connect(&gate, config, "web.example").await;
        let forged = GET.replace("\r\n\r\n", "\r\nX-Remote-User: root\r\n\r\n");
        client.send(forged).await;
        is_told(&target, &mut client, Some("alice")).await;
    }
}

fn with_version(
    like: &ClientConfig,
    client: &Material,
    gate: &Gate,
    version: &'static SupportedProtocolVersion,
) -> ClientConfig {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;
    let mut roots = rustls::RootCertStore::empty();
    let root = CertificateDer::from_pem_slice(gate.ca.root_pem().as_bytes()).unwrap();
    roots.add(root).unwrap();
    let key = client.certified_key().unwrap();
    let mut config = ClientConfig::builder_with_provider(net::tls::provider())
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_client_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(key)));
    config.alpn_protocols.clone_from(&like.alpn_protocols);
    config
}

#[tokio::test]
async fn who_does_not_is_told_so_by_the_log() {
    let (mut gate, _target, ca, _) = gate("alice").await;
    let stranger = Ca::create("Phones", SystemTime::now()).unwrap();
    let (mallory, bob) = (issue(&stranger, "alice"), issue(&ca, "bob"));
    for (client, reason) in [
        (
            None,
            "access `phones`: needs a client certificate, and none was shown",
        ),
        (
            Some(&mallory),
            "access `phones`: the client certificate of \"alice\" is not from a trusted authority",
        ),
        (
            Some(&bob),
            "access `phones`: the client certificate of \"bob\" has none of its `names`",
        ),
    ] {
        let mut peer = shows(&gate, client).await;
        peer.send(GET).await;
        peer.gets("403 Forbidden").await;
        gate.rejects_for(reason).await;
        assert_eq!(gate.outbox.offences.recv().await.unwrap().weight, 1);
    }
    let mut plain = gate.ask(GET).await;
    plain.gets("403 Forbidden").await;
    gate.rejects_for("over TLS only").await;
}

#[tokio::test]
async fn a_path_that_asks_for_none_is_open_and_tells_nobody() {
    let (gate, target, _, alice) = gate("alice").await;
    let open = "GET /open HTTP/1.1\r\nHost: web.example\r\nX-Remote-User: root\r\n\r\n";
    for client in [None, Some(&alice)] {
        let mut peer = shows(&gate, client).await;
        peer.send(open).await;
        is_told(&target, &mut peer, None).await;
    }
    // Nor of another host, which may have the same target.
    let mut other = connect(&gate, config(&gate, None), "ws.example").await;
    other.send(open.replace("web", "ws")).await;
    is_told(&target, &mut other, None).await;
}

#[tokio::test]
async fn a_connection_for_another_name_has_not_been_asked() {
    let (mut gate, _target, _, alice) = gate("alice").await;
    let mut peer = connect(&gate, config(&gate, Some(&alice)), "ws.example").await;
    peer.send(GET).await;
    peer.gets("421 Misdirected Request").await;
    gate.rejects_for("a name that asks for none").await;
    assert!(gate.outbox.offences.try_recv().is_err(), "browsers do that");
}

#[tokio::test]
async fn no_session_is_resumed_and_a_reload_judges_anew() {
    let (mut gate, target, _, alice) = gate("alice").await;
    let config = Arc::new(config(&gate, Some(&alice)));
    let mut last = None;
    for _ in 0..2 {
        let io = TcpStream::connect(gate.https).await.unwrap();
        let name = ServerName::try_from("web.example").unwrap();
        let stream = within(Stream::connect(io, Arc::clone(&config), name)).await;
        let mut peer = Peer::new(stream.unwrap());
        peer.send(GET).await;
        is_told(&target, &mut peer, Some("alice")).await;
        assert!(
            !peer.stream.is_resumed(),
            "it would not have shown its certificate"
        );
        last = Some(peer);
    }
    let mut peer = last.unwrap();
    let other = Ca::create("Others", SystemTime::now()).unwrap();
    let files = BTreeMap::from([("phones.pem".to_owned(), other.root_pem().to_owned())]);
    gate.reload_with(&target, HOSTS, files);
    peer.send(GET).await;
    peer.gets("403 Forbidden").await;
    gate.rejects_for("not from a trusted authority").await;
}

#[tokio::test]
async fn a_websocket_ends_when_its_certificate_is_believed_no_more() {
    let (mut gate, target, ca, alice) = gate("alice").await;
    let mut client = shows(&gate, Some(&alice)).await;
    client.send(UPGRADE).await;
    let mut there = target.accept().await;
    let head = there.head().await;
    assert_eq!(field(&head, "x-remote-user"), Some("alice"));
    there.send(SWITCH).await;
    client.head().await;
    let trusting = |ca: &Ca| BTreeMap::from([("phones.pem".to_owned(), ca.root_pem().to_owned())]);
    gate.reload_with(&target, HOSTS, trusting(&ca));
    client.send("still").await;
    assert_eq!(there.text(5).await, "still");
    let (more, both) = more(&ca);
    gate.reload_with(&target, &more, both);
    client.send("still").await;
    assert_eq!(there.text(5).await, "still");
    let other = Ca::create("Others", SystemTime::now()).unwrap();
    gate.reload_with(&target, HOSTS, trusting(&other));
    assert_eq!(client.rest().await, (Vec::new(), true));
    assert_eq!(there.rest().await, (Vec::new(), true));
}

/// As [`HOSTS`] and the files of [`gate`], with another CA beside it.
fn more(ca: &Ca) -> (String, BTreeMap<String, String>) {
    let other = Ca::create("Others", SystemTime::now()).unwrap();
    let files = BTreeMap::from([
        ("phones.pem".to_owned(), ca.root_pem().to_owned()),
        ("more.pem".to_owned(), other.root_pem().to_owned()),
    ]);
    let hosts = HOSTS.replace("\"phones.pem\"]", "\"phones.pem\", \"more.pem\"]");
    (hosts, files)
}

#[tokio::test]
async fn who_was_asked_in_another_way_counts_if_believed_or_comes_again() {
    let (mut gate, target, ca, alice) = gate("alice").await;
    let bob = issue(&ca, "bob");
    let stranger = issue(
        &Ca::create("Strangers", SystemTime::now()).unwrap(),
        "alice",
    );
    let mut shown = shows(&gate, Some(&alice)).await;
    let mut elsewhere = connect(&gate, config(&gate, Some(&alice)), "ws.example").await;
    let mut others = [
        (shows(&gate, Some(&bob)).await, "403 Forbidden"),
        (
            shows(&gate, Some(&stranger)).await,
            "421 Misdirected Request",
        ),
        (shows(&gate, None).await, "421 Misdirected Request"),
    ];
    let mut http2 = Http2::connect(&gate).await;
    let (response, _) = http2.get(ROOT).await;
    assert_eq!(head(response).await.status(), 403);
    let (more, both) = more(&ca);
    gate.reload_with(&target, &more, both);
    shown.send(GET).await;
    is_told(&target, &mut shown, Some("alice")).await;
    elsewhere.send(GET).await;
    elsewhere.gets("421 Misdirected Request").await;
    for (peer, answer) in &mut others {
        peer.send(GET).await;
        peer.gets(answer).await;
    }
    let (response, _) = http2.get(ROOT).await;
    assert_eq!(head(response).await.status(), 421);
    assert_eq!(http2.is_sent_away().await, h2::Reason::NO_ERROR);
    http2.ends().await;
}

#[tokio::test]
async fn what_can_not_be_judged_lets_nobody_in_and_costs_no_other_host() {
    let target = Target::start().await;
    let files = BTreeMap::from([("phones.pem".to_owned(), "nothing".to_owned())]);
    let mut gate = Gate::with_files(&target, HOSTS, files);
    gate.notices("phones.pem: holds no certificate").await;
    let mut peer = shows(&gate, None).await;
    peer.send(GET).await;
    peer.gets("403 Forbidden").await;
    gate.rejects_for("phones.pem: holds no certificate").await;
    assert!(gate.outbox.offences.try_recv().is_err(), "not its fault");
    let mut other = connect(&gate, config(&gate, None), "ws.example").await;
    other.send(GET.replace("web", "ws")).await;
    is_told(&target, &mut other, None).await;
}

#[tokio::test]
async fn an_address_has_its_share_of_handshakes() {
    let target = Target::start().await;
    let hosts = "limits = { handshakes_per_address = 2 }\n[[host]]\nname = \"web.example\"\n\
                 [[host.http]]\ntarget = \"http://{target}\"\n";
    let mut gate = Gate::start(&target, hosts);
    let held = [
        gate.connect_tls("web.example").await,
        gate.connect_tls("web.example").await,
    ];
    assert!(gate.try_tls("web.example").await.is_err());
    gate.rejects_for("more than 2 TLS handshakes").await;
    assert!(
        gate.outbox.offences.try_recv().is_err(),
        "an office does that"
    );
    drop(held);
}
