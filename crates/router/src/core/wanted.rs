use config::{Config, Trust, ZoneAddress};
use ipnet::{IpNet, Ipv4Net};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

/// Everything that belongs into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Addresses by interface, which is up; one that is named may have none of ours.
    pub interfaces: BTreeMap<String, BTreeSet<IpNet>>,
    /// The ways to everything else.
    pub defaults: BTreeSet<DefaultRoute>,
    /// Interfaces whose IPv4 address is not known yet, because it is still being asked for: what an earlier run has set
    /// there stays meanwhile.
    pub pending: BTreeSet<String>,
    /// Interfaces that get their IPv4 address by DHCP.
    pub dynamic: BTreeMap<String, Dynamic>,
    /// Interfaces that take an IPv6 address and a default route from what routers advertise; no others do.
    pub advertised: BTreeSet<String>,
}

/// A port with DHCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dynamic {
    /// The metric of a default route there.
    pub metric: u32,
    /// Whether its zone is an inside one.
    pub inside: bool,
}

/// What an interface has by DHCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leased {
    /// The address, with the prefix of its network.
    pub address: Ipv4Net,
    /// The gateway of the default route.
    pub router: Option<Ipv4Addr>,
}

/// What DHCP gave is in the way of another interface; the network that the cable leads to is to blame, or the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{interface}: {leased} by DHCP is not used, because {other} has {held}; give that zone another network, or plug in \
     another cable"
)]
pub struct Overlap {
    interface: String,
    leased: Ipv4Net,
    other: String,
    held: IpNet,
}

/// A router towards everything else.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DefaultRoute {
    /// The interface it is reached through.
    pub interface: String,
    /// Its address.
    pub gateway: IpAddr,
    /// Of several the least counts.
    pub metric: u32,
}

/// The metric of the first; each further one has the next.
const METRIC: u32 = 100;

impl Wanted {
    /// What the zones of `config` fix.
    pub fn of(config: &Config) -> Self {
        let mut wanted = Self::default();
        for (zone, metric) in config.zones.iter().zip(METRIC..) {
            let interface = wanted.interfaces.entry(zone.interface.clone());
            interface.or_default().extend(zone.static_addresses());
            wanted
                .defaults
                .extend(zone.gateway.map(|gateway| DefaultRoute {
                    interface: zone.interface.clone(),
                    gateway,
                    metric,
                }));
            if zone.addresses.contains(&ZoneAddress::Dhcp) {
                let inside = zone.trust == Trust::Inside;
                wanted
                    .dynamic
                    .insert(zone.interface.clone(), Dynamic { metric, inside });
                wanted.pending.insert(zone.interface.clone());
            }
            if zone.addresses.contains(&ZoneAddress::Auto6) {
                wanted.advertised.insert(zone.interface.clone());
            }
        }
        wanted
    }

    /// Adds what was learned by DHCP on `interface`, `None` if that is nothing; elsewhere it is not wanted.
    ///
    /// # Errors
    /// The network is on another interface already, and would draw its traffic away; nothing is added.
    pub fn learn(&mut self, interface: &str, leased: Option<Leased>) -> Result<(), Overlap> {
        let Some(Dynamic { metric, .. }) = self.dynamic.get(interface) else {
            return Ok(());
        };
        self.pending.remove(interface);
        let Some(leased) = leased else { return Ok(()) };
        let net = IpNet::from(leased.address);
        let others = self
            .interfaces
            .iter()
            .filter(|(name, _)| *name != interface);
        for (other, addresses) in others {
            let both =
                |held: &&IpNet| held.contains(&net.network()) || net.contains(&held.network());
            if let Some(held) = addresses.iter().find(both) {
                return Err(Overlap {
                    interface: interface.to_owned(),
                    leased: leased.address,
                    other: other.clone(),
                    held: *held,
                });
            }
        }
        let addresses = self.interfaces.entry(interface.to_owned()).or_default();
        addresses.insert(leased.address.into());
        self.defaults
            .extend(leased.router.map(|router| DefaultRoute {
                interface: interface.to_owned(),
                gateway: router.into(),
                metric: *metric,
            }));
        Ok(())
    }

    /// All that `other` wants, too.
    pub fn join(&mut self, other: &Self) {
        for (interface, addresses) in &other.interfaces {
            let own = self.interfaces.entry(interface.clone());
            own.or_default().extend(addresses);
        }
        self.defaults.extend(other.defaults.iter().cloned());
        self.pending.extend(other.pending.iter().cloned());
        self.advertised.extend(other.advertised.iter().cloned());
        for (interface, dynamic) in &other.dynamic {
            self.dynamic.entry(interface.clone()).or_insert(*dynamic);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_say_addresses_and_ways_out() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
            interface = \"eth0\"\naddresses = [\"192.0.2.4/24\", \"2001:db8::4/64\"]\n\
            gateway = \"192.0.2.1\"\n[network.wan]\ntrust = \"outside\"\ninterface = \"eth1\"\n\
            addresses = [\"dhcp\"]\n";
        let wanted = Wanted::of(&config::check(text, "test.toml").unwrap().config);
        let lan: Vec<_> = wanted.interfaces["eth0"]
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(lan, ["192.0.2.4/24", "2001:db8::4/64"]);
        assert!(wanted.interfaces["eth1"].is_empty(), "up, for DHCP");
        let way = DefaultRoute {
            interface: "eth0".to_owned(),
            gateway: "192.0.2.1".parse().unwrap(),
            metric: METRIC,
        };
        assert_eq!(wanted.defaults, BTreeSet::from([way]));
        assert!(wanted.dynamic.keys().eq(["eth1"]));
        assert_eq!(wanted.pending, BTreeSet::from(["eth1".to_owned()]));
    }

    #[test]
    fn what_dhcp_gave_counts_where_it_was_asked_for() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
            interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[network.wan]\ntrust = \"outside\"\n\
            interface = \"eth1\"\naddresses = [\"dhcp\"]\n";
        let fixed = Wanted::of(&config::check(text, "test.toml").unwrap().config);
        let leased = Leased {
            address: "198.51.100.7/24".parse().unwrap(),
            router: Some("198.51.100.1".parse().unwrap()),
        };
        let mut wanted = fixed.clone();
        wanted.learn("eth0", Some(leased)).unwrap();
        assert_eq!(wanted, fixed, "nobody asked there");
        wanted.learn("eth1", Some(leased)).unwrap();
        assert!(wanted.interfaces["eth1"].contains(&leased.address.into()));
        let way = wanted.defaults.first().unwrap();
        assert_eq!((way.interface.as_str(), way.metric), ("eth1", METRIC + 1));
        assert!(wanted.pending.is_empty());
        let mut lost = fixed;
        lost.learn("eth1", None).unwrap();
        assert!(lost.pending.is_empty() && lost.interfaces["eth1"].is_empty());
    }

    #[test]
    fn what_dhcp_gave_does_not_take_the_network_of_another_interface() {
        let text = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
            interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[network.wan]\ntrust = \"outside\"\n\
            interface = \"eth1\"\naddresses = [\"dhcp\"]\n";
        let fixed = Wanted::of(&config::check(text, "test.toml").unwrap().config);
        for (address, fits) in [
            ("192.0.2.7/24", false),
            ("192.0.3.7/16", false),
            ("192.0.2.200/28", false),
            ("192.0.3.7/24", true),
        ] {
            let leased = Leased {
                address: address.parse().unwrap(),
                router: None,
            };
            let mut wanted = fixed.clone();
            assert_eq!(
                wanted.learn("eth1", Some(leased)).is_ok(),
                fits,
                "{address}"
            );
            assert_eq!(wanted.interfaces["eth1"].is_empty(), !fits);
        }
    }
}
