//! What would become of a connection of SIP, LDAP or H.323, and what its target has to be told of us.

use super::access::Shown;
use super::asker::Asker;
use super::believed::believed;
use super::domains::{DomainHost, DomainRule, Proof, Wanted};
use super::explain::{ExplainedStep, Explanation, Shows};
use super::headers::Spoken;
use super::routes::{Routes, TargetKey};
use config::{Config, Identity, Protocol, TargetHost};
use proto::ldap::BindName;
use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr};

/// What asks for all that a PBX is to be told.
const PBX: &str = "pbx";

/// Who wants to be forwarded: `sip:john@example.com`, `ldap:example.com\john`, `h323:john@example.com`.
pub(super) struct Asked<'a> {
    spoken: Spoken,
    text: &'a str,
    domain: Option<String>,
    name: Option<String>,
}

impl<'a> Asked<'a> {
    /// None if it is of another protocol, or nothing that could be asked.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let spoken = Spoken::named(&scheme.to_ascii_lowercase())?;
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        if rest.is_empty() || rest.contains(char::is_control) {
            return None;
        }
        let (name, domain) = match spoken.protocol {
            Protocol::Http => return None,
            Protocol::Sip => {
                let uri = format!("sip:{rest}");
                let uri = sip::address::Uri::parse(uri.as_bytes()).ok()?;
                (uri.user().map(std::borrow::Cow::into_owned), uri.domain())
            }
            Protocol::Ldap => {
                let name = BindName::new(rest);
                (name.user, name.domain)
            }
            Protocol::H323 => match rest.split_once('@') {
                Some((name, domain)) => (Some(name.to_owned()), Some(domain.to_owned())),
                None => (None, Some(rest.to_owned())),
            },
        };
        Some(Self {
            spoken,
            text,
            domain,
            name,
        })
    }
}

/// Explains what `config` makes of a connection.
pub(super) fn explain(
    config: &Config,
    routes: &Routes,
    asked: &Asked<'_>,
    asker: &Asker<'_>,
) -> Explanation {
    let from = asker
        .from
        .unwrap_or(IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)));
    let mut told = Explanation::empty(asked.text, from);
    told.steps.push(step(ports(config, asked.spoken), None));
    let wanted = Wanted {
        protocol: asked.spoken.protocol,
        domain: asked.domain.as_deref(),
        server_name: None,
    };
    let (host, rule) = match routes.domains().find(&wanted) {
        Ok(found) => found,
        Err((reason, host)) => {
            if let Some(host) = host {
                let text = format!("host {}", host.name);
                told.steps.push(step(text, Some(host.line)));
            }
            told.reason = reason.to_string();
            told.line = host.map(|host| host.line);
            return told;
        }
    };
    let text = format!("host {}", host.name);
    told.steps.push(step(text, Some(host.line)));
    told.line = Some(rule.line);
    let proof = proof(host, rule, asked, asker.shows);
    match rule.target(&proof) {
        Ok(target) => {
            told.decision = "forward";
            told.target = Some(shown(asked.spoken.protocol, target));
            told.reason = why(rule, asked, &proof);
            told.notes = notes(config, rule, asked, &proof);
        }
        Err(reason) => told.reason = reason.to_string(),
    }
    told
}

/// Everything that has to be entered at PBXs, so that they take for granted what we have verified.
pub(super) fn explain_pbx(config: &Config, routes: &Routes) -> Explanation {
    let mut told = Explanation::empty(PBX, IpAddr::V4(Ipv4Addr::new(203, 0, 113, 1)));
    told.decision = "tell";
    let mut servers: Vec<(&TargetHost, Vec<(u32, String)>)> = Vec::new();
    for host in routes.domains().hosts() {
        for protocol in [Protocol::Sip, Protocol::H323] {
            let Some(rule) = host.rule(protocol) else {
                continue;
            };
            let Some(server) = rule.server() else {
                continue;
            };
            let line = (
                rule.line,
                format!("{protocol} of {}: {}", host.name, reached(rule)),
            );
            match servers.iter_mut().find(|(known, _)| *known == server) {
                Some((_, lines)) => lines.push(line),
                None => servers.push((server, vec![line])),
            }
        }
    }
    if servers.is_empty() {
        let text = "no [[host]] serves SIP or H.323, so that no PBX has to know of us";
        told.steps.push(step(text.to_owned(), None));
    }
    for (server, lines) in servers {
        told.steps.push(step(format!("at the PBX {server}:"), None));
        let ours = ours(config, server).join(", ");
        told.steps.push(step(
            format!("  address of the reverse proxy: {ours}"),
            None,
        ));
        let name = identity(config);
        told.steps.push(step(
            format!("  name of its certificate (CN): {name}"),
            None,
        ));
        told.steps.push(step("  Assume TLS: on".to_owned(), None));
        let lines = lines.into_iter();
        told.steps
            .extend(lines.map(|(line, text)| step(format!("  {text}"), Some(line))));
    }
    told
}

/// Whether it is all that a PBX has to be told that is asked for.
pub(super) fn asks_pbx(text: &str) -> bool {
    text.eq_ignore_ascii_case(PBX)
}

fn step(text: String, line: Option<u32>) -> ExplainedStep {
    ExplainedStep { text, line }
}

fn ports(config: &Config, spoken: Spoken) -> String {
    let name = spoken.name();
    let (listen, public) = (&config.proxy.listen, &config.site.public_ports);
    let (here, outside) = match (spoken.protocol, spoken.tls) {
        (Protocol::Sip, false) => (listen.sip, public.sip),
        (Protocol::Sip, true) => (listen.sips, public.sips),
        (Protocol::Ldap, false) => (listen.ldap, public.ldap),
        (Protocol::Ldap, true) => (listen.ldaps, public.ldaps),
        (Protocol::H323, false) => (listen.h323, public.h323),
        (Protocol::H323, true) => (listen.h323s, public.h323s),
        (Protocol::Http, false) => (listen.http, public.http),
        (Protocol::Http, true) => (listen.https, public.https),
    };
    if here == outside {
        format!("{name} on port {here}")
    } else {
        format!("{name} on the public port {outside}, here {here}")
    }
}

/// What the certificate that the client shows proves; the name of H.323 is not part of what is asked, so that any will do there.
fn proof(
    host: &DomainHost,
    rule: &DomainRule,
    asked: &Asked<'_>,
    shows: Option<Shows<'_>>,
) -> Proof {
    let tls = asked.spoken.tls;
    let Some((shows, (leaf, above))) =
        shows.and_then(|shows| Some((shows, shows.chain.split_first()?)))
    else {
        return rule.proof(tls, Shown::Nothing, &[]);
    };
    match believed(&host.client_trust, shows.files) {
        Err(why) => rule.proof(tls, Shown::Unusable(&why), &[]),
        Ok(clients) => match clients.verify(leaf, above, shows.now) {
            Err(refused) => rule.proof(tls, Shown::Refused(&refused), &[]),
            Ok(verified) => {
                let name = match asked.spoken.protocol {
                    Protocol::H323 => verified.subject(),
                    _ => asked.name.as_deref(),
                };
                rule.proof(tls, Shown::Verified(&verified), &[name])
            }
        },
    }
}

fn shown(protocol: Protocol, target: &TargetKey) -> String {
    let tls = target.tls.is_some();
    format!("{}://{}", Spoken { protocol, tls }.name(), **target)
}

fn why(rule: &DomainRule, asked: &Asked<'_>, proof: &Proof) -> String {
    match proof {
        Proof::Plain => "it came without TLS".to_owned(),
        Proof::Unasked if asked.spoken.protocol == Protocol::Ldap => "it came over TLS".to_owned(),
        Proof::Unasked => "it came over TLS, and check_certificate = false".to_owned(),
        Proof::Given(name) => format!("its certificate is believed, and is that of {name}"),
        Proof::Lacking(why) if rule.check_certificate => format!("not over TLS: {why}"),
        Proof::Lacking(why) => why.to_string(),
    }
}

fn notes(config: &Config, rule: &DomainRule, asked: &Asked<'_>, proof: &Proof) -> Vec<String> {
    let mut notes = Vec::new();
    if rule.check_certificate && !matches!(proof, Proof::Given(_)) {
        let over = if asked.spoken.tls { "" } else { "over TLS, " };
        let name = match asked.spoken.protocol {
            Protocol::H323 => "the name that registers",
            _ => asked.name.as_deref().unwrap_or("the user that registers"),
        };
        let given = Proof::Given(name.into());
        if let Ok(target) = rule.target(&given) {
            let target = shown(asked.spoken.protocol, target);
            notes.push(format!(
                "{over}with a trusted certificate of {name}: to {target}"
            ));
        }
    }
    if asked.spoken.protocol == Protocol::Sip
        && let Some(public) = &config.site.public_address
    {
        notes.push(format!(
            "the client sees the target's addresses as {public}"
        ));
    }
    notes
}

fn reached(rule: &DomainRule) -> String {
    let mut text = String::new();
    let (plain, tls) = rule.ports();
    if let Some(plain) = plain {
        let _ = write!(text, "TCP {plain}");
    }
    if let Some(tls) = tls {
        let comma = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{comma}TLS {tls}");
        if rule.check_certificate {
            text.push_str(" for who has proven by certificate to be who he is");
        }
    }
    text
}

/// Our addresses in the network of a server; all of the inside where that is not known.
fn ours(config: &Config, server: &TargetHost) -> Vec<String> {
    let inside = config
        .zones
        .iter()
        .filter(|zone| zone.trust == config::Trust::Inside);
    let all: Vec<_> = inside.flat_map(config::Zone::static_addresses).collect();
    let near = match server {
        TargetHost::Ip(ip) => all.iter().filter(|net| net.contains(ip)).collect(),
        TargetHost::Name(_) => Vec::new(),
    };
    let chosen = if near.is_empty() {
        all.iter().collect()
    } else {
        near
    };
    if chosen.is_empty() {
        return vec!["what `gatehouse status` shows for the network of the PBX".to_owned()];
    }
    chosen.iter().map(|net| net.addr().to_string()).collect()
}

/// Whom our certificate names that targets are shown.
fn identity(config: &Config) -> String {
    match &config.proxy.identity {
        Identity::Own => config.system.hostname.clone(),
        Identity::Certificate(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests;
