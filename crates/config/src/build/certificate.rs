//! `[[certificate]]`: the keys that belong to its source.

use super::Kind;
use crate::fault::Report;
use crate::sections::{CertificateKeys, Challenge, SourceWord};
use crate::types::{Acme, Certificate, CertificateFiles, CertificateSource, KeyType};

/// Where certificates are ordered that name no other CA.
const LETS_ENCRYPT: &str = "https://acme-v02.api.letsencrypt.org/directory";
/// More names no public CA puts into one certificate.
const MOST_NAMES: usize = 100;
/// What only source = "acme" takes.
const ACME: [&str; 8] = [
    "challenge",
    "directory",
    "directory_ca",
    "contact",
    "key_type",
    "external_account",
    "dns",
    "dns_zone",
];

/// What only source = "files" takes.
const FILES: [&str; 4] = ["chain", "key", "p12", "passphrase"];

/// Certificates whose source is complete.
pub(crate) fn certificates(all: &[CertificateKeys], report: &mut Report) -> Vec<Certificate> {
    all.iter()
        .filter_map(|keys| certificate(keys, report))
        .collect()
}

fn certificate(keys: &CertificateKeys, report: &mut Report) -> Option<Certificate> {
    let source = source(keys, report)?;
    let names = keys
        .names
        .iter()
        .map(|name| name.to_ascii_lowercase())
        .collect();
    Some(Certificate {
        line: keys.line,
        names,
        source,
    })
}

fn source(keys: &CertificateKeys, report: &mut Report) -> Option<CertificateSource> {
    let mut kind = Kind {
        key: "source",
        word: keys.source.as_str(),
        at: &keys.at,
        report,
    };
    match keys.source {
        SourceWord::Files => {
            kind.only(&FILES, &ACME);
            files(keys, kind).map(CertificateSource::Files)
        }
        SourceWord::Acme => {
            kind.only(&ACME, &FILES);
            let challenge = *kind.needs("challenge", keys.challenge.as_ref(), "\"http-01\"")?;
            acme(keys, challenge, report)
        }
        SourceWord::Own => {
            kind.only(&[], &[ACME.as_slice(), &FILES].concat());
            Some(CertificateSource::Own)
        }
    }
}

/// One way or the other: PEM, or PKCS#12.
fn files(keys: &CertificateKeys, mut kind: Kind<'_>) -> Option<CertificateFiles> {
    let at = &keys.at;
    if !at.holds("p12") {
        let chain = kind.needs("chain", keys.chain.as_ref(), "\"pbx.example.com.crt\"");
        let key = kind.needs("key", keys.key.as_ref(), "{ secret = \"pbx-key\" }");
        return Some(CertificateFiles::Pem {
            chain: chain?.clone(),
            key: key?.clone(),
            passphrase: keys.passphrase.clone(),
        });
    }
    for other in ["chain", "key"].into_iter().filter(|key| at.holds(key)) {
        let what = "has no meaning beside p12, which holds certificate, chain and key";
        let remedy = "remove it, or write chain and key and no p12";
        kind.report.fault(at.key(other), what, remedy);
    }
    let example = "{ secret = \"pbx-passphrase\" }";
    let passphrase = kind.needs("passphrase", keys.passphrase.as_ref(), example);
    Some(CertificateFiles::Pkcs12 {
        file: keys.p12.clone()?,
        passphrase: passphrase?.clone(),
    })
}

fn acme(
    keys: &CertificateKeys,
    challenge: Challenge,
    report: &mut Report,
) -> Option<CertificateSource> {
    let at = &keys.at;
    if challenge == Challenge::Dns01 {
        name_server(keys, report)?;
    } else {
        for key in ["dns", "dns_zone"].into_iter().filter(|key| at.holds(key)) {
            let what = format!("has no meaning for challenge = \"{challenge}\"");
            let remedy = "remove it, or write challenge = \"dns-01\"";
            report.fault(at.key(key), what, remedy);
        }
        if let Some(index) = keys.names.iter().position(|name| name.starts_with("*.")) {
            let what = format!("a wildcard can not be proven by \"{challenge}\"");
            report.fault(
                at.entry("names", index),
                what,
                "write challenge = \"dns-01\"",
            );
        }
    }
    number_of_names(keys, report);
    Some(CertificateSource::Acme(Box::new(Acme {
        challenge,
        directory: keys
            .directory
            .clone()
            .unwrap_or_else(|| LETS_ENCRYPT.to_owned()),
        directory_ca: keys.directory_ca.clone(),
        contact: keys.contact.clone().unwrap_or_default(),
        key_type: keys.key_type.unwrap_or(KeyType::P256),
        external_account: keys.external_account.clone(),
        dns: keys.dns.clone(),
        dns_zone: keys.dns_zone.as_deref().map(str::to_ascii_lowercase),
    })))
}

/// Reports where it is not said, or said twice, who answers for the proofs.
fn name_server(keys: &CertificateKeys, report: &mut Report) -> Option<()> {
    let at = &keys.at;
    match (at.holds("dns"), at.holds("dns_zone")) {
        (true, true) => {
            let what = "and dns_zone are two ways to one proof";
            report.fault(at.key("dns"), what, "remove one of them");
        }
        (false, false) => {
            let what = "\"dns-01\" needs to know the name server";
            let remedy = "write [certificate.dns] with server, tsig_name and tsig_key, or dns_zone";
            report.fault(at.key("challenge"), what, remedy);
        }
        _ => {}
    }
    (keys.dns.is_some() != keys.dns_zone.is_some()).then_some(())
}

fn number_of_names(keys: &CertificateKeys, report: &mut Report) {
    let at = &keys.at;
    if keys.names.len() > MOST_NAMES {
        let what = format!("holds more than {MOST_NAMES} names");
        let remedy = "divide them between several [[certificate]]";
        report.fault(at.key("names"), what, remedy);
    }
}
