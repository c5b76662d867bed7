//! The LDAP server of an access list: its keys say exactly one way to find a user.

use super::http::one_certificate;
use crate::fault::Report;
use crate::sections::LdapLoginKeys;
use crate::types::{LdapAccount, LdapLogin, LdapSearch, LdapSecrecy, LdapWay, TargetCertificate};
use crate::value::{Scheme, TargetText, parse_target};

/// What stands for what the user typed.
const USER: &str = "{user}";

/// The server, where its keys fit together.
pub(super) fn login(keys: &LdapLoginKeys, report: &mut Report) -> Option<LdapLogin> {
    // What is no address was reported where it was read.
    let TargetText { scheme, host, port } = parse_target(&keys.url).ok()?;
    let tls = scheme.is_some_and(Scheme::tls);
    let secrecy = secrecy(keys, tls, report);
    let way = way(keys, report);
    let groups = groups(keys, report)?;
    Some(LdapLogin {
        line: keys.line,
        url: keys.url.clone(),
        host,
        port: port.unwrap_or(if tls { 636 } else { 389 }),
        secrecy: secrecy?,
        way: way?,
        member_of: keys.member_of.clone(),
        groups,
    })
}

fn secrecy(keys: &LdapLoginKeys, tls: bool, report: &mut Report) -> Option<LdapSecrecy> {
    let mut fault = |key: &str, what: &str, remedy: &str| {
        report.fault(keys.at.key(key), what, remedy);
        None
    };
    match (tls, keys.start_tls, keys.clear_text_passwords) {
        (true, true, _) => fault(
            "start_tls",
            "has no meaning for ldaps://, which is TLS from the start",
            "remove it",
        ),
        (true, _, true) => fault(
            "clear_text_passwords",
            "has no meaning for ldaps://",
            "remove it",
        ),
        (false, true, true) => fault(
            "clear_text_passwords",
            "says the opposite of start_tls",
            "keep one of the two",
        ),
        (false, false, false) => {
            let what = "would send every password in clear, for whoever listens on the way";
            let remedy = "write ldaps://, or add start_tls = true; if the server knows no TLS at all, clear_text_passwords = true";
            fault("url", what, remedy)
        }
        (false, false, true) if keys.certificate.is_some() => fault(
            "certificate",
            "has no meaning without TLS",
            "remove it, or clear_text_passwords",
        ),
        (false, false, true) => Some(LdapSecrecy::None),
        (true, ..) => certificate(keys, report).map(LdapSecrecy::Tls),
        (false, true, false) => certificate(keys, report).map(LdapSecrecy::StartTls),
    }
}

fn certificate(keys: &LdapLoginKeys, report: &mut Report) -> Option<TargetCertificate> {
    let Some(choice) = &keys.certificate else {
        // Who has written one that could not be read has been told.
        return (!keys.at.is_broken("certificate")).then_some(TargetCertificate::System);
    };
    let chosen = one_certificate(choice, report)?;
    if chosen == TargetCertificate::Any {
        let what = "would hand every password to whoever answers in the server's place";
        let remedy = "write { ca = \"file.pem\" } or { sha256 = \"…\" }";
        report.fault(choice.at.key("trust"), what, remedy);
        return None;
    }
    Some(chosen)
}

fn way(keys: &LdapLoginKeys, report: &mut Report) -> Option<LdapWay> {
    let faults = report.faults.len();
    if keys.bind.as_ref().is_some_and(|bind| !bind.contains(USER)) {
        let what = "does not say where the user's name belongs";
        let remedy =
            "write {user} in its place, for example \"uid={user},ou=people,dc=example,dc=com\"";
        report.fault(keys.at.key("bind"), what, remedy);
    }
    let search = search(keys, report);
    let account = account(keys, report);
    if keys.bind.is_none()
        && keys.search.is_none()
        && !keys.at.is_broken("bind")
        && !keys.at.is_broken("search")
    {
        let what = "does not say how a user is found";
        let remedy = "write bind = \"uid={user},ou=people,dc=example,dc=com\", where all names are alike, \
                      or search = \"dc=example,dc=com\", and `user` and `password` of an account that may search";
        report.fault(keys.at.place.clone(), what, remedy);
    }
    if report.faults.len() > faults {
        return None;
    }
    match (&keys.bind, search) {
        (Some(bind), search) => Some(LdapWay::Template {
            bind: bind.clone(),
            search,
        }),
        (None, search) => Some(LdapWay::Search {
            search: search?,
            account,
        }),
    }
}

fn search(keys: &LdapLoginKeys, report: &mut Report) -> Option<LdapSearch> {
    if keys.search.is_none() && keys.at.holds("filter") && !keys.at.is_broken("search") {
        let remedy = "remove it, or write below which entry is searched, such as search = \"dc=example,dc=com\"";
        report.fault(
            keys.at.key("filter"),
            "has no meaning without `search`",
            remedy,
        );
    }
    let filter = keys
        .filter
        .clone()
        .unwrap_or_else(|| "(uid={user})".to_owned());
    if !filter.contains(USER) {
        let what = "does not say where the user's name belongs";
        let remedy = "write {user} in its place, for example \"(uid={user})\"";
        report.fault(keys.at.key("filter"), what, remedy);
    }
    let base = keys.search.clone()?;
    dn(&base, keys, "search", report);
    Some(LdapSearch { base, filter })
}

fn account(keys: &LdapLoginKeys, report: &mut Report) -> Option<LdapAccount> {
    if keys.bind.is_some() {
        for key in ["user", "password"]
            .into_iter()
            .filter(|key| keys.at.holds(key))
        {
            let what = "is a second way to find a user: with `bind` he searches himself";
            report.fault(keys.at.key(key), what, "remove it, or `bind`");
        }
        return None;
    }
    match (&keys.user, &keys.password) {
        (Some(user), Some(password)) => Some(LdapAccount {
            user: user.clone(),
            password: password.clone(),
        }),
        (Some(_), None) if !keys.at.is_broken("password") => {
            let remedy = "write password = { secret = \"NAME\" } and store it with `gatehouse secret set NAME`";
            report.fault(keys.at.key("user"), "has no password", remedy);
            None
        }
        (None, Some(_)) if !keys.at.is_broken("user") => {
            let remedy = "write whose it is, such as user = \"cn=gatehouse,dc=example,dc=com\"";
            report.fault(keys.at.key("password"), "belongs to no account", remedy);
            None
        }
        _ => None,
    }
}

/// Where groups are searched; the outer `None`: it does not fit.
#[expect(clippy::option_option, reason = "a fault is not the same as no groups")]
fn groups(keys: &LdapLoginKeys, report: &mut Report) -> Option<Option<LdapSearch>> {
    let filter = keys
        .groups_filter
        .clone()
        .unwrap_or_else(|| "(member={dn})".to_owned());
    let Some(base) = &keys.groups_search else {
        if keys.at.holds("groups_filter") && !keys.at.is_broken("groups_search") {
            let remedy = "remove it, or write below which entry groups are, such as groups_search = \
                          \"ou=groups,dc=example,dc=com\"";
            report.fault(
                keys.at.key("groups_filter"),
                "has no meaning without `groups_search`",
                remedy,
            );
            return None;
        }
        return Some(None);
    };
    if !filter.contains("{dn}") && !filter.contains(USER) {
        let what = "is true of the same groups for every user";
        let remedy = "write {dn}, the name of his entry, or {user}, what he typed, for example \"(member={dn})\"";
        report.fault(keys.at.key("groups_filter"), what, remedy);
        return None;
    }
    dn(base, keys, "groups_search", report).then(|| {
        Some(LdapSearch {
            base: base.clone(),
            filter,
        })
    })
}

/// Whether `text` looks like the name of an entry (RFC 4514); says so where it does not.
fn dn(text: &str, keys: &LdapLoginKeys, key: &str, report: &mut Report) -> bool {
    let fits = text.contains('=') && !text.contains(USER) && !text.starts_with('(');
    if !fits {
        let remedy = "write for example \"ou=people,dc=example,dc=com\"";
        report.fault(keys.at.key(key), "is no name of an entry", remedy);
    }
    fits
}
