//! `[proxy]`, `[proxy.listen]`, `[guard]`.

use std::time::Duration;

use ipnet::IpNet;

use crate::definition::{choice, section};
use crate::value::{FileName, Name};

section! {
    /// The reverse proxy.
    pub(crate) struct ProxyKeys {
        /// Listen on the standard ports (80, 443, …) instead of those of `[proxy.listen]`. A port
        /// that is written there wins.
        standard_ports: bool = false;
        /// Listen on IPv4.
        ipv4: bool = true;
        /// Listen on IPv6.
        ipv6: bool = true;
        /// Zones to listen on. Empty: all.
        zones: Vec<String> as Vec<Name> = [] | ["wan"];
        /// Protocols whose rejected connections and requests are logged, one line each.
        log_rejected: Vec<Protocol> = ["http", "sip", "ldap", "h323"];
        /// Protocols whose forwarded requests are logged, one line each.
        log_forwarded: Vec<Protocol> = [] | ["http"];
        /// Files with the certificates of CAs whose client certificates are believed (PEM).
        trusted_clients: Vec<String> as Vec<FileName> = [] | ["innovaphone-devices.pem"];
        /// The certificate we show to targets that ask for one: "own" (from the box's own CA), or a
        /// name of a `[[certificate]]`.
        identity: String = "own";
        /// Ports the proxy listens on. A protocol that no host serves opens no port.
        listen: Listen;
    }
}

section! {
    /// Ports the reverse proxy listens on.
    pub struct Listen {
        /// HTTP.
        http: u16 = 90;
        /// HTTPS.
        https: u16 = 453;
        /// SIP over TCP.
        sip: u16 = 5070;
        /// SIP over TLS.
        sips: u16 = 5071;
        /// LDAP.
        ldap: u16 = 399;
        /// LDAP over TLS.
        ldaps: u16 = 646;
        /// H.323 over TCP.
        h323: u16 = 1730;
        /// H.323 over TLS.
        h323s: u16 = 1310;
    }
}

choice! {
    /// A protocol the proxy forwards, plain and over TLS.
    pub enum Protocol {
        /// HTTP and WebSocket.
        Http = "http",
        /// SIP.
        Sip = "sip",
        /// LDAP.
        Ldap = "ldap",
        /// H.323.
        H323 = "h323",
    }
}

section! {
    /// Who misbehaves anywhere is banned everywhere.
    pub struct Guard {
        /// Rejected connections and requests in one minute, beyond which an address is banned.
        /// IPv6 addresses are counted by /64.
        suspicious_per_minute: u32 = 20;
        /// How long a ban holds.
        ban_for: Duration = "5m";
        /// Networks that are never banned.
        never: Vec<IpNet> = [] | ["172.31.31.0/24"];
    }
}
