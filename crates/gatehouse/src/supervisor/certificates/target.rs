//! Where a certificate that comes into the box goes, and what it is called there.

use super::import::{Given, any_passphrase};
use super::laying::{Place, Write};
use crate::supervisor::backend::failed;
use certs::Material;
use config::{Certificate, CertificateFiles, CertificateSource, Config};
use control::Refusal;

/// Characters of the names that are made of a host name, so that an ending fits behind them.
const LONGEST_STEM: usize = 56;

/// Where a certificate goes.
#[derive(Clone)]
pub(super) enum Target {
    /// To where the configuration looks for it.
    Known(Certificate),
    /// To where it will, once it has the lines for it.
    New {
        /// What file and secret are called after.
        stem: String,
        /// The names that the certificate must cover.
        names: Vec<String>,
        /// The line of one that has its names from elsewhere.
        instead: Option<u32>,
    },
}

impl Target {
    /// The one of `name`, or the one whose names `material` covers.
    pub(super) fn find(
        config: &Config,
        name: Option<&str>,
        material: &Material,
    ) -> Result<Self, Refusal> {
        let covers =
            |known: &[String], name: &str| known.iter().any(|one| certs::covers(one, name));
        let meant: Vec<&Certificate> = config
            .certificates
            .iter()
            .filter(|one| match name {
                Some(name) => covers(&one.names, &certs::normal_name(name)),
                None => one.names.iter().all(|own| covers(&material.names, own)),
            })
            .collect();
        let mut files = meant.iter().filter(|one| is_from_files(one));
        match (files.next(), files.next()) {
            (Some(one), None) => return Ok(Self::Known((*one).clone())),
            (Some(one), Some(other)) => {
                let (one, other) = (one.names.join(", "), other.names.join(", "));
                return Err(Refusal::conflict(format!(
                    "it covers the certificates of {one} and of {other}; say with --name which is meant"
                )));
            }
            (None, _) => {}
        }
        let plain = plain(&material.names);
        let Some(first) = plain.first() else {
            return Err(Refusal::invalid(
                "the certificate is for no host name; have one made that names its hosts (subjectAltName)",
            ));
        };
        Ok(Self::New {
            stem: stem(first),
            names: name.map(str::to_owned).into_iter().collect(),
            instead: meant.first().map(|one| one.line),
        })
    }

    /// What the certificate must cover.
    pub(super) fn names(&self) -> &[String] {
        match self {
            Self::Known(certificate) => &certificate.names,
            Self::New { names, .. } => names,
        }
    }

    pub(super) fn is(&self, other: &Certificate) -> bool {
        matches!(self, Self::Known(own) if own.line == other.line)
    }

    /// What is to be written, and where to.
    pub(super) fn writes(&self, given: &Given) -> Result<Vec<Write>, Refusal> {
        let chain = given.material.chain_pem.as_str();
        let key = given.material.key_pem.as_str();
        let files = match self {
            Self::New { stem, .. } => {
                return Ok(vec![
                    Write::file(&file_of(stem), chain),
                    Write::secret(&secret_of(stem), key),
                ]);
            }
            Self::Known(certificate) => match &certificate.source {
                CertificateSource::Files(files) => files,
                _ => return Err(failed("this certificate is not from files")),
            },
        };
        match files {
            CertificateFiles::Pem {
                chain: file,
                key: secret,
                passphrase: None,
            } => Ok(vec![
                Write::file(file, chain),
                Write::secret(&secret.name, key),
            ]),
            CertificateFiles::Pem {
                chain: file,
                key: secret,
                passphrase: Some(sealed_by),
            } => {
                let sealed = given.sealed_key.as_deref().unwrap_or(key);
                // It is of no use for a key that is not encrypted, and must be there all the same.
                let passphrase = match &given.passphrase {
                    Some(passphrase) => passphrase.clone(),
                    None => any_passphrase()?,
                };
                Ok(vec![
                    Write::file(file, chain),
                    Write::secret(&secret.name, sealed),
                    Write::secret(&sealed_by.name, &passphrase),
                ])
            }
            CertificateFiles::Pkcs12 { file, passphrase } => {
                let (bytes, word) = given.as_pkcs12()?;
                Ok(vec![
                    Write::file(file, bytes),
                    Write::secret(&passphrase.name, &word),
                ])
            }
        }
    }
}

/// Whether a certificate is made of one of the places of `writes`.
pub(super) fn touches(one: &Certificate, writes: &[Write]) -> bool {
    let CertificateSource::Files(files) = &one.source else {
        return false;
    };
    let (file, secrets) = match files {
        CertificateFiles::Pem {
            chain,
            key,
            passphrase,
        } => (chain, [Some(key), passphrase.as_ref()]),
        CertificateFiles::Pkcs12 { file, passphrase } => (file, [Some(passphrase), None]),
    };
    writes.iter().any(|write| match &write.place {
        Place::File(name) => name == file,
        Place::Secret(name) => secrets.iter().flatten().any(|secret| secret.name == *name),
    })
}

/// The lines that have the configuration serve what was laid in.
pub(super) fn lines(names: &[String], stem: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let (names, file, secret) = (names.join(", "), file_of(stem), secret_of(stem));
    format!(
        "[[certificate]]\nnames = [{names}]\nsource = \"files\"\nchain = \"{file}\"\nkey = {{ secret = \"{secret}\" }}\n"
    )
}

/// Those of `names` that the configuration takes: others are no names of hosts, and could pass for something else where they are shown.
pub(super) fn plain(names: &[String]) -> Vec<String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '*');
    let is_taken = |name: &&String| {
        let of_one = std::slice::from_ref(*name);
        name.chars().all(allowed)
            && config::check(&format!("schema = 1\n{}", lines(of_one, "x")), "import").is_ok()
    };
    names.iter().filter(is_taken).cloned().collect()
}

pub(super) fn file_of(stem: &str) -> String {
    format!("{stem}.pem")
}

pub(super) fn secret_of(stem: &str) -> String {
    format!("{stem}-key")
}

/// What file and secret of a certificate for `name` are called after.
pub(super) fn stem(name: &str) -> String {
    let name = name.replacen("*.", "wildcard.", 1).to_ascii_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = name.chars().map(|c| if allowed(c) { c } else { '-' });
    name.take(LONGEST_STEM).collect()
}

fn is_from_files(certificate: &Certificate) -> bool {
    matches!(certificate.source, CertificateSource::Files(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_configuration_takes_is_written_into_it() {
        let names = [
            "a.example",
            "*.b.example",
            "x\"]\n[users.eve]\nrole = \"admin\"\n#",
            "\u{1b}[2J",
            "c example",
        ];
        let names = plain(&names.map(str::to_owned));
        assert_eq!(names, ["a.example", "*.b.example"]);
    }
}
