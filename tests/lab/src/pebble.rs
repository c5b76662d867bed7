//! Pebble as the public CA of a site: outside, where the world sees the site as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::{Lab, Place, Process};

/// Where pebble serves its directory.
const PORT: u16 = 14_000;
/// Where a web server in front of it does, if there is one.
const FRONT: u16 = 14_001;
/// Where it asks for addresses.
const NAMES: &str = "127.0.0.1:8053";

/// A CA outside that finds every name at the site's public address, on ports 80 and 443, and refuses every fifth
/// nonce.
pub struct Pebble {
    process: Process,
    _names: Process,
    front: Option<Process>,
    dir: PathBuf,
    address: String,
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
        Self::begin(lab, more, resolver, 20)
    }

    /// The same behind nginx, which takes two orders a minute and refuses more as public CAs do. It refuses no nonce.
    pub fn start_limited(lab: &Lab) -> Result<Self> {
        let mut pebble = Self::begin(lab, "", NAMES, 0)?;
        let (dir, address) = (pebble.dir.display().to_string(), &pebble.address);
        let file = pebble.dir.join("front.conf");
        fs::write(&file, front(&dir, address))?;
        let command = ["nginx", "-c", &file.display().to_string(), "-p", &dir];
        pebble.front = Some(lab.spawn(Place::Internet, "pebble-front", &command)?);
        lab.wait_for_port(Place::Internet, &format!("{address}:{FRONT}"))?;
        Ok(pebble)
    }

    fn begin(lab: &Lab, more: &str, resolver: &str, nonces_refused: u32) -> Result<Self> {
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
        let process = run(lab, &file.display().to_string(), resolver, nonces_refused)?;
        lab.wait_for_port(Place::Internet, &format!("{address}:{PORT}"))?;
        Ok(Self {
            process,
            _names: names,
            front: None,
            dir,
            address: address.to_owned(),
            root: fs::read_to_string(chain)?,
        })
    }

    /// The address of its directory.
    pub fn directory(&self) -> String {
        let port = if self.front.is_some() { FRONT } else { PORT };
        format!("https://{}:{port}/dir", self.address)
    }

    /// The status of each order that reached the web server in front of it.
    pub fn orders(&self) -> String {
        let log = fs::read_to_string(self.dir.join("orders.log")).unwrap_or_default();
        log.lines().collect::<Vec<_>>().join(" ")
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

/// The web server in front of it: what it takes goes on, what is too much gets the words of RFC 8555 section 6.6.
fn front(dir: &str, address: &str) -> String {
    format!(
        r#"daemon off;
master_process off;
user root;
pid {dir}/front.pid;
error_log {dir}/front-error.log;
events {{ }}
http {{
  access_log off;
  log_format status '$status';
  limit_req_zone $server_name zone=orders:1m rate=2r/m;
  limit_req_status 429;
  server {{
    listen {address}:{FRONT} ssl;
    ssl_certificate {dir}/pebble.pem;
    ssl_certificate_key {dir}/pebble.key;
    server_name ca;
    proxy_set_header Host $http_host;
    location / {{ proxy_pass https://{address}:{PORT}; }}
    location = /order-plz {{
      limit_req zone=orders;
      error_page 429 @limited;
      access_log {dir}/orders.log status;
      proxy_pass https://{address}:{PORT};
    }}
    location @limited {{
      access_log {dir}/orders.log status;
      default_type application/problem+json;
      add_header Retry-After 30 always;
      return 429 '{{"type":"urn:ietf:params:acme:error:rateLimited","detail":"two orders a minute are enough"}}';
    }}
  }}
}}
"#
    )
}

fn run(lab: &Lab, config: &str, resolver: &str, nonces_refused: u32) -> Result<Process> {
    let nonces = format!("PEBBLE_WFE_NONCEREJECT={nonces_refused}");
    let command = [
        "env",
        &nonces,
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
