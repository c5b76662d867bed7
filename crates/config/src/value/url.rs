//! Addresses of servers that are asked, not forwarded to.

use super::name::checked_name;
use super::target::{Scheme, TargetText, parse};
use crate::definition::{Plain, Shape};
use crate::reader::{Node, Reader, Value, quoted};

checked_name!(
    /// `ldaps://address[:port]` or `ldap://address[:port]`.
    LdapUrl, "`ldaps://address` or `ldap://address`", |text| {
        server_fault(text, &[Scheme::Ldap, Scheme::Ldaps], "ldaps://10.0.0.7")
    }
);
checked_name!(
    /// `address` or `address:port`.
    ServerText, "`address` or `address:port`", |text| server_fault(text, &[], "10.0.0.8")
);
checked_name!(
    /// `https://name[:port][/path]`.
    HttpsUrl, "an address: `https://name/path`", https_fault
);
checked_name!(
    /// A scope of an OIDC login (RFC 6749 section 3.3).
    Scope, "a scope, such as `profile`", |text| {
        let fits = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        (text.len() > 200 || !text.bytes().all(fits)).then(|| {
            let remedy = "write each scope as an entry of its own, as the provider names it";
            (format!("{} is no scope", quoted(text)), remedy.to_owned())
        })
    }
);

fn server_fault(text: &str, schemes: &[Scheme], example: &str) -> Option<(String, String)> {
    let remedy = || format!("write for example \"{example}\"");
    match parse(text) {
        Ok(TargetText { scheme: None, .. }) if schemes.is_empty() => None,
        Ok(TargetText {
            scheme: Some(scheme),
            ..
        }) if schemes.contains(&scheme) => None,
        Ok(TargetText { scheme: None, .. }) => {
            Some((format!("{} has no scheme", quoted(text)), remedy()))
        }
        Ok(_) => Some((format!("{} has the wrong scheme", quoted(text)), remedy())),
        Err((what, remedy)) => Some((format!("{} {what}", quoted(text)), remedy)),
    }
}

fn https_fault(text: &str) -> Option<(String, String)> {
    let plain = text.bytes().all(|byte| byte.is_ascii_graphic());
    let rest = text
        .strip_prefix("https://")
        .filter(|_| plain && text.len() < 1000);
    let server = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let fits = matches!(server.map(parse), Some(Ok(_)));
    let remedy = "write it with its scheme, such as \"https://login.example.com\"";
    (!fits).then(|| {
        (
            format!("{} is no https address", quoted(text)),
            remedy.to_owned(),
        )
    })
}
