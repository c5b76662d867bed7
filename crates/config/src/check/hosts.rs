//! Hosts: every name once, and protocols that fit the name and each other.

use std::collections::HashMap;

use crate::build::common_targets;
use crate::fault::Report;
use crate::place::At;
use crate::reader::quoted;
use crate::sections::{File, HostKeys, InternalWord, PassthroughKeys};
use crate::types::{Config, Host, TargetHost};

pub(super) fn hosts(file: &File, config: &Config, report: &mut Report) {
    let mut known = HashMap::new();
    for keys in &file.host {
        let name = keys.name.to_string().to_lowercase();
        if let Some(line) = known.get(&name) {
            let what = format!("{} is already a host in line {line}", quoted(&name));
            let remedy = "write all its protocols below one [[host]]";
            report.fault(keys.at.key("name"), what, remedy);
        } else {
            known.insert(name, keys.line);
        }
        serves(keys, report);
        not_the_box(keys, config, report);
        location(keys, report);
        shared_port(keys, report);
        if let Some(rule) = &keys.tls_passthrough {
            passthrough(rule, keys, file, report);
        }
        internal(keys, config, report);
    }
    one_default(file, report);
}

/// Who names no domain can go to one host only.
fn one_default(file: &File, report: &mut Report) {
    let of = |keys: &'_ HostKeys| keys.ldap.as_ref().is_some_and(|rule| rule.default);
    let mut hosts = file.host.iter().filter(|keys| of(keys));
    let Some(first) = hosts.next() else { return };
    for rule in hosts.filter_map(|keys| keys.ldap.as_ref()) {
        let what = format!("clients that name no domain already go to {}", first.name);
        report.fault(rule.at.key("default"), what, "keep it at one of the two");
    }
}

/// What a host serves, with the place of each protocol.
fn protocols(keys: &HostKeys) -> Vec<(&'static str, &At)> {
    let mut all = Vec::new();
    all.extend(keys.http.first().map(|rule| ("http", &rule.at)));
    all.extend(keys.ldap.as_ref().map(|rule| ("ldap", &rule.at)));
    all.extend(keys.sip.as_ref().map(|rule| ("sip", &rule.at)));
    all.extend(keys.h323.as_ref().map(|rule| ("h323", &rule.at)));
    all.extend(
        keys.tls_passthrough
            .as_ref()
            .map(|rule| ("tls_passthrough", &rule.at)),
    );
    all
}

const PROTOCOLS: &[&str] = &["http", "ldap", "sip", "h323", "tls_passthrough"];

fn serves(keys: &HostKeys, report: &mut Report) {
    let broken = PROTOCOLS.iter().any(|key| keys.at.is_broken(key));
    if protocols(keys).is_empty() && !broken {
        let what = "serves nothing";
        let remedy = "write [[host.http]], [host.ldap], [host.sip], [host.h323] or \
                      [host.tls_passthrough] below it";
        report.fault(keys.at.place.clone(), what, remedy);
    }
}

/// Browsers know no difference between the ports of a name: what is published under the box's own one would be sent the cookie of
/// an operator's session.
fn not_the_box(keys: &HostKeys, config: &Config, report: &mut Report) {
    let is_web = !keys.http.is_empty() || keys.tls_passthrough.is_some();
    let name = keys.name.to_string().to_lowercase();
    let hostname = config.system.hostname.to_lowercase();
    if is_web && (name == config.own_name() || name == hostname) {
        let what = format!(
            "{} is the box itself: browsers would show the operator's session to this host",
            quoted(&name)
        );
        let remedy = "give the host another name, or the box another system.hostname";
        report.fault(keys.at.key("name"), what, remedy);
    }
}

/// Only SIP and H.323 know registration locations.
fn location(keys: &HostKeys, report: &mut Report) {
    if keys.name.location.is_none() {
        return;
    }
    for (protocol, at) in protocols(keys) {
        if !matches!(protocol, "sip" | "h323") {
            let what =
                format!("the name holds a registration location, which {protocol} does not know");
            let remedy = format!("write it below a [[host]] named \"{}\"", keys.name.domain);
            report.fault(at.place.clone(), what, remedy);
        }
    }
    if matches!(
        keys.internal,
        Some(InternalWord::Target | InternalWord::Gateway)
    ) {
        let what = "a name with a \"/\" is no name of the DNS";
        report.fault(
            keys.at.key("internal"),
            what,
            "remove it, or write \"none\"",
        );
    }
}

/// A port at the host's target would be one for all protocols.
fn shared_port(keys: &HostKeys, report: &mut Report) {
    let own = |key: &str| match key {
        "http" => keys.http.iter().all(|rule| rule.target.is_some()),
        "ldap" => keys.ldap.as_ref().is_some_and(|rule| rule.target.is_some()),
        "sip" => keys.sip.as_ref().is_some_and(|rule| rule.target.is_some()),
        "h323" => keys.h323.as_ref().is_some_and(|rule| rule.target.is_some()),
        _ => keys
            .tls_passthrough
            .as_ref()
            .is_some_and(|rule| rule.target.is_some()),
    };
    let port = keys.target.as_ref().and_then(|target| target.port);
    let users: Vec<_> = protocols(keys)
        .into_iter()
        .map(|(key, _)| key)
        .filter(|key| !own(key))
        .collect();
    if let (Some(port), [_, _, ..]) = (port, users.as_slice()) {
        let what = format!("port {port} can not serve {} at once", users.join(" and "));
        let remedy = "write the address alone here, and ports below each protocol";
        report.fault(keys.at.key("target"), what, remedy);
    }
}

fn passthrough(rule: &PassthroughKeys, keys: &HostKeys, file: &File, report: &mut Report) {
    if let Some((protocol, _)) = protocols(keys)
        .into_iter()
        .find(|(key, _)| *key != "tls_passthrough")
    {
        let what = format!(
            "what is passed through can not be looked into, and this host serves {protocol}, too"
        );
        let remedy = "give the two names of their own";
        report.fault(rule.at.place.clone(), what, remedy);
    }
    if rule.default && rule.listen.is_none() && !rule.at.is_broken("listen") {
        let what = "on the addresses that all hosts share, a hello without a name is nobody's";
        let remedy = "write `listen = \"ADDRESS\"` with an address of its own, or remove it";
        report.fault(rule.at.key("default"), what, remedy);
    }
    let Some(listen) = rule.listen else { return };
    let place = rule.at.key("listen");
    let ours = || {
        file.network
            .entries
            .iter()
            .flat_map(crate::sections::Zone::static_addresses)
    };
    if !ours().any(|net| net.addr() == listen) && !listen.is_loopback() {
        let what = format!("{listen} is no address of the box");
        let all: Vec<_> = ours().map(|net| net.addr().to_string()).collect();
        let remedy = if all.is_empty() {
            "write it into the `addresses` of a zone".to_owned()
        } else {
            format!(
                "write it into the `addresses` of a zone, or use {}",
                all.join(" or ")
            )
        };
        report.fault(place, what, remedy);
        return;
    }
    let other = file.host.iter().find(|other| {
        let same = |rule: &PassthroughKeys| rule.listen == Some(listen) && rule.default;
        other.line < keys.line && other.tls_passthrough.as_ref().is_some_and(same)
    });
    if let Some(other) = other.filter(|_| rule.default) {
        let what = format!(
            "hellos without a name at {listen} already go to {}",
            other.name
        );
        report.fault(rule.at.key("default"), what, "keep it at one of the two");
    }
}

/// `internal = "target"` needs one target that DNS can name.
fn internal(keys: &HostKeys, config: &Config, report: &mut Report) {
    if keys.internal != Some(InternalWord::Target) || keys.name.location.is_some() {
        return;
    }
    let place = keys.at.key("internal");
    if keys.http.is_empty() && keys.tls_passthrough.is_none() {
        let what = "there is no HTTP and no passthrough that clients inside could go to";
        report.fault(place, what, "write \"gateway\" or \"none\"");
        return;
    }
    let host = config.hosts.iter().find(|host| host.line == keys.line);
    let complete = host.filter(|host| host.http.len() == keys.http.len() && !host.http.is_empty());
    let Some(host) = complete else { return };
    let what = match common_targets(&host.http, host.tls_passthrough.as_ref()).as_deref() {
        None => "its rules lead to several targets, and a name can lead to one only",
        // An alias stands alone (RFC 1034 section 3.6.2).
        Some([_, _, ..]) if named(host) => {
            "several targets are answered by their addresses, and one of these is a name"
        }
        Some(_) => return,
    };
    report.fault(place, what, "write \"gateway\"");
}

/// Whether a target of HTTP is written as a name.
fn named(host: &Host) -> bool {
    let targets = host.http.iter().flat_map(|rule| &rule.targets);
    targets
        .into_iter()
        .any(|targets| matches!(targets.tls.host, TargetHost::Name(_)))
}
