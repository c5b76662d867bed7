//! Whom a ban names: one IPv4 address, one IPv6 network, seldom one IPv6 address.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The client as the guard counts it, so that nobody gets a fresh record by taking the next address of his own network.
///
/// Written as `192.0.2.1`, `2001:db8:1:2::/64` or `2001:db8:1:2::5`; serde uses the same text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ClientKey {
    /// One IPv4 address; an IPv4-mapped IPv6 address is the same client.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address: what one subscriber gets at the least (RFC 6177).
    V6Network([u8; 8]),
    /// One IPv6 address, in a /64 that also holds an exempt address and must therefore not be banned as a whole.
    V6Address(Ipv6Addr),
}

impl ClientKey {
    /// The key under which a client is usually counted: the IPv4 address or the IPv6 /64.
    pub fn of(client: IpAddr) -> Self {
        match client.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6Network(upper_half(address)),
        }
    }

    /// Whether this key speaks for the client at `client`.
    pub fn covers(&self, client: IpAddr) -> bool {
        match (self, client.to_canonical()) {
            (Self::V4(ours), IpAddr::V4(theirs)) => *ours == theirs,
            (Self::V6Network(ours), IpAddr::V6(theirs)) => *ours == upper_half(theirs),
            (Self::V6Address(ours), IpAddr::V6(theirs)) => *ours == theirs,
            _ => false,
        }
    }

    /// The first address the key covers; with [`ClientKey::prefix_len`] what a packet filter wants to be told.
    pub fn network(&self) -> IpAddr {
        match self {
            Self::V4(address) => IpAddr::V4(*address),
            Self::V6Network(upper) => IpAddr::V6(network_address(*upper)),
            Self::V6Address(address) => IpAddr::V6(*address),
        }
    }

    /// The length of the prefix in bits: 32, 64 or 128.
    pub fn prefix_len(&self) -> u8 {
        match self {
            Self::V4(_) => 32,
            Self::V6Network(_) => 64,
            Self::V6Address(_) => 128,
        }
    }
}

impl fmt::Display for ClientKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6Network(upper) => write!(f, "{}/64", network_address(*upper)),
            Self::V6Address(address) => address.fmt(f),
        }
    }
}

/// The text names no client: the writer of the text is to blame.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "\"{0}\" is no client; write an IPv4 address, an IPv6 network with /64, or an IPv6 address"
)]
pub struct NotAClient(String);

impl FromStr for ClientKey {
    type Err = NotAClient;

    fn from_str(text: &str) -> Result<Self, NotAClient> {
        let wrong = || NotAClient(text.to_owned());
        if let Some(network) = text.strip_suffix("/64") {
            let address: Ipv6Addr = network.parse().map_err(|_| wrong())?;
            let upper = upper_half(address);
            return if network_address(upper) == address {
                Ok(Self::V6Network(upper))
            } else {
                Err(wrong())
            };
        }
        let address: IpAddr = text.parse().map_err(|_| wrong())?;
        Ok(match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6Address(address),
        })
    }
}

impl TryFrom<String> for ClientKey {
    type Error = NotAClient;

    fn try_from(text: String) -> Result<Self, NotAClient> {
        text.parse()
    }
}

impl From<ClientKey> for String {
    fn from(key: ClientKey) -> Self {
        key.to_string()
    }
}

/// The 64 bits that tell one IPv6 network from another.
pub(crate) fn upper_half(address: Ipv6Addr) -> [u8; 8] {
    *address.octets().first_chunk().expect("16 bytes hold 8")
}

fn network_address(upper: [u8; 8]) -> Ipv6Addr {
    Ipv6Addr::from_bits(u128::from(u64::from_be_bytes(upper)) << 64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subscriber_is_one_client() {
        let cases = [
            ("192.0.2.1", "192.0.2.1", 32),
            ("::ffff:192.0.2.1", "192.0.2.1", 32),
            ("2001:db8:1:2::5", "2001:db8:1:2::/64", 64),
            ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64", 64),
            ("::1", "::/64", 64),
        ];
        for (address, text, bits) in cases {
            let address: IpAddr = address.parse().unwrap();
            let key = ClientKey::of(address);
            assert_eq!(key.to_string(), text);
            assert_eq!(key.prefix_len(), bits);
            assert!(key.covers(address));
            assert_eq!(text.parse::<ClientKey>().unwrap(), key);
        }
        let key: ClientKey = "2001:db8:1:2::5".parse().unwrap();
        assert_eq!(key.prefix_len(), 128);
        assert!(key.covers("2001:db8:1:2::5".parse().unwrap()));
        assert!(!key.covers("2001:db8:1:2::6".parse().unwrap()));
        assert!(!key.covers("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn text_that_names_no_client_is_refused() {
        for text in [
            "",
            "x",
            "192.0.2.1/24",
            "192.0.2.0/64",
            "2001:db8::1/64",
            "2001:db8::/48",
            "1.2.3.4.5",
        ] {
            assert!(text.parse::<ClientKey>().is_err(), "{text}");
        }
    }
}
