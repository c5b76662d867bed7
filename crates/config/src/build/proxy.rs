//! `[proxy]`: `standard_ports` applied.

use crate::sections::{File, Listen, ProxyLimits};
use crate::types::{Identity, Proxy};

/// The proxy's settings as they are meant.
pub(crate) fn proxy(file: &File) -> Proxy {
    let keys = &file.proxy;
    Proxy {
        listen: if keys.standard_ports {
            standard(&keys.listen)
        } else {
            keys.listen.clone()
        },
        ipv4: keys.ipv4,
        ipv6: keys.ipv6,
        zones: keys.zones.clone(),
        log_rejected: keys.log_rejected.clone(),
        log_forwarded: keys.log_forwarded.clone(),
        trusted_clients: keys.trusted_clients.clone(),
        identity: match keys.identity.as_str() {
            "own" => Identity::Own,
            name => Identity::Certificate(name.to_ascii_lowercase()),
        },
        proxy_protocol_from: keys.proxy_protocol_from.clone(),
        limits: limits(&keys.limits),
    }
}

/// The limits; who lowers the one for all need not know the one for each address.
fn limits(keys: &ProxyLimits) -> ProxyLimits {
    ProxyLimits {
        connections_per_address: keys.connections_per_address.min(keys.connections),
        ..keys.clone()
    }
}

/// The standard ports, except where the file names one.
fn standard(listen: &Listen) -> Listen {
    let port = |key: &str, written: u16, standard: u16| {
        if listen.at.holds(key) {
            written
        } else {
            standard
        }
    };
    Listen {
        http: port("http", listen.http, 80),
        https: port("https", listen.https, 443),
        sip: port("sip", listen.sip, 5060),
        sips: port("sips", listen.sips, 5061),
        ldap: port("ldap", listen.ldap, 389),
        ldaps: port("ldaps", listen.ldaps, 636),
        h323: port("h323", listen.h323, 1720),
        h323s: port("h323s", listen.h323s, 1300),
        ..listen.clone()
    }
}
