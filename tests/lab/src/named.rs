//! named as a name server outside.

use std::fs;

use anyhow::Result;

use crate::{Lab, Place, Process};

/// A running named.
pub struct Named {
    process: Process,
    address: &'static str,
}

impl Named {
    /// Starts one outside that answers on port 53 of `address`; `options` are further ones of it, `more` its zones and keys, and
    /// `files` their files by name.
    pub fn start(
        lab: &Lab,
        address: &'static str,
        (options, more): (&str, &str),
        files: &[(&str, &str)],
    ) -> Result<Self> {
        let name = format!("named-{address}");
        let dir = lab.dir().join(&name);
        fs::create_dir_all(&dir)?;
        for (file, text) in files {
            fs::write(dir.join(file), text)?;
        }
        let config = format!(
            "options {{ directory \"{}\"; pid-file none; session-keyfile none; listen-on {{ {address}; }}; \
             listen-on-v6 {{ none; }}; recursion no; dnssec-validation no; {options} }};\ncontrols {{ }};\n{more}\n",
            dir.display()
        );
        let file = dir.join("named.conf");
        fs::write(&file, config)?;
        let file = file.display().to_string();
        let process = lab.spawn(Place::Internet, &name, &["named", "-g", "-c", &file])?;
        lab.wait_for_port(Place::Internet, &format!("{address}:53"))?;
        Ok(Self { process, address })
    }

    /// Everything it said until now.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// The TXT records of `name`.
    pub fn texts(&self, lab: &Lab, name: &str) -> Result<String> {
        let server = format!("@{}", self.address);
        let command = ["dig", &server, "+norec", "+short", "TXT", name];
        lab.run(Place::Internet, &command)?.success()
    }
}
