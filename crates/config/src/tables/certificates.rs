//! Which names need a certificate, and where it comes from.

use super::{Row, Table};
use crate::types::Config;

/// A name under which we speak TLS.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CertificateName {
    /// The name, in lower case.
    pub name: String,
    /// What needs it.
    pub wanted: Wanted,
    /// 1-based line of what needs it.
    pub line: u32,
    /// 1-based line of the `[[certificate]]` that covers it; `None`: the box's own CA does.
    pub certificate: Option<u32>,
}

/// What needs a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wanted {
    /// A host of the proxy.
    Host,
    /// The media relay.
    Turn,
    /// The admin pages.
    Admin,
}

impl Row for CertificateName {
    const HEADINGS: &'static [&'static str] = &["name", "for", "certificate"];

    fn cells(&self) -> Vec<String> {
        let wanted = match self.wanted {
            Wanted::Host => "host",
            Wanted::Turn => "turn",
            Wanted::Admin => "admin",
        };
        let wanted = format!("{wanted} (line {})", self.line);
        let certificate = self
            .certificate
            .map_or("own CA".to_owned(), |line| format!("line {line}"));
        vec![self.name.clone(), wanted, certificate]
    }
}

/// Every name under which we speak TLS, once each; passed-through hosts are not among them.
pub fn certificate_names(config: &Config) -> Table<CertificateName> {
    let mut rows: Vec<CertificateName> = Vec::new();
    let mut want = |name: &str, wanted: Wanted, line: u32| {
        if !rows.iter().any(|row| row.name == name) {
            let certificate = config
                .certificate_for(name)
                .map(|certificate| certificate.line);
            rows.push(CertificateName {
                name: name.to_owned(),
                wanted,
                line,
                certificate,
            });
        }
    };
    for host in &config.hosts {
        if host.speaks_tls() {
            want(&host.name.domain, Wanted::Host, host.line);
        }
    }
    if let Some(turn) = &config.turn {
        want(&turn.name.to_ascii_lowercase(), Wanted::Turn, turn.line);
    }
    want(&config.own_name(), Wanted::Admin, config.system.line);
    Table { rows }
}
