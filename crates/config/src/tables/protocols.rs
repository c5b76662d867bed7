//! Which protocols the proxy serves, and on which ports.

use crate::types::{CertificateSource, Challenge, Config, Listen, Plain, PublicPorts, TurnTls};

/// Protocols of the proxy that something in the file needs, and the line that first does.
pub(super) fn served(config: &Config) -> Vec<(&'static str, u32)> {
    let mut found: Vec<(&'static str, u32)> = Vec::new();
    let mut need = |protocol: &'static str, line: u32| {
        if !found.iter().any(|(known, _)| *known == protocol) {
            found.push((protocol, line));
        }
    };
    for host in &config.hosts {
        for rule in &host.http {
            if rule.plain != Plain::Refuse {
                need("http", rule.line);
            }
            need("https", rule.line);
        }
        if let Some(rule) = &host.tls_passthrough {
            need("https", rule.line);
        }
        if let Some(rule) = &host.sip {
            need("sip", rule.line);
            need("sips", rule.line);
        }
        if let Some(rule) = &host.ldap {
            need("ldap", rule.line);
            need("ldaps", rule.line);
        }
        if let Some(rule) = &host.h323 {
            need("h323", rule.line);
            need("h323s", rule.line);
        }
    }
    for certificate in &config.certificates {
        if let CertificateSource::Acme(acme) = &certificate.source {
            match acme.challenge {
                Challenge::Http01 => need("http", certificate.line),
                Challenge::TlsAlpn01 => need("https", certificate.line),
                Challenge::Dns01 => {}
            }
        }
    }
    if let Some(turn) = config
        .turn
        .as_ref()
        .filter(|turn| turn.tls == Some(TurnTls::ShareHttps))
    {
        need("https", turn.at.key("tls").line);
    }
    let order = [
        "http", "https", "sip", "sips", "ldap", "ldaps", "h323", "h323s",
    ];
    found.sort_by_key(|(protocol, _)| order.iter().position(|known| known == protocol));
    found
}

pub(super) fn port_of(listen: &Listen, protocol: &str) -> u16 {
    match protocol {
        "http" => listen.http,
        "https" => listen.https,
        "sip" => listen.sip,
        "sips" => listen.sips,
        "ldap" => listen.ldap,
        "ldaps" => listen.ldaps,
        "h323" => listen.h323,
        _ => listen.h323s,
    }
}

/// Every protocol of the proxy that something needs, with the port that clients outside use.
pub(crate) fn served_publicly(config: &Config) -> Vec<(&'static str, u16)> {
    let port = |(protocol, _)| (protocol, public_port(&config.site.public_ports, protocol));
    served(config).into_iter().map(port).collect()
}

/// The port that clients outside use.
pub(super) fn public_port(ports: &PublicPorts, protocol: &str) -> u16 {
    match protocol {
        "http" => ports.http,
        "https" => ports.https,
        "sip" => ports.sip,
        "sips" => ports.sips,
        "ldap" => ports.ldap,
        "ldaps" => ports.ldaps,
        "h323" => ports.h323,
        _ => ports.h323s,
    }
}
