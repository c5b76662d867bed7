//! Pebble as the public CA of a site: outside, where the world sees the site as it is.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};

use crate::{Lab, Place, Process};

/// Where pebble serves its directory.
const PORT: u16 = 14_000;
/// Where it asks for addresses.
const NAMES: &str = "127.0.0.1:8053";

/// A CA outside that finds every name at the site's public address, on ports 80 and 443, and refuses every fifth
/// nonce.
pub struct Pebble {
    process: Process,
    _names: Process,
    directory: String,
    root: String,
}

impl Pebble {
    /// Starts one; `more` are further lines of its configuration, each with a comma at its end.
    ///
    /// Needs the programs `pebble`, `pebble-challtestsrv` and `openssl`.
    pub fn start(lab: &Lab, more: &str) -> Result<Self> {
        Self::start_asking(lab, more, NAMES)
    }

    /// The same, but the CA asks the resolver at `resolver` outside what names mean.
    pub fn start_asking(lab: &Lab, more: &str, resolver: &str) -> Result<Self> {
        let dir = lab.dir().join("pebble");
        fs::create_dir_all(&dir)?;
        let outside = lab.site().segments.iter().find(|s| s.at == Place::Internet);
        let address = outside.and_then(|segment| segment.hosts.first());
        let address = address.context("the site has no address outside")?;
        let address = address.split('/').next().unwrap_or_default();
        let (chain, key) = certificate(lab, &dir, address)?;
        let config = format!(
            r#"{{"pebble": {{"listenAddress": "{address}:{PORT}",
                "managementListenAddress": "{address}:15000",
                "certificate": "{chain}", "privateKey": "{key}",
                "httpPort": 80, "tlsPort": 443, "ocspResponderURL": "", {more}
                "retryAfter": {{"authz": 1, "order": 1}}}}}}"#
        );
        let file = dir.join("pebble.json");
        fs::write(&file, config)?;
        let names = names(lab)?;
        let process = run(lab, &file.display().to_string(), resolver)?;
        lab.wait_for_port(Place::Internet, &format!("{address}:{PORT}"))?;
        Ok(Self {
            process,
            _names: names,
            directory: format!("https://{address}:{PORT}/dir"),
            root: fs::read_to_string(chain)?,
        })
    }

    /// The address of its directory.
    pub fn directory(&self) -> &str {
        &self.directory
    }

    /// What its web server is believed by, PEM.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Everything it said until now.
    pub fn log(&self) -> String {
        self.process.log()
    }

    /// Ends it: from now on the CA is down, and has forgotten everything.
    pub fn stop(self) {
        drop(self);
    }
}

/// Certificate and key of its web server; nobody has signed it, so that it is its own root.
fn certificate(lab: &Lab, dir: &Path, address: &str) -> Result<(String, String)> {
    let (chain, key) = (dir.join("pebble.pem"), dir.join("pebble.key"));
    let (chain, key) = (chain.display().to_string(), key.display().to_string());
    let named = format!("subjectAltName=IP:{address}");
    let fixed = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=pebble \
                 -addext basicConstraints=critical,CA:FALSE";
    let mut command: Vec<&str> = fixed.split_whitespace().collect();
    command.extend(["-addext", &named, "-keyout", &key, "-out", &chain]);
    lab.run(Place::Internet, &command)?.success()?;
    Ok((chain, key))
}

/// What it asks for addresses: all names lead to the site.
fn names(lab: &Lab) -> Result<Process> {
    let mut command = vec!["pebble-challtestsrv", "-dns01", NAMES];
    command.extend(["-management", "127.0.0.1:8055"]);
    for unused in ["-http01", "-https01", "-tlsalpn01", "-defaultIPv6"] {
        command.extend([unused, ""]);
    }
    command.extend(["-defaultIPv4", lab.site().public]);
    let process = lab.spawn(Place::Internet, "pebble-names", &command)?;
    lab.wait_for_port(Place::Internet, NAMES)?;
    Ok(process)
}

fn run(lab: &Lab, config: &str, resolver: &str) -> Result<Process> {
    let command = [
        "env",
        "PEBBLE_WFE_NONCEREJECT=20",
        "PEBBLE_VA_NOSLEEP=1",
        "PEBBLE_AUTHZREUSE=0",
        "pebble",
        "-dnsserver",
        resolver,
        "-config",
        config,
    ];
    lab.spawn(Place::Internet, "pebble", &command)
}
