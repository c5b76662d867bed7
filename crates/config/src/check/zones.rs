//! Zones: interfaces, networks, gateways, and who refers to them.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::fault::Report;
use crate::nearest::instead;
use crate::place::{At, Place};
use crate::reader::quoted;
use crate::sections::{File, Trust, Zone};
use crate::value::ZoneAddress;

pub(super) fn zones(file: &File, report: &mut Report) {
    let zones = &file.network.entries;
    for (index, zone) in zones.iter().enumerate() {
        let before = zones.iter().take(index);
        if let Some(other) = before
            .clone()
            .find(|other| other.interface == zone.interface)
        {
            let what = format!("{} is already in zone {}", zone.interface, said(other));
            let remedy = "give every zone an interface of its own";
            report.fault(zone.at.key("interface"), what, remedy);
        }
        addresses(zone, report);
        overlaps(zone, before, report);
        gateway(zone, zones, report);
    }
    references(file, report);
    needed(file, report);
}

fn addresses(zone: &Zone, report: &mut Report) {
    for (index, address) in zone.addresses.iter().enumerate() {
        let place = zone.at.entry("addresses", index);
        if zone
            .addresses
            .iter()
            .take(index)
            .any(|other| other == address)
        {
            report.fault(
                place,
                format!("{address} is named twice"),
                "remove one of the two",
            );
            continue;
        }
        let ZoneAddress::Static(net) = address else {
            continue;
        };
        if let Some(kind) = unusable(*net) {
            let example = first_host(*net).map(|host| format!(", such as \"{host}\""));
            let remedy = format!(
                "write that of the box itself{}",
                example.unwrap_or_default()
            );
            report.fault(place, format!("{address} is {kind}"), remedy);
        }
    }
}

/// Why an address with its network can not be that of an interface.
fn unusable(net: IpNet) -> Option<&'static str> {
    let address = net.addr();
    if address.is_unspecified() {
        return Some("no address");
    }
    if address.is_multicast() {
        return Some("a multicast address");
    }
    match net {
        IpNet::V4(net) if net.prefix_len() < 31 && net.network() == net.addr() => {
            Some("the network itself")
        }
        IpNet::V4(net) if net.prefix_len() < 31 && net.broadcast() == net.addr() => {
            Some("the broadcast address")
        }
        IpNet::V6(net) if net.prefix_len() < 127 && net.network() == net.addr() => {
            Some("the network itself")
        }
        _ => None,
    }
}

/// An address that a device of this network could have.
fn first_host(net: IpNet) -> Option<IpNet> {
    let usable = |address: &IpAddr| {
        IpNet::new(*address, net.prefix_len()).is_ok_and(|net| unusable(net).is_none())
    };
    let first = net.hosts().take(3).find(usable)?;
    IpNet::new(first, net.prefix_len()).ok()
}

fn overlaps<'z>(zone: &Zone, before: impl Iterator<Item = &'z Zone>, report: &mut Report) {
    for other in before {
        for (index, address) in zone.addresses.iter().enumerate() {
            let ZoneAddress::Static(net) = address else {
                continue;
            };
            let clash = other
                .static_addresses()
                .find(|other| other.contains(&net.trunc()) || net.contains(&other.trunc()));
            if let Some(clash) = clash {
                let what = format!(
                    "{} is already reached through zone {}, as {}",
                    net.trunc(),
                    said(other),
                    clash.trunc()
                );
                let remedy = "give every zone a network of its own";
                report.fault(zone.at.entry("addresses", index), what, remedy);
            }
        }
    }
}

fn gateway(zone: &Zone, all: &[Zone], report: &mut Report) {
    let Some(gateway) = zone.gateway else { return };
    let place = zone.at.key("gateway");
    if zone.static_addresses().any(|net| net.addr() == gateway) {
        let remedy = "write the address of the router that leads out";
        report.fault(place, format!("{gateway} is the box itself"), remedy);
        return;
    }
    let link_local = matches!(gateway, IpAddr::V6(address) if address.is_unicast_link_local());
    let near = zone.static_addresses().any(|net| net.contains(&gateway));
    if !near && !link_local && zone.static_addresses().next().is_some() {
        let what = format!("{gateway} is in none of the networks of this zone");
        let nets: Vec<_> = zone
            .static_addresses()
            .map(|net| net.trunc().to_string())
            .collect();
        report.fault(
            place,
            what,
            format!("write an address in {}", nets.join(" or ")),
        );
        return;
    }
    let same = |other: &&Zone| {
        other.line < zone.line
            && other
                .gateway
                .is_some_and(|other| other.is_ipv4() == gateway.is_ipv4())
    };
    if let Some(other) = all.iter().find(same) {
        let what = format!("zone {} already leads out", said(other));
        report.fault(place, what, "keep the gateway of one zone only");
    }
}

/// Lists of zones must name zones.
fn references(file: &File, report: &mut Report) {
    let mut lists: Vec<(&At, &[String])> = vec![
        (&file.admin.at, &file.admin.zones),
        (&file.proxy.at, &file.proxy.zones),
    ];
    lists.extend(
        file.turn
            .iter()
            .map(|turn| (&turn.at, turn.zones.as_slice())),
    );
    lists.extend(file.dns.iter().map(|dns| (&dns.at, dns.zones.as_slice())));
    for (at, names) in lists {
        for (index, name) in names.iter().enumerate() {
            zone(file, name, at.entry("zones", index), report);
        }
    }
    for listen in file.sbc.iter().flat_map(|sbc| &sbc.listen) {
        zone(file, &listen.zone, listen.at.key("zone"), report);
    }
}

fn zone(file: &File, name: &str, place: Place, report: &mut Report) {
    let known = &file.network.names;
    if !known.iter().any(|known| known == name) {
        let remedy = if known.is_empty() {
            format!("write [network.{name}]")
        } else {
            let names: Vec<_> = known.iter().map(String::as_str).collect();
            instead(name, &names)
        };
        report.fault(place, format!("there is no zone {}", quoted(name)), remedy);
    }
}

/// What needs a zone of some kind.
fn needed(file: &File, report: &mut Report) {
    let zones = &file.network.entries;
    // A zone that could not be read may be the one that is missed.
    if zones.is_empty() || file.network.names.len() != zones.len() {
        return;
    }
    let has = |trust: Trust| zones.iter().any(|zone| zone.trust == trust);
    if !has(Trust::Inside) && file.admin.zones.is_empty() && !file.admin.at.is_broken("zones") {
        let remedy = "write for example `trust = \"inside\"` in the zone you work from, or name \
                      that zone in admin.zones";
        let first = zones.first().map(|zone| zone.at.key("trust"));
        let place = if file.admin.at.holds("port") {
            None
        } else {
            first
        };
        let place = place.unwrap_or_else(|| file.admin.at.key("zones"));
        report.fault(
            place,
            "no zone is inside, so that nobody reaches the admin pages",
            remedy,
        );
    }
    if has(Trust::Outside) {
        return;
    }
    let remedy = "write `trust = \"outside\"` in the zone that leads to the internet, or remove \
                  this: behind another router there is nothing to translate";
    if file.nat.masquerade {
        let place = file.nat.at.key("masquerade");
        report.fault(
            place,
            "no zone is outside, so that there is nothing to masquerade to",
            remedy,
        );
    }
    if let Some(forward) = file.forward.first() {
        let what = "no zone is outside, so that nothing could arrive to be forwarded";
        report.fault(forward.at.place.clone(), what, remedy);
    }
}

/// A zone as faults name it: with the line where it is.
fn said(zone: &Zone) -> String {
    format!("{} (line {})", zone.name, zone.line)
}
