//! Certificates: every name once, and challenges that can be met from outside.

use std::collections::HashMap;

use crate::fault::Report;
use crate::place::Place;
use crate::reader::quoted;
use crate::sections::{CertificateKeys, Challenge, File};
use crate::types::covers;

pub(super) fn certificates(file: &File, report: &mut Report) {
    let mut known: HashMap<String, u32> = HashMap::new();
    for keys in &file.certificate {
        for (index, name) in keys.names.iter().enumerate() {
            let Some(line) = known.insert(name.to_ascii_lowercase(), keys.line) else {
                continue;
            };
            let place = || keys.at.entry("names", index);
            if line == keys.line {
                report.fault(
                    place(),
                    format!("{} is named twice", quoted(name)),
                    "write it once",
                );
            } else {
                let what = format!(
                    "{} is already in the certificate of line {line}",
                    quoted(name)
                );
                report.fault(place(), what, "keep it in one of the two");
            }
        }
        reachable(keys, file, report);
    }
    identity(file, report);
}

/// ACME CAs connect to the standard ports, whatever we use.
fn reachable(keys: &CertificateKeys, file: &File, report: &mut Report) {
    let ports = &file.site.public_ports;
    let (key, port, standard) = match keys.challenge {
        Some(Challenge::Http01) => ("http", ports.http, 80),
        Some(Challenge::TlsAlpn01) => ("https", ports.https, 443),
        Some(Challenge::Dns01) | None => return,
    };
    if port != standard {
        let challenge = keys.challenge.map_or("", Challenge::as_str);
        let what = format!(
            "\"{challenge}\" makes the CA connect to port {standard}, and \
             site.public_ports.{key} is {port}"
        );
        let remedy =
            format!("write challenge = \"dns-01\", or site.public_ports.{key} = {standard}");
        report.fault(keys.at.key("challenge"), what, remedy);
    }
}

/// `proxy.identity` must be a certificate that there is.
fn identity(file: &File, report: &mut Report) {
    let name = &file.proxy.identity;
    let mut names = file.certificate.iter().flat_map(|keys| &keys.names);
    if name == "own"
        || file
            .certificate
            .iter()
            .any(|keys| keys.at.is_broken("names"))
    {
        return;
    }
    if !names.any(|known| covers(known, name)) {
        let place: Place = file.proxy.at.key("identity");
        let what = format!("no [[certificate]] is for {}", quoted(name));
        let remedy = "write \"own\", or a name of a [[certificate]]";
        report.fault(place, what, remedy);
    }
}
