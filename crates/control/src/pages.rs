//! Where a browser finds the admin pages.

use std::net::{IpAddr, SocketAddr};

use crate::{InterfaceStatus, Network, Status};

/// The addresses to type into a browser inside, such as `https://192.168.1.4:8443/`; empty where the pages are not open.
pub fn pages(status: &Status, network: &Network) -> Vec<String> {
    let open = status
        .listeners
        .iter()
        .filter(|listener| listener.service == "admin" && listener.fault.is_none());
    let mut found = Vec::new();
    for listener in open {
        let Ok(socket) = listener.address.parse::<SocketAddr>() else {
            continue;
        };
        if !socket.ip().is_unspecified() {
            found.push(socket);
            continue;
        }
        let device = listener.interface.as_deref();
        let of_device =
            |interface: &&InterfaceStatus| device.is_none_or(|name| name == interface.name);
        let interfaces = network.interfaces.iter().filter(of_device);
        let addresses = interfaces.flat_map(|interface| &interface.addresses);
        let addresses = addresses.filter_map(|text| text.split('/').next()?.parse::<IpAddr>().ok());
        // What listens on the loopback interface alone is reached from there.
        let fits = |ip: IpAddr| !only_here(ip) || device.is_some() && ip.is_loopback();
        let fit = addresses.filter(|ip| ip.is_ipv4() == socket.is_ipv4() && fits(*ip));
        found.extend(fit.map(|ip| SocketAddr::new(ip, socket.port())));
    }
    found.sort_unstable_by_key(|socket| (socket.is_ipv6(), *socket));
    found.dedup();
    found
        .iter()
        .map(|socket| format!("https://{socket}/"))
        .collect()
}

/// Whether an address means something else in every machine, or needs an interface beside it.
pub fn only_here(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_loopback() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_loopback() || ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Generation, GenerationState, ListenerStatus, Moment};

    fn interface(name: &str, addresses: &[&str]) -> InterfaceStatus {
        InterfaceStatus {
            name: name.to_owned(),
            zone: None,
            up: true,
            mac: None,
            addresses: addresses.iter().map(ToString::to_string).collect(),
        }
    }

    fn status(listeners: &[(&str, &str, Option<&str>, bool)]) -> Status {
        let at = Moment(0);
        let listeners = listeners
            .iter()
            .map(|(service, address, device, works)| ListenerStatus {
                service: (*service).to_owned(),
                protocol: "https".to_owned(),
                address: (*address).to_owned(),
                interface: device.map(str::to_owned),
                fault: (!works).then(|| "taken".to_owned()),
            });
        Status {
            version: String::new(),
            hostname: String::new(),
            started: at,
            now: at,
            generation: Generation {
                number: 1,
                created: at,
                origin: String::new(),
                state: GenerationState::Active,
            },
            processes: Vec::new(),
            listeners: listeners.collect(),
            certificates: Vec::new(),
            traffic: None,
            bans: 0,
            not_built: Vec::new(),
            left_out: Vec::new(),
            machine: None,
        }
    }

    #[test]
    fn pages_are_where_a_browser_can_go() {
        let network = Network {
            interfaces: vec![
                interface("lo", &["127.0.0.1/8", "::1/128"]),
                interface("eth0", &["192.0.2.4/24", "fe80::1/64", "2001:db8::4/64"]),
                interface("eth1", &["198.51.100.4/24", "169.254.1.1/16"]),
            ],
            zones: Vec::new(),
        };
        let of = |listeners: &[(&str, &str, Option<&str>, bool)]| {
            pages(&status(listeners), &network).join(" ")
        };
        let eth0 = Some("eth0");
        for (listeners, expected) in [
            (&[("proxy", "0.0.0.0:443", eth0, true)][..], ""),
            (&[("admin", "0.0.0.0:8443", eth0, false)], ""),
            (&[("admin", "nonsense", eth0, true)], ""),
            (
                &[("admin", "0.0.0.0:8443", Some("lo"), true)],
                "https://127.0.0.1:8443/",
            ),
            (
                &[
                    ("admin", "[::]:8443", eth0, true),
                    ("admin", "0.0.0.0:8443", eth0, true),
                ],
                "https://192.0.2.4:8443/ https://[2001:db8::4]:8443/",
            ),
            (
                &[("admin", "192.0.2.9:9443", None, true)],
                "https://192.0.2.9:9443/",
            ),
            (
                &[("admin", "0.0.0.0:8443", None, true)],
                "https://192.0.2.4:8443/ https://198.51.100.4:8443/",
            ),
        ] {
            assert_eq!(of(listeners), expected);
        }
    }
}
