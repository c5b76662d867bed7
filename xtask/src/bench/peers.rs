//! The servers that are compared, each with a configuration that does the same work.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{LOAD_CORE, SERVER_CORE};
use crate::run::gatehouse;

/// Where the target listens: not at the address of the servers, of which one would take it for itself.
const TARGET: &str = "127.0.0.2:18080";

/// A running server, ended when dropped.
pub(crate) struct Server {
    /// As the table calls it.
    pub(crate) name: &'static str,
    /// Its version, as it says itself.
    pub(crate) version: String,
    /// Its TLS port.
    pub(crate) port: u16,
    child: Child,
}

impl Server {
    /// The pid whose tree is measured.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked first: a server with children takes them along.
        let pid = i32::try_from(self.child.id()).expect("the kernel's pids fit into an i32");
        nix::sys::signal::kill(
            nix::unistd::Pid::from_raw(pid),
            nix::sys::signal::Signal::SIGTERM,
        )
        .ok();
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(5) && matches!(self.child.try_wait(), Ok(None))
        {
            thread::sleep(Duration::from_millis(20));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What is behind the proxies: nginx with 128 bytes for every request.
pub(crate) fn target(dir: &Path) -> Result<Server> {
    let file = dir.join("target.conf");
    let body = "x".repeat(128);
    let inside = format!(
        "server {{ listen {TARGET} backlog=4096; keepalive_requests 100000000;\n\
         location / {{ return 200 \"{body}\"; }} }}"
    );
    fs::write(&file, nginx(dir, "target", &inside))?;
    let command = ["nginx", "-c", &file.display().to_string()].map(str::to_owned);
    start("target", String::new(), TARGET, LOAD_CORE, &command, dir)
}

/// Gatehouse first, then those it is compared with.
pub(crate) fn all(dir: &Path) -> Result<Vec<Server>> {
    certificate(dir)?;
    Ok(vec![ours(dir)?, nginx_proxy(dir)?, haproxy(dir)?])
}

fn ours(dir: &Path) -> Result<Server> {
    let (file, program) = (dir.join("gatehouse.toml"), gatehouse("release"));
    fs::write(&file, include_str!("gatehouse.toml"))?;
    let version = first_line(Command::new(&program).arg("--version"))?;
    let (program, file) = (program.display().to_string(), file.display().to_string());
    let state = dir.join("state").display().to_string();
    let command = [&program, "run", "--config", &file, "--state", &state].map(ToString::to_string);
    start(
        "gatehouse",
        version.replace("gatehouse ", ""),
        "127.0.0.1:18453",
        SERVER_CORE,
        &command,
        dir,
    )
}

fn nginx_proxy(dir: &Path) -> Result<Server> {
    let file = dir.join("nginx.conf");
    let inside = format!(
        "upstream target {{ server {TARGET}; keepalive 128; keepalive_requests 100000000; }}
         server {{
           listen 127.0.0.1:18454 ssl backlog=4096;
           keepalive_requests 100000000;
           ssl_certificate {0}/cert.pem; ssl_certificate_key {0}/cert.key; ssl_protocols TLSv1.3;
           location / {{
             proxy_pass http://target;
             proxy_http_version 1.1;
             proxy_set_header Connection \"\";
             proxy_set_header Host $http_host;
             proxy_set_header X-Real-IP $remote_addr;
             proxy_set_header X-Forwarded-For $remote_addr;
             proxy_set_header X-Forwarded-Proto $scheme;
             proxy_set_header X-Forwarded-Host $http_host;
           }}
         }}",
        dir.display()
    );
    fs::write(&file, nginx(dir, "nginx", &inside))?;
    let out = Command::new("nginx").arg("-v").output()?;
    let version = String::from_utf8_lossy(&out.stderr)
        .trim()
        .replace("nginx version: nginx/", "");
    let command = ["nginx", "-c", &file.display().to_string()].map(str::to_owned);
    start(
        "nginx",
        version,
        "127.0.0.1:18454",
        SERVER_CORE,
        &command,
        dir,
    )
}

/// What every nginx here shares.
fn nginx(dir: &Path, name: &str, inside: &str) -> String {
    format!(
        "daemon off; worker_processes 1; pid {0}/{name}.pid; error_log {0}/{name}-error.log;
         events {{ worker_connections 4096; }}
         http {{ access_log off; client_body_temp_path {0}/{name}-body; proxy_temp_path {0}/{name}-proxy;
         {inside} }}\n",
        dir.display()
    )
}

fn haproxy(dir: &Path) -> Result<Server> {
    let file = dir.join("haproxy.cfg");
    let text = format!(
        "global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  http-reuse always
frontend tls
  bind 127.0.0.1:18455 ssl crt {}/both.pem ssl-min-ver TLSv1.3 backlog 4096
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend target
backend target
  server one {TARGET} pool-max-conn 128
",
        dir.display()
    );
    fs::write(&file, text)?;
    let line = first_line(Command::new("haproxy").arg("-v"))?;
    let version = line
        .split_whitespace()
        .nth(2)
        .unwrap_or_default()
        .to_owned();
    let command = ["haproxy", "-db", "-f", &file.display().to_string()].map(str::to_owned);
    start(
        "haproxy",
        version,
        "127.0.0.1:18455",
        SERVER_CORE,
        &command,
        dir,
    )
}

fn start(
    name: &'static str,
    version: String,
    address: &str,
    core: &str,
    command: &[String],
    dir: &Path,
) -> Result<Server> {
    let address: SocketAddr = address.parse()?;
    let is_open = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
    ensure!(!is_open(), "something listens at {address} already");
    let log = dir.join(format!("{name}.log"));
    let out = File::create(&log)?;
    let child = Command::new("taskset")
        .args(["-c", core])
        .args(command)
        .stdin(Stdio::null())
        .stdout(out.try_clone()?)
        .stderr(out)
        .spawn()
        .with_context(|| command.join(" "))?;
    let mut server = Server {
        name,
        version,
        port: address.port(),
        child,
    };
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_secs(30) {
        if is_open() {
            return Ok(server);
        }
        if server.child.try_wait()?.is_some() {
            break;
        }
        thread::sleep(Duration::from_millis(50));
    }
    bail!(
        "{name} did not start:\n{}",
        fs::read_to_string(log).unwrap_or_default()
    )
}

/// A certificate of the kind all three use: ECDSA P-256.
fn certificate(dir: &Path) -> Result<()> {
    let (chain, key) = (dir.join("cert.pem"), dir.join("cert.key"));
    let out = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
            "-days",
            "2",
        ])
        .args(["-subj", "/CN=bench.localhost", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&chain)
        .output()?;
    ensure!(
        out.status.success(),
        "openssl: {}",
        String::from_utf8_lossy(&out.stderr)
    );
    fs::write(
        dir.join("both.pem"),
        fs::read_to_string(chain)? + &fs::read_to_string(key)?,
    )?;
    Ok(())
}

fn first_line(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("{command:?}"))?;
    Ok(String::from_utf8_lossy(&out.stdout)
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned())
}
