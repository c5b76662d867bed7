//! A CA of a company, for servers inside that no public CA knows.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::Result;

use crate::{Lab, Place};

/// A CA with its key.
pub struct Authority<'lab> {
    lab: &'lab Lab,
    dir: PathBuf,
}

/// A certificate and its key, PEM files.
pub(crate) struct Issued {
    pub(crate) chain: PathBuf,
    pub(crate) key: PathBuf,
}

const NEW: &str = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";

impl<'lab> Authority<'lab> {
    /// Makes one; its root is the file `NAME.pem` beside the configuration of the box.
    ///
    /// Needs the program `openssl`.
    pub fn make(lab: &'lab Lab, name: &str) -> Result<Self> {
        let dir = lab.dir().join(format!("authority-{name}"));
        fs::create_dir_all(&dir)?;
        let made = Self { lab, dir };
        let (subject, root) = (format!("/CN=Lab {name}"), made.root());
        let files = [made.file("ca.key"), root.display().to_string()];
        made.openssl(&["-subj", &subject], "critical,CA:true", &files)?;
        fs::copy(&root, lab.dir().join(format!("{name}.pem")))?;
        Ok(made)
    }

    /// The file with its root.
    pub fn root(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    /// A certificate for a client with this common name, and its key behind it: the file of both.
    pub fn client(&self, name: &str) -> Result<PathBuf> {
        let issued = self.issue(name)?;
        let both = self.dir.join(format!("{name}-both.pem"));
        let text = fs::read_to_string(issued.chain)? + &fs::read_to_string(issued.key)?;
        fs::write(&both, text)?;
        Ok(both)
    }

    /// A certificate for a server of this name or address.
    pub(crate) fn issue(&self, name: &str) -> Result<Issued> {
        let named = match name.parse::<IpAddr>() {
            Ok(address) => format!("subjectAltName=IP:{address}"),
            Err(_) => format!("subjectAltName=DNS:{name}"),
        };
        let subject = format!("/CN={name}");
        let (root, root_key) = (self.file("ca.pem"), self.file("ca.key"));
        let signed = [
            "-subj", &subject, "-addext", &named, "-CA", &root, "-CAkey", &root_key,
        ];
        let files = [
            self.file(&format!("{name}.key")),
            self.file(&format!("{name}.pem")),
        ];
        self.openssl(&signed, "critical,CA:FALSE", &files)?;
        let [key, chain] = files.map(PathBuf::from);
        Ok(Issued { chain, key })
    }

    fn file(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }

    fn openssl(&self, more: &[&str], basic: &str, [key, chain]: &[String; 2]) -> Result<()> {
        let basic = format!("basicConstraints={basic}");
        let mut command: Vec<&str> = NEW.split_whitespace().collect();
        command.extend(more);
        command.extend(["-addext", &basic, "-keyout", key, "-out", chain]);
        self.lab.run(Place::Lan, &command)?.success().map(drop)
    }
}
