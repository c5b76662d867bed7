//! Access lists: what they hold, and that rules name ones that there are.

use std::collections::HashSet;

use super::headers::is_ours;
use super::sso;
use crate::fault::Report;
use crate::nearest::instead;
use crate::place::{At, Place};
use crate::reader::quoted;
use crate::sections::{AccessKeys, AccessWord, File, HostKeys, HttpKeys, OidcLogin};

pub(super) fn lists(file: &File, report: &mut Report) {
    for keys in &file.access.entries {
        twice(&keys.at, "users", &keys.users, report);
        twice(&keys.at, "origins", &keys.origins, report);
        twice(&keys.at, "names", &keys.names, report);
        twice(&keys.at, "groups", &keys.groups, report);
        if let Some(session) = keys
            .session
            .as_ref()
            .filter(|session| session.idle > session.longest)
        {
            let what = "is longer than the longest session";
            report.fault(
                session.at.key("idle"),
                what,
                "write a shorter one, or a longer `longest`",
            );
        }
        if let Some(oidc) = &keys.oidc {
            provider(oidc, report);
        }
        if let Some(header) = &keys.user_header {
            reserved(header, &keys.at, "user_header", report);
        }
        sso::groups_header(keys, report);
    }
    sso::cookies(file, report);
    trusted(file, report);
    for host in &file.host {
        for rule in &host.http {
            rule_access(rule, host, file, report);
        }
        sso::own_path(host, file, report);
    }
}

fn rule_access(rule: &HttpKeys, host: &HostKeys, file: &File, report: &mut Report) {
    for (key, names) in [("access", &rule.access), ("access_all", &rule.access_all)] {
        if rule.at.holds(key) && names.is_empty() && !rule.at.is_broken(key) {
            let what =
                "names no access list, which could be read as \"nobody\" or as \"everybody\"";
            let remedy = "remove it to let everybody in, or name a list";
            report.fault(rule.at.key(key), what, remedy);
        }
        twice(&rule.at, key, names, report);
        for (index, name) in names.iter().enumerate() {
            let place = rule.at.entry(key, index);
            let known = &file.access.names;
            if !known.contains(name) {
                let remedy = if known.is_empty() {
                    format!("write [access.{name}] and what lets people in")
                } else {
                    let names: Vec<_> = known.iter().map(String::as_str).collect();
                    instead(name, &names)
                };
                report.fault(
                    place,
                    format!("there is no access list {}", quoted(name)),
                    remedy,
                );
            } else if key == "access_all" && rule.access.contains(name) {
                let what = format!("{} is in `access`, too", quoted(name));
                report.fault(place, what, "keep it in one of the two");
            } else if let Some(list) = file.access.entries.iter().find(|list| list.name == *name) {
                certificate_is_asked(list, host, file, &place, report);
                sso::session_reaches(list, host, place, report);
            }
        }
    }
    sso::login_page(rule, file, report);
    if let Some(header) = &rule.client_address_header {
        reserved(header, &rule.at, "client_address_header", report);
    }
}

/// What an OIDC provider is asked (OIDC Core 1.0 section 3.1.2.1, Discovery 1.0 section 3).
fn provider(oidc: &OidcLogin, report: &mut Report) {
    twice(&oidc.at, "scopes", &oidc.scopes, report);
    let none = !oidc.scopes.iter().any(|scope| scope == "openid");
    if none && !oidc.at.is_broken("scopes") {
        let what = "does not hold \"openid\", without which nobody is signed in";
        report.fault(oidc.at.key("scopes"), what, "add \"openid\"");
    }
    if oidc.issuer.contains(['?', '#']) {
        let remedy = "write what stands as `issuer` in the provider's \
                      /.well-known/openid-configuration";
        report.fault(oidc.at.key("issuer"), "has a query or fragment", remedy);
    }
}

/// Files that are named twice.
fn trusted(file: &File, report: &mut Report) {
    let proxy = &file.proxy;
    twice(&proxy.at, "trusted_clients", &proxy.trusted_clients, report);
    twice(&proxy.at, "revoked", &proxy.revoked, report);
    for host in &file.host {
        twice(&host.at, "trusted_clients", &host.trusted_clients, report);
        twice(&host.at, "revoked", &host.revoked, report);
    }
}

/// Where no CA is trusted, nobody can come in by certificate.
fn certificate_is_asked(
    list: &AccessKeys,
    host: &HostKeys,
    file: &File,
    place: &Place,
    report: &mut Report,
) {
    if list.kind != AccessWord::Certificate {
        return;
    }
    let broken = host.at.is_broken("trusted_clients") || file.proxy.at.is_broken("trusted_clients");
    if host.trusted_clients.is_empty() && file.proxy.trusted_clients.is_empty() && !broken {
        let what = format!(
            "{} asks for a client certificate, and no CA of clients is trusted",
            quoted(&list.name)
        );
        let remedy = "write trusted_clients = [\"file.pem\"] below [proxy] or this [[host]]";
        report.fault(place.clone(), what, remedy);
    }
}

/// Reports a header of ours or of HTTP itself where a name of the operator's choice is wanted.
pub(super) fn reserved(header: &str, at: &At, key: &str, report: &mut Report) {
    // What clients send under these names goes on to the target.
    let theirs = ["authorization", "cookie", "origin"];
    let plain = header.to_ascii_lowercase();
    if is_ours(header) || theirs.contains(&plain.as_str()) {
        let what = format!("{} has a meaning of its own", quoted(header));
        report.fault(
            at.key(key),
            what,
            "write another name, such as \"X-Client-IP\"",
        );
    }
}

/// Reports entries of a list that are in it before.
pub(super) fn twice(at: &At, key: &str, list: &[String], report: &mut Report) {
    let mut known = HashSet::new();
    for (index, entry) in list.iter().enumerate() {
        if !known.insert(entry) {
            let what = format!("{} is named twice", quoted(entry));
            report.fault(at.entry(key, index), what, "write it once");
        }
    }
}
