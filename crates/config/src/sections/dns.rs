//! `[dns]`: the internal DNS.

use crate::definition::{choice, section};
use crate::value::{CertificateName, Name, Upstream};

section! {
    /// DNS for the networks inside.
    pub struct Dns {
        /// Name servers that are asked for all other names, over UDP and TCP or, written
        /// `tls://address`, over TLS. Empty: those of DHCP.
        upstream: Vec<Upstream> = [] | ["9.9.9.9", "tls://1.1.1.1"];
        /// Zones to listen on. Empty: all inside zones.
        zones: Vec<String> as Vec<Name> = [] | ["lan"];
        /// Records beside those that hosts make by themselves, `[[dns.record]]` each.
        record: Vec<DnsRecord>;
    }
}

section! {
    /// A record of the internal DNS.
    pub struct DnsRecord {
        /// Its name; a first label of "*" stands for every name below.
        name: String as CertificateName => "ucx.example.com";
        /// Its type.
        r#type: RecordType => "A";
        /// Its value: an address (A, AAAA), a name (CNAME, PTR), "preference name" (MX),
        /// "priority weight port name" (SRV), or text (TXT).
        value: String => "192.168.1.200";
    }
}

choice! {
    /// The type of a DNS record.
    pub enum RecordType {
        /// An IPv4 address.
        A = "A",
        /// An IPv6 address.
        Aaaa = "AAAA",
        /// Another name.
        Cname = "CNAME",
        /// Mail servers.
        Mx = "MX",
        /// Text.
        Txt = "TXT",
        /// The server of a service (RFC 2782).
        Srv = "SRV",
        /// The name of an address.
        Ptr = "PTR",
    }
}
