//! What a router upstream must forward to us.

use std::net::IpAddr;

use super::dns::delegations;
use super::listens::DNS_PORT;
use super::protocols::{port_of, public_port, served};
use super::{Row, Table};
use crate::tables::dns::is_ours;
use crate::types::{
    Config, Ports, PublicAddress, RelayAddress, SipTransport, Transport, Trust, TurnTls, Zone,
};

/// A port forward of the router upstream.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RouterForward {
    /// What it is for: "https", "turn", …
    pub protocol: &'static str,
    /// The transport.
    pub transport: Transport,
    /// The ports that clients outside use.
    pub public: Ports,
    /// Our address; `None`: the one that `zone` gets from a DHCP server.
    pub address: Option<IpAddr>,
    /// Our zone that the router is connected to.
    pub zone: String,
    /// Our ports.
    pub ports: Ports,
}

impl Row for RouterForward {
    const HEADINGS: &'static [&'static str] = &["protocol", "from outside", "to us", "address"];

    fn cells(&self) -> Vec<String> {
        let address = self.address.map_or_else(
            || format!("(what zone {} gets by DHCP)", self.zone),
            |address| address.to_string(),
        );
        let (public, ports) = (self.public, self.ports);
        let transport = self.transport;
        vec![
            self.protocol.to_owned(),
            format!("{public}/{transport}"),
            format!("{ports}/{transport}"),
            address,
        ]
    }
}

/// Port forwards that the router upstream needs; none where the box itself has the public address
/// or, by its outside zone, is the router.
pub fn router_forwards(config: &Config) -> Table<RouterForward> {
    let Some((zone, address)) = behind_router(config) else {
        return Table { rows: Vec::new() };
    };
    let all = forwarded(config, zone).into_iter();
    let row = |(protocol, transport, public, ports)| RouterForward {
        protocol,
        transport,
        public,
        address,
        zone: zone.name.clone(),
        ports,
    };
    Table {
        rows: all.map(row).collect(),
    }
}

/// What arrives at the router and is for us: protocol, transport, ports outside, our ports.
fn forwarded(config: &Config, zone: &Zone) -> Vec<(&'static str, Transport, Ports, Ports)> {
    let public = &config.site.public_ports;
    let one = Ports::one;
    let mut all = Vec::new();
    for (protocol, _) in served(config) {
        let outside = public_port(public, protocol);
        let port = port_of(&config.proxy.listen, protocol);
        all.push((protocol, Transport::Tcp, one(outside), one(port)));
    }
    if !delegations(config).is_empty() {
        for transport in [Transport::Udp, Transport::Tcp] {
            all.push(("dns", transport, one(DNS_PORT), one(DNS_PORT)));
        }
    }
    if let Some(turn) = &config.turn {
        for transport in [Transport::Udp, Transport::Tcp] {
            all.push(("turn", transport, one(public.turn), one(turn.port)));
        }
        if let Some(TurnTls::Port(port)) = turn.tls {
            all.push(("turns", Transport::Tcp, one(port), one(port)));
        }
        if turn.relay_address == RelayAddress::Public {
            let ports = turn.relay_ports;
            all.push(("relayed", Transport::Udp, ports, ports));
        }
    }
    if let Some(sbc) = &config.sbc {
        for listen in sbc.listen.iter().filter(|listen| listen.zone == zone.name) {
            let transport = match listen.transport {
                SipTransport::Udp => Transport::Udp,
                _ => Transport::Tcp,
            };
            all.push(("sip", transport, one(listen.port), one(listen.port)));
        }
        all.push(("rtp", Transport::Udp, sbc.media_ports, sbc.media_ports));
    }
    all
}

/// The zone and address that a router upstream forwards to, if there is such a router.
///
/// An outside zone that is given its address may be given the public one, so that only a fixed
/// address of another kind than the public one shows that there is a router.
fn behind_router(config: &Config) -> Option<(&Zone, Option<IpAddr>)> {
    let public = config.site.public_address.as_ref()?;
    if let PublicAddress::Ip(address) = public
        && is_ours(config, *address)
    {
        return None;
    }
    let outside = config
        .zones
        .iter()
        .find(|zone| zone.trust == Trust::Outside);
    let leads_out =
        |zone: &&Zone| zone.gateway.is_some() || zone.static_addresses().next().is_none();
    let zone = outside
        .or_else(|| config.zones.iter().find(leads_out))
        .or_else(|| config.zones.first())?;
    let address = zone
        .static_addresses()
        .map(|net| net.addr())
        .find(IpAddr::is_ipv4);
    match (zone.trust, address) {
        (Trust::Outside, None) => None,
        (Trust::Outside, Some(IpAddr::V4(ours))) if !ours.is_private() => None,
        _ => Some((zone, address)),
    }
}
