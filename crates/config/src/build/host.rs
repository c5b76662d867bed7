//! `[[host]]`: its rules, their targets, and what the internal DNS says by default.

use super::target::{self, Wanted, targets};
use crate::fault::Report;
use crate::sections::{
    File, H323Keys, HostKeys, HttpKeys, InternalWord, LdapKeys, PassthroughKeys, SipKeys, TrustWord,
};
use crate::types::{
    H323Rule, Host, HttpRule, Internal, LdapRule, Passthrough, RulePath, SipRule, Target,
    TargetCertificate, TargetHost, Targets,
};

/// A host with the rules that are free of faults.
pub(crate) fn host(keys: &HostKeys, file: &File, report: &mut Report) -> Host {
    let http: Vec<_> = keys
        .http
        .iter()
        .filter_map(|rule| http_rule(rule, keys, report))
        .collect();
    let ldap = keys
        .ldap
        .as_ref()
        .and_then(|rule| ldap_rule(rule, keys, report));
    let sip = keys
        .sip
        .as_ref()
        .and_then(|rule| sip_rule(rule, keys, report));
    let h323 = keys
        .h323
        .as_ref()
        .and_then(|rule| h323_rule(rule, keys, report));
    let tunnel = keys.tls_passthrough.as_ref();
    let tls_passthrough = tunnel.and_then(|rule| passthrough(rule, keys, report));
    let internal = match keys.internal {
        Some(InternalWord::Target) => Internal::Target,
        Some(InternalWord::Gateway) => Internal::Gateway,
        Some(InternalWord::None) => Internal::None,
        None => default_internal(keys, &http, tls_passthrough.as_ref(), file),
    };
    let (name, line) = (keys.name.clone(), keys.line);
    Host {
        name,
        line,
        internal,
        http,
        ldap,
        sip,
        h323,
        tls_passthrough,
    }
}

fn ldap_rule(keys: &LdapKeys, host: &HostKeys, report: &mut Report) -> Option<LdapRule> {
    let wanted = Wanted {
        host,
        at: &keys.at,
        target: keys.target.as_ref(),
        port: keys.port,
        tls_port: keys.tls_port,
        protocol: &target::LDAP,
        both: false,
    };
    Some(LdapRule {
        line: keys.line,
        target: targets(&wanted, report)?,
    })
}

fn sip_rule(keys: &SipKeys, host: &HostKeys, report: &mut Report) -> Option<SipRule> {
    let check_certificate = keys.check_certificate;
    let wanted = Wanted {
        host,
        at: &keys.at,
        target: keys.target.as_ref(),
        port: keys.port,
        tls_port: keys.tls_port,
        protocol: &target::SIP,
        both: check_certificate,
    };
    Some(SipRule {
        line: keys.line,
        target: targets(&wanted, report)?,
        check_certificate,
    })
}

fn h323_rule(keys: &H323Keys, host: &HostKeys, report: &mut Report) -> Option<H323Rule> {
    let check_certificate = keys.check_certificate;
    let wanted = Wanted {
        host,
        at: &keys.at,
        target: keys.target.as_ref(),
        port: keys.port,
        tls_port: keys.tls_port,
        protocol: &target::H323,
        both: check_certificate,
    };
    Some(H323Rule {
        line: keys.line,
        target: targets(&wanted, report)?,
        check_certificate,
    })
}

fn http_rule(keys: &HttpKeys, host: &HostKeys, report: &mut Report) -> Option<HttpRule> {
    let paths = paths(keys);
    let wanted = Wanted {
        host,
        at: &keys.at,
        target: keys.target.as_ref(),
        port: keys.port,
        tls_port: keys.tls_port,
        protocol: &target::HTTP,
        both: false,
    };
    let target = targets(&wanted, report);
    let scheme = keys
        .target
        .as_ref()
        .or(host.target.as_ref())
        .and_then(|target| target.scheme);
    let target_certificate = target_certificate(keys, scheme.is_some(), report);
    Some(HttpRule {
        line: keys.line,
        paths,
        default: keys.default,
        target: target?,
        plain: keys.plain,
        websocket: keys.websocket,
        idle_timeout: keys.idle_timeout,
        max_body: keys.max_body.map(|size| size.0),
        access: keys.access.clone(),
        access_all: keys.access_all.clone(),
        client_address_header: keys.client_address_header.clone(),
        target_certificate: target_certificate?,
        path_policy: keys.path_policy,
    })
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
        // Inside one's own network certificates are rarely signed by anybody; who writes https://
        // means a server that has a proper one.
        let default = if scheme {
            TargetCertificate::System
        } else {
            TargetCertificate::Any
        };
        return Some(default);
    };
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

fn passthrough(
    keys: &PassthroughKeys,
    host: &HostKeys,
    report: &mut Report,
) -> Option<Passthrough> {
    let (port, tls_port) = (None, None);
    let target = keys.target.as_ref();
    let protocol = &target::HTTP;
    let wanted = Wanted {
        host,
        at: &keys.at,
        target,
        port,
        tls_port,
        protocol,
        both: false,
    };
    let (text, place) = target::written(&wanted, report)?;
    if let Some(scheme) = text.scheme.filter(|scheme| !scheme.tls()) {
        let what = format!("\"{}://\" is not TLS", scheme.as_str());
        let remedy = "write `address` or `address:port`: what is passed through is TLS as it came";
        report.fault(place, what, remedy);
        return None;
    }
    let target = Target {
        host: text.host.clone(),
        port: text.port.unwrap_or(443),
        tls: true,
    };
    Some(Passthrough {
        line: keys.line,
        target,
        listen: keys.listen,
        default: keys.default,
    })
}

/// What the internal DNS says where the file does not.
fn default_internal(
    keys: &HostKeys,
    http: &[HttpRule],
    passthrough: Option<&Passthrough>,
    file: &File,
) -> Internal {
    if keys.name.location.is_some() || (keys.http.is_empty() && keys.tls_passthrough.is_none()) {
        return Internal::None;
    }
    let public = &file.site.public_ports;
    let open = |rule: &HttpRule| rule.access.is_empty() && rule.access_all.is_empty();
    let same = |rule: &HttpRule| {
        let Targets { plain, tls } = &rule.target;
        !plain.tls && plain.port == public.http && tls.tls && tls.port == public.https
    };
    let one = one_target(http, passthrough).is_some();
    let tunnel = passthrough.is_none_or(|rule| rule.target.port == public.https);
    if one && tunnel && http.iter().all(|rule| open(rule) && same(rule)) {
        Internal::Target
    } else {
        Internal::Gateway
    }
}

/// The one server that all rules of a host lead to.
pub(crate) fn one_target<'h>(
    http: &'h [HttpRule],
    passthrough: Option<&'h Passthrough>,
) -> Option<&'h TargetHost> {
    let rules = http.iter().map(|rule| &rule.target.tls.host);
    let mut all = rules.chain(passthrough.map(|rule| &rule.target.host));
    let first = all.next()?;
    all.all(|host| host == first).then_some(first)
}
