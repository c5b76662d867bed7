//! Access lists of kind "sso": sessions that reach their hosts, and no two that take each other for theirs.

use super::access::reserved;
use crate::fault::Report;
use crate::place::Place;
use crate::reader::quoted;
use crate::sections::{AccessKeys, AccessWord, File, HostKeys, HttpKeys, LoginPage, Session};

/// The paths of a host that are ours where one of its rules asks for a login.
const OWN: &str = "/.gatehouse/";

/// A browser sends the session's cookie only to hosts of its domain.
pub(super) fn session_reaches(
    list: &AccessKeys,
    host: &HostKeys,
    place: Place,
    report: &mut Report,
) {
    let Some(session) = list
        .session
        .as_ref()
        .filter(|_| list.kind == AccessWord::Sso)
    else {
        return;
    };
    let domain = session.domain.to_ascii_lowercase();
    let name = &host.name.domain;
    if !is_below(name, &domain) {
        let what = format!("{name} is not below {domain}, so that its session never gets here");
        let line = session.line;
        let remedy = format!("use a list whose session.domain holds this host (line {line})");
        report.fault(place, what, remedy);
    }
}

/// Whether `name` is `domain` or below it; both in lower case.
fn is_below(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A browser that sends two cookies of one name does not say which list each is of.
pub(super) fn cookies(file: &File, report: &mut Report) {
    let lists = &file.access.entries;
    for (index, list) in lists.iter().enumerate() {
        let Some(session) = session(list) else {
            continue;
        };
        // RFC 6265bis section 4.1.3.2: such a cookie is of one host alone.
        if session.cookie.to_ascii_lowercase().starts_with("__host-") {
            let what = format!(
                "{} is a cookie that browsers take for one host alone",
                quoted(&session.cookie)
            );
            let remedy = "write another name, such as \"gatehouse_session\"";
            report.fault(session.at.key("cookie"), what, remedy);
        }
        let tokens = lists
            .iter()
            .find(|other| other.cookie.as_ref() == Some(&session.cookie));
        let before = lists[..index]
            .iter()
            .find(|other| self::session(other).is_some_and(|other| are_mixed_up(session, other)));
        let Some(other) = before.or(tokens) else {
            continue;
        };
        let what = format!(
            "the cookie {} is that of access list {}, too",
            quoted(&session.cookie),
            quoted(&other.name)
        );
        let remedy =
            "write another `cookie` for one of the two: hosts could not tell their cookies apart";
        report.fault(session.at.key("cookie"), what, remedy);
    }
}

/// Whether some host may get the cookies of both.
fn are_mixed_up(one: &Session, other: &Session) -> bool {
    let (one_domain, other_domain) = (
        one.domain.to_ascii_lowercase(),
        other.domain.to_ascii_lowercase(),
    );
    one.cookie == other.cookie
        && (is_below(&one_domain, &other_domain) || is_below(&other_domain, &one_domain))
}

fn session(list: &AccessKeys) -> Option<&Session> {
    list.session
        .as_ref()
        .filter(|_| list.kind == AccessWord::Sso)
}

/// The name of the field with the groups is none that has a meaning, and not that of the user.
pub(super) fn groups_header(keys: &AccessKeys, report: &mut Report) {
    let Some(header) = &keys.groups_header else {
        return;
    };
    reserved(header, &keys.at, "groups_header", report);
    let same = |user: &String| user.eq_ignore_ascii_case(header);
    if keys.user_header.as_ref().is_some_and(same) {
        let what = "is `user_header`, too";
        report.fault(keys.at.key("groups_header"), what, "write another name");
    }
}

/// Who is shown a login page says nothing where nobody is asked for a login.
pub(super) fn login_page(rule: &HttpKeys, file: &File, report: &mut Report) {
    if rule.login_page == LoginPage::Always && !asks_login(rule, file) {
        let what = "has no meaning without an access list of kind = \"sso\"";
        report.fault(rule.at.key("login_page"), what, "remove it");
    }
}

/// The paths of the login page are no target's.
pub(super) fn own_path(host: &HostKeys, file: &File, report: &mut Report) {
    if !host.http.iter().any(|rule| asks_login(rule, file)) {
        return;
    }
    for rule in &host.http {
        for (index, path) in rule.paths.iter().enumerate() {
            if path.starts_with(OWN) {
                let what = format!(
                    "{} is never forwarded: what begins with {OWN} is the login page of this host",
                    quoted(path)
                );
                let place = rule.at.entry("paths", index);
                report.fault(place, what, "write another path, or none");
            }
        }
    }
}

fn asks_login(rule: &HttpKeys, file: &File) -> bool {
    let named = |list: &AccessKeys| {
        let mut names = rule.access.iter().chain(&rule.access_all);
        names.any(|name| *name == list.name)
    };
    let mut lists = file.access.entries.iter();
    lists.any(|list| list.kind == AccessWord::Sso && named(list))
}
