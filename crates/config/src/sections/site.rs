//! `[system]`, `[admin]`, `[site]`.

use ipnet::IpNet;

use crate::definition::section;
use crate::value::{DnsName, Label, Name, PublicAddress};

section! {
    /// The box itself.
    pub struct System {
        /// The name of the box, one label. Together with `site.domain` it is a name in the
        /// internal DNS and in the box's own certificate.
        hostname: String as Label = "gatehouse" | "gate-hq";
    }
}

section! {
    /// The admin pages.
    pub struct Admin {
        /// HTTPS port of the pages (TCP).
        port: u16 = 8443;
        /// Zones that reach the pages. Empty: all inside zones.
        zones: Vec<String> as Vec<Name> = [] | ["lan"];
        /// Networks whose clients may open the pages. Empty: all that reach them.
        from: Vec<IpNet> = [] | ["10.0.0.0/24"];
    }
}

section! {
    /// What the site looks like from outside. Redirects and links that the box writes use it.
    pub struct Site {
        /// The domain of the site; `hostname` and local names belong to it.
        domain: Option<String> as Option<DnsName> | "example.com";
        /// The address that clients outside connect to: that of the router upstream or our own.
        /// A name (DynDNS) works, too.
        public_address: Option<PublicAddress> | "203.0.113.20";
        /// Ports that clients outside use. A router upstream forwards them to the ports of
        /// `[proxy.listen]`; `gatehouse check --tables` prints what it must forward.
        public_ports: PublicPorts;
    }
}

section! {
    /// Ports that clients outside use.
    pub struct PublicPorts {
        /// HTTP.
        http: u16 = 80;
        /// HTTPS.
        https: u16 = 443;
        /// SIP over TCP.
        sip: u16 = 5060;
        /// SIP over TLS.
        sips: u16 = 5061;
        /// LDAP.
        ldap: u16 = 389;
        /// LDAP over TLS.
        ldaps: u16 = 636;
        /// H.323 over TCP.
        h323: u16 = 1720;
        /// H.323 over TLS.
        h323s: u16 = 1300;
        /// STUN and TURN, UDP and TCP.
        turn: u16 = 3478;
    }
}
