//! A Gatehouse proxy under test.

use crate::peer::{Peer, Target, within};
use certs::{Answers, Ca, Material, Usage};
use config::PublicAddress;
use net::resolve::Names;
use net::stream::Stream;
use net::tls::{Trust, client_config};
use net::{ListenKey, Listener, Shards, Transport};
use proxy::{Config, Inside, Proxy};
use rustls_pki_types::ServerName;
use service::{
    BanWatch, Context, Decision, Event, Outbox, Outcome, Registry, RollWatch, Service, Workers,
};
use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;
use tokio::time::Instant;

pub(crate) struct Gate {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    pub(crate) proxy: Proxy,
    pub(crate) outbox: Outbox,
    pub(crate) bans: BanWatch,
    pub(crate) roll: RollWatch,
    pub(crate) ca: Ca,
    pub(crate) answers: Answers,
    registry: Registry,
    config: Config,
}

/// The hosts that have a certificate of their own; the last one stands for itself.
const CERTIFICATES: [&[&str]; 2] = [&["web.example", "ws.example"], &["other.example"]];

/// All that is spoken.
const PROTOCOLS: [&str; 8] = [
    "http", "https", "sip", "sips", "ldap", "ldaps", "h323", "h323s",
];

impl Gate {
    /// Serves `hosts`, where `{target}` is `target`'s address. Before the first of them may be keys of `[proxy]`.
    pub(crate) fn start(target: &Target, hosts: &str) -> Self {
        Self::with_files(target, hosts, BTreeMap::new())
    }

    pub(crate) fn with_files(
        target: &Target,
        hosts: &str,
        files: BTreeMap<String, String>,
    ) -> Self {
        let ca = Ca::create("Test", SystemTime::now()).unwrap();
        let (events, offences, outbox) = Outbox::new();
        let bans = BanWatch::default();
        let roll = RollWatch::default();
        let registry = Registry::default();
        let context = Context {
            events,
            offences,
            bans: bans.clone(),
            entrance: roll.clone(),
            metrics: registry.clone(),
            workers: Workers::start(1).unwrap(),
        };
        let config = Config {
            config: Arc::new(parse(target, hosts)),
            certificates: certificates(&ca),
            identity: None,
            files,
            names: Names::from_texts("", "127.0.0.1 target.test\n"),
            listeners: PROTOCOLS.map(listener).into(),
            answers: Answers::default(),
            inside: Inside::default(),
        };
        let proxy = match Proxy::start(config.clone(), context) {
            Ok(proxy) => proxy,
            Err(error) => panic!("{error}"),
        };
        Self {
            http: config.listeners[0].key.addr,
            https: config.listeners[1].key.addr,
            proxy,
            outbox,
            bans,
            roll,
            ca,
            answers: config.answers.clone(),
            registry,
            config,
        }
    }

    pub(crate) fn reload(&mut self, target: &Target, hosts: &str) {
        self.config.config = Arc::new(parse(target, hosts));
        self.proxy.reload(self.config.clone()).unwrap();
    }

    pub(crate) fn reload_with(
        &mut self,
        target: &Target,
        hosts: &str,
        files: BTreeMap<String, String>,
    ) {
        self.config.files = files;
        self.reload(target, hosts);
    }

    /// From now on it is reached there from outside.
    pub(crate) fn moves_to(&mut self, public: &str) {
        let address = PublicAddress::Ip(public.parse().unwrap());
        let mut config = (*self.config.config).clone();
        config.site.public_address = Some(address);
        self.config.config = Arc::new(config);
        self.proxy.reload(self.config.clone()).unwrap();
    }

    /// From now on it shows this to targets that ask who it is.
    pub(crate) fn shows(&mut self, identity: Option<Material>) {
        self.config.identity = identity;
        self.proxy.reload(self.config.clone()).unwrap();
    }

    /// From now on this answers for the login page.
    pub(crate) fn serves(&mut self, inside: Inside) {
        self.config.inside = inside;
        self.proxy.reload(self.config.clone()).unwrap();
    }

    /// Connects in plain and sends `request`.
    pub(crate) async fn ask(&self, request: impl AsRef<[u8]>) -> Peer<TcpStream> {
        let mut client = self.connect().await;
        client.send(request).await;
        client
    }

    /// Where it listens for what is called so.
    pub(crate) fn at(&self, protocol: &str) -> SocketAddr {
        let mut listeners = self.config.listeners.iter();
        let found = listeners.find(|listener| listener.key.protocol == protocol);
        found.unwrap().key.addr
    }

    /// Connects in plain.
    pub(crate) async fn connect(&self) -> Peer<TcpStream> {
        Peer::connect(self.http).await
    }

    /// Connects over TLS for `name`.
    pub(crate) async fn connect_tls(&self, name: &str) -> Peer<Stream> {
        Peer::new(self.try_tls(name).await.unwrap())
    }

    pub(crate) async fn try_tls(&self, name: &str) -> std::io::Result<Stream> {
        let config = client_config(&Trust::Ca(self.ca.root_pem().to_owned()), None).unwrap();
        let io = TcpStream::connect(self.https).await?;
        let name = ServerName::try_from(name.to_owned()).unwrap();
        within(Stream::connect(io, Arc::new(config), name)).await
    }

    /// The next decision that was logged.
    pub(crate) async fn decision(&mut self) -> Decision {
        loop {
            if let Event::Decision(decision) = within(self.outbox.events.recv()).await.unwrap() {
                return decision;
            }
        }
    }

    /// The next rejection that was logged has `words` in its reason.
    pub(crate) async fn rejects_for(&mut self, words: &str) {
        loop {
            if let Outcome::Rejected { reason, .. } = self.decision().await.outcome {
                assert!(reason.contains(words), "{reason}");
                return;
            }
        }
    }

    /// The next notice to the operator has these words.
    pub(crate) async fn notices(&mut self, words: &str) {
        loop {
            if let Event::Notice { text, .. } = within(self.outbox.events.recv()).await.unwrap() {
                assert!(text.contains(words), "{text}");
                return;
            }
        }
    }

    /// Waits until a series has that value; it is counted a moment after the client has its answer.
    pub(crate) async fn metric(&self, series: &str, value: &str) {
        let wanted = format!("{series} {value}");
        let seen = async {
            while !self.registry.render().lines().any(|line| line == wanted) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(Duration::from_secs(10), seen)
            .await
            .is_err()
        {
            panic!("{wanted} is not in\n{}", self.registry.render());
        }
    }

    /// Waits until a series is no more.
    pub(crate) async fn shows_no(&self, series: &str) {
        let gone = async {
            while self.registry.render().contains(series) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        within(gone).await;
    }

    pub(crate) fn ban(&self, address: &str) {
        let key: guard::ClientKey = address.parse().unwrap();
        self.bans.publish([key].into_iter().collect());
    }

    pub(crate) async fn shutdown(self, within: Duration) {
        self.proxy.shutdown(Instant::now() + within).await;
    }
}

/// The most plain host: all paths, to the target.
pub(crate) const PLAIN: &str = r#"
[[host]]
name = "web.example"
[[host.http]]
target = "http://{target}"
"#;

/// A gate whose only rule is [`PLAIN`] and `lines`, and the target it leads to.
pub(crate) async fn plain(lines: &str) -> (Gate, Target) {
    let target = Target::start().await;
    let gate = Gate::start(&target, &format!("{PLAIN}{lines}\n"));
    (gate, target)
}

fn parse(target: &Target, hosts: &str) -> config::Config {
    let hosts = hosts.replace("{target}", &target.address.to_string());
    let text = format!(
        r#"schema = 1
[system]
hostname = "gate"
[network.lan]
trust = "inside"
interface = "lo"
addresses = ["192.0.2.1/24"]
[admin]
port = 8443
[site]
domain = "example"
public_address = "203.0.113.20"
[[certificate]]
names = ["web.example", "ws.example", "other.example"]
source = "own"
[proxy]
log_forwarded = ["http", "sip", "ldap", "h323"]
{hosts}"#
    );
    match config::check(&text, "test.toml") {
        Ok(checked) => checked.config,
        Err(faults) => panic!("{faults}"),
    }
}

fn certificates(ca: &Ca) -> Vec<Material> {
    CERTIFICATES.iter().map(|names| issue(ca, names)).collect()
}

pub(crate) fn issue(ca: &Ca, names: &[&str]) -> Material {
    ca.issue(names, Usage::Server, SystemTime::now()).unwrap()
}

fn listener(protocol: &str) -> Listener {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    Listener {
        key: ListenKey {
            service: "proxy".into(),
            protocol: protocol.into(),
            transport: Transport::Tcp,
            addr: socket.local_addr().unwrap(),
            device: None,
        },
        shards: Shards::Tcp([socket].into_iter().collect()),
    }
}
