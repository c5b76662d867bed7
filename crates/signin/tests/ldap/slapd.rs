//! slapd, with an own folder, ports, CA and people.

use certs::{Ca, Usage};
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

/// The name in its certificate.
pub(crate) const NAME: &str = "ldap.hq.example";

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
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    socket.local_addr().unwrap().port()
}

/// A server that ends with the test.
pub(crate) struct Slapd {
    /// Where it speaks ldap://, and StartTLS.
    pub(crate) port: u16,
    /// Where it speaks ldaps://.
    pub(crate) tls_port: u16,
    /// The CA of its certificate, in PEM.
    pub(crate) ca: String,
    folder: PathBuf,
    program: Option<Child>,
}

impl Slapd {
    /// One that knows the people of `people.ldif`; none where it is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !all_here(&["slapd", "ldapadd"]) {
            return None;
        }
        let [port, tls_port] = [(); 2].map(|()| free_port());
        let name = format!("gatehouse-ldap-{}-{port}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir(&folder).unwrap();
        fs::create_dir(folder.join("db")).unwrap();
        let now = SystemTime::now();
        let ca = Ca::create("Test", now).unwrap();
        let material = ca.issue(&[NAME], Usage::Server, now).unwrap();
        fs::write(folder.join("cert.pem"), &material.chain_pem).unwrap();
        fs::write(folder.join("key.pem"), material.key_pem.as_bytes()).unwrap();
        let config = include_str!("slapd.conf").replace("{folder}", folder.to_str().unwrap());
        fs::write(folder.join("slapd.conf"), config).unwrap();
        let mut slapd = Self {
            port,
            tls_port,
            ca: ca.root_pem().to_owned(),
            folder,
            program: None,
        };
        slapd.run();
        slapd.fill();
        Some(slapd)
    }

    /// Starts it, again if need be.
    pub(crate) fn run(&mut self) {
        let (port, tls_port) = (self.port, self.tls_port);
        let mut command = Command::new("/usr/sbin/slapd");
        command
            .args(["-d", "0", "-f"])
            .arg(self.folder.join("slapd.conf"));
        command.arg("-h");
        command.arg(format!(
            "ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
        ));
        let quiet = command.stdin(Stdio::null()).stdout(Stdio::null());
        self.program = Some(quiet.stderr(Stdio::null()).spawn().unwrap());
        let limit = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], tls_port))).is_err() {
            assert!(Instant::now() < limit, "slapd does not start");
            sleep(Duration::from_millis(50));
        }
    }

    /// Ends it.
    pub(crate) fn stop(&mut self) {
        if let Some(mut program) = self.program.take() {
            let _ = program.kill();
            let _ = program.wait();
        }
    }

    fn fill(&self) {
        let people = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/ldap/people.ldif");
        let mut command = Command::new("/usr/bin/ldapadd");
        command.args([
            "-x",
            "-D",
            "cn=admin,dc=hq,dc=example",
            "-w",
            "admin's",
            "-f",
            people,
        ]);
        command
            .arg("-H")
            .arg(format!("ldap://127.0.0.1:{}", self.port));
        let done = command.output().unwrap();
        assert!(
            done.status.success(),
            "{}",
            String::from_utf8_lossy(&done.stderr)
        );
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
