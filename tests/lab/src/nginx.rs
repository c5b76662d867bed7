//! nginx as target: answers on the given addresses and writes down every request that arrives.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{Lab, Place, Process, wait_until};

/// A request as the target saw it.
#[derive(Clone, Debug)]
pub struct Request(Value);

impl Request {
    /// One of `at` (address:port), `method`, `uri`, `scheme`, or the name of a recorded header.
    pub fn get(&self, key: &str) -> &str {
        self.0[key].as_str().unwrap_or_default()
    }

    /// `at uri`, the pair most tests compare.
    pub fn place(&self) -> String {
        format!("{} {}", self.get("at"), self.get("uri"))
    }
}

/// A running nginx.
pub struct Nginx {
    process: Process,
    requests: PathBuf,
}

/// What is recorded beside the line of the request, as nginx calls its variables.
const RECORDED: &[&str] = &[
    "http_host",
    "http_connection",
    "http_cookie",
    "http_forwarded",
    "http_keep_alive",
    "http_te",
    "http_upgrade",
    "http_x_client_ip",
    "http_x_forwarded_for",
    "http_x_forwarded_host",
    "http_x_forwarded_proto",
    "http_x_real_ip",
    "http_x_remote_groups",
    "http_x_remote_user",
    "http_x_test",
    "proxy_protocol_addr",
    "ssl_client_s_dn",
    "ssl_client_serial",
    "ssl_protocol",
];

impl Nginx {
    /// Starts one at `place` that listens on `addresses`, `IP:PORT`, with ` ssl` after those for TLS and
    /// ` proxy_protocol` after those whose connections begin with a PROXY header.
    ///
    /// `/files/` serves the folder [`Nginx::folder`], `/slow/` the same at 200 kB/s; `/ws…` goes on to an
    /// [`Echo`](crate::Echo) at `127.0.0.1:7225`; every other path answers `ADDRESS:PORT PATH`.
    pub fn start(lab: &Lab, place: Place, addresses: &[&str]) -> Result<Self> {
        let dir = folder(lab, addresses)?;
        Self::run(lab, place, &dir, addresses, "")
    }

    /// As [`Nginx::start`]; it serves over TLS only clients with a certificate from `root`, a PEM file.
    pub fn start_asking(lab: &Lab, place: Place, addresses: &[&str], root: &Path) -> Result<Self> {
        let dir = folder(lab, addresses)?;
        let root = root.display();
        let asks = format!("    ssl_verify_client on;\n    ssl_client_certificate {root};\n");
        Self::run(lab, place, &dir, addresses, &asks)
    }

    /// As [`Nginx::start`]; it asks clients over TLS for a certificate, and takes any.
    pub fn start_taking_any(lab: &Lab, place: Place, addresses: &[&str]) -> Result<Self> {
        let dir = folder(lab, addresses)?;
        Self::run(
            lab,
            place,
            &dir,
            addresses,
            "    ssl_verify_client optional_no_ca;\n",
        )
    }

    fn run(lab: &Lab, place: Place, dir: &Path, addresses: &[&str], more: &str) -> Result<Self> {
        let name = dir.file_name().unwrap_or_default().to_string_lossy();
        let file = dir.join("nginx.conf");
        fs::write(
            &file,
            configuration(&dir.display().to_string(), addresses, more),
        )?;
        let file = file.display().to_string();
        let process = lab.spawn(
            place,
            &name,
            &["nginx", "-c", &file, "-p", &dir.display().to_string()],
        )?;
        for address in addresses {
            let address = address.split(' ').next().unwrap_or_default();
            lab.wait_for_port(place, address)?;
        }
        Ok(Self {
            process,
            requests: dir.join("requests.json"),
        })
    }

    /// The folder `/files/` and `/slow/` serve.
    pub fn folder(&self) -> PathBuf {
        self.requests.with_file_name("files")
    }

    /// Every request so far. nginx writes a line after it has answered: see [`Nginx::wait_for`].
    pub fn requests(&self) -> Result<Vec<Request>> {
        let text = fs::read_to_string(&self.requests).unwrap_or_default();
        let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole
            .lines()
            .map(|line| {
                Ok(Request(
                    serde_json::from_str(line).with_context(|| line.to_owned())?,
                ))
            })
            .collect()
    }

    /// Waits for a request to `uri` and returns all until then.
    pub fn wait_for(&self, uri: &str) -> Result<Vec<Request>> {
        wait_until(&format!("a request for {uri}"), || {
            Ok(self
                .requests()?
                .iter()
                .any(|request| request.get("uri") == uri))
        })?;
        self.requests()
    }

    /// Ends it; the addresses refuse connections from now on.
    pub fn stop(self) {
        drop(self.process);
    }
}

/// A folder of its own, with a certificate where `addresses` need one.
fn folder(lab: &Lab, addresses: &[&str]) -> Result<PathBuf> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("nginx-{}", NUMBER.fetch_add(1, Ordering::Relaxed));
    let dir = lab.dir().join(name);
    fs::create_dir_all(dir.join("files"))?;
    if addresses.iter().any(|address| address.contains(" ssl")) {
        self_signed(lab, &dir)?;
    }
    Ok(dir)
}

/// `more` are lines of the server.
fn configuration(dir: &str, addresses: &[&str], more: &str) -> String {
    let recorded: Vec<String> = RECORDED
        .iter()
        .map(|name| format!(r#""{name}":"${name}""#))
        .collect();
    let recorded = recorded.join(",");
    let listen: Vec<String> = addresses
        .iter()
        .map(|address| format!("    listen {address};"))
        .collect();
    let listen = listen.join("\n");
    let tls = if listen.contains(" ssl") {
        format!(
            "    ssl_certificate {dir}/target.pem;\n    ssl_certificate_key {dir}/target.key;\n"
        )
    } else {
        String::new()
    };
    format!(
        r#"daemon off;
master_process off;
user root;
pid {dir}/pid;
error_log {dir}/error.log;
events {{ worker_connections 4096; }}
http {{
  default_type text/plain;
  client_max_body_size 0;
  client_body_temp_path {dir}/body;
  keepalive_requests 1000000;
  large_client_header_buffers 8 64k;
  underscores_in_headers on;
  log_format record escape=json '{{"at":"$server_addr:$server_port","method":"$request_method","uri":"$request_uri","scheme":"$scheme","length":"$content_length",{recorded}}}';
  access_log {dir}/requests.json record;
  server {{
{listen}
{tls}{more}    location /files/ {{ alias {dir}/files/; }}
    location /slow/ {{ alias {dir}/files/; limit_rate 200k; }}
    location /ws {{
      proxy_pass http://127.0.0.1:7225;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      proxy_read_timeout 1h;
    }}
    location / {{ return 200 "$server_addr:$server_port $request_uri\n"; }}
  }}
}}
"#
    )
}

/// A certificate nobody signed, as PBXs have them from the factory.
pub(crate) fn self_signed(lab: &Lab, dir: &Path) -> Result<()> {
    let (chain, key) = (dir.join("target.pem"), dir.join("target.key"));
    let (chain, key) = (chain.display().to_string(), key.display().to_string());
    let name = "/CN=target.invalid";
    let curve = "ec_paramgen_curve:P-256";
    lab.run(
        Place::Lan,
        &[
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", curve, "-nodes", "-days", "2",
            "-subj", name, "-keyout", &key, "-out", &chain,
        ],
    )?
    .success()?;
    Ok(())
}
