//! Which certificates a configuration needs, and where they come from.

use super::journal::Journal;
use anyhow::{Context as _, bail};
use certs::{Ca, Material, Usage};
use config::{Certificate, CertificateSource, Config};
use serde::{Deserialize, Serialize};
use service::Event;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use store::Store;

/// Certificate and key of our CA, in one: they must agree after a power cut, too.
const AUTHORITY: &str = "ca/authority.json";
/// The certificate once more, for the operator to install.
const ROOT: &str = "ca/root.pem";
const ISSUED: &str = "ca/issued.json";
/// What our CA issued is replaced when it has less than this to live.
const RENEW_BEFORE: Duration = Duration::from_hours(24 * 30);

/// Makes and keeps the certificates of the box.
pub struct Certificates {
    ca: Ca,
    /// By name; kept, so that a browser that was told to trust one is not asked again.
    issued: BTreeMap<String, Material>,
    /// Where files that the configuration names are looked for, in this order.
    places: Vec<PathBuf>,
    journal: Journal,
}

impl Certificates {
    /// Loads the box's own CA, or makes it at the first start.
    ///
    /// # Errors
    /// The store can not be read or written, or holds something that is no CA.
    pub fn open(
        store: &mut Store,
        hostname: &str,
        places: Vec<PathBuf>,
        journal: Journal,
    ) -> anyhow::Result<Self> {
        let ca = match store.blob(AUTHORITY)? {
            Some(kept) => {
                let kept: Authority = serde_json::from_slice(&kept)
                    .with_context(|| format!("{AUTHORITY} is damaged; remove it for a new CA"))?;
                Ca::load(&kept.root_pem, &kept.key_pem)?
            }
            None => create(store, hostname)?,
        };
        store.set_blob(ROOT, ca.root_pem().as_bytes())?;
        let issued = store.blob(ISSUED)?;
        let issued = issued.and_then(|kept| serde_json::from_slice(&kept).ok());
        let issued = issued.unwrap_or_default();
        Ok(Self {
            ca,
            issued,
            places,
            journal,
        })
    }

    /// Everything that the listeners of `config` present: certificates from files first, then one of our
    /// own CA for each host name that none of them covers.
    ///
    /// # Errors
    /// A file or secret is missing or unfit. With `lenient` that is said in the log instead and our own
    /// CA stands in: at a start something must come up.
    pub fn gather(
        &mut self,
        config: &Config,
        store: &mut Store,
        lenient: bool,
    ) -> anyhow::Result<Vec<Material>> {
        let mut gathered = Vec::new();
        for certificate in &config.certificates {
            match self.load(certificate, store) {
                Ok(material) => gathered.extend(material),
                Err(error) if lenient => self.journal.record(Event::Certificate {
                    names: certificate.names.clone(),
                    text: format!("{error:#}; the box's own CA stands in"),
                }),
                Err(error) => return Err(error),
            }
        }
        for host in config.hosts.iter().filter(|host| !host.http.is_empty()) {
            let name = &host.name.domain;
            let covered = |material: &Material| {
                material.names.iter().any(|pattern| certs::covers(pattern, name))
            };
            if !gathered.iter().any(covered) {
                gathered.push(self.own(name, store)?);
            }
        }
        Ok(gathered)
    }

    /// A certificate of our own CA for `name`, the one issued before where it still serves.
    ///
    /// # Errors
    /// `name` is none that a certificate can carry, or the store can not be written.
    pub fn own(&mut self, name: &str, store: &mut Store) -> anyhow::Result<Material> {
        let now = SystemTime::now();
        if let Some(material) = self.issued.get(name) {
            let fresh = certs::validity(material)
                .is_ok_and(|validity| validity.not_after > now + RENEW_BEFORE);
            if fresh {
                return Ok(material.clone());
            }
        }
        let mut material = self.ca.issue(&[name], Usage::Server, now)?;
        material.temporary = true;
        self.issued.insert(name.to_owned(), material.clone());
        store.set_blob(ISSUED, &serde_json::to_vec(&self.issued)?)?;
        Ok(material)
    }

    /// Content of the files that targets' certificates are checked by, by name.
    ///
    /// # Errors
    /// A file can not be read.
    pub fn files(&self, config: &Config) -> anyhow::Result<BTreeMap<String, String>> {
        proxy::files_wanted(config)
            .into_iter()
            .map(|file| {
                let text = self.read(&file)?;
                Ok((file, text))
            })
            .collect()
    }

    fn load(
        &self,
        certificate: &Certificate,
        store: &mut Store,
    ) -> anyhow::Result<Option<Material>> {
        let CertificateSource::Files { chain, key } = &certificate.source else {
            return Ok(None);
        };
        let place = || format!("certificate of line {}", certificate.line);
        let pem = self.read(chain).with_context(place)?;
        let Some(secret) = store.secret(&key.name)? else {
            bail!(
                "{}: its key, secret `{}`, is not in the store; set it with `gatehouse secret set {}`",
                place(),
                key.name,
                key.name
            );
        };
        let key = secret.text().with_context(|| format!("{}: its key is no PEM", place()))?;
        let mut material = certs::load_pem(&pem, key).with_context(place)?;
        material.line = Some(certificate.line);
        for problem in certs::check(&material, &certificate.names, SystemTime::now()) {
            if problem.is_fatal() {
                bail!("{}: {problem}", place());
            }
            self.journal.record(Event::Certificate {
                names: certificate.names.clone(),
                text: problem.to_string(),
            });
        }
        Ok(Some(material))
    }

    fn read(&self, file: &str) -> anyhow::Result<String> {
        let mut last = None;
        for place in &self.places {
            match std::fs::read_to_string(place.join(file)) {
                Ok(text) => return Ok(text),
                Err(error) => last = Some((place.join(file), error)),
            }
        }
        let (path, error) = last.context("there is no place for files")?;
        Err(error).with_context(|| format!("can not read {}", path.display()))
    }
}

/// The directories in which files of a configuration are looked for: beside it, then in the state.
pub fn places(file: &Path, state: &Path) -> Vec<PathBuf> {
    let beside = file.parent().map(Path::to_path_buf).unwrap_or_default();
    vec![beside, state.join("files")]
}

fn create(store: &mut Store, hostname: &str) -> anyhow::Result<Ca> {
    let name = format!("Gatehouse {hostname}");
    let name: String = name.chars().take(64).collect();
    let ca = Ca::create(&name, SystemTime::now())?;
    let kept = Authority {
        root_pem: ca.root_pem().to_owned(),
        key_pem: ca.key_pem(),
    };
    store.set_blob(AUTHORITY, &serde_json::to_vec(&kept)?)?;
    Ok(ca)
}

/// What is kept of our CA.
#[derive(Serialize, Deserialize)]
struct Authority {
    root_pem: String,
    key_pem: String,
}
