//! Certificates that come into the box, and are served at once where the configuration names them.

use super::Certificates;
use super::laying::{Place, Write};
use crate::supervisor::backend::failed;
use crate::supervisor::gate::Gate;
use crate::supervisor::orders;
use crate::supervisor::state::State;
use certs::{Material, Problem, bundle};
use config::{Certificate, CertificateFiles, CertificateSource, Config};
use control::{CertificateImport, ImportedCertificate, Moment, Refusal, Role};
use data_encoding::{BASE64, HEXLOWER};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::task::spawn_blocking;

/// Characters of the names that are made of a host name, so that an ending fits behind them.
const LONGEST_STEM: usize = 56;

impl Gate {
    /// Takes a certificate in, to its end also where whoever brought it does not wait.
    ///
    /// # Errors
    /// It does not fit its key or what the configuration wants; nothing has changed.
    pub(in crate::supervisor) async fn take_in(
        &self,
        import: CertificateImport,
    ) -> Result<ImportedCertificate, Refusal> {
        let gate = self.clone();
        let taken = tokio::spawn(async move { gate.take_in_whole(import).await });
        taken.await.map_err(failed)?
    }

    async fn take_in_whole(
        &self,
        import: CertificateImport,
    ) -> Result<ImportedCertificate, Refusal> {
        let name = import.name.clone();
        let given = spawn_blocking(move || Given::read(import)).await;
        let given = given.map_err(failed)??;
        let config = self.with(|state| Arc::clone(&state.running.config)).await;
        let target = Target::find(&config, name.as_deref(), &given.material)?;
        let mut notes = judged(&given.material, target.names())?;
        let expires = certs::validity(&given.material).map_err(failed)?.not_after;
        let names = given.material.names.clone();
        let place = target.clone();
        let writes = spawn_blocking(move || place.writes(&given)).await;
        let writes = writes.map_err(failed)??;
        self.with(|state| {
            self.hub.porter.still(&self.actor, Role::Admin)?;
            if !Arc::ptr_eq(&config, &state.running.config) {
                return Err(Refusal::conflict(
                    "another configuration was put into force meanwhile; import the certificate again",
                ));
            }
            state.take_in(&target, &writes)
        })
        .await?;
        let known = names.join(", ");
        self.audit(format!("imported the certificate of {known}"));
        let (line, lines) = match &target {
            Target::Known(certificate) => {
                self.refresh().await;
                self.hub.orders.look_again();
                (Some(certificate.line), None)
            }
            Target::New { stem, instead, .. } => {
                notes.extend(instead.map(|line| {
                    format!(
                        "line {line} has this certificate from elsewhere: the lines go in its place"
                    )
                }));
                (None, Some(lines(&names, stem)))
            }
        };
        Ok(ImportedCertificate {
            names,
            expires: Moment::from(expires),
            line,
            lines,
            notes,
        })
    }
}

impl State {
    /// Lays `writes` into the store, all of them or none.
    fn take_in(&mut self, target: &Target, writes: &[Write]) -> Result<(), Refusal> {
        let config = Arc::clone(&self.running.config);
        for write in writes {
            let Place::File(file) = &write.place else {
                continue;
            };
            if write.place.read(&self.store).is_err() {
                return Err(Refusal::conflict(format!(
                    "the configuration looks for the certificate in {file}, which can only be laid there by hand; import takes names of \
                     files with a-z, 0-9, \".\", \"_\" and \"-\" without a folder"
                )));
            }
            if let Some(other) = self.certificates.hides(file) {
                return Err(Refusal::conflict(format!(
                    "{other} lies beside the configuration file, where it goes first; remove it there, and import the certificate again"
                )));
            }
        }
        if let Target::New { stem, .. } = target {
            for taken in [file_of(stem), secret_of(stem)] {
                if self.running.text.contains(&format!("\"{taken}\"")) {
                    return Err(Refusal::conflict(format!(
                        "the configuration uses {taken} for something else; name the certificate that is meant with --name"
                    )));
                }
            }
        }
        let Self {
            store,
            certificates,
            ..
        } = self;
        let before = certificates.working(&config, store);
        let laid = certificates.lay(store, writes, |certificates, store| {
            let must = |one: &&Certificate| before.contains(&one.line) || target.is(one);
            for one in config.certificates.iter().filter(must) {
                certificates.read_one(one, store)?;
            }
            Ok(())
        });
        laid.map_err(|error| Refusal::conflict(error.to_string()))
    }
}

impl Certificates {
    /// Lines of the certificates from files that can be used now.
    fn working(&self, config: &Config, store: &mut store::Store) -> Vec<u32> {
        let files = config.certificates.iter();
        let files = files.filter(|one| self.read_one(one, store).is_ok());
        files.map(|one| one.line).collect()
    }
}

/// What was brought.
struct Given {
    material: Material,
    /// The file, where it is PKCS#12.
    pkcs12: Option<Vec<u8>>,
    /// The key as it was given, where it is encrypted.
    sealed_key: Option<String>,
    passphrase: Option<String>,
}

impl Given {
    fn read(import: CertificateImport) -> Result<Self, Refusal> {
        let CertificateImport {
            pem,
            key,
            pkcs12,
            passphrase,
            ..
        } = import;
        let (file, text) = (
            pkcs12.as_deref().unwrap_or_default(),
            pem.as_deref().unwrap_or_default(),
        );
        let most = CertificateImport::LONGEST_FILE;
        if text.len() > most || file.len() / 4 * 3 > most {
            return Err(Refusal::invalid(format!(
                "the file is longer than {most} bytes; give the certificate and what leads to its CA only"
            )));
        }
        let word = passphrase.as_deref().unwrap_or_default();
        let invalid = |error: bundle::Error| Refusal::invalid(error.to_string());
        match (pem.is_some(), pkcs12.is_some()) {
            (false, true) => {
                let bytes = BASE64
                    .decode(file.as_bytes())
                    .map_err(|_| Refusal::invalid("the PKCS#12 file is not in base64"))?;
                Ok(Self {
                    material: bundle::read(&bytes, word).map_err(invalid)?,
                    pkcs12: Some(bytes),
                    sealed_key: None,
                    passphrase,
                })
            }
            (true, false) => {
                let key = key.as_deref().unwrap_or(text);
                let is_sealed = key.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----");
                if is_sealed && passphrase.is_none() {
                    return Err(Refusal::invalid(
                        "the private key is encrypted; give its passphrase, too",
                    ));
                }
                Ok(Self {
                    material: bundle::read_pem(text, key, word).map_err(invalid)?,
                    pkcs12: None,
                    sealed_key: is_sealed.then(|| key.to_owned()),
                    passphrase,
                })
            }
            _ => Err(Refusal::invalid(
                "give one certificate, as PEM or as PKCS#12",
            )),
        }
    }

    /// As PKCS#12 with its passphrase: the file that was given, or a new one.
    fn as_pkcs12(&self) -> Result<(Vec<u8>, String), Refusal> {
        if let (Some(bytes), Some(passphrase)) = (&self.pkcs12, &self.passphrase) {
            return Ok((bytes.clone(), passphrase.clone()));
        }
        let passphrase = any_passphrase()?;
        let name = certs::subject(&self.material);
        let bytes = bundle::write(&self.material, &name, &passphrase).map_err(failed)?;
        Ok((bytes, passphrase))
    }
}

/// Where a certificate goes.
#[derive(Clone)]
enum Target {
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
    fn find(config: &Config, name: Option<&str>, material: &Material) -> Result<Self, Refusal> {
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
        let Some(first) = material.names.first() else {
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
    fn names(&self) -> &[String] {
        match self {
            Self::Known(certificate) => &certificate.names,
            Self::New { names, .. } => names,
        }
    }

    fn is(&self, other: &Certificate) -> bool {
        matches!(self, Self::Known(own) if own.line == other.line)
    }

    /// What is to be written, and where to.
    fn writes(&self, given: &Given) -> Result<Vec<Write>, Refusal> {
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

/// What the operator should know of a certificate that can be taken.
///
/// # Errors
/// It can not: what is wrong, and what would be right.
fn judged(material: &Material, names: &[String]) -> Result<Vec<String>, Refusal> {
    let mut notes = Vec::new();
    for problem in certs::check(material, names, SystemTime::now()) {
        let remedy = match &problem {
            Problem::NotCovered { .. } => {
                "have one made for all names of the [[certificate]], or take that name out of it"
            }
            Problem::Expired { .. } => "import the one that follows it",
            Problem::NotYetValid { .. } => "import it when its time has come",
            Problem::NotForServers => "have one made for servers",
            Problem::IntermediateExpired { .. } | Problem::Unordered { .. } => {
                "ask the CA for its chain of today"
            }
            Problem::Unusable(_) => "export it again",
            Problem::ExpiresSoon { .. } | Problem::Incomplete { .. } | Problem::SelfSigned => "",
        };
        if problem.is_fatal() {
            return Err(Refusal::invalid(format!(
                "the certificate can not be taken: {problem}; {remedy}"
            )));
        }
        notes.push(problem.to_string());
    }
    if orders::clock_is_wrong(orders::now()) {
        notes.push("the clock shows a time before this version was made".to_owned());
    }
    Ok(notes)
}

/// The lines that have the configuration serve what was laid in.
fn lines(names: &[String], stem: &str) -> String {
    let names: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    let (names, file, secret) = (names.join(", "), file_of(stem), secret_of(stem));
    format!(
        "[[certificate]]\nnames = [{names}]\nsource = \"files\"\nchain = \"{file}\"\nkey = {{ secret = \"{secret}\" }}\n"
    )
}

fn file_of(stem: &str) -> String {
    format!("{stem}.pem")
}

fn secret_of(stem: &str) -> String {
    format!("{stem}-key")
}

/// What file and secret of a certificate for `name` are called after.
fn stem(name: &str) -> String {
    let name = name.replacen("*.", "wildcard.", 1).to_ascii_lowercase();
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let name = name.chars().map(|c| if allowed(c) { c } else { '-' });
    name.take(LONGEST_STEM).collect()
}

fn is_from_files(certificate: &Certificate) -> bool {
    matches!(certificate.source, CertificateSource::Files(_))
}

/// One that nobody has to know.
fn any_passphrase() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(HEXLOWER.encode(&bytes))
}
