//! Addresses: of interfaces, networks, ranges, name servers.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::name::dns_fault;
use crate::definition::Shape;
use crate::reader::{Node, Reader, Value, quoted};

/// How a zone's interface gets an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ZoneAddress {
    /// This address, in this network.
    Static(IpNet),
    /// From a DHCP server.
    Dhcp,
    /// From router advertisements (IPv6).
    Auto6,
}

impl fmt::Display for ZoneAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Static(address) => address.fmt(f),
            Self::Dhcp => f.write_str("dhcp"),
            Self::Auto6 => f.write_str("auto6"),
        }
    }
}

impl Value for ZoneAddress {
    fn shape() -> Shape {
        Shape::Text("`address/prefix`, \"dhcp\" or \"auto6\"")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        match text {
            "dhcp" => return Some(Self::Dhcp),
            "auto6" => return Some(Self::Auto6),
            _ => {}
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Some(Self::Static(net));
        }
        let remedy = match text.parse::<IpAddr>() {
            Ok(IpAddr::V4(_)) => format!("write the length of its network, too: \"{text}/24\""),
            Ok(IpAddr::V6(_)) => format!("write the length of its network, too: \"{text}/64\""),
            Err(_) => "write an address with its network, such as \"192.168.1.1/24\", \
                       or \"dhcp\" or \"auto6\""
                .to_owned(),
        };
        reader.fault(
            node,
            format!("{} is no address of an interface", quoted(text)),
            remedy,
        );
        None
    }
}

/// Where the site is reached from outside.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PublicAddress {
    /// A fixed address.
    Ip(IpAddr),
    /// A name that leads there (DynDNS), in lower case.
    Name(String),
}

impl fmt::Display for PublicAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

impl Value for PublicAddress {
    fn shape() -> Shape {
        Shape::Text("an address, or a name that leads to it")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(Self::Ip(address));
        }
        if looks_like_address(text) || dns_fault(text, false).is_some() {
            let what = format!("{} is neither an address nor a name", quoted(text));
            reader.fault(
                node,
                what,
                "write it without port or scheme, such as \"203.0.113.20\"",
            );
            return None;
        }
        Some(Self::Name(text.to_ascii_lowercase()))
    }
}

impl Value for IpAddr {
    fn shape() -> Shape {
        Shape::Text("an address")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        let address = text.parse().ok();
        if address.is_none() {
            let remedy = if text.parse::<SocketAddr>().is_ok() {
                "leave the port out"
            } else if text.contains('/') {
                "leave the \"/\" and what follows out"
            } else {
                "write an address such as \"192.168.1.1\" or \"fd00::1\""
            };
            reader.fault(node, format!("{} is no address", quoted(text)), remedy);
        }
        address
    }
}

/// A set of addresses, as rules name them; one address alone stands for itself.
impl Value for IpNet {
    fn shape() -> Shape {
        Shape::Text("a network such as \"192.168.10.0/24\", or one address")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(address.into());
        }
        let Ok(net) = text.parse::<Self>() else {
            let remedy = "write a network such as \"192.168.10.0/24\", or one address";
            reader.fault(node, format!("{} is no network", quoted(text)), remedy);
            return None;
        };
        if net.trunc() != net {
            let remedy = format!(
                "write \"{}\", or \"{}\" for the one",
                net.trunc(),
                net.addr()
            );
            let what = format!("{} is an address inside a network", quoted(text));
            reader.fault(node, what, remedy);
            return None;
        }
        Some(net)
    }
}

/// A run of addresses of one family, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressRange {
    /// The first address.
    pub first: IpAddr,
    /// The last address; not before the first.
    pub last: IpAddr,
}

impl AddressRange {
    /// Whether an address lies between the two ends.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.first.is_ipv4() == address.is_ipv4() && self.first <= address && address <= self.last
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

impl Value for AddressRange {
    fn shape() -> Shape {
        Shape::Text("a run of addresses: `first-last`")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        let ends = text.split_once('-').and_then(|(first, last)| {
            Some((
                first.trim().parse::<IpAddr>().ok()?,
                last.trim().parse::<IpAddr>().ok()?,
            ))
        });
        match ends {
            Some((first, last)) if first.is_ipv4() == last.is_ipv4() && first <= last => {
                Some(Self { first, last })
            }
            Some((first, last)) if first.is_ipv4() == last.is_ipv4() => {
                let what = format!("{} runs backwards", quoted(text));
                reader.fault(node, what, format!("write \"{last}-{first}\""));
                None
            }
            _ => {
                let remedy = "write the first and the last address, such as \
                              \"192.168.1.100-192.168.1.180\"";
                reader.fault(
                    node,
                    format!("{} is no run of addresses", quoted(text)),
                    remedy,
                );
                None
            }
        }
    }
}

/// The hardware address of an Ethernet interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            write!(f, "{}{byte:02x}", if index == 0 { "" } else { ":" })?;
        }
        Ok(())
    }
}

impl Value for Mac {
    fn shape() -> Shape {
        Shape::Text("a hardware address such as \"00:90:33:40:00:7e\"")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        let mut mac = [0; 6];
        let mut parts = text.split([':', '-']);
        let complete = mac.iter_mut().all(|byte| {
            let part = parts
                .next()
                .filter(|part| part.len() == 2 && !part.starts_with('+'));
            part.and_then(|part| u8::from_str_radix(part, 16).ok())
                .map(|read| *byte = read)
                .is_some()
        });
        if !complete || parts.next().is_some() {
            let remedy = "write six pairs of hexadecimal digits, such as \"00:90:33:40:00:7e\"";
            reader.fault(
                node,
                format!("{} is no hardware address", quoted(text)),
                remedy,
            );
            return None;
        }
        Some(Self(mac))
    }
}

/// A name server that we ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Upstream {
    /// Where it listens; port 53, or 853 over TLS, unless written.
    pub address: SocketAddr,
    /// Whether it is asked over TLS (RFC 7858).
    pub tls: bool,
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}{}",
            if self.tls { "tls://" } else { "" },
            self.address
        )
    }
}

impl Value for Upstream {
    fn shape() -> Shape {
        Shape::Text("a name server: `address`, `address:port` or `tls://address`")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        let (tls, rest) = match text.strip_prefix("tls://") {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let port = if tls { 853 } else { 53 };
        let bare = rest
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(rest);
        let address = bare
            .parse::<IpAddr>()
            .map(|address| SocketAddr::new(address, port));
        let address = address.ok().or_else(|| rest.parse().ok());
        if address.is_none() {
            let remedy = "write an address, such as \"9.9.9.9\" or \"tls://1.1.1.1\"";
            reader.fault(node, format!("{} is no name server", quoted(text)), remedy);
        }
        address.map(|address| Self { address, tls })
    }
}

/// Whether a text was meant as an IPv4 address although it is none ("10.0.0.256").
pub(crate) fn looks_like_address(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
}
