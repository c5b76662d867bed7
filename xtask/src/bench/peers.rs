//! The servers that are compared, each with a configuration that does the same work.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use super::case::{LARGE, MIDDLE, SMALL};
use super::server::Server;
use super::{LOAD_CORE, SERVER_CORE};
use crate::run::gatehouse;

/// Where the targets listen: not at the address of the servers, of which one would take it for itself.
const TARGET: &str = "127.0.0.2:18080";
/// The target of WebSockets.
const ECHO: &str = "127.0.0.2:18081";

/// A server that is compared.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Gatehouse,
    Nginx,
    Haproxy,
}

impl Kind {
    /// Ours first, then those it is compared with.
    pub(crate) const ALL: [Self; 3] = [Self::Gatehouse, Self::Nginx, Self::Haproxy];

    /// As the progress calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gatehouse => "gatehouse",
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
        }
    }

    fn port(self) -> u16 {
        match self {
            Self::Gatehouse => 18453,
            Self::Nginx => 18454,
            Self::Haproxy => 18455,
        }
    }
}

/// What all servers need: files, a certificate, and running targets.
pub(crate) struct Peers {
    dir: PathBuf,
    _targets: [Server; 2],
}

impl Peers {
    /// Writes every file into `dir` and starts the targets.
    pub(crate) fn new(dir: &Path) -> Result<Self> {
        certificate(dir)?;
        fs::write(dir.join("gatehouse.toml"), include_str!("gatehouse.toml"))?;
        fs::write(dir.join("nginx.conf"), nginx_proxy(dir))?;
        fs::write(dir.join("haproxy.cfg"), haproxy(dir))?;
        Ok(Self {
            dir: dir.to_owned(),
            _targets: [target(dir)?, echo(dir)?],
        })
    }

    /// Where their files are.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Starts one of them on the core of the servers.
    pub(crate) fn start(&self, kind: Kind) -> Result<Server> {
        let file = |name: &str| self.dir.join(name).display().to_string();
        let command = match kind {
            Kind::Gatehouse => vec![
                gatehouse("release").display().to_string(),
                "run".to_owned(),
                "--config".to_owned(),
                file("gatehouse.toml"),
                "--state".to_owned(),
                file("state"),
            ],
            Kind::Nginx => vec!["nginx".to_owned(), "-c".to_owned(), file("nginx.conf")],
            Kind::Haproxy => ["haproxy", "-db", "-f", &file("haproxy.cfg")]
                .map(str::to_owned)
                .to_vec(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], kind.port()));
        Server::start(kind.name(), address, SERVER_CORE, &command, &self.dir)
    }

    /// A token that the access of a running Gatehouse lets in; the user whose password is guessed is made, too.
    pub(crate) fn token(&self) -> Result<String> {
        let state = self.dir.join("state").display().to_string();
        let ask = |arguments: &[&str], input: &str| {
            let mut command = Command::new(gatehouse("release"));
            command.args(arguments).args(["--state", &state]);
            typed(&mut command, input).with_context(|| arguments.join(" "))
        };
        if !ask(&["user", "list"], "")?.contains("guess") {
            ask(&["user", "add", "guess"], "correct horse battery\n")?;
        }
        let token = ask(&["token", "new", "--access", "token"], "")?;
        Ok(token.trim().to_owned())
    }

    /// What they say of themselves, in the order of [`Kind::ALL`].
    pub(crate) fn versions() -> Result<[String; 3]> {
        let nginx = said(Command::new("nginx").arg("-v"))?;
        let nginx = nginx.replace("nginx version: nginx/", "nginx ");
        Ok([our_version()?, nginx, haproxy_version()?])
    }
}

/// What Gatehouse says of itself.
pub(super) fn our_version() -> Result<String> {
    let ours = said(Command::new(gatehouse("release")).arg("--version"))?;
    Ok(ours.replace("gatehouse ", "Gatehouse "))
}

/// What HAProxy says of itself.
pub(super) fn haproxy_version() -> Result<String> {
    let haproxy = said(Command::new("haproxy").arg("-v"))?;
    let mut words = haproxy.split(['-', ' ']);
    let number = words.find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    Ok(format!("HAProxy {}", number.unwrap_or_default()))
}

/// What is behind the proxies: nginx with a small answer for every request, and two files.
fn target(dir: &Path) -> Result<Server> {
    let bodies = dir.join("bodies");
    fs::create_dir_all(&bodies)?;
    for (name, size) in [("16k", MIDDLE), ("10m", LARGE)] {
        fs::write(
            bodies.join(name),
            vec![b'x'; usize::try_from(size).expect("10 MiB fit into memory")],
        )?;
    }
    let body = "x".repeat(usize::try_from(SMALL).expect("128 fits"));
    let inside = format!(
        "server {{ listen {TARGET} backlog=4096; keepalive_requests 100000000; keepalive_timeout 1h;
         location / {{ return 200 \"{body}\"; }}
         location /bodies/ {{ root {}; sendfile on; open_file_cache max=10; }} }}",
        dir.display()
    );
    let file = dir.join("target.conf");
    fs::write(&file, nginx(dir, "target", &inside))?;
    let command = ["nginx", "-c", &file.display().to_string()].map(str::to_owned);
    Server::start("target", TARGET.parse()?, LOAD_CORE, &command, dir)
}

/// The target of WebSockets: this program once more.
fn echo(dir: &Path) -> Result<Server> {
    let program = std::env::current_exe()?.display().to_string();
    let command = [&program, "bench-echo", ECHO].map(str::to_owned);
    Server::start("echo", ECHO.parse()?, LOAD_CORE, &command, dir)
}

fn nginx_proxy(dir: &Path) -> String {
    let inside = format!(
        "upstream target {{ server {TARGET}; keepalive 128; keepalive_requests 100000000; }}
         upstream echo {{ server {ECHO}; }}
         proxy_max_temp_file_size 0;
         proxy_http_version 1.1;
         server {{
           listen 127.0.0.1:{port} ssl http2 backlog=4096;
           keepalive_requests 100000000;
           ssl_certificate {0}/cert.pem; ssl_certificate_key {0}/cert.key; ssl_protocols TLSv1.3;
           location / {{
             proxy_pass http://target;
             {FORWARDED}
             proxy_set_header Connection \"\";
           }}
           location /websocket {{
             proxy_pass http://echo;
             {FORWARDED}
             proxy_set_header Upgrade $http_upgrade;
             proxy_set_header Connection upgrade;
           }}
         }}",
        dir.display(),
        port = Kind::Nginx.port(),
    );
    nginx(dir, "nginx", &inside)
}

/// The fields that every proxy here tells the target.
const FORWARDED: &str = "proxy_set_header Host $http_host;
             proxy_set_header X-Real-IP $remote_addr;
             proxy_set_header X-Forwarded-For $remote_addr;
             proxy_set_header X-Forwarded-Proto $scheme;
             proxy_set_header X-Forwarded-Host $http_host;";

/// What every nginx here shares.
fn nginx(dir: &Path, name: &str, inside: &str) -> String {
    format!(
        "daemon off; worker_processes 1; pid {0}/{name}.pid; error_log {0}/{name}-error.log;
         events {{ worker_connections 8192; }}
         http {{ access_log off; client_body_temp_path {0}/{name}-body; proxy_temp_path {0}/{name}-proxy;
         {inside} }}\n",
        dir.display()
    )
}

fn haproxy(dir: &Path) -> String {
    format!(
        "global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
  timeout tunnel 60s
  http-reuse always
frontend tls
  bind 127.0.0.1:{} ssl crt {}/both.pem ssl-min-ver TLSv1.3 alpn h2,http/1.1 backlog 4096
  http-request set-header X-Real-IP %[src]
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend echo if {{ path /websocket }}
  default_backend target
backend target
  server one {TARGET} pool-max-conn 128
backend echo
  server one {ECHO}
",
        Kind::Haproxy.port(),
        dir.display()
    )
}

/// A certificate of the kind all three use: ECDSA P-256.
pub(super) fn certificate(dir: &Path) -> Result<()> {
    let (chain, key) = (dir.join("cert.pem"), dir.join("cert.key"));
    let out = Command::new("openssl")
        .args("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2".split(' '))
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

/// What a program writes that reads `input`.
fn typed(command: &mut Command, input: &str) -> Result<String> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes())?;
    drop(stdin);
    let out = child.wait_with_output()?;
    ensure!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    Ok(String::from_utf8(out.stdout)?)
}

/// The first line a program writes; nginx writes it to standard error.
fn said(command: &mut Command) -> Result<String> {
    let out = command.output().with_context(|| format!("{command:?}"))?;
    let text = String::from_utf8_lossy(&out.stdout) + String::from_utf8_lossy(&out.stderr);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
