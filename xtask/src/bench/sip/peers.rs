//! The two servers, each with a configuration that does the same work.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::case::{Case, Way};
use super::targets::{PUMP, PUMP_TLS, SIP, SIP_TLS};
use crate::bench::SERVER_CORE;
use crate::bench::peers::certificate;
use crate::bench::server::Server;
use crate::run::gatehouse;

/// A server that is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Gatehouse,
    Haproxy,
}

impl Kind {
    /// Ours first.
    pub(super) const ALL: [Self; 2] = [Self::Gatehouse, Self::Haproxy];

    /// As the progress calls it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gatehouse => "gatehouse",
            Self::Haproxy => "haproxy",
        }
    }

    /// Where it takes the connections of a case.
    pub(super) fn port(self, case: Case) -> u16 {
        match (self, case.is_sip(), case.way()) {
            (Self::Gatehouse, true, Way::Plain) => 18460,
            (Self::Gatehouse, true, Way::Tls | Way::TlsToPlain) => 18461,
            (Self::Gatehouse, false, Way::Plain) => 18470,
            (Self::Gatehouse, false, Way::Tls | Way::TlsToPlain) => 18471,
            (Self::Haproxy, true, Way::Plain) => 18560,
            (Self::Haproxy, true, Way::Tls) => 18561,
            (Self::Haproxy, true, Way::TlsToPlain) => 18562,
            (Self::Haproxy, false, Way::Plain) => 18570,
            (Self::Haproxy, false, Way::Tls | Way::TlsToPlain) => 18571,
        }
    }
}

/// Files of both servers.
pub(super) struct Peers {
    dir: PathBuf,
}

impl Peers {
    /// Writes every file into `dir`; a server has to hold so many `connections` at once.
    pub(super) fn new(dir: &Path, connections: u64) -> Result<Self> {
        certificate(dir)?;
        fs::write(dir.join("gatehouse.toml"), include_str!("gatehouse.toml"))?;
        fs::write(dir.join("haproxy.cfg"), haproxy(dir, connections))?;
        Ok(Self {
            dir: dir.to_owned(),
        })
    }

    /// Starts one of them on the core of the servers.
    pub(super) fn start(&self, kind: Kind) -> Result<Server> {
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
            Kind::Haproxy => ["haproxy", "-db", "-f", &file("haproxy.cfg")]
                .map(str::to_owned)
                .to_vec(),
        };
        let address = SocketAddr::from(([127, 0, 0, 1], kind.port(Case::Register)));
        Server::start(kind.name(), address, SERVER_CORE, &command, &self.dir)
    }
}

/// TCP mode: nothing is looked at.
fn haproxy(dir: &Path, connections: u64) -> String {
    let port = |case| Kind::Haproxy.port(case);
    let bind = |case: Case| {
        let tls = match case.way() {
            Way::Plain => String::new(),
            Way::Tls | Way::TlsToPlain => {
                format!(" ssl crt {}/both.pem ssl-min-ver TLSv1.3", dir.display())
            }
        };
        format!("bind 127.0.0.1:{}{tls} backlog 4096", port(case))
    };
    let tls = "ssl verify none";
    let listens = [
        (Case::Register, SIP, ""),
        (Case::RegisterTls, SIP_TLS, tls),
        (Case::RegisterTlsTcp, SIP, ""),
        (Case::Pump, PUMP, ""),
        (Case::PumpTls, PUMP_TLS, tls),
    ]
    .map(|(case, target, more)| {
        let (name, bind) = (case.name(), bind(case));
        format!("listen {name}\n  {bind}\n  server one {target} {more}\n")
    });
    format!(
        "global
  nbthread 1
  maxconn {connections}
defaults
  mode tcp
  timeout client 24h
  timeout server 24h
  timeout connect 5s
{}",
        listens.concat()
    )
}
