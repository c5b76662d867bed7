//! Which listeners a configuration wants of the services that there are.

use config::Config;
use config::tables::{Listen, On, listens};
use net::{Device, ListenKey, Transport};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The listeners of edge: those of the proxy, and those for questions about zones that the box answers.
pub fn edge(config: &Config) -> Vec<ListenKey> {
    wanted(config, |listen| {
        matches!(listen.service, "proxy" | "uplink")
    })
}

/// The listeners of the admin pages.
pub fn admin(config: &Config) -> Vec<ListenKey> {
    wanted(config, |listen| listen.service == "admin")
}

fn wanted(config: &Config, built: impl Fn(&Listen) -> bool) -> Vec<ListenKey> {
    let rows = listens(config).rows.into_iter();
    rows.filter(built)
        .flat_map(|listen| keys(&listen))
        .collect()
}

fn keys(listen: &Listen) -> Vec<ListenKey> {
    let (ips, device): (Vec<IpAddr>, _) = match &listen.on {
        On::Everywhere => (wildcards(), None),
        On::Zone { interface, .. } => (wildcards(), Some(Device::named(interface))),
        On::Address(address) => (vec![*address], None),
        On::Loopback => (loopbacks(), None),
    };
    ips.into_iter()
        .filter(|ip| {
            if ip.is_ipv4() {
                listen.ipv4
            } else {
                listen.ipv6
            }
        })
        .map(|ip| ListenKey {
            service: listen.service.to_owned(),
            protocol: listen.protocol.to_owned(),
            transport: match listen.transport {
                config::Transport::Udp => Transport::Udp,
                config::Transport::Tcp => Transport::Tcp,
            },
            addr: SocketAddr::new(ip, listen.ports.first),
            device: device.clone(),
        })
        .collect()
}

fn wildcards() -> Vec<IpAddr> {
    vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
}

fn loopbacks() -> Vec<IpAddr> {
    vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interface_is_named_and_a_protocol_that_no_host_serves_opens_no_port() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
            interface = \"eth1\"\naddresses = [\"192.0.2.4/24\"]\n[admin]\nport = 8443\n";
        let config = config::check(text, "test.toml").unwrap().config;
        assert!(edge(&config).is_empty());
        let shown: Vec<_> = admin(&config).iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["https 0.0.0.0:8443 on eth1", "https [::]:8443 on eth1"]
        );
    }
}
