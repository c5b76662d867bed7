//! DHCP servers: ranges and reservations within the zone's networks.

use crate::fault::Report;
use crate::sections::{Dhcp, File, Reservation, Zone};

pub(super) fn servers(file: &File, report: &mut Report) {
    for zone in &file.network.entries {
        let Some(dhcp) = &zone.dhcp else { continue };
        if zone.static_addresses().next().is_none() {
            if !zone.at.is_broken("addresses") {
                let what = "needs a fixed address of the box in this zone, and there is none";
                let remedy = "write for example `addresses = [\"192.168.1.1/24\"]` in the zone";
                report.fault(dhcp.at.place.clone(), what, remedy);
            }
            continue;
        }
        ranges(dhcp, zone, report);
        reservations(dhcp, zone, report);
    }
}

fn ranges(dhcp: &Dhcp, zone: &Zone, report: &mut Report) {
    for (index, range) in dhcp.ranges.iter().enumerate() {
        let place = dhcp.at.entry("ranges", index);
        let nets = || zone.static_addresses();
        if !nets().any(|net| net.contains(&range.first) && net.contains(&range.last)) {
            let what = format!("{range} is in none of the networks of zone {}", zone.name);
            report.fault(place, what, within(zone));
        } else if let Some(ours) = nets().find(|net| range.contains(net.addr())) {
            let what = format!("{range} holds {}, the address of the box", ours.addr());
            report.fault(place, what, "begin behind it or end before it");
        } else if let Some(gateway) = zone.gateway.filter(|gateway| range.contains(*gateway)) {
            let what = format!("{range} holds {gateway}, the gateway");
            report.fault(place, what, "begin behind it or end before it");
        } else if let Some(other) = dhcp
            .ranges
            .iter()
            .take(index)
            .find(|other| other.contains(range.first) || range.contains(other.first))
        {
            report.fault(
                place,
                format!("{range} overlaps {other}"),
                "write ranges apart",
            );
        }
    }
}

fn reservations(dhcp: &Dhcp, zone: &Zone, report: &mut Report) {
    for (index, entry) in dhcp.reservation.iter().enumerate() {
        let at = &entry.at;
        let address = entry.address;
        if !zone.static_addresses().any(|net| net.contains(&address)) {
            let what = format!("{address} is in none of the networks of zone {}", zone.name);
            report.fault(at.key("address"), what, within(zone));
        }
        if zone.static_addresses().any(|net| net.addr() == address) {
            let what = format!("{address} is the address of the box");
            report.fault(at.key("address"), what, "write another one");
        }
        let before = || dhcp.reservation.iter().take(index);
        let twice = |key: &str, text: String, other: Option<&Reservation>, report: &mut Report| {
            if let Some(other) = other {
                let what = format!("{text} is already reserved in line {}", other.line);
                report.fault(at.key(key), what, "write it once");
            }
        };
        let same = before().find(|other| other.address == address);
        twice("address", address.to_string(), same, report);
        // One device may have an address of each family.
        let same = before()
            .find(|other| other.mac == entry.mac && other.address.is_ipv4() == address.is_ipv4());
        twice("mac", entry.mac.to_string(), same, report);
        if let Some(name) = &entry.name {
            let same = before().find(|other| {
                other
                    .name
                    .as_ref()
                    .is_some_and(|other| other.eq_ignore_ascii_case(name))
                    && other.mac != entry.mac
            });
            twice("name", format!("\"{name}\""), same, report);
        }
    }
}

fn within(zone: &Zone) -> String {
    let nets: Vec<_> = zone
        .static_addresses()
        .map(|net| net.trunc().to_string())
        .collect();
    format!("write addresses in {}", nets.join(" or "))
}
