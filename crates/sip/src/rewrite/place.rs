use std::net::IpAddr;

use super::element::Parts;
use crate::address::{ip, is_domain};

/// An address or a name, with its ports for SIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    ip: Option<IpAddr>,
    /// As it is written in a message: a name in lower case, an IPv6 address in brackets.
    text: String,
    plain: u16,
    secure: u16,
    is_shared: bool,
}

/// Which of the two ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Secure,
}

impl Place {
    /// The place with this address or name; none where the text is neither, or a port is 0.
    pub fn new(host: &str, plain: u16, secure: u16) -> Option<Self> {
        if plain == 0 || secure == 0 {
            return None;
        }
        if let Ok(ip) = host.parse() {
            return Some(Self::at(ip, plain, secure));
        }
        is_domain(host.as_bytes()).then(|| Self {
            ip: None,
            text: host.to_ascii_lowercase(),
            plain,
            secure,
            is_shared: false,
        })
    }

    /// The place at this address.
    pub fn at(ip: IpAddr, plain: u16, secure: u16) -> Self {
        let ip = ip.to_canonical();
        let text = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        Self {
            ip: Some(ip),
            text,
            plain,
            secure,
            is_shared: false,
        }
    }

    /// A name that is a domain of users, too (a dynamic name, say): where it has no mark, it means the domain and is left
    /// alone.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    pub(super) const fn is_shared(&self) -> bool {
        self.is_shared
    }

    /// Whether the host of an address is this one, however it is spelled.
    pub(super) fn is_host(&self, host: &[u8]) -> bool {
        match self.ip {
            Some(own) => ip(host) == Some(own),
            None => host.eq_ignore_ascii_case(self.text.as_bytes()),
        }
    }

    /// Which port it is, if it is one; where both are the same, the preferred one.
    pub(super) fn kind(&self, port: u16, prefer: Kind) -> Option<Kind> {
        match (port == self.plain, port == self.secure) {
            (true, true) => Some(prefer),
            (true, false) => Some(Kind::Plain),
            (false, true) => Some(Kind::Secure),
            (false, false) => None,
        }
    }

    /// With the digits of a port.
    pub(super) fn written(&self, port: Option<&str>) -> String {
        match port {
            Some(port) => format!("{}:{port}", self.text),
            None => self.text.clone(),
        }
    }

    /// This place in the manner of another address: with a port where that one has it, or where it has to be.
    pub(super) fn like(
        &self,
        parts: &Parts<'_>,
        kind: Kind,
        transport: Option<&'static str>,
    ) -> (String, Option<&'static str>) {
        let port = match kind {
            Kind::Plain => self.plain,
            Kind::Secure => self.secure,
        };
        let is_secure = parts.with_transport(transport).is_secure();
        let can_be_left_out = parts.port.is_none() && port == default_port(is_secure);
        let text = if can_be_left_out {
            self.text.clone()
        } else {
            format!("{}:{port}", self.text)
        };
        (text, transport)
    }
}

/// The port that is meant where none is written (RFC 3261 section 19.1.2).
pub(super) const fn default_port(is_secure: bool) -> u16 {
    if is_secure { 5061 } else { 5060 }
}
