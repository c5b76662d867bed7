//! `[proxy]`, `[proxy.listen]`, `[guard]`.

use std::time::Duration;

use ipnet::IpNet;

use crate::definition::{choice, section};
use crate::reader::empty_section;
use crate::value::{ClientCa, FileName, Name, Rate, Size};

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
        /// Files with the certificates of CAs whose client certificates are believed (PEM); "own" for what
        /// the box itself has issued (`gatehouse certificate issue`).
        trusted_clients: Vec<String> as Vec<ClientCa> = [] | ["innovaphone-devices.pem"];
        /// Files with lists of the client certificates that were revoked (CRL, PEM). A CA without a
        /// list revokes nothing.
        revoked: Vec<String> as Vec<FileName> = [] | ["innovaphone-devices.crl"];
        /// What becomes of the client certificates of a CA whose list is outdated.
        revoked_outdated: OutdatedWord = "refuse";
        /// The certificate we show to targets that ask for one: "own" (from the box's own CA), or a
        /// name of a `[[certificate]]`.
        identity: String = "own";
        /// Networks of load balancers in front of us: a connection from there must begin with a
        /// PROXY header (version 1 or 2), which names the client. Nobody else's is taken.
        proxy_protocol_from: Vec<IpNet> = [] | ["10.0.0.5"];
        /// Ports the proxy listens on. A protocol that no host serves opens no port.
        listen: Listen;
        /// What connections may cost. A timeout is 100ms to 1h.
        limits: ProxyLimits;
    }
}

section! {
    /// What connections may cost.
    pub struct ProxyLimits {
        /// Open connections of clients in all.
        connections: u32 = 16384;
        /// Open connections of one IPv4 address or one IPv6 /64; at most `connections`.
        connections_per_address: u32 = 1024;
        /// TLS handshakes of one address per minute, 1 to 1000000. IPv6 addresses are counted by
        /// /64, and four times as many by /48. An office behind one address makes some hundred when
        /// it comes to work.
        handshakes_per_address: u32 = 2400;
        /// Requests of one connection; then it is closed, behind the response.
        requests_per_connection: u32 = 100000;
        /// Requests of one address that wait at once for one target, or those that stand in for it;
        /// WebSockets count. IPv6 addresses are counted by /64, and four times as many by /48.
        requests_per_address: u32 = 1024;
        /// HTTP/2 streams at once on one connection, at most 1000.
        streams: u32 = 100;
        /// HTTP/2 requests that a client may take back unanswered per minute on one connection
        /// before that is closed, at most 10000.
        resets: u32 = 200;
        /// What an HTTP/2 client may send of bodies before its targets take it: all streams of a connection
        /// together, 64KiB to 16MiB, and one of them half of it. So much memory a connection can hold.
        send_ahead: u64 as Size = "256KiB";
        /// The head of a request, 1kB to 64kB.
        head_size: u64 as Size = "32KiB";
        /// Fields of the head of a request, 8 to 128.
        head_fields: u32 = 100;
        /// From accepting a connection to the end of its TLS handshake.
        handshake_timeout: Duration = "10s";
        /// From the first byte of the head of a request to its last.
        head_timeout: Duration = "15s";
        /// From accepting a connection to its first request.
        first_request_timeout: Duration = "30s";
        /// Between two requests of a connection.
        keep_alive: Duration = "75s";
        /// Until a target has taken a connection.
        connect_timeout: Duration = "5s";
        /// The least bytes per second of a body under way, either way, at most 1MB; "0B": a body
        /// may be as slow as it likes.
        body_rate: u64 as Rate = "200B";
        /// Over how long that is measured, 1s to 1h.
        body_rate_grace: Duration = "30s";
    }
}

impl Default for ProxyLimits {
    fn default() -> Self {
        empty_section().expect("every limit has a default, and a test reads them all")
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
    /// What becomes of client certificates whose list of revoked ones is outdated.
    pub(crate) enum OutdatedWord {
        /// They are refused: nobody knows who was revoked since.
        Refuse = "refuse",
        /// They are judged by the old list.
        Accept = "accept",
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
