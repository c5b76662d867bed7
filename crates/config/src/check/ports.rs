//! Ports: none is used twice, neither ours nor those outside.

use crate::fault::Report;
use crate::place::Place;
use crate::sections::{File, Transport, Trust};
use crate::tables::{Listen, On, Use, uses, zone_on};
use crate::types::{Config, Ports};

pub(super) fn ports(file: &File, config: &Config, report: &mut Report) {
    let mut all = uses(config);
    all.extend(forwards(config));
    all.sort_by_key(|used| used.listen.ports);
    for (index, first) in all.iter().enumerate() {
        // Sorted by their first port: behind the last port of one nothing can overlap it.
        let near = all.iter().skip(index + 1);
        for second in near.take_while(|other| other.listen.ports.first <= first.listen.ports.last) {
            if report.is_full() {
                return;
            }
            if clash(&first.listen, &second.listen, config) {
                clash_fault(first, second, report);
            }
        }
    }
    for forward in &file.forward {
        if forward.to.port.is_some() && forward.ports.count() > 1 {
            let what = format!("{} has one port, and {} arrive", forward.to, forward.ports);
            report.fault(
                forward.at.key("to"),
                what,
                "write the address alone: ports are kept",
            );
        }
    }
    let proxy = &file.proxy;
    if !proxy.ipv4 && !proxy.ipv6 {
        let what = "without IPv4 and IPv6 the proxy listens nowhere";
        report.fault(proxy.at.key("ipv6"), what, "write true for one of them");
    }
    public(file, config, report);
}

/// Forwards as uses of the ports of outside zones.
fn forwards(config: &Config) -> Vec<Use> {
    let outside = config
        .zones
        .iter()
        .filter(|zone| zone.trust == Trust::Outside);
    let outside: Vec<_> = outside.map(zone_on).collect();
    let one = |forward: &crate::types::Forward, on: &On| Use {
        listen: Listen {
            service: "forward",
            protocol: "forward",
            transport: forward.protocol,
            on: on.clone(),
            ports: forward.ports,
            ipv4: forward.to.address.is_ipv4(),
            ipv6: forward.to.address.is_ipv6(),
            line: forward.line,
        },
        place: forward.at.key("ports"),
        written: true,
    };
    config
        .forwards
        .iter()
        .flat_map(|forward| outside.iter().map(move |on| one(forward, on)))
        .collect()
}

fn clash(first: &Listen, second: &Listen, config: &Config) -> bool {
    let same_proxy = first.service == "proxy" && first.protocol == second.protocol;
    let family = (first.ipv4 && second.ipv4) || (first.ipv6 && second.ipv6);
    first.transport == second.transport
        && family
        && first.ports.overlaps(second.ports)
        && meet(&first.on, &second.on, config)
        && !(same_proxy && first.service == second.service)
}

/// Whether two sets of addresses have one in common.
fn meet(first: &On, second: &On, config: &Config) -> bool {
    match (first, second) {
        (On::Everywhere, _) | (_, On::Everywhere) => true,
        (On::Zone { name, .. }, On::Address(address))
        | (On::Address(address), On::Zone { name, .. }) => {
            let zone = config.zone(name);
            zone.is_some_and(|zone| zone.static_addresses().any(|net| net.addr() == *address))
        }
        (On::Loopback, On::Address(address)) | (On::Address(address), On::Loopback) => {
            address.is_loopback()
        }
        _ => first == second,
    }
}

/// Reports two uses of a port at the one that the file holds or, of two, the later one.
fn clash_fault(first: &Use, second: &Use, report: &mut Report) {
    let order = |used: &Use| (used.written, used.place.line, used.place.column);
    let (early, late) = if order(first) <= order(second) {
        (first, second)
    } else {
        (second, first)
    };
    let common = Ports {
        first: first.listen.ports.first.max(second.listen.ports.first),
        last: first.listen.ports.last.min(second.listen.ports.last),
    };
    let whence = if early.written {
        format!("line {}", early.place.line)
    } else {
        "its default".to_owned()
    };
    let what = format!(
        "{common}/{} is already taken by {} ({whence})",
        late.listen.transport, early.place.path
    );
    report.fault(
        late.place.clone(),
        what,
        "choose other ports for one of the two",
    );
}

/// Ports outside lead to one listener each.
fn public(file: &File, config: &Config, report: &mut Report) {
    let public = &file.site.public_ports;
    let mut all: Vec<(&str, u16)> = crate::tables::served_publicly(config);
    if config.turn.is_some() {
        all.push(("turn", public.turn));
    }
    for (index, (key, port)) in all.iter().enumerate() {
        if let Some((other, _)) = all.iter().take(index).find(|(_, other)| other == port) {
            // Of the two, the one that the file holds is to blame.
            let (key, other) = if public.at.holds(key) {
                (key, other)
            } else {
                (other, key)
            };
            let place: Place = public.at.key(key);
            let transport = Transport::Tcp;
            let what = format!("{port}/{transport} already leads to {other}");
            report.fault(place, what, "write another port for one of the two");
        }
    }
}
