//! Who is never counted, and how the others are counted because of it.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::Policy;
use crate::client::{ClientKey, upper_half};

#[derive(Debug)]
pub(crate) struct Exempt {
    networks: Vec<IpNet>,
    addresses: HashSet<IpAddr>,
    /// The IPv6 /64s that hold something exempt: a ban of such a network would hit that as well,
    /// so that its clients are counted address by address.
    shared: HashSet<[u8; 8]>,
}

impl Exempt {
    /// Who is neither counted nor banned.
    pub(crate) fn new(policy: &Policy) -> Self {
        Self::of(&policy.never, &policy.exempt)
    }

    /// Whose bans do not close the operator's way in where only hearsay led to them.
    pub(crate) fn operators(policy: &Policy) -> Self {
        Self::of(&policy.operators, &[])
    }

    fn of(networks: &[IpNet], addresses: &[IpAddr]) -> Self {
        let networks: Vec<IpNet> = networks.iter().map(|network| canonical(*network)).collect();
        let addresses: HashSet<IpAddr> = addresses.iter().map(IpAddr::to_canonical).collect();
        let of_networks = networks
            .iter()
            .filter(|network| network.prefix_len() > 64)
            .map(IpNet::network);
        let shared = of_networks
            .chain(addresses.iter().copied())
            .filter_map(v6)
            .map(upper_half)
            .collect();
        Self {
            networks,
            addresses,
            shared,
        }
    }

    /// The key to count a client under; `None`: the client is exempt.
    pub(crate) fn key_of(&self, client: IpAddr) -> Option<ClientKey> {
        let client = client.to_canonical();
        if self.addresses.contains(&client)
            || self
                .networks
                .iter()
                .any(|network| network.contains(&client))
        {
            return None;
        }
        match (ClientKey::of(client), client) {
            (ClientKey::V6Network(upper), IpAddr::V6(address)) if self.shared.contains(&upper) => {
                Some(ClientKey::V6Address(address))
            }
            (key, _) => Some(key),
        }
    }

    /// Whether a ban of this key would hit somebody exempt.
    pub(crate) fn touches(&self, key: ClientKey) -> bool {
        match key {
            ClientKey::V6Network(upper) if self.shared.contains(&upper) => true,
            _ => self.key_of(key.network()).is_none(),
        }
    }
}

/// A network of IPv4-mapped addresses, written as the IPv4 network that it is.
fn canonical(network: IpNet) -> IpNet {
    let IpAddr::V4(address) = network.network().to_canonical() else {
        return network;
    };
    match network {
        IpNet::V6(mapped) if mapped.prefix_len() >= 96 => {
            Ipv4Net::new(address, mapped.prefix_len() - 96).map_or(network, IpNet::V4)
        }
        _ => network,
    }
}

fn v6(address: IpAddr) -> Option<Ipv6Addr> {
    match address {
        IpAddr::V6(address) => Some(address),
        IpAddr::V4(_) => None,
    }
}
