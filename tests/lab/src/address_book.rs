//! Directories as a PBX has them: a real slapd, and a server whose users are called `domain\user`.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;

use crate::{Lab, Place, Process};

const SETTINGS: &str = "include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCertificateFile {folder}/target.pem
TLSCertificateKeyFile {folder}/target.key
TLSVerifyClient never
localSSF 0
database mdb
maxsize 67108864
suffix \"{suffix}\"
rootdn \"cn=admin,{suffix}\"
rootpw secret
directory {folder}/db
access to * by users read by anonymous auth
";

/// A running slapd that is the directory of one domain, on the ports 389 and 636 of its address.
///
/// `cn=admin,` and the components of its domain is who may search, with the password `secret`. The entry `cn=where` has its address as
/// description; the entries `cn=contact N` have a telephone number.
pub struct AddressBook<'lab> {
    lab: &'lab Lab,
    dir: PathBuf,
    address: String,
    process: Option<Process>,
}

impl<'lab> AddressBook<'lab> {
    /// Programs a test with it names in its list.
    pub const NEEDS: [&'static str; 4] = ["slapd", "slapadd", "ldapsearch", "openssl"];

    /// Starts the one of `domain` inside at `address`, with so many contacts.
    pub fn start(lab: &'lab Lab, domain: &str, address: &str, contacts: u32) -> Result<Self> {
        let dir = lab.dir().join(format!("slapd-{address}"));
        fs::create_dir_all(dir.join("db"))?;
        crate::nginx::self_signed(lab, &dir)?;
        let suffix = suffix(domain);
        let settings = SETTINGS.replace("{folder}", &dir.display().to_string());
        fs::write(
            dir.join("slapd.conf"),
            settings.replace("{suffix}", &suffix),
        )?;
        fs::write(dir.join("book.ldif"), entries(&suffix, address, contacts)?)?;
        let mut book = Self {
            lab,
            dir,
            address: address.to_owned(),
            process: None,
        };
        let (settings, book_file) = (book.file("slapd.conf"), book.file("book.ldif"));
        let fill = ["slapadd", "-q", "-f", &settings, "-l", &book_file];
        lab.run(Place::Lan, &fill)?.success()?;
        book.start_again()?;
        Ok(book)
    }

    /// Starts it again after a stop, with what it knows.
    pub fn start_again(&mut self) -> Result<()> {
        let file = self.file("slapd.conf");
        let urls = format!("ldap://{0} ldaps://{0}", self.address);
        let command = ["slapd", "-d", "stats", "-f", &file, "-h", &urls];
        let name = format!("slapd-{}", self.address);
        self.process = Some(self.lab.spawn(Place::Lan, &name, &command)?);
        for port in [389, 636] {
            let address = format!("{}:{port}", self.address);
            self.lab.wait_for_port(Place::Lan, &address)?;
        }
        Ok(())
    }

    /// Ends it; its address refuses connections from now on.
    pub fn stop(&mut self) {
        self.process = None;
    }

    /// What it says of everything it is asked, a line each.
    pub fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }

    /// How many connections came from the box to that port of it.
    pub fn connections(&self, port: u16) -> usize {
        let at = format!("(IP={}:{port})", self.address);
        let log = self.log();
        let accepted = log.lines().filter(|line| line.contains(" ACCEPT from IP="));
        let gate = format!("IP={}:", self.lab.site().gate);
        accepted
            .filter(|line| line.ends_with(&at) && line.contains(&gate))
            .count()
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

/// The name of a domain in a directory.
fn suffix(domain: &str) -> String {
    let parts: Vec<String> = domain.split('.').map(|part| format!("dc={part}")).collect();
    parts.join(",")
}

fn entries(suffix: &str, address: &str, contacts: u32) -> Result<String> {
    let mut text =
        format!("dn: {suffix}\nobjectClass: dcObject\nobjectClass: organization\no: PBX\n\n");
    write!(
        text,
        "dn: cn=where,{suffix}\nobjectClass: device\ndescription: {address}\n\n"
    )?;
    for number in 0..contacts {
        write!(
            text,
            "dn: cn=contact {number},{suffix}\nobjectClass: inetOrgPerson\nsn: {number}\ntelephoneNumber: +49 {number}\n\n"
        )?;
    }
    Ok(text)
}

/// An LDAP server whose users are called `domain\user` or `user@domain`, which slapd does not know.
pub struct Accounts {
    process: Process,
}

impl Accounts {
    /// Starts one inside on the ports 389 and 636 of `address`, which knows these names and passwords. What it finds has its address
    /// and port as description.
    pub fn start(lab: &Lab, address: &str, known: &[(&str, &str)]) -> Result<Self> {
        let name = format!("accounts-{address}");
        let dir = lab.dir().join(&name);
        fs::create_dir_all(&dir)?;
        crate::nginx::self_signed(lab, &dir)?;
        let script = crate::websocket::peer("accounts.py");
        let accounts = known.iter().map(|(name, word)| format!("{name}={word}"));
        let accounts: Vec<String> = accounts.collect();
        let dir = dir.display().to_string();
        let mut command = vec!["/usr/bin/python3", &script, &dir];
        command.extend(accounts.iter().map(String::as_str));
        let addresses = [format!("tcp:{address}:389"), format!("tls:{address}:636")];
        command.push("--");
        command.extend(addresses.iter().map(String::as_str));
        let mut process = lab.spawn(Place::Lan, &name, &command)?;
        process.wait_for("ready")?;
        Ok(Self { process })
    }

    /// What happened: `IP:PORT opened`, `IP:PORT bind NAME RESULT`, `IP:PORT search RESULT`, `IP:PORT unbind`, `IP:PORT closed`, a line each.
    pub fn log(&self) -> String {
        self.process.log()
    }
}
