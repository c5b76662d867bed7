//! Targets that are ourselves: what is forwarded there would come back for ever.

use std::net::IpAddr;

use crate::fault::Report;
use crate::place::{At, Place};
use crate::reader::quoted;
use crate::sections::{File, HostKeys};
use crate::tables::{Listen, On, Table, listens};
use crate::types::{Config, Internal, PublicAddress, TargetHost, Transport};
use crate::value::{TargetText, parse_target};

pub(super) fn targets(file: &File, config: &Config, report: &mut Report) {
    let listens = listens(config);
    let us = Ourselves {
        file,
        config,
        listens,
    };
    for keys in &file.host {
        for (at, targets) in written(keys) {
            for (index, target) in targets.iter().enumerate() {
                let ports = us.ports(target, at);
                us.check(&target.host, &ports, at.entry("target", index), report);
            }
        }
    }
    for forward in &file.forward {
        let host = TargetHost::Ip(forward.to.address);
        us.check(&host, &[], forward.at.key("to"), report);
    }
    for pbx in file.sbc.iter().flat_map(|sbc| &sbc.pbx) {
        if let Ok(target) = parse_target(&pbx.target) {
            let ports = [target.port.unwrap_or(5060)];
            us.check(&target.host, &ports, pbx.at.key("target"), report);
        }
    }
    let Some(dns) = &file.dns else { return };
    for (index, upstream) in dns.upstream.iter().enumerate() {
        let address = upstream.address;
        let host = TargetHost::Ip(address.ip());
        // Another name server may run on the loopback address, but not on ours.
        if !address.ip().is_loopback() || address.port() == 53 {
            us.check(
                &host,
                &[address.port()],
                dns.at.entry("upstream", index),
                report,
            );
        }
    }
}

/// The targets of a host, with the tables they are written in.
fn written(keys: &HostKeys) -> Vec<(&At, &[TargetText])> {
    fn given<T: AsRef<[TargetText]>>(target: Option<&T>) -> &[TargetText] {
        target.map_or(&[], AsRef::as_ref)
    }
    let mut all = vec![(&keys.at, given(keys.target.as_ref()))];
    let http = keys.http.iter();
    all.extend(http.map(|rule| (&rule.at, given(rule.target.as_ref()))));
    let ldap = keys.ldap.iter();
    all.extend(ldap.map(|rule| (&rule.at, given(rule.target.as_ref()))));
    let sip = keys.sip.iter();
    all.extend(sip.map(|rule| (&rule.at, given(rule.target.as_ref()))));
    let h323 = keys.h323.iter();
    all.extend(h323.map(|rule| (&rule.at, given(rule.target.as_ref()))));
    let passthrough = keys.tls_passthrough.iter();
    all.extend(passthrough.map(|rule| (&rule.at, given(rule.target.as_ref()))));
    all
}

struct Ourselves<'a> {
    file: &'a File,
    config: &'a Config,
    listens: Table<Listen>,
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
            zone.static_addresses()
                .any(|net| net.addr() == address && !address.is_loopback())
        });
        if let Some(zone) = zone {
            return Some(format!("{address} is the box itself (zone {})", zone.name));
        }
        if self.config.site.public_address == Some(PublicAddress::Ip(address)) {
            return Some(format!(
                "{address} is our public address, which leads back to us"
            ));
        }
        // On a developer's machine targets run beside us, on ports of their own.
        let port = ports
            .iter()
            .find(|port| address.is_loopback() && self.listens_on(**port))?;
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
            return Some(format!(
                "{} is our public address, which leads back to us",
                quoted(name)
            ));
        }
        let host = self
            .config
            .hosts
            .iter()
            .find(|host| host.name.domain == name && host.internal == Internal::Gateway)?;
        Some(format!(
            "{} leads back to us (line {})",
            quoted(name),
            host.line
        ))
    }

    fn listens_on(&self, port: u16) -> bool {
        self.listens.rows.iter().any(|listen| {
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
        let targets = lines.flat_map(|rule| &rule.targets);
        targets
            .flat_map(|targets| [targets.plain.port, targets.tls.port])
            .collect()
    }
}
