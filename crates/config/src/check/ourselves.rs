//! Targets that are ourselves: what is forwarded there would come back for ever.

use std::net::IpAddr;

use crate::fault::Report;
use crate::place::{At, Place};
use crate::reader::quoted;
use crate::sections::File;
use crate::tables::{On, listens};
use crate::types::{Config, Internal, PublicAddress, TargetHost, Transport};
use crate::value::{TargetText, parse_target};

pub(super) fn targets(file: &File, config: &Config, report: &mut Report) {
    let us = Ourselves { file, config };
    for keys in &file.host {
        let parts = std::iter::once((&keys.at, keys.target.as_ref()))
            .chain(keys.http.iter().map(|rule| (&rule.at, rule.target.as_ref())))
            .chain(keys.ldap.iter().map(|rule| (&rule.at, rule.target.as_ref())))
            .chain(keys.sip.iter().map(|rule| (&rule.at, rule.target.as_ref())))
            .chain(keys.h323.iter().map(|rule| (&rule.at, rule.target.as_ref())))
            .chain(keys.tls_passthrough.iter().map(|rule| (&rule.at, rule.target.as_ref())));
        for (at, target) in parts {
            let Some(target) = target else { continue };
            us.check(&target.host, &us.ports(target, at), at.key("target"), report);
        }
    }
    for forward in &file.forward {
        let host = TargetHost::Ip(forward.to.address);
        us.check(&host, &[], forward.at.key("to"), report);
    }
    for pbx in file.sbc.iter().flat_map(|sbc| &sbc.pbx) {
        if let Ok(target) = parse_target(&pbx.target) {
            us.check(&target.host, &[target.port.unwrap_or(5060)], pbx.at.key("target"), report);
        }
    }
    for (index, upstream) in file.dns.iter().flat_map(|dns| &dns.upstream).enumerate() {
        let Some(dns) = &file.dns else { continue };
        let address = upstream.address;
        // Another name server may run on the loopback address, but not on ours.
        if !address.ip().is_loopback() || address.port() == 53 {
            let place = dns.at.entry("upstream", index);
            us.check(&TargetHost::Ip(address.ip()), &[address.port()], place, report);
        }
    }
}

struct Ourselves<'a> {
    file: &'a File,
    config: &'a Config,
}

impl Ourselves<'_> {
    fn check(&self, host: &TargetHost, ports: &[u16], place: Place, report: &mut Report) {
        let fault = match host {
            TargetHost::Ip(address) => self.address(*address, ports),
            TargetHost::Name(name) => self.name(name),
        };
        if let Some(what) = fault {
            let remedy = "write the address of the server behind us";
            report.fault(place, what, remedy);
        }
    }

    fn address(&self, address: IpAddr, ports: &[u16]) -> Option<String> {
        if address.is_unspecified() || address.is_multicast() {
            return Some(format!("{address} is no address of a server"));
        }
        if matches!(address, IpAddr::V4(address) if address.is_broadcast()) {
            return Some(format!("{address} is no address of a server"));
        }
        let zones = &self.file.network.entries;
        let zone = zones.iter().find(|zone| {
            zone.static_addresses().any(|net| net.addr() == address && !address.is_loopback())
        });
        if let Some(zone) = zone {
            return Some(format!("{address} is the box itself (zone {})", zone.name));
        }
        if self.config.site.public_address == Some(PublicAddress::Ip(address)) {
            return Some(format!("{address} is our public address, which leads back to us"));
        }
        // On a developer's machine targets run beside us, on ports of their own.
        let port = ports.iter().find(|port| address.is_loopback() && self.listens_on(**port))?;
        Some(format!("on {address} we listen on port {port} ourselves"))
    }

    fn name(&self, name: &str) -> Option<String> {
        if name == "localhost" || name.ends_with(".localhost") {
            return None;
        }
        if name == self.config.own_name() {
            return Some(format!("{} is the box itself", quoted(name)));
        }
        if self.config.site.public_address == Some(PublicAddress::Name(name.to_owned())) {
            return Some(format!("{} is our public address, which leads back to us", quoted(name)));
        }
        let host = self.config.hosts.iter().find(|host| {
            host.name.domain == name && host.internal == Internal::Gateway
        })?;
        Some(format!("{} leads back to us (line {})", quoted(name), host.line))
    }

    fn listens_on(&self, port: u16) -> bool {
        listens(self.config).rows.iter().any(|listen| {
            listen.transport == Transport::Tcp
                && listen.ports.contains(port)
                && matches!(listen.on, On::Everywhere | On::Loopback)
        })
    }

    /// The ports a target may be reached on.
    fn ports(&self, target: &TargetText, at: &At) -> Vec<u16> {
        if let Some(port) = target.port {
            return vec![port];
        }
        let rules = self.config.hosts.iter().flat_map(|host| &host.http);
        let lines = rules.filter(|rule| rule.line == at.place.line);
        lines.flat_map(|rule| [rule.target.plain.port, rule.target.tls.port]).collect()
    }
}
