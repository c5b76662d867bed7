//! Targets of HTTP rules: several that stand in for each other, and settings that reach them.

use std::collections::HashMap;
use std::time::Duration;

use crate::fault::Report;
use crate::sections::{Balance, File, HostKeys, HttpKeys};
use crate::types::{Config, HttpRule, Targets};

pub(super) fn targets(file: &File, config: &Config, report: &mut Report) {
    for host in &file.host {
        for rule in &host.http {
            health(rule, report);
            if let Some(built) = built(rule, host, config) {
                several(rule, built, report);
                without_tls(rule, built, report);
            }
        }
    }
}

/// The rule as it is meant; `None` where it has faults of its own.
fn built<'c>(rule: &HttpKeys, host: &HostKeys, config: &'c Config) -> Option<&'c HttpRule> {
    let host = config.hosts.iter().find(|built| built.line == host.line)?;
    host.http.iter().find(|built| built.line == rule.line)
}

fn several(rule: &HttpKeys, built: &HttpRule, report: &mut Report) {
    let mut known = HashMap::new();
    let tls = |targets: &Targets| (targets.plain.tls, targets.tls.tls);
    for (index, targets) in built.targets.iter().enumerate() {
        let place = rule.at.entry("target", index);
        if let Some(first) = known.insert(targets, index) {
            let what = format!("is the same target as number {}", first + 1);
            report.fault(place, what, "write each target once");
        } else if built.targets.first().map(tls) != Some(tls(targets)) {
            let what = "is spoken to in another way than the first target";
            let remedy = "write all of them as bare addresses, or all with the same scheme";
            report.fault(place, what, remedy);
        }
    }
    if rule.balance != Balance::Failover && built.targets.len() == 1 {
        let what = format!("\"{}\" of a single target means nothing", rule.balance);
        let remedy = "remove it, or write several: target = [\"10.0.0.1\", \"10.0.0.2\"]";
        report.fault(rule.at.key("balance"), what, remedy);
    }
}

/// Settings about TLS where none is spoken.
fn without_tls(rule: &HttpKeys, built: &HttpRule, report: &mut Report) {
    let speaks = |targets: &Targets| targets.tls.tls || targets.plain.tls;
    let Some(first) = built.targets.first() else {
        return;
    };
    if built.targets.iter().any(speaks) {
        return;
    }
    let given = [
        ("target_certificate", rule.target_certificate.is_some()),
        ("target_name", rule.target_name.is_some()),
    ];
    for (key, _) in given.into_iter().filter(|(_, given)| *given) {
        let what = format!("has no meaning: {} is reached without TLS", first.tls);
        let remedy = "remove it, or write the target as https://…";
        report.fault(rule.at.key(key), what, remedy);
    }
}

fn health(rule: &HttpKeys, report: &mut Report) {
    let Some(keys) = &rule.health else { return };
    let path = &keys.path;
    // Everything after "#" stays with a browser (RFC 9110 section 4.2.5).
    let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    let sound = path.starts_with('/') && path.bytes().all(fits);
    if !sound && !keys.at.is_broken("path") {
        let remedy = "write it from its first \"/\" on, percent-encoded, such as \"/status\"";
        report.fault(keys.at.key("path"), "is no path", remedy);
    }
    let bounds = Duration::from_millis(100)..=Duration::from_hours(1);
    if !bounds.contains(&keys.every) {
        let remedy = "write a duration from 100ms to 1h";
        report.fault(keys.at.key("every"), "is out of bounds", remedy);
    }
}
