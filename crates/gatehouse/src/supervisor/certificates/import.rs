//! Certificates that come into the box, and are served at once where the configuration names them.

use super::Certificates;
use super::laying::{Place, Write};
use super::target::{Target, file_of, lines, plain, secret_of, stem, touches};
use crate::supervisor::backend::failed;
use crate::supervisor::gate::Gate;
use crate::supervisor::orders;
use crate::supervisor::state::State;
use certs::{Material, Problem, bundle};
use config::{Certificate, Config};
use control::{CertificateImport, ImportedCertificate, Moment, Refusal, Role};
use data_encoding::{BASE64, HEXLOWER};
use std::sync::Arc;
use std::time::SystemTime;
use tokio::task::spawn_blocking;

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
        let names = plain(&given.material.names);
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
            let is_ours = self.is_free_or_earlier(stem, writes);
            for taken in [file_of(stem), secret_of(stem)] {
                let text = &self.running.text;
                let is_named = ['"', '\''].map(|quote| format!("{quote}{taken}{quote}"));
                if is_named.iter().any(|named| text.contains(named)) || !is_ours {
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
        let before = certificates.working(&config, store, writes);
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

impl State {
    /// Whether nothing lies where `writes` go, or what an earlier import of the same name has left: a configuration that is
    /// not in force now may need anything else.
    fn is_free_or_earlier(&self, called: &str, writes: &[Write]) -> bool {
        let text = |write: &Write| {
            let kept = write.place.read(&self.store).ok()?;
            Some(kept.map(|kept| String::from_utf8(kept).unwrap_or_default()))
        };
        match writes.iter().map(text).collect::<Vec<_>>().as_slice() {
            [Some(None), Some(None)] => true,
            [Some(Some(chain)), Some(Some(key))] => certs::load_pem(chain, key)
                .is_ok_and(|old| old.names.first().is_some_and(|name| stem(name) == called)),
            _ => false,
        }
    }
}

impl Certificates {
    /// Lines of the certificates that are made of what is written, and can be used now.
    fn working(&self, config: &Config, store: &mut store::Store, writes: &[Write]) -> Vec<u32> {
        let files = config.certificates.iter();
        // The others stay as they are, and each may take a second to open.
        let files = files.filter(|one| touches(one, writes));
        let files = files.filter(|one| self.read_one(one, store).is_ok());
        files.map(|one| one.line).collect()
    }
}

/// What was brought.
pub(super) struct Given {
    pub(super) material: Material,
    /// The file, where it is PKCS#12.
    pkcs12: Option<Vec<u8>>,
    /// The key as it was given, where it is encrypted.
    pub(super) sealed_key: Option<String>,
    pub(super) passphrase: Option<String>,
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
        // An empty one is none: no secret can be.
        let passphrase = passphrase.filter(|word| !word.is_empty());
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
    pub(super) fn as_pkcs12(&self) -> Result<(Vec<u8>, String), Refusal> {
        if let (Some(bytes), Some(passphrase)) = (&self.pkcs12, &self.passphrase) {
            return Ok((bytes.clone(), passphrase.clone()));
        }
        let passphrase = any_passphrase()?;
        let name = certs::subject(&self.material);
        let bytes = bundle::write(&self.material, &name, &passphrase).map_err(failed)?;
        Ok((bytes, passphrase))
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

/// One that nobody has to know.
pub(super) fn any_passphrase() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(failed)?;
    Ok(HEXLOWER.encode(&bytes))
}
