//! Which TLS connections are passed on without being decrypted.

use super::routes::TargetKey;
use config::{Config, Passthrough};
use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

/// All hosts whose TLS is passed through.
#[derive(Debug, Default)]
pub struct Passthroughs {
    by_name: HashMap<Box<str>, usize>,
    hosts: Vec<PassthroughHost>,
}

/// One of them.
#[derive(Debug)]
pub struct PassthroughHost {
    /// Its name, in lower case.
    pub name: Box<str>,
    /// Its line in the file.
    pub line: u32,
    /// Its position among them, for instruments kept beside them.
    pub index: usize,
    /// Where connections go.
    pub target: TargetKey,
    /// How long nothing may move; `None` takes the default.
    pub idle: Option<Duration>,
    /// An address that takes connections for this host alone.
    listen: Option<IpAddr>,
    /// Whether hellos without a name at `listen` are taken, too.
    default: bool,
}

/// What becomes of a TLS connection.
#[derive(Clone, Copy, Debug)]
pub enum TlsVerdict<'r> {
    /// Its bytes go to the host's target as they are.
    Pass(&'r PassthroughHost),
    /// It is decrypted, where there is a certificate.
    Terminate,
    /// It came to an address that is for another host alone.
    Refuse(&'r PassthroughHost),
}

impl Passthroughs {
    pub(super) fn new(config: &Config) -> Self {
        let mut all = Self::default();
        for host in &config.hosts {
            if let Some(rule) = &host.tls_passthrough {
                all.add(&host.name.domain, rule);
            }
        }
        all
    }

    fn add(&mut self, name: &str, rule: &Passthrough) {
        let name: Box<str> = name.to_ascii_lowercase().into();
        let index = self.hosts.len();
        self.by_name.insert(name.clone(), index);
        self.hosts.push(PassthroughHost {
            name,
            line: rule.line,
            index,
            target: TargetKey::plain(&rule.target, rule.target_proxy_protocol),
            idle: rule.idle_timeout,
            listen: rule.listen,
            default: rule.default,
        });
    }

    /// All of them, in the order of the file; [`PassthroughHost::index`] counts them.
    pub fn hosts(&self) -> &[PassthroughHost] {
        &self.hosts
    }

    /// The host of that name, in any case, with or without a dot at its end.
    pub fn host(&self, name: &str) -> Option<&PassthroughHost> {
        if self.hosts.is_empty() {
            return None;
        }
        let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
        let index = self.by_name.get(name.as_str())?;
        self.hosts.get(*index)
    }

    /// What becomes of a connection to our address `at` whose hello asks for `name`.
    ///
    /// A name is passed through wherever it comes in; an address of a host's own takes that name only,
    /// and hellos without one where the host is the default.
    pub fn decide(&self, name: Option<&str>, at: IpAddr) -> TlsVerdict<'_> {
        let named = name.and_then(|name| self.host(name));
        let own = self.hosts.iter().find(|host| host.listen == Some(at));
        match (named, own) {
            (Some(host), None) => TlsVerdict::Pass(host),
            (Some(host), Some(own)) if host.index == own.index => TlsVerdict::Pass(host),
            (None, Some(own)) if name.is_none() && own.default => TlsVerdict::Pass(own),
            (_, Some(own)) => TlsVerdict::Refuse(own),
            (None, None) => TlsVerdict::Terminate,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
        interface = \"eth1\"\naddresses = [\"192.0.2.4/24\", \"192.0.2.11/24\"]\n[admin]\nport = 8443\n[proxy]\nstandard_ports = true\n";

    fn passed(own: &str, default: bool, name: Option<&str>, at: &str) -> String {
        let text = format!(
            "{HEAD}[[host]]\nname = \"one.example\"\n[host.tls_passthrough]\ntarget = \"192.0.2.8:443\"\n{own}\n\
             default = {default}\n[[host]]\nname = \"two.example\"\n[host.tls_passthrough]\n\
             target = \"192.0.2.9:443\"\n"
        );
        let config = config::check(&text, "test.toml").unwrap().config;
        let all = Passthroughs::new(&config);
        match all.decide(name, at.parse().unwrap()) {
            TlsVerdict::Pass(host) => host.target.to_string(),
            TlsVerdict::Terminate => "terminate".to_owned(),
            TlsVerdict::Refuse(host) => format!("only {}", host.name),
        }
    }

    #[test]
    fn by_name_everywhere_and_by_address_for_one_alone() {
        let own = "listen = \"192.0.2.11\"";
        for (own, default, name, at, outcome) in [
            (own, true, Some("One.Example"), "192.0.2.4", "192.0.2.8:443"),
            (
                own,
                true,
                Some("one.example."),
                "192.0.2.11",
                "192.0.2.8:443",
            ),
            (own, true, None, "192.0.2.11", "192.0.2.8:443"),
            (own, false, None, "192.0.2.11", "only one.example"),
            (own, true, None, "192.0.2.4", "terminate"),
            (
                own,
                true,
                Some("two.example"),
                "192.0.2.11",
                "only one.example",
            ),
            (
                own,
                true,
                Some("web.example"),
                "192.0.2.11",
                "only one.example",
            ),
            (own, true, Some("two.example"), "192.0.2.4", "192.0.2.9:443"),
            (own, true, Some("web.example"), "192.0.2.4", "terminate"),
        ] {
            assert_eq!(passed(own, default, name, at), outcome, "{name:?} at {at}");
        }
    }
}
