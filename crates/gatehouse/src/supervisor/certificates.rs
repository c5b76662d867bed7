//! Which certificates a configuration needs, and where they come from.

mod authority;
mod clients;
mod export;
mod import;
mod laying;
mod logins;
mod target;
mod trusted;

use super::journal::Journal;
use super::orders::{self, Book};
use anyhow::{Context as _, bail};
use certs::{Ca, Material, Problem, Usage, bundle};
use config::{
    Certificate, CertificateFiles, CertificateSource, ClientTrust, Config, Identity, SecretRef,
    Trust,
};
use service::Event;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use store::Store;

const ISSUED: &str = "ca/issued.json";
/// What the key of the one that the admin pages show begins with, among those that were issued.
const PAGES: &str = "pages ";
/// The longest file with certificates: all public CAs together have a quarter of it.
const LONGEST_FILE: u64 = 1 << 20;
/// What our CA issued is replaced when it has less than this to live.
const RENEW_BEFORE: Duration = Duration::from_hours(24 * 30);

/// Makes and keeps the certificates of the box.
pub struct Certificates {
    ca: Ca,
    /// By name; kept, so that a browser that was told to trust one is not asked again.
    issued: BTreeMap<String, Material>,
    /// Those of public CAs.
    pub acme: Book,
    /// From files, as they were when they could be used last: one that is being replaced takes nothing down.
    served: Vec<(Certificate, Material)>,
    /// Whose client certificates are believed.
    clients: trusted::Look,
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
        let ca = authority::open(store, hostname, &journal)?;
        let issued = store.blob(ISSUED)?;
        let issued = issued.and_then(|kept| serde_json::from_slice(&kept).ok());
        let issued = issued.unwrap_or_default();
        let acme = Book::open(store, &journal);
        let mut certificates = Self {
            ca,
            issued,
            acme,
            served: Vec::new(),
            clients: trusted::Look::default(),
            places,
            journal,
        };
        if let Err(error) = certificates.put_back(store) {
            let text = format!("an import that did not come to its end was not undone: {error:#}");
            certificates.journal.notice("certs", text);
        }
        certificates.keep_valid(hostname, store, SystemTime::now())?;
        certificates.show_root(store);
        Ok(certificates)
    }

    /// The root of the box's own CA, in PEM.
    pub fn root_pem(&self) -> &str {
        self.ca.root_pem()
    }

    /// Everything that the listeners of `config` present: certificates from files and public CAs first, then one of our
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
        // Before anything: all that is made and told of it is by the same CA.
        match self.keep_valid(&config.system.hostname, store, SystemTime::now()) {
            Err(error) if lenient => self.journal.notice("certs", format!("{error:#}")),
            other => other?,
        }
        let mut gathered = Vec::new();
        for certificate in &config.certificates {
            if let CertificateSource::Acme(_) = certificate.source {
                gathered.extend(self.acme.materials(certificate, orders::now()));
                continue;
            }
            match self.load(certificate, store) {
                Ok(material) => {
                    let same =
                        |(known, _): &(Certificate, Material)| known.source == certificate.source;
                    self.served.retain(|known| !same(known));
                    let served = material
                        .clone()
                        .map(|material| (certificate.clone(), material));
                    self.served.extend(served);
                    gathered.extend(material);
                }
                Err(error) if lenient => {
                    let served = self.still_served(certificate);
                    let text = match served {
                        Some(_) => {
                            format!("{error:#}; the one that was served before is served on")
                        }
                        None => format!("{error:#}; the box's own CA stands in"),
                    };
                    let names = certificate.names.clone();
                    self.journal.record(Event::Certificate { names, text });
                    gathered.extend(served);
                }
                Err(error) => return Err(error),
            }
        }
        self.served.retain(|(known, _)| {
            let mut wanted = config.certificates.iter();
            wanted.any(|one| one.source == known.source)
        });
        for host in config.hosts.iter().filter(|host| host.speaks_tls()) {
            let name = &host.name.domain;
            let covered = |material: &Material| {
                material
                    .names
                    .iter()
                    .any(|pattern| certs::covers(pattern, name))
            };
            if !gathered.iter().any(covered) {
                match self.own(name, store) {
                    Ok(material) => gathered.push(material),
                    Err(error) if lenient => {
                        self.journal.notice("certs", format!("{name}: {error:#}"));
                    }
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(gathered)
    }

    /// What the files of `certificate` held when they could be used last, since the start, where it is in its time and for these names.
    fn still_served(&self, certificate: &Certificate) -> Option<Material> {
        let mut served = self.served.iter();
        let (_, material) = served.find(|(known, _)| known.source == certificate.source)?;
        let problems = certs::check(material, &certificate.names, SystemTime::now());
        let is_good = !problems.iter().any(Problem::is_fatal);
        is_good.then(|| Material {
            line: Some(certificate.line),
            ..material.clone()
        })
    }

    /// What is shown to targets that ask who we are: one of our own CA, or the one of `config` that
    /// is among those that were `gathered`.
    ///
    /// # Errors
    /// It is missing, or can not be issued. With `lenient` that is said in the log, and none is shown.
    pub fn identity(
        &mut self,
        config: &Config,
        gathered: &[Material],
        store: &mut Store,
        lenient: bool,
    ) -> anyhow::Result<Option<Material>> {
        let found = match &config.proxy.identity {
            Identity::Own => self.own_identity(&config.system.hostname, store),
            Identity::Certificate(name) => self.named_identity(config, name, gathered, store),
        };
        let found = found.and_then(|material| {
            let shown = material.certified_key();
            shown.context("identity").map(|_| material)
        });
        match found {
            Ok(material) => Ok(Some(material)),
            Err(error) if lenient => {
                let text = format!("{error:#}; targets that ask who we are see nothing");
                self.journal.notice("certs", text);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The one of the `[[certificate]]` that covers `name`; our own CA's where that is its source, or a public CA has not issued it yet.
    fn named_identity(
        &mut self,
        config: &Config,
        name: &str,
        gathered: &[Material],
        store: &mut Store,
    ) -> anyhow::Result<Material> {
        let covers = |certificate: &&Certificate| {
            let mut names = certificate.names.iter();
            names.any(|known| certs::covers(known, name))
        };
        let mut certificates = config.certificates.iter();
        let found = certificates.find(covers);
        let loaded = found.and_then(|found| {
            let line = Some(found.line);
            gathered.iter().find(|material| material.line == line)
        });
        match (loaded, found.map(|found| &found.source)) {
            (Some(loaded), _) => Ok(loaded.clone()),
            (None, Some(CertificateSource::Files { .. })) => {
                bail!("identity: the certificate for {name:?} is not there")
            }
            (None, _) => self.own_identity(name, store),
        }
    }

    fn own_identity(&mut self, hostname: &str, store: &mut Store) -> anyhow::Result<Material> {
        // No host name holds a space, so that none is mistaken for it.
        let key = format!("identity {hostname}");
        self.issue(&key, &[hostname], Usage::Identity, store)
    }

    /// What the admin pages show: a certificate of our own CA for all names and fixed addresses that they have, then those among
    /// `gathered` that browsers trust for the box's own name.
    ///
    /// # Errors
    /// The hostname is none that a certificate can carry. With `lenient` that is said in the log, and there are none.
    pub fn pages(
        &mut self,
        config: &Config,
        gathered: &[Material],
        store: &mut Store,
        lenient: bool,
    ) -> anyhow::Result<Vec<Material>> {
        let own = match self.own_pages(config, store) {
            Ok(own) => own,
            Err(error) if lenient => {
                self.journal
                    .notice("certs", format!("admin pages: {error:#}"));
                return Ok(Vec::new());
            }
            Err(error) => return Err(error),
        };
        let own_name = config.own_name();
        let is_for_us = |material: &&Material| {
            let mut names = material.names.iter();
            !material.temporary && names.any(|name| certs::covers(name, &own_name))
        };
        let mut shown = vec![own];
        shown.extend(gathered.iter().filter(is_for_us).cloned());
        Ok(shown)
    }

    fn own_pages(&mut self, config: &Config, store: &mut Store) -> anyhow::Result<Material> {
        let own_name = config.own_name();
        let mut names = vec![own_name, config.system.hostname.to_ascii_lowercase()];
        let inside = config.zones.iter();
        let inside = inside.filter(|zone| zone.trust == Trust::Inside);
        names.extend(
            inside.flat_map(|zone| zone.static_addresses().map(|net| net.addr().to_string())),
        );
        names.dedup();
        // No host name begins with it, so that none is mistaken for it.
        let key = format!("{PAGES}{}", names.join(" "));
        self.issued
            .retain(|other, _| !other.starts_with(PAGES) || *other == key);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.issue(&key, &names, Usage::Server, store)
    }

    /// A certificate of our own CA for `name`, the one issued before where it still serves.
    ///
    /// # Errors
    /// `name` is none that a certificate can carry, or the store can not be written.
    pub fn own(&mut self, name: &str, store: &mut Store) -> anyhow::Result<Material> {
        self.issue(name, &[name], Usage::Server, store)
    }

    /// The one that is kept under `key`, or a new one in its place.
    fn issue(
        &mut self,
        key: &str,
        names: &[&str],
        usage: Usage,
        store: &mut Store,
    ) -> anyhow::Result<Material> {
        let now = SystemTime::now();
        if let Some(material) = self.issued.get(key) {
            let fresh = certs::validity(material)
                .is_ok_and(|validity| validity.not_after > now + RENEW_BEFORE);
            if fresh {
                return Ok(material.clone());
            }
        }
        self.keep_valid(names.first().copied().unwrap_or_default(), store, now)?;
        let mut material = self.ca.issue(names, usage, now)?;
        material.temporary = true;
        self.issued.insert(key.to_owned(), material.clone());
        // One that is not kept is made anew at the next start, and is as good until then.
        if let Err(error) = store.set_blob(ISSUED, &serde_json::to_vec(&self.issued)?) {
            self.journal
                .notice("certs", format!("{ISSUED} was not written: {error}"));
        }
        Ok(material)
    }

    /// Content of the files that the certificates of targets, clients and servers of logins are checked by, by name.
    ///
    /// # Errors
    /// A file can not be read. With `lenient` it is left out, which costs the targets that need it.
    pub fn files(
        &self,
        config: &Config,
        store: &Store,
        lenient: bool,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for file in proxy::files_wanted(config)
            .into_iter()
            .chain(signin::files_wanted(config))
        {
            let read = if file == ClientTrust::OWN_CA {
                Ok(self.root_pem().to_owned())
            } else {
                self.read(&file)
            };
            // The box's own root goes with what it has revoked, whatever file it came in.
            let read = read.and_then(|text| {
                if certs::holds(&text, self.root_pem()) {
                    let revoked = self.own_revoked(store)?;
                    files.extend(revoked.map(|list| (proxy::OWN_REVOKED.to_owned(), list)));
                    files.insert(ClientTrust::OWN_CA.to_owned(), self.root_pem().to_owned());
                }
                Ok(text)
            });
            match read {
                Ok(text) => drop(files.insert(file, text)),
                Err(error) if lenient => self.journal.notice("certs", format!("{error:#}")),
                Err(error) => return Err(error),
            }
        }
        Ok(files)
    }

    fn load(
        &self,
        certificate: &Certificate,
        store: &mut Store,
    ) -> anyhow::Result<Option<Material>> {
        let Some((material, problems)) = self.read_one(certificate, store)? else {
            return Ok(None);
        };
        for problem in problems {
            self.journal.record(Event::Certificate {
                names: certificate.names.clone(),
                text: problem.to_string(),
            });
        }
        Ok(Some(material))
    }

    /// One from files that can be used, with what is to be said of it; none: it is from elsewhere.
    fn read_one(
        &self,
        certificate: &Certificate,
        store: &mut Store,
    ) -> anyhow::Result<Option<(Material, Vec<Problem>)>> {
        let CertificateSource::Files(files) = &certificate.source else {
            return Ok(None);
        };
        let place = || format!("certificate of line {}", certificate.line);
        let mut material = self.material(files, store).with_context(place)?;
        material.line = Some(certificate.line);
        let problems = certs::check(&material, &certificate.names, SystemTime::now());
        if let Some(problem) = problems.iter().find(|problem| problem.is_fatal()) {
            bail!("{}: {problem}", place());
        }
        Ok(Some((material, problems)))
    }

    /// Key and chain from what the files hold.
    fn material(&self, files: &CertificateFiles, store: &mut Store) -> anyhow::Result<Material> {
        match files {
            CertificateFiles::Pem {
                chain,
                key,
                passphrase,
            } => {
                let chain = self.read(chain)?;
                let key = secret(store, "its key", key)?;
                let Some(passphrase) = passphrase else {
                    return Ok(certs::load_pem(&chain, &key)?);
                };
                let passphrase = secret(store, "its passphrase", passphrase)?;
                Ok(bundle::read_pem(
                    &chain,
                    &key,
                    passphrase.trim_end_matches(['\r', '\n']),
                )?)
            }
            CertificateFiles::Pkcs12 { file, passphrase } => {
                let bytes = self.bytes(file)?;
                let passphrase = secret(store, "its passphrase", passphrase)?;
                // As an editor or `echo` ends it.
                Ok(bundle::read(
                    &bytes,
                    passphrase.trim_end_matches(['\r', '\n']),
                )?)
            }
        }
    }

    /// The content of a file that the configuration names.
    ///
    /// # Errors
    /// It is not there, or too long.
    pub fn read(&self, file: &str) -> anyhow::Result<String> {
        let bytes = self.bytes(file)?;
        String::from_utf8(bytes).with_context(|| format!("can not read {file}"))
    }

    fn bytes(&self, file: &str) -> anyhow::Result<Vec<u8>> {
        let mut last = None;
        for place in &self.places {
            let path = place.join(file);
            match std::fs::metadata(&path).map(|found| found.len()) {
                Ok(length) if length > LONGEST_FILE => {
                    bail!("{}: longer than {LONGEST_FILE} bytes", path.display())
                }
                Ok(_) => match std::fs::read(&path) {
                    Ok(bytes) => return Ok(bytes),
                    Err(error) => last = Some((path, error)),
                },
                Err(error) => last = Some((path, error)),
            }
        }
        let (path, error) = last.context("there is no place for files")?;
        Err(error).with_context(|| format!("can not read {}", path.display()))
    }
}

/// A secret that must be there, as text.
fn secret(store: &mut Store, what: &str, wanted: &SecretRef) -> anyhow::Result<String> {
    let name = &wanted.name;
    let Some(secret) = store.secret(name)? else {
        bail!(
            "{what}, secret `{name}`, is not in the store; set it with `gatehouse secret set {name}`"
        );
    };
    let text = secret
        .text()
        .with_context(|| format!("{what} is no text"))?;
    Ok(text.to_owned())
}

/// The directories in which files of a configuration are looked for: beside it, then in the state.
pub fn places(file: &Path, state: &Path) -> Vec<PathBuf> {
    let beside = file.parent().map(Path::to_path_buf).unwrap_or_default();
    vec![beside, state.join("files")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(identity: &str) -> Config {
        let text = format!(
            "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
             interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n[proxy]\nidentity = \"{identity}\"\n\
             [[certificate]]\nnames = [\"files.example\"]\nsource = \"files\"\nchain = \"a.crt\"\n\
             key = {{ secret = \"a\" }}\n[[certificate]]\nnames = [\"own.example\"]\nsource = \"own\"\n"
        );
        config::check(&text, "test.toml").unwrap().config
    }

    #[test]
    fn a_certificate_is_had_from_pkcs12_and_from_pem_with_an_encrypted_key() {
        let folder = std::env::temp_dir().join(format!("gatehouse-p12-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../certs/testdata");
        let key = std::fs::read(data.join("encrypted.key")).unwrap();
        store.set_secret("key", &key).unwrap();
        store
            .set_secret("right", "über+passphrase\n".as_bytes())
            .unwrap();
        store.set_secret("wrong", b"wrong").unwrap();
        let journal = Journal::new();
        let certificates = Certificates::open(&mut store, "gate", vec![data], journal).unwrap();
        let mut of = |keys: &str| {
            let text = format!(
                "schema = 1\n[[certificate]]\nnames = [\"pbx.example\"]\nsource = \"files\"\n{keys}\n"
            );
            let config = config::check(&text, "test.toml").unwrap().config;
            let loaded = certificates.load(&config.certificates[0], &mut store);
            loaded
                .map(Option::unwrap)
                .map_err(|error| format!("{error:#}"))
        };
        let file = of("p12 = \"aes256.p12\"\npassphrase = { secret = \"right\" }").unwrap();
        assert_eq!(
            (file.names.as_slice(), file.line),
            (["pbx.example".to_owned()].as_slice(), Some(2))
        );
        let pem = "chain = \"chain.pem\"\nkey = { secret = \"key\" }";
        assert_eq!(
            of(&format!("{pem}\npassphrase = {{ secret = \"right\" }}")).unwrap(),
            file
        );
        assert!(of(pem).unwrap_err().contains("encrypted"));
        for (name, words) in [
            (
                "wrong",
                "certificate of line 2: the passphrase is wrong, or the file is damaged",
            ),
            (
                "none",
                "certificate of line 2: its passphrase, secret `none`, is not in the store; set it with `gatehouse secret set none`",
            ),
        ] {
            let keys = format!("p12 = \"aes256.p12\"\npassphrase = {{ secret = \"{name}\" }}");
            assert_eq!(of(&keys).unwrap_err(), words);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn targets_see_what_the_file_says() {
        let folder = std::env::temp_dir().join(format!("gatehouse-certs-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        let mut certificates =
            Certificates::open(&mut store, "gate", Vec::new(), Journal::new()).unwrap();
        let mut of = |identity: &str, gathered: &[Material], lenient| {
            certificates.identity(&config(identity), gathered, &mut store, lenient)
        };
        let own = of("own", &[], false).unwrap().unwrap();
        assert_eq!(certs::subject(&own), "gate");
        assert_eq!(of("own", &[], false).unwrap().unwrap(), own, "it is kept");
        let named = of("own.example", &[], false).unwrap().unwrap();
        assert_eq!(certs::subject(&named), "own.example");
        // The second [[certificate]] is the box's own; the first has the line of its files.
        let line = config("own").certificates[0].line;
        let loaded = Material {
            line: Some(line),
            ..named.clone()
        };
        let shown = of("files.example", std::slice::from_ref(&loaded), false).unwrap();
        assert_eq!(shown, Some(loaded.clone()));
        assert!(of("files.example", &[], false).is_err());
        assert_eq!(of("files.example", &[], true).unwrap(), None);
        let broken = Material {
            key_pem: own.key_pem.clone(),
            ..loaded
        };
        assert!(of("files.example", std::slice::from_ref(&broken), false).is_err());
        assert_eq!(of("files.example", &[broken], true).unwrap(), None);
        let pages = certificates
            .pages(
                &config("own"),
                std::slice::from_ref(&own),
                &mut store,
                false,
            )
            .unwrap();
        assert_eq!(
            pages.len(),
            1,
            "one that browsers do not trust is of no use"
        );
        assert_eq!(pages[0].names, ["gate", "192.0.2.4"]);
        let trusted = Material {
            temporary: false,
            ..own.clone()
        };
        let again = certificates
            .pages(
                &config("own"),
                std::slice::from_ref(&trusted),
                &mut store,
                false,
            )
            .unwrap();
        assert_eq!(again, [pages[0].clone(), trusted]);
        let server = certificates.own("gate", &mut store).unwrap();
        assert_ne!(server, own, "one serves, one is shown");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
