//! `[[certificate]]`: the keys that belong to its source.

use super::Kind;
use crate::fault::Report;
use crate::sections::{CertificateKeys, Challenge, SourceWord};
use crate::types::{Certificate, CertificateSource};

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
            kind.only(&["chain", "key"], &["challenge", "directory", "dns"]);
            let chain = kind.needs("chain", keys.chain.as_ref(), "\"pbx.example.com.crt\"");
            let key = kind.needs("key", keys.key.as_ref(), "{ secret = \"pbx-key\" }");
            Some(CertificateSource::Files {
                chain: chain?.clone(),
                key: key?.clone(),
            })
        }
        SourceWord::Acme => {
            kind.only(&["challenge", "directory", "dns"], &["chain", "key"]);
            let challenge = *kind.needs("challenge", keys.challenge.as_ref(), "\"http-01\"")?;
            acme(keys, challenge, report)
        }
        SourceWord::Own => {
            kind.only(&[], &["challenge", "directory", "dns", "chain", "key"]);
            Some(CertificateSource::Own)
        }
    }
}

fn acme(
    keys: &CertificateKeys,
    challenge: Challenge,
    report: &mut Report,
) -> Option<CertificateSource> {
    let at = &keys.at;
    if challenge == Challenge::Dns01 {
        if keys.dns.is_none() && !at.is_broken("dns") {
            let remedy = "write [certificate.dns] with server, tsig_name and tsig_key";
            report.fault(
                at.key("challenge"),
                "\"dns-01\" needs to know the name server",
                remedy,
            );
            return None;
        }
    } else {
        if at.holds("dns") {
            let what = format!("has no meaning for challenge = \"{challenge}\"");
            report.fault(
                at.key("dns"),
                what,
                "remove it, or write challenge = \"dns-01\"",
            );
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
    let (directory, dns) = (keys.directory.clone(), keys.dns.clone());
    Some(CertificateSource::Acme {
        challenge,
        directory,
        dns,
    })
}
