//! Pebble, named, and what stands for the proxy.

use certs::{Answers, Ca, Material, Usage};
use net::tls::{proof_config, server_config};
use proto::tls::client_hello;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};

/// What a CA of the tests is called, and leads to.
pub(crate) const CA_NAME: &str = "ca.test";

/// Whether all of `programs` are here; says so and fails in CI where one is not.
pub(crate) fn all_here(programs: &[&str]) -> bool {
    let folders = ["/usr/bin", "/usr/sbin"];
    let is_here = |name: &&&str| folders.iter().any(|dir| Path::new(dir).join(name).exists());
    let Some(missing) = programs.iter().find(|name| !is_here(name)) else {
        return true;
    };
    let mut out = std::io::stderr();
    let _ = writeln!(out, "skipped: {missing} is not installed");
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    assert!(!in_ci, "{missing} is not installed");
    false
}

/// A port that nobody uses now.
pub(crate) fn free_port() -> u16 {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// A program that ends with the test.
pub(crate) struct Program(Child);

impl Program {
    fn start(command: &mut Command) -> Self {
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(quiet.stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that ends with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        let name = format!("gatehouse-acme-{}-{}", std::process::id(), free_port());
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Waits until somebody listens there.
pub(crate) async fn listens(address: SocketAddr) {
    let connected = async {
        while TcpStream::connect(address).await.is_err() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(Duration::from_secs(20), connected).await.unwrap();
}

/// The CA of the web servers of CAs, and a certificate of it for [`CA_NAME`].
pub(crate) fn web_ca() -> (Ca, Material) {
    let now = SystemTime::now();
    let ca = Ca::create("Test", now).unwrap();
    let material = ca.issue(&[CA_NAME], Usage::Server, now).unwrap();
    (ca, material)
}

/// A CA for tests, with the ports it looks for proofs at.
pub(crate) struct Pebble {
    pub(crate) directory: String,
    pub(crate) roots: String,
    pub(crate) http_port: u16,
    pub(crate) tls_port: u16,
    _programs: Vec<Program>,
    _folder: Folder,
}

impl Pebble {
    /// One that asks the name server at `dns`, or one of its own that leads all names here; `more` are further
    /// lines of its configuration.
    pub(crate) async fn start(dns: Option<SocketAddr>, more: &str) -> Self {
        let folder = Folder::new();
        let (ca, material) = web_ca();
        let certificate = folder.write("cert.pem", &material.chain_pem);
        let key = folder.write("key.pem", &material.key_pem);
        let [port, management, http_port, tls_port] = [(); 4].map(|()| free_port());
        let config = format!(
            r#"{{"pebble": {{
                "listenAddress": "127.0.0.1:{port}",
                "managementListenAddress": "127.0.0.1:{management}",
                "certificate": "{}", "privateKey": "{}",
                "httpPort": {http_port}, "tlsPort": {tls_port},
                "ocspResponderURL": "", {more}
                "retryAfter": {{"authz": 1, "order": 1}}
            }}}}"#,
            certificate.display(),
            key.display()
        );
        let config = folder.write("pebble.json", &config);
        let mut programs = Vec::new();
        let dns = match dns {
            Some(dns) => dns,
            None => {
                let dns = SocketAddr::from(([127, 0, 0, 1], free_port()));
                let mut command = Command::new("pebble-challtestsrv");
                command.args(["-http01", "", "-https01", "", "-tlsalpn01", ""]);
                command.args(["-defaultIPv6", "", "-management"]);
                command.args([
                    format!("127.0.0.1:{}", free_port()),
                    "-dns01".into(),
                    dns.to_string(),
                ]);
                programs.push(Program::start(&mut command));
                listens(dns).await;
                dns
            }
        };
        let mut command = Command::new("pebble");
        command
            .args(["-dnsserver", &dns.to_string(), "-config"])
            .arg(config);
        command.env("PEBBLE_WFE_NONCEREJECT", "20");
        command
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_AUTHZREUSE", "0");
        programs.push(Program::start(&mut command));
        listens(SocketAddr::from(([127, 0, 0, 1], port))).await;
        Self {
            directory: format!("https://{CA_NAME}:{port}/dir"),
            roots: ca.root_pem().to_owned(),
            http_port,
            tls_port,
            _programs: programs,
            _folder: folder,
        }
    }
}

/// Answers CAs as the proxy does, out of `answers`.
pub(crate) async fn answer(http: u16, tls: u16, answers: &Answers) {
    let pages = TcpListener::bind(("127.0.0.1", http)).await.unwrap();
    let table = answers.clone();
    tokio::spawn(async move {
        loop {
            let (io, _) = pages.accept().await.unwrap();
            tokio::spawn(show_page(io, table.clone()));
        }
    });
    let hellos = TcpListener::bind(("127.0.0.1", tls)).await.unwrap();
    let table = answers.clone();
    tokio::spawn(async move {
        loop {
            let (io, _) = hellos.accept().await.unwrap();
            tokio::spawn(shake(io, table.clone()));
        }
    });
}

async fn show_page(mut io: TcpStream, answers: Answers) {
    let head = head(&mut io).await;
    let path = head.split(' ').nth(1).unwrap_or_default();
    let host = head.lines().find_map(|line| line.strip_prefix("Host: "));
    let host = host
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    let (status, text) = match answers.http(host, path) {
        Some(text) => ("200 OK", text),
        None => ("404 Not Found", "nothing here".to_owned()),
    };
    let length = text.len();
    let page =
        format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{text}");
    let _ = io.write_all(page.as_bytes()).await;
    let _ = io.shutdown().await;
}

async fn head(io: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match io.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    String::from_utf8_lossy(&head).into_owned()
}

async fn shake(io: TcpStream, answers: Answers) {
    let mut hello = vec![0; 4096];
    let name = loop {
        let Ok(count @ 1..) = io.peek(&mut hello).await else {
            return;
        };
        match client_hello(&hello[..count]) {
            Ok(Some(hello)) => break hello.server_name.unwrap_or_default(),
            Ok(None) => sleep(Duration::from_millis(5)).await,
            Err(_) => return,
        }
    };
    let Some(key) = answers.tls(&name) else {
        return;
    };
    let config = proof_config((*key).clone(), certs::challenge::TLS_PROTOCOL).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    if let Ok(mut stream) = acceptor.accept(io).await {
        let _ = stream.shutdown().await;
    }
}

/// A CA of the test's own: it gives each path its answer, status line and fields first, and 404 to all others.
pub(crate) async fn scripted(pages: Vec<(&'static str, String)>) -> (String, String) {
    let (ca, material) = web_ca();
    let chooser = certs::Chooser::new(vec![material]).unwrap();
    let config = server_config(Arc::new(chooser), &[b"http/1.1"]).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        loop {
            let (io, _) = listener.accept().await.unwrap();
            let Ok(mut io) = acceptor.accept(io).await else {
                continue;
            };
            let head = head(&mut io).await;
            let path = head.split(' ').nth(1).unwrap_or_default();
            let page = pages.iter().find(|(own, _)| *own == path);
            let page = page.map_or("HTTP/1.1 404 Not Found\r\n\r\n", |(_, page)| page);
            let page = page.replace("{here}", &format!("https://{CA_NAME}:{port}"));
            let _ = io.write_all(page.as_bytes()).await;
            let _ = io.shutdown().await;
        }
    });
    (
        format!("https://{CA_NAME}:{port}"),
        ca.root_pem().to_owned(),
    )
}

/// A name server for `hq.example` and `acme.example` that takes updates from who holds the key `box.`, whose
/// secret is `secret` in base64.
pub(crate) struct Named {
    pub(crate) address: SocketAddr,
    _program: Program,
    _folder: Folder,
}

pub(crate) const SECRET: &str = "c2VjcmV0LW9mLXRoZS1ib3gtMDEyMzQ1Njc4OTAxMjM=";

impl Named {
    pub(crate) async fn start() -> Self {
        let folder = Folder::new();
        let port = free_port();
        let zone = |more: &str| {
            format!(
                "$TTL 1\n@ SOA ns.hq.example. admin.hq.example. 1 60 60 600 1\n@ NS ns.hq.example.\n\
                 @ A 127.0.0.1\n* A 127.0.0.1\n{more}\n"
            )
        };
        folder.write(
            "hq.zone",
            &zone("_acme-challenge.pbx CNAME pbx.acme.example.\npbx A 127.0.0.1"),
        );
        folder.write("acme.zone", &zone(""));
        // It follows aliases for the CA, but not out of this machine.
        folder.write("root.hint", ". 1 NS a.root.\na.root. 1 A 127.0.0.1\n");
        let dir = folder.0.display();
        let config = format!(
            r#"options {{ directory "{dir}"; recursion yes; listen-on port {port} {{ 127.0.0.1; }};
                listen-on-v6 {{ none; }}; pid-file none; session-keyfile none; dnssec-validation no; }};
            controls {{ }};
            key "box." {{ algorithm hmac-sha256; secret "{SECRET}"; }};
            key "other." {{ algorithm hmac-sha256; secret "{SECRET}"; }};
            zone "." {{ type hint; file "root.hint"; }};
            zone "hq.example" {{ type primary; file "hq.zone"; allow-update {{ key "box."; }}; }};
            zone "acme.example" {{ type primary; file "acme.zone"; allow-update {{ key "box."; }}; }};"#
        );
        let config = folder.write("named.conf", &config);
        let mut command = Command::new("/usr/sbin/named");
        let program = Program::start(command.args(["-f", "-4", "-c"]).arg(config));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        listens(address).await;
        Self {
            address,
            _program: program,
            _folder: folder,
        }
    }
}
