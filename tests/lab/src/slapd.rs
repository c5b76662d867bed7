//! slapd as a directory that knows users.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::authority::Authority;
use crate::{Lab, Place, Process};

/// Where the tests of the login keep theirs: the same people, and the same rules for locking.
const FILES: &str = "crates/signin/tests/ldap";
/// Where it is filled from.
const PLAIN: &str = "127.0.0.1:389";

/// A running slapd over TLS. Below `dc=hq,dc=example` it knows, among others,
/// - `Alice`, password `alice's`, in the groups `pbx-users` and `Sales, west`;
/// - `bob`, password `bob's`, in no group;
/// - `cn=gate,ou=services,dc=hq,dc=example`, which may search.
///
/// Whoever is wrong three times is locked (pwdLockout) until somebody unlocks him.
pub struct Slapd<'lab> {
    lab: &'lab Lab,
    dir: PathBuf,
    /// `IP`, on port 636.
    address: String,
    process: Option<Process>,
}

impl<'lab> Slapd<'lab> {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 3] = ["slapd", "ldapadd", "openssl"];

    /// Starts one inside on port 636 of `address`, with a certificate of `authority`; `account` is the password of the account
    /// that may search.
    pub fn start(
        lab: &'lab Lab,
        address: &str,
        authority: &Authority<'_>,
        account: &str,
    ) -> Result<Self> {
        let dir = lab.dir().join("slapd");
        fs::create_dir_all(dir.join("db"))?;
        let issued = authority.issue(address)?;
        fs::copy(issued.chain, dir.join("cert.pem"))?;
        fs::copy(issued.key, dir.join("key.pem"))?;
        let read = |name: &str| {
            let file = crate::repository().join(FILES).join(name);
            fs::read_to_string(&file).with_context(|| file.display().to_string())
        };
        let folder = dir.display().to_string();
        let settings = read("slapd.conf")?.replace("{folder}", &folder);
        fs::write(dir.join("slapd.conf"), settings)?;
        let people = read("people.ldif")?.replace("searches, and nothing else", account);
        fs::write(dir.join("people.ldif"), people)?;
        let mut slapd = Self {
            lab,
            dir,
            address: address.to_owned(),
            process: None,
        };
        slapd.start_again()?;
        let (file, url) = (slapd.file("people.ldif"), format!("ldap://{PLAIN}"));
        let admin = ["-D", "cn=admin,dc=hq,dc=example", "-w", "admin's"];
        let command = [&["ldapadd", "-x", "-H", &url, "-f", &file], &admin[..]].concat();
        lab.run(Place::Lan, &command)?.success()?;
        Ok(slapd)
    }

    /// Starts it again after a stop, with what it knows.
    pub fn start_again(&mut self) -> Result<()> {
        let file = self.file("slapd.conf");
        let urls = format!("ldap://{PLAIN} ldaps://{}", self.address);
        let command = ["slapd", "-d", "0", "-f", &file, "-h", &urls];
        self.process = Some(self.lab.spawn(Place::Lan, "slapd", &command)?);
        self.lab.wait_for_port(Place::Lan, PLAIN)?;
        let address = format!("{}:636", self.address);
        self.lab.wait_for_port(Place::Lan, &address)
    }

    /// Ends it; its address refuses connections from now on.
    pub fn stop(&mut self) {
        self.process = None;
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}
