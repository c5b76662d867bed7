//! Where a browser will find the admin pages once a configuration is in force.

use super::listens;
use config::{Config, Zone, ZoneAddress};
use control::{InterfaceStatus, only_here};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

/// Where the pages are under `next` and not under `now`, as addresses for a browser; `found` is what the kernel has.
pub fn added(now: &Config, next: &Config, found: &[InterfaceStatus]) -> Vec<String> {
    let known = places(now, now, found);
    let new = places(next, now, found);
    new.difference(&known)
        .map(|(_, place)| format!("https://{place}/"))
        .collect()
}

/// The places of the pages of `config` while `now` is in force; IPv4 first, as it is easier to type.
fn places(
    config: &Config,
    now: &Config,
    found: &[InterfaceStatus],
) -> BTreeSet<(bool, SocketAddr)> {
    let mut places = BTreeSet::new();
    for key in listens::admin(config) {
        let port = key.addr.port();
        let mut add = |ip: IpAddr| places.insert((ip.is_ipv6(), SocketAddr::new(ip, port)));
        if !key.addr.ip().is_unspecified() {
            add(key.addr.ip());
            continue;
        }
        let device = key.device.as_ref().map(ToString::to_string);
        let of_device = |zone: &&Zone| device.as_ref().is_none_or(|name| *name == zone.interface);
        for zone in config.zones.iter().filter(of_device) {
            let own = zone.addresses.iter().filter_map(fixed);
            let given = zone
                .addresses
                .iter()
                .any(|address| fixed(address).is_none());
            let given = given.then(|| given_to(&zone.interface, now, found));
            let all = own.chain(given.into_iter().flatten());
            for ip in all.filter(|ip| ip.is_ipv4() == key.addr.is_ipv4()) {
                add(ip);
            }
        }
    }
    places
}

/// What a network has given to an interface: what it has beside the fixed addresses in force.
fn given_to(interface: &str, now: &Config, found: &[InterfaceStatus]) -> Vec<IpAddr> {
    let zones = now.zones.iter().filter(|zone| zone.interface == interface);
    let fixed: Vec<IpAddr> = zones
        .flat_map(|zone| zone.addresses.iter().filter_map(fixed))
        .collect();
    let found = found.iter().filter(|known| known.name == interface);
    let addresses = found.flat_map(|known| &known.addresses);
    let addresses = addresses.filter_map(|text| text.split('/').next()?.parse::<IpAddr>().ok());
    addresses
        .filter(|ip| !fixed.contains(ip) && !only_here(*ip))
        .collect()
}

fn fixed(address: &ZoneAddress) -> Option<IpAddr> {
    match address {
        ZoneAddress::Static(net) => Some(net.addr()),
        ZoneAddress::Dhcp | ZoneAddress::Auto6 => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(addresses: &str, port: u16) -> Config {
        let text = format!(
            "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
             interface = \"eth9\"\naddresses = [{addresses}]\n[admin]\nport = {port}\n"
        );
        config::check(&text, "test.toml").unwrap().config
    }

    #[test]
    fn new_places_of_the_pages_are_found_with_what_the_network_gave() {
        let found = [InterfaceStatus {
            name: "eth9".to_owned(),
            zone: None,
            up: true,
            mac: None,
            addresses: ["192.0.2.4/24", "192.0.2.77/24", "fe80::1/64"]
                .map(str::to_owned)
                .to_vec(),
        }];
        let fixed = parsed("\"192.0.2.4/24\"", 8443);
        let given = parsed("\"dhcp\"", 8443);
        for (now, next, expected) in [
            (&fixed, fixed.clone(), ""),
            (
                &fixed,
                parsed("\"192.0.2.9/24\"", 8443),
                "https://192.0.2.9:8443/",
            ),
            (
                &fixed,
                parsed("\"192.0.2.4/24\"", 9443),
                "https://192.0.2.4:9443/",
            ),
            (
                &fixed,
                parsed("\"192.0.2.4/24\", \"fd00::1/64\"", 9443),
                "https://192.0.2.4:9443/ https://[fd00::1]:9443/",
            ),
            // What it will be given nobody knows; what it has been given is likely.
            (&fixed, parsed("\"dhcp\"", 8443), "https://192.0.2.77:8443/"),
            (
                &given,
                parsed("\"dhcp\"", 9443),
                "https://192.0.2.4:9443/ https://192.0.2.77:9443/",
            ),
        ] {
            assert_eq!(added(now, &next, &found).join(" "), expected);
        }
    }
}
