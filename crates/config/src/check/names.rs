//! Records of the internal DNS: values of their type, and none that says what another denies.

use std::collections::{HashMap, HashSet};
use std::net::{Ipv4Addr, Ipv6Addr};

use super::access::twice;
use crate::fault::Report;
use crate::reader::quoted;
use crate::sections::{Dns, DnsRecord, File, RecordType};
use crate::tables::internal_dns;
use crate::types::Config;
use crate::value::dns_fault;

pub(super) fn records(file: &File, config: &Config, report: &mut Report) {
    let Some(dns) = &file.dns else { return };
    twice(&dns.at, "zones", &dns.zones, report);
    for record in &dns.record {
        if let Some((what, remedy)) = value_fault(record) {
            report.fault(record.at.key("value"), what, remedy);
        }
    }
    conflicts(dns, report);
    derived(dns, config, report);
}

fn value_fault(record: &DnsRecord) -> Option<(String, String)> {
    let text = record.value.as_str();
    let words: Vec<_> = text.split_whitespace().collect();
    let number = |text: &str| text.parse::<u16>().is_ok();
    let name = |text: &str| dns_fault(text, false).is_none();
    let (fits, form) = match record.r#type {
        RecordType::A => (text.parse::<Ipv4Addr>().is_ok(), "an IPv4 address"),
        RecordType::Aaaa => (text.parse::<Ipv6Addr>().is_ok(), "an IPv6 address"),
        RecordType::Cname | RecordType::Ptr => (name(text), "a name"),
        RecordType::Mx => {
            let fits = matches!(words.as_slice(), [order, host] if number(order) && name(host));
            (fits, "\"preference name\", such as \"10 mail.example.com\"")
        }
        RecordType::Srv => {
            let fits = matches!(words.as_slice(), [order, weight, port, host]
                if number(order) && number(weight) && number(port) && name(host));
            (
                fits,
                "\"priority weight port name\", such as \"0 0 5060 pbx.example.com\"",
            )
        }
        RecordType::Txt => (text.len() <= 255, "text of at most 255 bytes"),
    };
    let what = || format!("{} is no value of {}", quoted(text), record.r#type);
    (!fits).then(|| (what(), format!("write {form}")))
}

/// The same record twice, or a CNAME beside others (RFC 1034 section 3.6.2).
fn conflicts(dns: &Dns, report: &mut Report) {
    let mut known: HashMap<String, Vec<&DnsRecord>> = HashMap::new();
    for record in &dns.record {
        let others = known.entry(record.name.to_ascii_lowercase()).or_default();
        let alias = |record: &DnsRecord| record.r#type == RecordType::Cname;
        let same = others
            .iter()
            .find(|other| other.r#type == record.r#type && other.value == record.value);
        if let Some(other) = same {
            let what = format!("the same record is in line {}", other.line);
            report.fault(record.at.place.clone(), what, "remove one of the two");
        } else if let Some(other) = others.iter().find(|other| alias(other) || alias(record)) {
            let what = format!(
                "a CNAME stands alone, and line {} has the same name",
                other.line
            );
            report.fault(record.at.key("name"), what, "remove one of the two");
        }
        others.push(record);
    }
}

/// What the file says by itself is not to be written again, with other words.
fn derived(dns: &Dns, config: &Config, report: &mut Report) {
    let written: HashSet<_> = dns.record.iter().map(|record| record.line).collect();
    let table = internal_dns(config);
    let mut derived: HashMap<_, Vec<_>> = HashMap::new();
    for row in table.rows.iter().filter(|row| !written.contains(&row.line)) {
        derived
            .entry((row.name.clone(), row.kind()))
            .or_default()
            .push(row);
    }
    for record in &dns.record {
        let name = record.name.to_ascii_lowercase();
        let Some(others) = derived.get(&(name.clone(), record.r#type.as_str())) else {
            continue;
        };
        let same = others
            .iter()
            .any(|row| row.value.to_string() == record.value);
        if let Some(other) = others.first().filter(|_| !same) {
            let what = format!(
                "line {} already makes {} lead to {}",
                other.line,
                quoted(&name),
                other.value
            );
            let remedy = "remove this record, or write internal = \"none\" there";
            report.fault(record.at.key("value"), what, remedy);
        }
    }
}
