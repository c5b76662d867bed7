//! What the configuration wants from CAs.

use certs::KeyKind;
use config::{Acme, Certificate, CertificateSource, Challenge, Config, KeyType, SecretRef};
use store::Store;
use uplink::acme::{DnsUpdate, External, Proof};

/// The longest file with the root of a CA, in bytes: it goes to edge with each order.
const LONGEST_ROOTS: usize = 64 * 1024;

/// A certificate that the configuration wants from a CA.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// Its names in one text.
    pub key: String,
    /// Line of its `[[certificate]]`.
    pub line: u32,
    /// Its names.
    pub names: Vec<String>,
    /// The kind of its private key.
    pub kind: KeyKind,
    /// The CA's directory.
    pub directory: String,
    /// The rest of what an order says, or why none can be made.
    pub terms: Result<Terms, String>,
}

/// What an order says beside names and directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The roots that the CA's own certificate is checked by.
    pub roots: Option<String>,
    /// `mailto:` addresses.
    pub contact: Vec<String>,
    /// The account that the CA knows already.
    pub external: Option<External>,
    /// How the CA sees that the names are ours.
    pub proof: Proof,
}

impl Want {
    /// Under which name is kept what its CA counts.
    pub fn place(&self) -> String {
        format!("{} {}", self.key, self.directory)
    }

    /// Under which name its certificate and keys are kept.
    pub fn slot(&self) -> String {
        slot(&self.key, &self.directory, self.kind)
    }

    /// Whether the CA is one that everybody knows.
    pub fn is_public(&self) -> bool {
        let terms = self.terms.as_ref();
        !terms.is_ok_and(|terms| terms.roots.is_some())
    }

    /// Under which name the account at the CA is kept.
    pub fn account(&self) -> String {
        let terms = self.terms.as_ref().ok();
        match terms.and_then(|terms| terms.external.as_ref()) {
            None => self.directory.clone(),
            Some(external) => format!("{} {}", self.directory, external.key_id),
        }
    }
}

/// Everything that `config` wants from CAs; `read` gives the content of a file it names.
pub fn wants(
    config: &Config,
    store: &Store,
    read: impl Fn(&str) -> anyhow::Result<String>,
) -> Vec<Want> {
    let certificates = config.certificates.iter();
    certificates
        .filter_map(|certificate| match &certificate.source {
            CertificateSource::Acme(acme) => Some(want(certificate, acme, store, &read)),
            CertificateSource::Files { .. } | CertificateSource::Own => None,
        })
        .collect()
}

/// Under which name the certificate for the names of `key` is kept that `directory` made for a key of `kind`.
pub fn slot(key: &str, directory: &str, kind: KeyKind) -> String {
    let kind = match kind {
        KeyKind::P256 => "p256",
        KeyKind::Rsa2048 => "rsa2048",
        KeyKind::Rsa3072 => "rsa3072",
    };
    format!("{key} {directory} {kind}")
}

/// The kind of private key that `acme` asks for.
pub fn kind(acme: &Acme) -> KeyKind {
    match acme.key_type {
        KeyType::P256 => KeyKind::P256,
        KeyType::Rsa2048 => KeyKind::Rsa2048,
        KeyType::Rsa3072 => KeyKind::Rsa3072,
    }
}

/// Names in one text: what is kept under the name of a certificate begins with it.
pub fn key(names: &[String]) -> String {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    names.join(" ")
}

fn want(
    certificate: &Certificate,
    acme: &Acme,
    store: &Store,
    read: &impl Fn(&str) -> anyhow::Result<String>,
) -> Want {
    Want {
        key: key(&certificate.names),
        line: certificate.line,
        names: certificate.names.clone(),
        kind: kind(acme),
        directory: acme.directory.clone(),
        terms: terms(acme, store, read),
    }
}

fn terms(
    acme: &Acme,
    store: &Store,
    read: &impl Fn(&str) -> anyhow::Result<String>,
) -> Result<Terms, String> {
    let roots = acme.directory_ca.as_ref().map(|file| read(file));
    let roots = roots.transpose().map_err(|error| format!("{error:#}"))?;
    if roots
        .as_ref()
        .is_some_and(|roots| roots.len() > LONGEST_ROOTS)
    {
        let text = "the file of `directory_ca` is longer than 64 KiB; it should hold the root of one CA only";
        return Err(text.to_owned());
    }
    let external = acme.external_account.as_ref().map(|external| {
        let mac_key = secret(store, &external.mac_key)?;
        Ok::<_, String>(External {
            key_id: external.key_id.clone(),
            mac_key,
        })
    });
    let proof = match (acme.challenge, &acme.dns, &acme.dns_zone) {
        (Challenge::Http01, ..) => Proof::Http01,
        (Challenge::TlsAlpn01, ..) => Proof::TlsAlpn01,
        (Challenge::Dns01, _, Some(zone)) => Proof::Dns01Zone(zone.clone()),
        (Challenge::Dns01, Some(dns), None) => Proof::Dns01(DnsUpdate {
            server: dns.server.clone(),
            tsig_name: dns.tsig_name.clone(),
            tsig_key: secret(store, &dns.tsig_key)?,
        }),
        (Challenge::Dns01, None, None) => return Err("[certificate.dns] is missing".to_owned()),
    };
    let contact = acme.contact.iter();
    Ok(Terms {
        roots,
        contact: contact.map(|mail| format!("mailto:{mail}")).collect(),
        external: external.transpose()?,
        proof,
    })
}

fn secret(store: &Store, wanted: &SecretRef) -> Result<String, String> {
    let name = &wanted.name;
    let found = store.secret(name).map_err(|error| error.to_string())?;
    let found = found.ok_or_else(|| {
        format!(
            "the secret `{name}` is not in the store; set it with `gatehouse secret set {name}`"
        )
    })?;
    let text = found.text().map(|text| text.trim().to_owned());
    text.ok_or_else(|| format!("the secret `{name}` is no text"))
}
