//! Where we listen.

use std::fmt;
use std::net::IpAddr;

use super::dns::delegations;
use super::protocols::{port_of, served};
use super::{Row, Table};
use crate::place::{At, Place};
use crate::types::{Config, Ports, SipTransport, Transport, Trust, TurnTls};

/// The port of name servers.
pub(super) const DNS_PORT: u16 = 53;

/// A socket, or a run of them, that a service has open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Listen {
    /// The service: "proxy", "admin", "relay", "lan", "uplink" or "sbc".
    pub service: &'static str,
    /// What is spoken there: "http", "https", "turn", "dns", …
    pub protocol: &'static str,
    /// The transport.
    pub transport: Transport,
    /// The addresses.
    pub on: On,
    /// The ports.
    pub ports: Ports,
    /// Whether IPv4 addresses are among them.
    pub ipv4: bool,
    /// Whether IPv6 addresses are among them.
    pub ipv6: bool,
    /// 1-based line of the setting that opens it.
    pub line: u32,
}

/// The addresses of a [`Listen`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum On {
    /// Every address of the box.
    Everywhere,
    /// Every address of a zone.
    Zone {
        /// The zone's name.
        name: String,
        /// The zone's interface.
        interface: String,
    },
    /// One address.
    Address(IpAddr),
    /// The loopback addresses.
    Loopback,
}

impl fmt::Display for On {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everywhere => f.write_str("all addresses"),
            Self::Zone { name, interface } => write!(f, "zone {name} ({interface})"),
            Self::Address(address) => address.fmt(f),
            Self::Loopback => f.write_str("loopback"),
        }
    }
}

impl Row for Listen {
    const HEADINGS: &'static [&'static str] = &["service", "protocol", "port", "on", "line"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.service.to_owned(),
            self.protocol.to_owned(),
            format!("{}/{}", self.ports, self.transport),
            self.on.to_string(),
            self.line.to_string(),
        ]
    }
}

/// A [`Listen`] or a forward, and the setting that is to blame for it.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    pub(crate) listen: Listen,
    pub(crate) place: Place,
    /// Whether the file holds the port; else it is a default.
    pub(crate) written: bool,
}

/// Where every service listens. A protocol that no host serves opens no port.
pub fn listens(config: &Config) -> Table<Listen> {
    Table {
        rows: uses(config).into_iter().map(|used| used.listen).collect(),
    }
}

/// As [`listens`], with the places of the settings.
pub(crate) fn uses(config: &Config) -> Vec<Use> {
    let mut all = Uses {
        config,
        found: Vec::new(),
    };
    all.proxy();
    all.admin();
    all.turn();
    all.lan();
    all.uplink();
    all.sbc();
    all.found
}

struct Uses<'c> {
    config: &'c Config,
    found: Vec<Use>,
}

impl Uses<'_> {
    fn add(
        &mut self,
        names: (&'static str, &'static str),
        transport: Transport,
        ports: Ports,
        on: &[On],
        (place, written): (&Place, bool),
    ) {
        let (service, protocol) = names;
        let proxy = &self.config.proxy;
        for on in on {
            let shared = service != "proxy";
            let (v4, v6) = match on {
                On::Address(address) => (address.is_ipv4(), address.is_ipv6()),
                _ => (true, true),
            };
            let (ipv4, ipv6) = (v4 && (shared || proxy.ipv4), v6 && (shared || proxy.ipv6));
            let (on, line) = (on.clone(), place.line);
            let listen = Listen {
                service,
                protocol,
                transport,
                on,
                ports,
                ipv4,
                ipv6,
                line,
            };
            self.found.push(Use {
                listen,
                place: place.clone(),
                written,
            });
        }
    }

    /// The zones a list names; `default` if it is empty.
    fn zones(&self, names: &[String], default: Vec<On>) -> Vec<On> {
        if names.is_empty() {
            return default;
        }
        names
            .iter()
            .filter_map(|name| self.config.zone(name))
            .map(zone_on)
            .collect()
    }

    /// The zones that may reach what is ours alone.
    fn inside(&self) -> Vec<On> {
        if self.config.zones.is_empty() {
            return vec![On::Loopback];
        }
        let inside = self
            .config
            .zones
            .iter()
            .filter(|zone| zone.trust == Trust::Inside);
        inside.map(zone_on).collect()
    }

    fn proxy(&mut self) {
        let on = self.zones(&self.config.proxy.zones, vec![On::Everywhere]);
        for (protocol, first) in served(self.config) {
            let listen = &self.config.proxy.listen;
            let port = port_of(listen, protocol);
            let place = (
                &written_or(&listen.at, protocol, first),
                listen.at.holds(protocol),
            );
            self.add(
                ("proxy", protocol),
                Transport::Tcp,
                Ports::one(port),
                &on,
                place,
            );
        }
        let https = Ports::one(self.config.proxy.listen.https);
        for host in &self.config.hosts {
            let Some(rule) = &host.tls_passthrough else {
                continue;
            };
            if let Some(address) = rule.listen {
                let path = format!("host[\"{}\"].tls_passthrough.listen", host.name);
                let place = Place {
                    path,
                    line: rule.line,
                    column: 1,
                };
                let (on, place) = ([On::Address(address)], (&place, true));
                self.add(("proxy", "https"), Transport::Tcp, https, &on, place);
            }
        }
    }

    fn admin(&mut self) {
        let admin = &self.config.admin;
        let on = self.zones(&admin.zones, self.inside());
        let place = (&admin.at.key("port"), admin.at.holds("port"));
        self.add(
            ("admin", "https"),
            Transport::Tcp,
            Ports::one(admin.port),
            &on,
            place,
        );
    }

    fn turn(&mut self) {
        let Some(turn) = &self.config.turn else {
            return;
        };
        let on = self.zones(&turn.zones, vec![On::Everywhere]);
        let place = (&turn.at.key("port"), turn.at.holds("port"));
        for transport in [Transport::Udp, Transport::Tcp] {
            self.add(
                ("relay", "turn"),
                transport,
                Ports::one(turn.port),
                &on,
                place,
            );
        }
        if let Some(TurnTls::Port(port)) = turn.tls {
            let place = (&turn.at.key("tls"), true);
            self.add(
                ("relay", "turns"),
                Transport::Tcp,
                Ports::one(port),
                &on,
                place,
            );
        }
        let place = (&turn.at.key("relay_ports"), turn.at.holds("relay_ports"));
        let everywhere = [On::Everywhere];
        self.add(
            ("relay", "relayed"),
            Transport::Udp,
            turn.relay_ports,
            &everywhere,
            place,
        );
    }

    fn lan(&mut self) {
        if let Some(dns) = &self.config.dns {
            let on = self.zones(&dns.zones, self.inside());
            for transport in [Transport::Udp, Transport::Tcp] {
                self.add(
                    ("lan", "dns"),
                    transport,
                    Ports::one(DNS_PORT),
                    &on,
                    (&dns.at.place, true),
                );
            }
        }
        for zone in &self.config.zones {
            let Some(dhcp) = &zone.dhcp else { continue };
            for (protocol, port, v4) in [("dhcp", 67, true), ("dhcpv6", 547, false)] {
                if dhcp.ranges.iter().any(|range| range.first.is_ipv4() == v4) {
                    let on = [zone_on(zone)];
                    let place = (&dhcp.at.place, true);
                    self.add(
                        ("lan", protocol),
                        Transport::Udp,
                        Ports::one(port),
                        &on,
                        place,
                    );
                }
            }
        }
    }

    /// Where certificate authorities ask for the zones that we answer.
    fn uplink(&mut self) {
        let Some(first) = delegations(self.config).into_iter().next() else {
            return;
        };
        let all = &self.config.zones;
        let outside = all.iter().filter(|zone| zone.trust == Trust::Outside);
        let mut on: Vec<On> = outside.map(zone_on).collect();
        if on.is_empty() {
            on = all.iter().map(zone_on).collect();
        }
        if on.is_empty() {
            on.push(On::Everywhere);
        }
        let place = Place {
            path: "certificate.dns_zone".to_owned(),
            line: first.line,
            column: 1,
        };
        for transport in [Transport::Udp, Transport::Tcp] {
            let port = Ports::one(DNS_PORT);
            self.add(("uplink", "dns"), transport, port, &on, (&place, true));
        }
    }

    fn sbc(&mut self) {
        let Some(sbc) = &self.config.sbc else { return };
        for listen in &sbc.listen {
            let (protocol, transport) = match listen.transport {
                SipTransport::Udp => ("sip", Transport::Udp),
                SipTransport::Tcp => ("sip", Transport::Tcp),
                SipTransport::Tls => ("sips", Transport::Tcp),
                SipTransport::Ws => ("ws", Transport::Tcp),
                SipTransport::Wss => ("wss", Transport::Tcp),
            };
            let on = self.zones(std::slice::from_ref(&listen.zone), Vec::new());
            let place = (&listen.at.key("port"), true);
            self.add(
                ("sbc", protocol),
                transport,
                Ports::one(listen.port),
                &on,
                place,
            );
        }
        let place = (&sbc.at.key("media_ports"), sbc.at.holds("media_ports"));
        self.add(
            ("sbc", "rtp"),
            Transport::Udp,
            sbc.media_ports,
            &[On::Everywhere],
            place,
        );
    }
}

pub(crate) fn zone_on(zone: &crate::types::Zone) -> On {
    On::Zone {
        name: zone.name.clone(),
        interface: zone.interface.clone(),
    }
}

/// The place of a key, or the line of what needs it where the file does not hold it.
fn written_or(at: &At, key: &str, line: u32) -> Place {
    let place = at.key(key);
    if at.holds(key) {
        place
    } else {
        Place {
            line,
            column: 1,
            ..place
        }
    }
}
