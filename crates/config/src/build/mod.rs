//! From the sections as they are written to the configuration as it is meant: defaults that
//! depend on other settings are applied, and what does not fit together is reported.

mod access;
mod certificate;
mod host;
mod http;
mod ldap;
mod proxy;
mod target;

pub(crate) use host::common_targets;

use crate::fault::Report;
use crate::place::At;
use crate::sections::File;
use crate::types::Config;

/// Builds the configuration; entries with faults of their own are left out.
pub(crate) fn config(file: &File, report: &mut Report) -> Config {
    let certificates = certificate::certificates(&file.certificate, report);
    let access = access::lists(&file.access.entries, report);
    let proxy = proxy::proxy(file);
    let hosts = file
        .host
        .iter()
        .map(|keys| host::host(keys, file, report))
        .collect();
    Config {
        schema: file.schema,
        system: file.system.clone(),
        zones: file.network.entries.clone(),
        admin: file.admin.clone(),
        site: file.site.clone(),
        proxy,
        guard: file.guard.clone(),
        certificates,
        access,
        hosts,
        forwards: file.forward.clone(),
        allows: file.allow.clone(),
        nat: file.nat.clone(),
        turn: file.turn.clone(),
        dns: file.dns.clone(),
        sbc: file.sbc.clone(),
    }
}

/// A table whose keys depend on one of them (`kind = "basic"`).
struct Kind<'a> {
    key: &'static str,
    word: &'static str,
    at: &'a At,
    report: &'a mut Report,
}

impl Kind<'_> {
    /// Reports the keys of other kinds.
    fn only(&mut self, own: &[&str], others: &[&str]) {
        let Self { key, word, .. } = *self;
        for other in others.iter().filter(|other| self.at.holds(other)) {
            let what = format!("has no meaning for {key} = \"{word}\"");
            let remedy = match own {
                [] => "remove it".to_owned(),
                own => format!("remove it; {key} = \"{word}\" takes {}", own.join(", ")),
            };
            self.report.fault(self.at.key(other), what, remedy);
        }
    }

    /// Reports a key of this kind that is missing.
    fn needs<T>(&mut self, name: &str, value: Option<T>, example: &str) -> Option<T> {
        if value.is_none() && !self.at.is_broken(name) {
            let Self { key, word, .. } = *self;
            let what = format!("is missing, and {key} = \"{word}\" needs it");
            let remedy = if example.starts_with('[') && !example.starts_with("[\"") {
                format!("write {example}")
            } else {
                format!("write for example `{name} = {example}`")
            };
            self.report.fault(self.at.key(name), what, remedy);
        }
        value
    }
}
