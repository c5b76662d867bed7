//! `[nat]`, `[[forward]]`, `[[allow]]`.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;

use crate::definition::{Shape, choice, section};
use crate::reader::{Node, Reader, Value};
use crate::value::{Ports, TargetHost, TargetText};

section! {
    /// Address translation.
    pub struct Nat {
        /// Clients inside appear outside under the box's address.
        masquerade: bool = false;
        /// Clients inside may use the public address to reach what is forwarded.
        hairpin: bool = false;
    }
}

section! {
    /// A port forward from outside zones to a server inside.
    pub struct Forward {
        /// What it is for.
        name: String => "RTP media";
        /// The transport.
        protocol: Transport => "udp";
        /// The ports on our outside addresses.
        ports: Ports => "10000-13999";
        /// The server. With a port, for one port only, it is reached there; else on the same ones.
        to: ForwardTo => "192.168.1.200";
    }
}

section! {
    /// What may pass between zones without address translation.
    pub struct Allow {
        /// What it is for.
        name: String => "child server to main server";
        /// Who may connect.
        from: IpNet => "192.0.2.30";
        /// To whom.
        to: IpNet => "10.0.0.21";
        /// The transport.
        protocol: Transport => "tcp";
        /// The ports that may be reached.
        ports: Ports => "443";
    }
}

choice! {
    /// A transport protocol.
    pub enum Transport {
        /// TCP.
        Tcp = "tcp",
        /// UDP.
        Udp = "udp",
    }
}

/// The server behind a port forward.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ForwardTo {
    /// Its address.
    pub address: IpAddr,
    /// Its port, if it differs.
    pub port: Option<u16>,
}

impl fmt::Display for ForwardTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = TargetHost::Ip(self.address);
        match self.port {
            Some(port) => write!(f, "{address}:{port}"),
            None => address.fmt(f),
        }
    }
}

impl Value for ForwardTo {
    fn shape() -> Shape {
        Shape::Text("`address` or `address:port`")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        match TargetText::read(reader, node)? {
            TargetText {
                scheme: Some(scheme),
                ..
            } => {
                let what = format!("has the scheme \"{}://\"", scheme.as_str());
                reader.fault(
                    node,
                    what,
                    "leave it out: a forward passes packets, whatever they say",
                );
                None
            }
            TargetText {
                host: TargetHost::Name(name),
                ..
            } => {
                let what = format!("\"{name}\" is a name");
                reader.fault(
                    node,
                    what,
                    "write an address: the kernel's packet path knows no names",
                );
                None
            }
            TargetText {
                host: TargetHost::Ip(address),
                port,
                ..
            } => Some(Self { address, port }),
        }
    }
}
