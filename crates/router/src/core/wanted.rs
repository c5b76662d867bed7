use config::Config;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Everything that belongs into the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Addresses by interface, which is up; one that is named may have none of ours.
    pub interfaces: BTreeMap<String, BTreeSet<IpNet>>,
    /// The ways to everything else.
    pub defaults: BTreeSet<DefaultRoute>,
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
        }
        wanted
    }

    /// All that `other` wants, too.
    pub fn join(&mut self, other: &Self) {
        for (interface, addresses) in &other.interfaces {
            let own = self.interfaces.entry(interface.clone());
            own.or_default().extend(addresses);
        }
        self.defaults.extend(other.defaults.iter().cloned());
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
    }
}
