//! What SIP, LDAP and H.323 have in common: a host with a plain and a TLS target, and which of them a client reaches.

use crate::gate::{Gate, issue};
use crate::peer::{Peer, Target, within};
use certs::{Ca, Material, Usage};
use net::stream::Stream;
use net::tls::{Trust, client_config, server_config};
use rustls::sign::SingleCertAndKey;
use rustls_pki_types::ServerName;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::net::TcpStream;

/// A gate with the host dvl-ckl2.net and its location branch-b, and its targets.
pub(crate) struct Site {
    pub(crate) gate: Gate,
    pub(crate) plain: Target,
    pub(crate) tls: Target,
    /// Where dvl-ckl2.net/branch-b goes.
    pub(crate) branch: Target,
    pub(crate) phones: Ca,
}

impl Site {
    /// One that speaks `protocol`, with more `keys` for dvl-ckl2.net.
    pub(crate) async fn start(protocol: &str, keys: &str) -> Self {
        Self::with_proxy_keys(protocol, keys, "").await
    }

    /// The same, with more keys of `[proxy]` or of what follows.
    pub(crate) async fn with_proxy_keys(protocol: &str, keys: &str, more: &str) -> Self {
        let (plain, tls, branch) = (
            Target::start().await,
            Target::start().await,
            Target::start().await,
        );
        let phones = Ca::create("Phones", SystemTime::now()).unwrap();
        let files = BTreeMap::from([("phones.pem".to_owned(), phones.root_pem().to_owned())]);
        let hosts = format!(
            "{}{}",
            head(more),
            Self::hosts(protocol, keys, &plain, &tls, &branch)
        );
        let gate = Gate::with_files(&plain, &hosts, files);
        Self {
            gate,
            plain,
            tls,
            branch,
            phones,
        }
    }

    fn hosts(protocol: &str, keys: &str, plain: &Target, tls: &Target, branch: &Target) -> String {
        let ports = |plain: &Target, tls: &Target| {
            let (plain, tls) = (plain.address.port(), tls.address.port());
            format!("target = \"127.0.0.1\"\nport = {plain}\ntls_port = {tls}\n")
        };
        let name = if protocol == "ldap" {
            "branch-b.dvl-ckl2.net"
        } else {
            "dvl-ckl2.net/branch-b"
        };
        format!(
            "[[host]]\nname = \"dvl-ckl2.net\"\n[host.{protocol}]\n{}{keys}\n\
             [[host]]\nname = \"{name}\"\n[host.{protocol}]\n{}\n",
            ports(plain, tls),
            ports(branch, tls)
        )
    }

    /// The same hosts with other keys for dvl-ckl2.net.
    pub(crate) fn hosts_anew(&self, protocol: &str, keys: &str) -> String {
        let hosts = Self::hosts(protocol, keys, &self.plain, &self.tls, &self.branch);
        format!("{}{hosts}", head(""))
    }

    /// Puts other hosts into force.
    pub(crate) fn reload(&mut self, hosts: &str) {
        self.gate.reload(&self.plain, hosts);
    }

    /// Connects in plain.
    pub(crate) async fn connect(&self, protocol: &str) -> Peer<TcpStream> {
        Peer::connect(self.gate.at(protocol)).await
    }

    /// Connects over TLS without a server name, with a certificate if there is one.
    pub(crate) async fn connect_tls(
        &self,
        protocol: &str,
        shows: Option<&Material>,
    ) -> Peer<Stream> {
        let io = TcpStream::connect(self.gate.at(protocol)).await.unwrap();
        secure(io, shows).await
    }

    /// A certificate that the gate believes.
    pub(crate) fn phone(&self, name: &str) -> Material {
        let now = SystemTime::now();
        let day = Duration::from_hours(24);
        self.phones
            .issue_for_client(name, day, now)
            .unwrap()
            .material
    }

    /// Takes a connection at the TLS target.
    pub(crate) async fn accept_tls(&self) -> Peer<Stream> {
        let io = self.tls.accept().await.stream;
        let certificate = issue(&self.gate.ca, &["pbx"]).certified_key().unwrap();
        let chooser = Arc::new(SingleCertAndKey::from(certificate));
        let config = Arc::new(server_config(chooser, &[]).unwrap());
        Peer::new(within(Stream::accept(io, config, b"")).await.unwrap())
    }
}

/// Keys of `[proxy]` for every test.
fn head(more: &str) -> String {
    format!("trusted_clients = [\"phones.pem\"]\n{more}\n")
}

/// Goes on over TLS.
pub(crate) async fn secure(io: TcpStream, shows: Option<&Material>) -> Peer<Stream> {
    let shows = shows.map(|material| material.certified_key().unwrap());
    let mut config = client_config(&Trust::Any, shows).unwrap();
    config.enable_sni = false;
    config.alpn_protocols.clear();
    let name = ServerName::try_from("gate").unwrap();
    Peer::new(
        within(Stream::connect(io, Arc::new(config), name))
            .await
            .unwrap(),
    )
}

/// A certificate that the gate does not believe.
pub(crate) fn stranger(name: &str) -> Material {
    let now = SystemTime::now();
    let ca = Ca::create("Strangers", now).unwrap();
    ca.issue(&[name], Usage::Identity, now).unwrap()
}

/// What was captured, or made, in a file below `tests/data`.
pub(crate) fn capture(file: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/data");
    let text = std::fs::read_to_string(folder.join(file)).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let digits: Vec<u32> = lines
        .flat_map(str::chars)
        .filter_map(|digit| digit.to_digit(16))
        .collect();
    let pairs = digits.chunks(2);
    pairs
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).unwrap())
        .collect()
}

/// What a client can show in its handshake.
const SHOWN: [Option<&str>; 4] = [None, Some("same"), Some("other"), Some("stranger")];

/// Every way in which `first` can come in, from `name`, and the target that it may reach: the TLS target only who has proven to be
/// that one, or where nobody is asked.
pub(crate) async fn every_combination(protocol: &str, first: &[u8], name: &str) {
    for checks in [true, false] {
        let keys = format!("check_certificate = {checks}\n");
        let site = Site::start(protocol, &keys).await;
        let mut client = site.connect(protocol).await;
        client.send(first).await;
        let mut there = site.plain.accept().await;
        assert_eq!(there.bytes(first.len()).await, first);
        site.tls.stays_alone().await;
        for shown in SHOWN {
            let material = match shown {
                Some("same") => Some(site.phone(name)),
                Some("other") => Some(site.phone("somebody-else")),
                Some(_) => Some(stranger(name)),
                None => None,
            };
            let tls = format!("{protocol}s");
            let mut client = site.connect_tls(&tls, material.as_ref()).await;
            client.send(first).await;
            if !checks || shown == Some("same") {
                let mut there = site.accept_tls().await;
                assert_eq!(there.bytes(first.len()).await, first, "{shown:?}");
                site.plain.stays_alone().await;
            } else {
                let mut there = site.plain.accept().await;
                assert_eq!(there.bytes(first.len()).await, first, "{shown:?}");
                site.tls.stays_alone().await;
            }
        }
    }
}

#[tokio::test]
async fn who_is_banned_is_heard_no_more_on_what_he_has_open() {
    let register = "REGISTER sip:dvl-ckl2.net SIP/2.0\r\nVia: SIP/2.0/TCP 10.9.8.7;branch=z9hG4bK1\r\nFrom: <sip:john@dvl-ckl2.net>;tag=1\r\n\
        To: <sip:john@dvl-ckl2.net>\r\nCall-ID: c\r\nCSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n";
    for (protocol, first) in [
        ("sip", register.as_bytes().to_vec()),
        ("ldap", capture("ldap/domain-user.hex")),
        ("h323", capture("h323/rrq-facility-body.hex")),
    ] {
        let mut site = Site::start(protocol, "").await;
        let mut client = site.connect(protocol).await;
        client.send(&first).await;
        let mut there = site.plain.accept().await;
        there.bytes(first.len()).await;
        site.gate.ban("127.0.0.1");
        client.send(&first).await;
        assert_eq!(there.rest().await.0, b"", "{protocol}");
        site.gate.rejects_for("banned").await;
    }
}
