//! The names that these pages answer to.
//!
//! A browser can be led here under a name whose owner changes its address after the first page (DNS rebinding): then a
//! foreign page would be of our origin. Addresses can not be rebound, so that every one is ours.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The names under which the operator may open the pages, in lower case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Names(BTreeSet<String>);

impl Names {
    /// `localhost` and the box's own name, alone and within the site's domain. Not the other names of its certificate: what
    /// is published under them would get the cookie of the session.
    pub(crate) fn new(hostname: &str, domain: Option<&str>) -> Self {
        let full = domain.map(|domain| format!("{hostname}.{domain}"));
        let own = ["localhost".to_owned(), hostname.to_owned()];
        let all = own.into_iter().chain(full);
        Self(all.map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether an authority (`Host` or `:authority`, with or without port) is one of ours.
    pub(crate) fn has(&self, authority: &str) -> bool {
        let Some(name) = without_port(authority) else {
            return false;
        };
        if let Some(inner) = name.strip_prefix('[') {
            let inner = inner.strip_suffix(']');
            return inner.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
        }
        name.parse::<Ipv4Addr>().is_ok() || self.0.contains(&name.to_ascii_lowercase())
    }

    /// A name to offer where another one was asked for.
    pub(crate) fn offered(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

/// What stands before the port; none where the port is no number.
fn without_port(authority: &str) -> Option<&str> {
    let end = authority.rfind(']').map_or(0, |bracket| bracket + 1);
    let (name, rest) = authority.split_at(end);
    let (more, port) = match rest.split_once(':') {
        Some((more, port)) => (more, Some(port)),
        None => (rest, None),
    };
    if port.is_some_and(|port| port.is_empty() || port.parse::<u16>().is_err()) {
        return None;
    }
    match (name.is_empty(), more.is_empty()) {
        (true, _) => Some(more),
        (false, true) => Some(name),
        (false, false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_own_names_are_ours() {
        let names = Names::new("Gate-HQ", Some("example.com"));
        for (authority, ours) in [
            ("192.168.1.1", true),
            ("192.168.1.1:8443", true),
            ("[fd00::1]", true),
            ("[fd00::1]:8443", true),
            ("localhost:18443", true),
            ("gate-hq", true),
            ("GATE-HQ:8443", true),
            ("gate-hq.example.com:8443", true),
            ("admin.example.net", false),
            ("gate-hq.evil.example", false),
            ("evil.example:8443", false),
            ("192.168.1.1.evil.example", false),
            ("192.168.1", false),
            ("0x7f000001", false),
            ("fd00::1", false),
            ("[fd00::1", false),
            ("[fd00::1]x:1", false),
            ("[gate-hq]", false),
            ("gate-hq:", false),
            ("gate-hq:99999", false),
            ("gate-hq:1:2", false),
            ("gate-hq.", false),
            ("a@gate-hq", false),
            ("", false),
        ] {
            assert_eq!(names.has(authority), ours, "{authority}");
        }
    }
}
