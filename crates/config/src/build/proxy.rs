//! `[proxy]`: `standard_ports` applied.

use crate::sections::{File, HostKeys, Listen, OutdatedWord, ProxyKeys, ProxyLimits};
use crate::types::{ClientTrust, Identity, Proxy};

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
        client_trust: client_trust(keys, None),
        identity: match keys.identity.as_str() {
            "own" => Identity::Own,
            name => Identity::Certificate(name.to_ascii_lowercase()),
        },
        proxy_protocol_from: keys.proxy_protocol_from.clone(),
        limits: limits(&keys.limits),
    }
}

/// Whose client certificates are believed for `host`, or where no host says anything.
///
/// A list of a CA that the host does not trust does no harm, and one that is left out would.
pub(super) fn client_trust(keys: &ProxyKeys, host: Option<&HostKeys>) -> ClientTrust {
    let own = host.map(|host| &host.trusted_clients);
    let own = own.filter(|own| !own.is_empty());
    let beside = host.iter().flat_map(|host| &host.revoked);
    let mut revoked: Vec<String> = Vec::new();
    for file in keys.revoked.iter().chain(beside) {
        if !revoked.contains(file) {
            revoked.push(file.clone());
        }
    }
    let outdated = host.and_then(|host| host.revoked_outdated);
    ClientTrust {
        authorities: own.unwrap_or(&keys.trusted_clients).clone(),
        revoked,
        outdated_holds: outdated.unwrap_or(keys.revoked_outdated) == OutdatedWord::Accept,
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
