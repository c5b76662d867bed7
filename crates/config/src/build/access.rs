//! `[access.NAME]`: the keys that belong to its kind.

use super::{Kind, ldap};
use crate::fault::Report;
use crate::sections::{AccessKeys, AccessWord, LoginWord};
use crate::types::{Access, AccessKind, Login, Sso};

const BASIC: &[&str] = &["realm", "users", "user_header"];
const COOKIE: &[&str] = &["cookie", "origins", "forward_cookie"];
const CERTIFICATE: &[&str] = &["names", "user_header"];
const NETWORK: &[&str] = &["from"];
const SSO: &[&str] = &[
    "login",
    "session",
    "ldap",
    "radius",
    "oidc",
    "totp",
    "groups",
    "user_header",
    "groups_header",
    "forward_cookie",
];

/// Access lists whose kind is complete.
pub(crate) fn lists(all: &[AccessKeys], report: &mut Report) -> Vec<Access> {
    all.iter().filter_map(|keys| list(keys, report)).collect()
}

fn list(keys: &AccessKeys, report: &mut Report) -> Option<Access> {
    let kind = kind(keys, report)?;
    Some(Access {
        name: keys.name.clone(),
        line: keys.line,
        kind,
    })
}

fn kind(keys: &AccessKeys, report: &mut Report) -> Option<AccessKind> {
    let own = match keys.kind {
        AccessWord::Basic => BASIC,
        AccessWord::Cookie => COOKIE,
        AccessWord::Certificate => CERTIFICATE,
        AccessWord::Network => NETWORK,
        AccessWord::Sso => SSO,
    };
    let mut others: Vec<_> = [BASIC, COOKIE, CERTIFICATE, NETWORK, SSO].concat();
    others.retain(|key| !own.contains(key));
    others.sort_unstable();
    others.dedup();
    let mut kind = Kind {
        key: "kind",
        word: keys.kind.as_str(),
        at: &keys.at,
        report,
    };
    kind.only(own, &others);
    match keys.kind {
        AccessWord::Basic => {
            let users = kind.needs("users", some(&keys.users), "[\"login\"]");
            let realm = keys.realm.clone().unwrap_or_else(|| keys.name.clone());
            Some(AccessKind::Basic {
                realm,
                users: users?,
                user_header: keys.user_header.clone(),
            })
        }
        AccessWord::Cookie => {
            let cookie = kind.needs("cookie", keys.cookie.clone(), "\"AUTH\"");
            Some(AccessKind::Cookie {
                cookie: cookie?,
                origins: keys.origins.clone(),
                forward_cookie: keys.forward_cookie.unwrap_or(false),
            })
        }
        AccessWord::Certificate => Some(AccessKind::Certificate {
            names: keys.names.clone(),
            user_header: keys.user_header.clone(),
        }),
        AccessWord::Network => {
            let from = kind.needs("from", some(&keys.from), "[\"10.0.0.0/24\"]");
            Some(AccessKind::Network { from: from? })
        }
        AccessWord::Sso => sso(keys, kind),
    }
}

fn sso(keys: &AccessKeys, mut kind: Kind<'_>) -> Option<AccessKind> {
    let session = kind.needs(
        "session",
        keys.session.clone(),
        "{ domain = \"example.com\" }",
    );
    let word = kind.needs("login", keys.login, "\"ldap\"");
    let login = word.and_then(|word| login(keys, word, kind.report));
    let totp = keys.totp.unwrap_or(false);
    if totp && word == Some(LoginWord::Oidc) {
        let what =
            "has no meaning for login = \"oidc\": the provider asks for a second factor itself";
        let remedy = "remove it, and have the provider ask for one";
        kind.report.fault(keys.at.key("totp"), what, remedy);
    }
    Some(AccessKind::Sso(Box::new(Sso {
        session: session?,
        login: login?,
        totp,
        groups: keys.groups.clone(),
        user_header: keys.user_header.clone(),
        groups_header: keys.groups_header.clone(),
        forward_cookie: keys.forward_cookie.unwrap_or(false),
    })))
}

fn login(keys: &AccessKeys, word: LoginWord, report: &mut Report) -> Option<Login> {
    let all = ["ldap", "radius", "oidc"];
    let others: Vec<_> = all
        .into_iter()
        .filter(|key| *key != word.as_str())
        .collect();
    let mut kind = Kind {
        key: "login",
        word: word.as_str(),
        at: &keys.at,
        report,
    };
    kind.only(&[word.as_str()], &others);
    match word {
        LoginWord::Ldap => {
            let example = "{ url = \"ldaps://10.0.0.7\", bind = \"uid={user},dc=example,dc=com\" }";
            kind.needs("ldap", keys.ldap.as_ref(), example)
                .and_then(|keys| ldap::login(keys, kind.report))
                .map(Login::Ldap)
        }
        LoginWord::Radius => {
            let example = "{ server = \"10.0.0.8\", shared = { secret = \"radius\" } }";
            kind.needs("radius", keys.radius.clone(), example)
                .map(Login::Radius)
        }
        LoginWord::Oidc => {
            let example = "{ issuer = \"https://login.example.com\", client = \"gatehouse\", \
                           client_key = { secret = \"oidc\" } }";
            kind.needs("oidc", keys.oidc.clone(), example)
                .map(Login::Oidc)
        }
    }
}

fn some<T>(list: &[T]) -> Option<Vec<T>>
where
    T: Clone,
{
    (!list.is_empty()).then(|| list.to_vec())
}
