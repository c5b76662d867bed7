//! DNS records: what names mean inside, and what the public DNS must say.

use std::collections::HashSet;
use std::fmt;
use std::net::IpAddr;

use super::{Row, Table};
use crate::build::common_targets;
use crate::types::{
    CertificateSource, Config, Host, Internal, PublicAddress, RecordType, TargetHost, Trust, Zone,
    ZoneAddress,
};

/// A DNS record.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Record {
    /// Its name, in lower case.
    pub name: String,
    /// Its value, which tells its type.
    pub value: RecordValue,
    /// 1-based line of the setting it follows from.
    pub line: u32,
}

/// The value of a [`Record`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecordValue {
    /// An address: A or AAAA.
    Ip(IpAddr),
    /// The IPv4 address that this zone gets by DHCP: A.
    Dhcp(String),
    /// The IPv6 address that this zone gets from router advertisements: AAAA.
    Auto6(String),
    /// Another name: CNAME.
    Name(String),
    /// The name of a name server: NS.
    Server(String),
    /// What a `[[dns.record]]` says.
    Written(RecordType, String),
}

impl Record {
    /// Its type: "A", "AAAA", "CNAME", …
    pub fn kind(&self) -> &'static str {
        match &self.value {
            RecordValue::Ip(IpAddr::V4(_)) | RecordValue::Dhcp(_) => "A",
            RecordValue::Ip(IpAddr::V6(_)) | RecordValue::Auto6(_) => "AAAA",
            RecordValue::Name(_) => "CNAME",
            RecordValue::Server(_) => "NS",
            RecordValue::Written(kind, _) => kind.as_str(),
        }
    }
}

impl fmt::Display for RecordValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(address) => address.fmt(f),
            Self::Dhcp(zone) => write!(f, "(what zone {zone} gets by DHCP)"),
            Self::Auto6(zone) => write!(f, "(what zone {zone} gets from its router)"),
            Self::Name(name) | Self::Server(name) => f.write_str(name),
            Self::Written(_, text) => f.write_str(text),
        }
    }
}

impl Row for Record {
    const HEADINGS: &'static [&'static str] = &["name", "type", "value", "line"];

    fn cells(&self) -> Vec<String> {
        let (name, line) = (self.name.clone(), self.line.to_string());
        vec![name, self.kind().to_owned(), self.value.to_string(), line]
    }
}

/// Records of the internal DNS: hosts by their `internal`, the box and its media relay, devices
/// with a reservation, and those of `[[dns.record]]`.
pub fn internal_dns(config: &Config) -> Table<Record> {
    let mut records = Records::default();
    for host in &config.hosts {
        match host.internal {
            Internal::None => {}
            Internal::Gateway => records.ours(&host.name.domain, config, host.line),
            Internal::Target => records.targets(host),
        }
    }
    if let Some(domain) = &config.site.domain {
        records.ours(&config.own_name(), config, config.system.line);
        for reservation in config
            .zones
            .iter()
            .filter_map(|zone| zone.dhcp.as_ref())
            .flat_map(|dhcp| &dhcp.reservation)
        {
            if let Some(name) = &reservation.name {
                let name = format!("{name}.{domain}");
                records.add(
                    &name,
                    RecordValue::Ip(reservation.address),
                    reservation.line,
                );
            }
        }
    }
    if let Some(turn) = &config.turn {
        records.ours(&turn.name, config, turn.line);
    }
    for record in config.dns.iter().flat_map(|dns| &dns.record) {
        let value = match record.value.parse::<IpAddr>() {
            Ok(address) if matches!(record.r#type, RecordType::A | RecordType::Aaaa) => {
                RecordValue::Ip(address)
            }
            _ => RecordValue::Written(record.r#type, record.value.clone()),
        };
        records.add(&record.name, value, record.line);
    }
    Table { rows: records.rows }
}

/// A zone that the box answers itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Delegation {
    /// The zone, in lower case.
    pub zone: String,
    /// The name of the box as the internet knows it.
    pub server: String,
    /// 1-based line of the first certificate that needs it.
    pub line: u32,
}

/// The zones with proofs for certificates that the box answers itself, each once.
pub fn delegations(config: &Config) -> Vec<Delegation> {
    let mut found: Vec<Delegation> = Vec::new();
    for certificate in &config.certificates {
        let CertificateSource::Acme(acme) = &certificate.source else {
            continue;
        };
        let Some(zone) = &acme.dns_zone else { continue };
        if !found.iter().any(|known| known.zone == *zone) {
            found.push(Delegation {
                zone: zone.clone(),
                server: public_name(config),
                line: certificate.line,
            });
        }
    }
    found
}

/// A name under which the internet finds the box.
fn public_name(config: &Config) -> String {
    match (&config.site.public_address, config.hosts.first()) {
        (Some(PublicAddress::Name(name)), _) => name.clone(),
        (_, Some(host)) => host.name.domain.clone(),
        (_, None) => config.own_name(),
    }
}

/// Records the public DNS must hold: every name that clients outside look up leads to
/// `site.public_address`; and what leads certificate authorities to the proofs that the box answers itself.
///
/// Not for the bare domain of the site where it serves no HTTP: its web site may be elsewhere.
pub fn official_dns(config: &Config) -> Table<Record> {
    let mut records = Records::default();
    records.public(config);
    for Delegation { zone, server, line } in delegations(config) {
        records.add(&zone, RecordValue::Server(server), line);
    }
    for certificate in &config.certificates {
        let CertificateSource::Acme(acme) = &certificate.source else {
            continue;
        };
        for name in acme.dns_zone.iter().flat_map(|_| &certificate.names) {
            let name = name.strip_prefix("*.").unwrap_or(name);
            let zone = acme.dns_zone.as_deref().unwrap_or_default();
            let alias = RecordValue::Name(format!("{name}.{zone}"));
            records.add(&format!("_acme-challenge.{name}"), alias, certificate.line);
        }
    }
    Table { rows: records.rows }
}
/// Whether an address is fixed on an interface of the box.
pub(crate) fn is_ours(config: &Config, address: IpAddr) -> bool {
    config
        .zones
        .iter()
        .flat_map(Zone::static_addresses)
        .any(|net| net.addr() == address)
}

#[derive(Default)]
struct Records {
    rows: Vec<Record>,
    known: HashSet<(String, RecordValue)>,
}

impl Records {
    fn add(&mut self, name: &str, value: RecordValue, line: u32) {
        let name = name.to_ascii_lowercase();
        if self.known.insert((name.clone(), value.clone())) {
            self.rows.push(Record { name, value, line });
        }
    }

    /// A name for our own addresses inside.
    fn ours(&mut self, name: &str, config: &Config, line: u32) {
        let inside = config.zones.iter().any(|zone| zone.trust == Trust::Inside);
        for zone in config
            .zones
            .iter()
            .filter(|zone| !inside || zone.trust == Trust::Inside)
        {
            for address in &zone.addresses {
                let value = match address {
                    ZoneAddress::Static(net) => RecordValue::Ip(net.addr()),
                    ZoneAddress::Dhcp => RecordValue::Dhcp(zone.name.clone()),
                    ZoneAddress::Auto6 => RecordValue::Auto6(zone.name.clone()),
                };
                self.add(name, value, line);
            }
        }
    }

    /// Names that lead to the public address.
    fn public(&mut self, config: &Config) {
        let Some(public) = &config.site.public_address else {
            return;
        };
        let bare = config.site.domain.as_deref().unwrap_or_default();
        let hosts = config.hosts.iter().filter(|host| {
            let web = !host.http.is_empty() || host.tls_passthrough.is_some();
            web || (host.name.location.is_none() && !host.name.domain.eq_ignore_ascii_case(bare))
        });
        let mut names: Vec<_> = hosts
            .map(|host| (host.name.domain.clone(), host.line))
            .collect();
        names.extend(
            config
                .turn
                .as_ref()
                .map(|turn| (turn.name.to_ascii_lowercase(), turn.line)),
        );
        for (name, line) in names {
            // An address of its own is the public one of what it takes.
            let own = config.hosts.iter().find(|host| host.name.domain == name);
            let own = own.and_then(|host| host.tls_passthrough.as_ref()?.listen);
            match public {
                PublicAddress::Ip(address) => {
                    let address = own
                        .filter(|_| is_ours(config, *address))
                        .unwrap_or(*address);
                    self.add(&name, RecordValue::Ip(address), line);
                }
                PublicAddress::Name(public) if *public == name => {}
                PublicAddress::Name(public) => {
                    self.add(&name, RecordValue::Name(public.clone()), line);
                }
            }
        }
    }

    /// A name for the targets of its host.
    fn targets(&mut self, host: &Host) {
        let targets = common_targets(&host.http, host.tls_passthrough.as_ref());
        for target in targets.into_iter().flatten() {
            let value = match target {
                TargetHost::Ip(address) => RecordValue::Ip(*address),
                TargetHost::Name(name) => RecordValue::Name(name.clone()),
            };
            self.add(&host.name.domain, value, host.line);
        }
    }
}
