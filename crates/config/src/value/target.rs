//! Targets: `address`, `address:port` or `scheme://address[:port]`.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use toml::de::DeValue;

use super::address::looks_like_address;
use super::name::dns_fault;
use crate::definition::Shape;
use crate::reader::{Node, Reader, Value, quoted};

/// The host part of a target.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TargetHost {
    /// An address.
    Ip(IpAddr),
    /// A name, in lower case, resolved when it is needed.
    Name(String),
}

impl fmt::Display for TargetHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(address) => address.fmt(f),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// A target as the file writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetText {
    pub(crate) scheme: Option<Scheme>,
    pub(crate) host: TargetHost,
    pub(crate) port: Option<u16>,
}

/// What is spoken to a target, when it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
    Ldap,
    Ldaps,
    Sip,
    Sips,
}

const SCHEMES: &[(&str, Scheme)] = &[
    ("http", Scheme::Http),
    ("https", Scheme::Https),
    ("ldap", Scheme::Ldap),
    ("ldaps", Scheme::Ldaps),
    ("sip", Scheme::Sip),
    ("sips", Scheme::Sips),
];

impl Scheme {
    pub(crate) fn tls(self) -> bool {
        matches!(self, Self::Https | Self::Ldaps | Self::Sips)
    }

    pub(crate) fn as_str(self) -> &'static str {
        SCHEMES
            .iter()
            .find(|(_, scheme)| *scheme == self)
            .map_or("", |(name, _)| name)
    }
}

impl Value for TargetText {
    fn shape() -> Shape {
        Shape::Text("a target: `address`, `address:port` or `scheme://address[:port]`")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        match parse(text) {
            Ok(target) => Some(target),
            Err((what, remedy)) => {
                reader.fault(node, format!("{} {what}", quoted(text)), remedy);
                None
            }
        }
    }
}

impl AsRef<[Self]> for TargetText {
    fn as_ref(&self) -> &[Self] {
        std::slice::from_ref(self)
    }
}

/// The most targets of one rule.
const MOST_TARGETS: usize = 16;

/// One target or a list of them, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TargetList(Vec<TargetText>);

impl AsRef<[TargetText]> for TargetList {
    fn as_ref(&self) -> &[TargetText] {
        &self.0
    }
}

impl Value for TargetList {
    fn shape() -> Shape {
        let entry = Box::new(Shape::Text("a target"));
        Shape::Either(vec![TargetText::shape(), Shape::List(entry)])
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let DeValue::Array(entries) = node.value.get_ref() else {
            return TargetText::read(reader, node).map(|target| Self(vec![target]));
        };
        if entries.is_empty() {
            reader.fault(node, "is empty", "write a target, or several in brackets");
            return None;
        }
        if entries.len() > MOST_TARGETS {
            let what = format!("holds {} targets", entries.len());
            reader.fault(node, what, format!("write at most {MOST_TARGETS}"));
            return None;
        }
        // A list with a hole would be about other servers than its author meant.
        let targets = Vec::<TargetText>::read(reader, node)?;
        (targets.len() == entries.len()).then_some(Self(targets))
    }
}

/// The Host that a target sees.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum TargetHostHeader {
    /// What the client asked for.
    Keep,
    /// The target's own: its address or name, and its port where that is not the standard one.
    Target,
    /// This one: `name`, `name:port`, in lower case.
    Name(String),
}

impl Value for TargetHostHeader {
    fn shape() -> Shape {
        Shape::Text("\"keep\", \"target\", or a name: `name` or `name:port`")
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        let text = reader.text(node)?;
        match text {
            "keep" => return Some(Self::Keep),
            "target" => return Some(Self::Target),
            _ => {}
        }
        let word = ["keep", "target"]
            .into_iter()
            .find(|word| word.eq_ignore_ascii_case(text));
        let fault = match (word, parse(text)) {
            (Some(word), _) => ("is not known here", format!("did you mean `{word}`?")),
            (
                None,
                Ok(TargetText {
                    scheme: None,
                    host,
                    port,
                }),
            ) => {
                let port = port.map_or(String::new(), |port| format!(":{port}"));
                return Some(Self::Name(format!("{host}{port}")));
            }
            _ => {
                let remedy = "write \"keep\", \"target\", or for example \"pbx.example:8080\"";
                ("is no name of a host", remedy.to_owned())
            }
        };
        reader.fault(node, format!("{} {}", quoted(text), fault.0), fault.1);
        None
    }
}

pub(crate) fn parse(text: &str) -> Result<TargetText, (String, String)> {
    let fault = |what: &str, remedy: &str| Err((what.to_owned(), remedy.to_owned()));
    let (scheme, rest) = match text.split_once("://") {
        Some((name, rest)) => (Some(parse_scheme(name)?), rest),
        None => (None, text),
    };
    if let Some((before, _)) = rest.split_once('/') {
        let (what, remedy) = if before.is_empty() {
            (
                "has no address",
                "write it as address, address:port or scheme://address".to_owned(),
            )
        } else {
            let plain = text.split_at(text.len() - rest.len() + before.len()).0;
            (
                "holds a path",
                format!("write \"{plain}\": paths are passed on as they are asked for"),
            )
        };
        return Err((what.to_owned(), remedy));
    }
    if rest.contains('@') {
        return fault("holds a user name", "leave it out");
    }
    let (host, port) = split_port(rest);
    let port = match port {
        None => None,
        Some(port) => match port.parse::<u16>() {
            Ok(port) if port > 0 => Some(port),
            _ => {
                return fault(
                    "has no valid port",
                    "write a port from 1 to 65535 behind the \":\"",
                );
            }
        },
    };
    Ok(TargetText {
        scheme,
        host: parse_host(host)?,
        port,
    })
}

fn parse_scheme(name: &str) -> Result<Scheme, (String, String)> {
    let known = SCHEMES.iter().find(|(known, _)| *known == name);
    known.map(|(_, scheme)| *scheme).ok_or_else(|| {
        let names: Vec<_> = SCHEMES.iter().map(|(name, _)| *name).collect();
        let what = format!("has the unknown scheme {}", quoted(name));
        (what, crate::nearest::instead(name, &names))
    })
}

fn parse_host(host: &str) -> Result<TargetHost, (String, String)> {
    let unbracketed = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    if let Some(Ok(address)) = unbracketed.map(str::parse::<Ipv6Addr>) {
        return Ok(TargetHost::Ip(address.into()));
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(TargetHost::Ip(address));
    }
    if looks_like_address(host) || unbracketed.is_some() || dns_fault(host, false).is_some() {
        let remedy = "write an address or a name, such as \"192.168.10.5\" or \"pbx.example.com\"";
        return Err(("is no target".to_owned(), remedy.to_owned()));
    }
    Ok(TargetHost::Name(host.to_ascii_lowercase()))
}

/// Splits `host:port`; a bare IPv6 address has no port.
fn split_port(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => (host, Some(port)),
        _ => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(text: &str) -> String {
        match parse(text) {
            Ok(TargetText { scheme, host, port }) => {
                let scheme = scheme.map_or("-", Scheme::as_str);
                format!(
                    "{scheme} {host} {}",
                    port.map_or("-".to_owned(), |port| port.to_string())
                )
            }
            Err((what, _)) => format!("! {what}"),
        }
    }

    #[test]
    fn targets() {
        for (text, expected) in [
            ("172.31.31.2", "- 172.31.31.2 -"),
            ("172.31.31.2:8080", "- 172.31.31.2 8080"),
            ("http://192.168.10.5:7224", "http 192.168.10.5 7224"),
            ("https://PBX.Example", "https pbx.example -"),
            ("fd00::1", "- [fd00::1] -"),
            ("[fd00::1]", "- [fd00::1] -"),
            ("[fd00::1]:443", "- [fd00::1] 443"),
            ("ldaps://10.0.0.7", "ldaps 10.0.0.7 -"),
            ("ftp://10.0.0.7", "! has the unknown scheme \"ftp\""),
            ("http://10.0.0.7/path", "! holds a path"),
            ("http://", "! is no target"),
            ("/x", "! has no address"),
            ("10.0.0.256", "! is no target"),
            ("10.0.0.5:0", "! has no valid port"),
            ("10.0.0.5:70000", "! has no valid port"),
            ("10.0.0.5:", "! has no valid port"),
            ("me@10.0.0.5", "! holds a user name"),
            ("", "! is no target"),
            ("[fd00::1", "! is no target"),
        ] {
            assert_eq!(show(text), expected, "{text}");
        }
    }
}
