//! `[sbc]`: the session border controller.

use std::time::Duration;

use crate::definition::{choice, section};
use crate::value::{DnsName, Name, NumberPattern, Ports, SecretRef, ServerText, Text};

section! {
    /// The session border controller.
    pub struct Sbc {
        /// UDP ports of media; two for each stream.
        media_ports: Ports = "20000-29999";
        /// The most calls at a time.
        max_calls: u32 = 60;
        /// Numbers that always pass; one line is kept free for them.
        emergency: Vec<String> = ["110", "112"];
        /// Where SIP is listened for, `[[sbc.listen]]` each.
        listen: Vec<SbcListen>;
        /// PBXs, `[[sbc.pbx]]` each.
        pbx: Vec<Pbx>;
        /// Trunks to providers, `[[sbc.trunk]]` each.
        trunk: Vec<Trunk>;
        /// Remote phones that register through us.
        phones: Option<Phones>;
    }
}

section! {
    /// A place where SIP is listened for.
    pub struct SbcListen {
        /// The zone.
        zone: String as Name => "lan";
        /// The transport.
        transport: SipTransport => "udp";
        /// The port.
        port: u16 => 5060;
    }
}

choice! {
    /// What carries SIP.
    pub enum SipTransport {
        /// UDP.
        Udp = "udp",
        /// TCP.
        Tcp = "tcp",
        /// TLS.
        Tls = "tls",
        /// WebSocket (RFC 7118).
        Ws = "ws",
        /// WebSocket over TLS, for browsers.
        Wss = "wss",
    }
}

section! {
    /// A PBX that calls go to and come from.
    pub struct Pbx {
        /// Its name in this file.
        name: String as Name => "office";
        /// Its address, port 5060 (TLS: 5061) unless written.
        target: String as ServerText => "192.168.1.200:5060";
        /// What carries SIP to it.
        transport: SipTransport = "udp";
        /// The codecs it is offered, best first. Empty: as they are offered to us.
        codecs: Vec<Codec> = [] | ["opus", "G722", "PCMA", "PCMU"];
    }
}

choice! {
    /// An audio codec, by its name in SDP.
    pub enum Codec {
        /// Opus (RFC 7587).
        Opus = "opus",
        /// G.722.
        G722 = "G722",
        /// G.711 A-law.
        Pcma = "PCMA",
        /// G.711 µ-law.
        Pcmu = "PCMU",
        /// G.729.
        G729 = "G729",
        /// G.726 with 32 kbit/s.
        G726 = "G726-32",
        /// iLBC.
        Ilbc = "iLBC",
    }
}

section! {
    /// A trunk to a provider.
    pub struct Trunk {
        /// Its name in this file.
        name: String as Name => "provider";
        /// The provider's registrar. A name without a port is looked up by NAPTR and SRV.
        registrar: String as ServerText => "sip.provider.example";
        /// The proxy that all requests are sent to, instead of what DNS says.
        outbound_proxy: Option<String> as Option<ServerText> | "proxy.provider.example";
        /// What carries SIP to it.
        transport: SipTransport = "udp" | "tls";
        /// The user name.
        user: String => "4971123456";
        /// The password.
        password: SecretRef => { secret = "trunk-provider" };
        /// How often we register anew.
        register_every: Duration = "10m";
        /// How often something is sent to keep the way back open.
        keepalive_every: Duration = "30s";
        /// The PBX its calls go to.
        pbx: String as Name => "office";
        /// SRTP towards the provider.
        srtp: Srtp = "preferred" | "required";
        /// Our numbers there; a last "*" stands for any digits.
        numbers: Vec<String> as Vec<NumberPattern> = [] | ["+4971123456*"];
        /// The most calls at a time. If missing: only the limit of all.
        max_calls: Option<u32> | 10;
        /// Rules for numbers, tried in their order, `[[sbc.trunk.rewrite]]` each.
        rewrite: Vec<Rewrite>;
    }
}

section! {
    /// A rule for numbers: as one side dials them, as the other wants them.
    pub struct Rewrite {
        /// The direction of the call, seen from us.
        direction: Direction => "outbound";
        /// The number.
        field: Field => "to";
        /// A regular expression for the number.
        r#match: String => "^0([1-9].*)$";
        /// What replaces it; $1 stands for what the first pair of parentheses matched.
        replace: String as Text => "+49$1";
    }
}

choice! {
    /// The direction of a call.
    pub enum Direction {
        /// To us.
        Inbound = "inbound",
        /// From us.
        Outbound = "outbound",
    }
}

choice! {
    /// A number of a call.
    pub enum Field {
        /// Who is called.
        To = "to",
        /// Who calls.
        From = "from",
    }
}

choice! {
    /// Whether media is encrypted.
    pub enum Srtp {
        /// Calls without are refused.
        Required = "required",
        /// It is offered.
        Preferred = "preferred",
        /// It is not used.
        Off = "off",
    }
}

section! {
    /// Remote phones that register through us.
    pub struct Phones {
        /// The PBX they register with.
        pbx: String as Name => "office";
        /// The domains they register for.
        domains: Vec<String> as Vec<DnsName> => ["example.com"];
        /// SRTP towards the phones.
        srtp: Srtp = "preferred";
    }
}
