//! What the kernel has for interfaces and addresses, beside the zones of the configuration.

use config::{Config, Trust};
use control::{InterfaceStatus, Network, ZoneStatus};
use ipnet::IpNet;
use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;
use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;

/// Interfaces that are told of at most: an interface of a zone is always among them.
const MOST: usize = 256;

/// The networks of this machine under `config`; zones' interfaces first, the loopback is left out.
///
/// # Errors
/// The kernel does not tell.
pub fn network(config: &Config) -> io::Result<Network> {
    let zone_of = |name: &str| {
        let mut zones = config.zones.iter();
        zones.find(|zone| zone.interface == name)
    };
    let mut interfaces: Vec<_> = found()?
        .into_values()
        .map(|interface| InterfaceStatus {
            zone: zone_of(&interface.name).map(|zone| zone.name.clone()),
            ..interface
        })
        .collect();
    let place = |interface: &InterfaceStatus| {
        let mut zones = config.zones.iter();
        zones
            .position(|zone| zone.interface == interface.name)
            .unwrap_or(usize::MAX)
    };
    interfaces.sort_by_key(place);
    interfaces.truncate(MOST);
    let zones = config.zones.iter().map(|zone| ZoneStatus {
        name: zone.name.clone(),
        trust: match zone.trust {
            Trust::Inside => "inside".to_owned(),
            Trust::Outside => "outside".to_owned(),
        },
        interface: zone.interface.clone(),
        addresses: zone.addresses.iter().map(ToString::to_string).collect(),
        gateway: zone.gateway,
    });
    Ok(Network {
        interfaces,
        zones: zones.collect(),
    })
}

fn found() -> io::Result<BTreeMap<String, InterfaceStatus>> {
    let mut interfaces = BTreeMap::new();
    for entry in getifaddrs()? {
        if entry.flags.contains(InterfaceFlags::IFF_LOOPBACK) {
            continue;
        }
        let (up, address) = (
            entry
                .flags
                .contains(InterfaceFlags::IFF_UP | InterfaceFlags::IFF_RUNNING),
            address(&entry),
        );
        let mac = entry.address.as_ref().and_then(mac);
        let interface = interfaces
            .entry(entry.interface_name.clone())
            .or_insert_with(|| InterfaceStatus {
                name: entry.interface_name,
                zone: None,
                up,
                mac: None,
                addresses: Vec::new(),
            });
        interface.mac = interface.mac.take().or(mac);
        interface.addresses.extend(address);
    }
    Ok(interfaces)
}

fn address(entry: &InterfaceAddress) -> Option<String> {
    let address = ip(entry.address.as_ref()?)?;
    let mask = entry.netmask.as_ref().and_then(ip);
    let net = mask.and_then(|mask| IpNet::with_netmask(address, mask).ok());
    Some(net.map_or_else(|| address.to_string(), |net| net.to_string()))
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| v4.ip().into());
    v4.or_else(|| address.as_sockaddr_in6().map(|v6| v6.ip().into()))
}

fn mac(address: &SockaddrStorage) -> Option<String> {
    let bytes = address.as_link_addr()?.addr()?;
    let pairs: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    (bytes != [0; 6]).then(|| pairs.join(":"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_told_as_the_file_has_them() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
             interface = \"eth7\"\naddresses = [\"dhcp\", \"fd12::1/64\"]\n[admin]\nport = 8443\n";
        let config = config::check(text, "test.toml").unwrap().config;
        let network = network(&config).unwrap();
        let expected = ZoneStatus {
            name: "lan".to_owned(),
            trust: "inside".to_owned(),
            interface: "eth7".to_owned(),
            addresses: vec!["dhcp".to_owned(), "fd12::1/64".to_owned()],
            gateway: None,
        };
        assert_eq!(network.zones, [expected]);
        assert!(network.interfaces.iter().all(|one| one.name != "lo"));
    }
}
