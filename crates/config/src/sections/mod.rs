//! Every section of the file as it is written, with its documentation and its defaults.

mod access;
mod certificate;
mod dns;
mod host;
mod nat;
mod network;
mod proxy;
mod sbc;
mod site;
mod turn;

pub(crate) use access::{AccessKeys, AccessWord, LdapLoginKeys, LoginWord};
pub use access::{GroupsAttribute, OidcLogin, RadiusLogin, Session};
pub(crate) use certificate::{CertificateKeys, SourceWord};
pub use certificate::{Challenge, DnsUpdate, ExternalAccount, KeyType};
pub use dns::{Dns, DnsRecord, RecordType};
pub use host::{Balance, LoginPage, PathPolicy, Plain, ProxyHeader, WebSocket};
pub(crate) use host::{
    H323Keys, HeaderKeys, HostKeys, HttpKeys, InternalWord, LdapKeys, PassthroughKeys, SipKeys,
    TargetCertificateKeys, TrustWord,
};
pub use nat::{Allow, Forward, ForwardTo, Nat, Transport};
pub use network::{Dhcp, Reservation, Trust, Zone};
pub use proxy::{Guard, Listen, Protocol, ProxyLimits};
pub(crate) use proxy::{OutdatedWord, ProxyKeys};
pub use sbc::{
    Codec, Direction, Field, Pbx, Phones, Rewrite, Sbc, SbcListen, SipTransport, Srtp, Trunk,
};
pub use site::{Admin, PublicPorts, Site, System};
pub use turn::{RelayAddress, Turn, TurnAllow, TurnTls, TurnUser};

use toml::de::DeValue;

use crate::definition::{About, Shape, section};
use crate::reader::{Named, Node, Reader, Section, Value};

section! {
    /// The configuration of a Gatehouse box: one TOML file.
    pub(crate) struct File {
        /// Version of the shape of this file. Every version of Gatehouse reads every older one.
        schema: u32 as Schema => 1;
        /// The box itself.
        system: System;
        /// Zones: the networks the box is connected to, `[network.NAME]` each. Without any, the
        /// box sets up no network of its own and listens on all addresses it finds; the admin
        /// pages are then on the loopback address only.
        network: Named<Zone> | "lan";
        /// The admin pages.
        admin: Admin;
        /// What the site looks like from outside.
        site: Site;
        /// The reverse proxy.
        proxy: ProxyKeys;
        /// Who misbehaves anywhere (HTTP, SIP, LDAP, H.323, TURN, admin login) is banned
        /// everywhere. Targets, trunks and upstream servers are never banned.
        guard: Guard;
        /// Certificates, `[[certificate]]` each. A name that no certificate covers is served
        /// with one from the box's own CA.
        certificate: Vec<CertificateKeys>;
        /// Access lists, `[access.NAME]` each, for the `access` of a rule.
        access: Named<AccessKeys> | "daemons";
        /// Hosts that are published, `[[host]]` each. What is not named here is not forwarded.
        host: Vec<HostKeys>;
        /// Port forwards from outside zones to a server inside, `[[forward]]` each.
        forward: Vec<Forward>;
        /// What may pass between zones without address translation, `[[allow]]` each.
        allow: Vec<Allow>;
        /// Address translation.
        nat: Nat;
        /// The media relay (STUN and TURN).
        turn: Option<Turn>;
        /// DNS for the networks inside. Names of hosts are answered with local addresses by
        /// themselves, all other names are forwarded.
        dns: Option<Dns>;
        /// The session border controller: which calls pass between trunks, PBX and phones.
        sbc: Option<Sbc>;
    }
}

/// The version of the file's shape.
pub(crate) struct Schema(u32);

impl Value for Schema {
    fn shape() -> Shape {
        Shape::Integer(1, i64::from(crate::SCHEMA))
    }

    fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Option<Self> {
        if let DeValue::Integer(number) = node.value.get_ref()
            && i64::from_str_radix(number.as_str(), number.radix()) == Ok(crate::SCHEMA.into())
        {
            return Some(Self(crate::SCHEMA));
        }
        reader.wrong(
            node,
            "a version of this file's shape",
            format!("write {}", crate::SCHEMA),
        );
        None
    }

    fn recover() -> Option<Self> {
        Some(Self(crate::SCHEMA))
    }
}

impl crate::definition::Plain<u32> for Schema {
    fn plain(self) -> u32 {
        self.0
    }
}

/// The sections that know a key, as headers (`[guard]`, `[[host.http]]`); at most three.
pub(crate) fn homes(key: &str) -> Vec<String> {
    let mut found = Vec::new();
    search(&File::about(), "", key, &mut found);
    found.truncate(3);
    found
}

fn search(about: &About, path: &str, key: &str, found: &mut Vec<String>) {
    for field in &about.fields {
        let inner = crate::place::join(path, field.key);
        let (section, header, path) = match &field.shape {
            Shape::Section(section) => (section, format!("[{inner}]"), inner),
            Shape::Named(section) => (section, format!("[{inner}.NAME]"), format!("{inner}.NAME")),
            Shape::List(entry) => match entry.as_ref() {
                Shape::Section(section) => (section, format!("[[{inner}]]"), inner),
                _ => continue,
            },
            _ => continue,
        };
        if section.fields.iter().any(|field| field.key == key) {
            found.push(header);
        }
        search(section, &path, key, found);
    }
}
