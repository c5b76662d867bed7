//! `[[host]]`: its rules, their targets, and what the internal DNS says by default.

use super::http::{default_certificate, http_rule, one_certificate};
use super::proxy::client_trust;
use super::target::{Leads as _, Wanted, target};
use crate::fault::Report;
use crate::sections::{
    File, H323Keys, HostKeys, InternalWord, LdapKeys, PassthroughKeys, ProxyHeader, SipKeys,
    TargetCertificateKeys,
};
use crate::types::{
    H323Rule, Host, HttpRule, Internal, LdapRule, Passthrough, SipRule, Target, TargetCertificate,
    TargetHost, TargetHostHeader, Targets,
};

/// A host with the rules that are free of faults.
pub(crate) fn host(keys: &HostKeys, file: &File, report: &mut Report) -> Host {
    let http: Vec<_> = keys
        .http
        .iter()
        .filter_map(|rule| http_rule(rule, keys, file, report))
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
        client_trust: client_trust(&file.proxy, Some(keys)),
        http,
        ldap,
        sip,
        h323,
        tls_passthrough,
    }
}

fn ldap_rule(keys: &LdapKeys, host: &HostKeys, report: &mut Report) -> Option<LdapRule> {
    let certificate = certificate_of(keys.target_certificate.as_ref(), &keys.wanted(host), report);
    Some(LdapRule {
        line: keys.line,
        target: target(&keys.wanted(host), report)?,
        target_certificate: certificate?,
        idle_timeout: keys.idle_timeout,
        default: keys.default,
    })
}

fn sip_rule(keys: &SipKeys, host: &HostKeys, report: &mut Report) -> Option<SipRule> {
    let certificate = certificate_of(keys.target_certificate.as_ref(), &keys.wanted(host), report);
    Some(SipRule {
        line: keys.line,
        target: target(&keys.wanted(host), report)?,
        check_certificate: keys.check_certificate,
        target_certificate: certificate?,
        idle_timeout: keys.idle_timeout,
    })
}

fn h323_rule(keys: &H323Keys, host: &HostKeys, report: &mut Report) -> Option<H323Rule> {
    let certificate = certificate_of(keys.target_certificate.as_ref(), &keys.wanted(host), report);
    Some(H323Rule {
        line: keys.line,
        target: target(&keys.wanted(host), report)?,
        check_certificate: keys.check_certificate,
        target_certificate: certificate?,
        idle_timeout: keys.idle_timeout,
        unregistered_calls: keys.unregistered_calls,
    })
}

/// Which certificate of a target is believed, by its key or by how the target is written.
fn certificate_of(
    choice: Option<&TargetCertificateKeys>,
    wanted: &Wanted<'_>,
    report: &mut Report,
) -> Option<TargetCertificate> {
    match choice {
        Some(choice) => one_certificate(choice, report),
        None => Some(default_certificate(wanted.has_scheme())),
    }
}

fn passthrough(
    keys: &PassthroughKeys,
    host: &HostKeys,
    report: &mut Report,
) -> Option<Passthrough> {
    let (text, place) = keys.wanted(host).written(report).into_iter().next()?;
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
        target_proxy_protocol: keys.target_proxy_protocol,
        idle_timeout: keys.idle_timeout,
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
    // What only we add, a client that goes straight to the target would miss.
    let straight = |rule: &HttpRule| {
        let open = rule.access.is_empty() && rule.access_all.is_empty();
        let bare = rule.target_proxy_protocol == ProxyHeader::Off;
        open && bare && rule.target_host == TargetHostHeader::Keep
    };
    let same = |rule: &HttpRule| match rule.targets.as_slice() {
        [Targets { plain, tls }] => {
            !plain.tls && plain.port == public.http && tls.tls && tls.port == public.https
        }
        _ => false,
    };
    let one = common_targets(http, passthrough).is_some();
    let tunnel = passthrough.is_none_or(|rule| {
        rule.target.port == public.https && rule.target_proxy_protocol == ProxyHeader::Off
    });
    if one && tunnel && http.iter().all(|rule| straight(rule) && same(rule)) {
        Internal::Target
    } else {
        Internal::Gateway
    }
}

/// The servers that all rules of a host lead to, in the order of its first rule; `None` where the
/// rules differ.
pub(crate) fn common_targets<'h>(
    http: &'h [HttpRule],
    passthrough: Option<&'h Passthrough>,
) -> Option<Vec<&'h TargetHost>> {
    let rules = http.iter().map(servers);
    let mut all = rules.chain(passthrough.map(|rule| vec![&rule.target.host]));
    let first = all.next()?;
    let same = |servers: Vec<&TargetHost>| {
        servers.len() == first.len() && servers.iter().all(|server| first.contains(server))
    };
    all.all(same).then_some(first)
}

/// The servers of a rule, once each.
fn servers(rule: &HttpRule) -> Vec<&TargetHost> {
    let mut servers = Vec::new();
    for targets in &rule.targets {
        for target in [&targets.plain, &targets.tls] {
            if !servers.contains(&&target.host) {
                servers.push(&target.host);
            }
        }
    }
    servers
}
