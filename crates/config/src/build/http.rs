//! `[[host.http]]`: its targets, which certificates are believed there, and what is sent to them.

use super::target::{Leads as _, targets};
use crate::fault::Report;
use crate::sections::{
    AccessWord, File, HeaderKeys, HostKeys, HttpKeys, Plain, TargetCertificateKeys, TrustWord,
};
use crate::types::{HeaderRules, Health, HttpRule, RulePath, TargetCertificate};
use crate::value::{Field, Scheme, TargetText};

/// A rule whose targets are free of faults.
pub(super) fn http_rule(
    keys: &HttpKeys,
    host: &HostKeys,
    file: &File,
    report: &mut Report,
) -> Option<HttpRule> {
    let targets = targets(&keys.wanted(host), report);
    let target_certificate = target_certificate(keys, scheme(keys, host).is_some(), report);
    Some(HttpRule {
        line: keys.line,
        paths: paths(keys),
        default: keys.default,
        targets: targets?,
        balance: keys.balance,
        health: keys.health.as_ref().map(|health| Health {
            path: health.path.clone(),
            every: health.every,
        }),
        target_name: keys.target_name.as_deref().map(str::to_ascii_lowercase),
        target_host: keys.target_host.clone(),
        target_proxy_protocol: keys.target_proxy_protocol,
        forwarded: keys.forwarded,
        hsts: keys.hsts,
        request_headers: header_rules(&keys.request_headers),
        response_headers: header_rules(&keys.response_headers),
        plain: keys.plain.unwrap_or_else(|| plain(keys, file)),
        websocket: keys.websocket,
        idle_timeout: keys.idle_timeout,
        max_body: keys.max_body,
        access: keys.access.clone(),
        access_all: keys.access_all.clone(),
        login_page: keys.login_page,
        client_address_header: keys.client_address_header.clone(),
        target_certificate: target_certificate?,
        path_policy: keys.path_policy,
    })
}

/// Nobody is asked for a secret where everybody on the way can read it.
fn plain(keys: &HttpKeys, file: &File) -> Plain {
    let named = |name: &String| keys.access.contains(name) || keys.access_all.contains(name);
    let lists = file.access.entries.iter();
    let mut lists = lists.filter(|list| named(&list.name));
    let is_secret = |kind| {
        matches!(
            kind,
            AccessWord::Basic | AccessWord::Cookie | AccessWord::Sso
        )
    };
    if lists.any(|list| is_secret(list.kind)) {
        Plain::Redirect
    } else {
        Plain::Forward
    }
}

/// The scheme of a rule's targets; a check sees to it that there is one for all.
fn scheme(keys: &HttpKeys, host: &HostKeys) -> Option<Scheme> {
    let own: Option<&[TargetText]> = keys.target.as_ref().map(AsRef::as_ref);
    let first = own.and_then(<[_]>::first).or(host.target.as_ref());
    first.and_then(|target| target.scheme)
}

fn header_rules(keys: &HeaderKeys) -> HeaderRules {
    let pair = |field: &Field| (field.name.clone(), field.value.clone());
    HeaderRules {
        set: keys.set.0.iter().map(pair).collect(),
        add: keys.add.0.iter().map(pair).collect(),
        remove: keys.remove.clone(),
    }
}

fn paths(keys: &HttpKeys) -> Vec<RulePath> {
    if keys.paths.is_empty() {
        return vec![RulePath {
            text: String::new(),
            line: keys.line,
        }];
    }
    let path = |(index, text): (usize, &String)| {
        let line = keys.at.entry("paths", index).line;
        RulePath {
            text: text.clone(),
            line,
        }
    };
    keys.paths.iter().enumerate().map(path).collect()
}

fn target_certificate(
    keys: &HttpKeys,
    scheme: bool,
    report: &mut Report,
) -> Option<TargetCertificate> {
    let Some(choice) = &keys.target_certificate else {
        return Some(default_certificate(scheme));
    };
    one_certificate(choice, report)
}

/// What is believed where the file says nothing: inside one's own network certificates are rarely signed by anybody; who
/// writes a scheme means a server that has a proper one.
pub(super) fn default_certificate(scheme: bool) -> TargetCertificate {
    if scheme {
        TargetCertificate::System
    } else {
        TargetCertificate::Any
    }
}

/// The one thing that is said of a target's certificate.
pub(super) fn one_certificate(
    choice: &TargetCertificateKeys,
    report: &mut Report,
) -> Option<TargetCertificate> {
    let given = ["trust", "ca", "sha256"]
        .iter()
        .filter(|key| choice.at.holds(key))
        .count();
    if given != 1 {
        let what = if given == 0 {
            "says nothing"
        } else {
            "says several things at once"
        };
        let remedy = "write one of { trust = \"system\" }, { trust = \"any\" }, \
                      { ca = \"file.pem\" } or { sha256 = \"…\" }";
        report.fault(choice.at.place.clone(), what, remedy);
        return None;
    }
    match (choice.trust, &choice.ca, &choice.sha256) {
        (Some(TrustWord::System), ..) => Some(TargetCertificate::System),
        (Some(TrustWord::Any), ..) => Some(TargetCertificate::Any),
        (None, Some(file), _) => Some(TargetCertificate::Ca(file.clone())),
        (None, None, Some(text)) => {
            let digest = digest(text);
            if digest.is_none() {
                let remedy = "write 64 hexadecimal digits, as `openssl x509 -fingerprint -sha256` \
                              prints them";
                report.fault(choice.at.key("sha256"), "is no SHA-256", remedy);
            }
            digest.map(TargetCertificate::Sha256)
        }
        (None, None, None) => None,
    }
}

fn digest(text: &str) -> Option<[u8; 32]> {
    let digits: Vec<_> = text.bytes().filter(|byte| *byte != b':').collect();
    let mut digest = [0; 32];
    let (pairs, rest) = digits.as_chunks::<2>();
    if pairs.len() != 32 || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let [high, low] = pair.map(|digit| char::from(digit).to_digit(16));
        *byte = u8::try_from(high? * 16 + low?).ok()?;
    }
    Some(digest)
}
