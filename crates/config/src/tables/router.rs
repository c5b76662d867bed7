//! What a router upstream must forward to us.

use std::net::IpAddr;

use super::listens::{port_of, served};
use super::{Row, Table};
use crate::tables::dns::is_ours;
use crate::types::{
    Config, Ports, PublicAddress, PublicPorts, RelayAddress, SipTransport, Transport, Trust,
    TurnTls, Zone,
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
    let mut rows = Vec::new();
    let mut add = |protocol, transport, public, ports| {
        let zone = zone.name.clone();
        rows.push(RouterForward { protocol, transport, public, address, zone, ports });
    };
    let public = &config.site.public_ports;
    for (protocol, _) in served(config) {
        let port = port_of(&config.proxy.listen, protocol);
        let outside = public_port(public, protocol);
        add(protocol, Transport::Tcp, Ports::one(outside), Ports::one(port));
    }
    if let Some(turn) = &config.turn {
        for transport in [Transport::Udp, Transport::Tcp] {
            add("turn", transport, Ports::one(public.turn), Ports::one(turn.port));
        }
        if let Some(TurnTls::Port(port)) = turn.tls {
            add("turns", Transport::Tcp, Ports::one(port), Ports::one(port));
        }
        if turn.relay_address == RelayAddress::Public {
            add("relayed", Transport::Udp, turn.relay_ports, turn.relay_ports);
        }
    }
    if let Some(sbc) = &config.sbc {
        for listen in sbc.listen.iter().filter(|listen| listen.zone == zone.name) {
            let transport = match listen.transport {
                SipTransport::Udp => Transport::Udp,
                _ => Transport::Tcp,
            };
            add("sip", transport, Ports::one(listen.port), Ports::one(listen.port));
        }
        add("rtp", Transport::Udp, sbc.media_ports, sbc.media_ports);
    }
    Table { rows }
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
    let outside = config.zones.iter().find(|zone| zone.trust == Trust::Outside);
    let leads_out = |zone: &&Zone| zone.gateway.is_some() || zone.static_addresses().next().is_none();
    let zone = outside
        .or_else(|| config.zones.iter().find(leads_out))
        .or_else(|| config.zones.first())?;
    let address = zone.static_addresses().map(|net| net.addr()).find(IpAddr::is_ipv4);
    match (zone.trust, address) {
        (Trust::Outside, None) => None,
        (Trust::Outside, Some(IpAddr::V4(ours))) if !ours.is_private() => None,
        _ => Some((zone, address)),
    }
}

/// Every protocol of the proxy that something needs, with the port that clients outside use.
pub(crate) fn served_publicly(config: &Config) -> Vec<(&'static str, u16)> {
    let port = |(protocol, _)| (protocol, public_port(&config.site.public_ports, protocol));
    served(config).into_iter().map(port).collect()
}

fn public_port(ports: &PublicPorts, protocol: &str) -> u16 {
    match protocol {
        "http" => ports.http,
        "https" => ports.https,
        "sip" => ports.sip,
        "sips" => ports.sips,
        "ldap" => ports.ldap,
        "ldaps" => ports.ldaps,
        "h323" => ports.h323,
        _ => ports.h323s,
    }
}
