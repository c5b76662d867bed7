//! `[turn]`: the media relay.

use ipnet::IpNet;

use toml::de::DeValue;

use crate::definition::{Shape, choice, section};
use crate::reader::{Node, Reader, Value, quoted};
use crate::value::{DnsName, Name, Ports, SecretRef};

section! {
    /// The media relay (RFC 8489, RFC 8656).
    pub struct Turn {
        /// Its name: gives the realm, the internal DNS record and the certificate.
        name: String as DnsName => "turn.example.com";
        /// Its port, UDP and TCP.
        port: u16 = 3478;
        /// TURN over TLS: "share-https" takes it on the https port beside the web, told apart by
        /// ALPN or the first bytes; a number is a port of its own. If missing: none.
        tls: Option<TurnTls> | "share-https";
        /// Zones to listen on. Empty: all.
        zones: Vec<String> as Vec<Name> = [] | ["wan"];
        /// UDP ports of relayed addresses.
        relay_ports: Ports = "49152-65535";
        /// Which address clients are told for their relayed ports.
        relay_address: RelayAddress = "local";
        /// The secret of time-limited credentials, shared with the server that hands them out.
        shared_secret: Option<SecretRef> | { secret = "turn-ucserver" };
        /// Users with a password, `[[turn.user]]` each.
        user: Vec<TurnUser>;
        /// Peers in private networks that may be relayed to, `[[turn.allow]]` each; all others
        /// there are refused.
        allow: Vec<TurnAllow>;
    }
}

choice! {
    /// Which address clients are told for their relayed ports.
    pub enum RelayAddress {
        /// Our own: only `port` is forwarded by the router upstream.
        Local = "local",
        /// `site.public_address`: the router upstream forwards `relay_ports`, too.
        Public = "public",
    }
}

section! {
    /// A user of the relay.
    pub struct TurnUser {
        /// The user's name.
        name: String => "turn342823";
        /// The password.
        password: SecretRef => { secret = "turn-phones" };
    }
}

section! {
    /// Peers in a private network that may be relayed to.
    pub struct TurnAllow {
        /// Their network.
        network: IpNet => "172.31.31.0/24";
        /// Their UDP ports.
        ports: Ports = "1-65535" | "16384-32767";
    }
}

/// Where TURN over TLS is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TurnTls {
    /// On the https port of the proxy.
    ShareHttps,
    /// On a port of its own.
    Port(u16),
}

impl Value for TurnTls {
    fn shape() -> Shape {
        Shape::Either(vec![Shape::Text("\"share-https\""), u16::shape()])
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        match node.value.get_ref() {
            DeValue::String(text) if text == "share-https" => Some(Self::ShareHttps),
            DeValue::String(text) if text.parse::<u16>().is_err() => {
                let remedy = "write \"share-https\", or a port such as 5349";
                reader.fault(node, format!("{} is not known here", quoted(text)), remedy);
                None
            }
            _ => u16::read(reader, node).map(Self::Port),
        }
    }
}
