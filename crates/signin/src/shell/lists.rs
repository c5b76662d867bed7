//! The access lists that ask for a login, by the hosts that use them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use config::{Access, AccessKind, Config, Login, LoginPage, Session, Sso};
use guard::entrance::SessionLimits;
use service::LiveSession;

use crate::core::page::{BACK_CHANNEL, CALLBACK};
use crate::core::standing::Standing;
use crate::directory::Directory;
use crate::directory::oidc::Oidc;

/// An access list that asks for a login.
pub(crate) struct List {
    pub(crate) name: String,
    /// The session that a login opens.
    pub(crate) session: Session,
    /// Whether a code of an app is asked for, too.
    pub(crate) totp: bool,
    /// Groups of which one is enough; empty: every user.
    pub(crate) groups: Vec<String>,
    /// Hosts with a rule that names it, in lower case.
    pub(crate) hosts: BTreeSet<String>,
    /// The first of them in the file, the one that a provider leads browsers back to.
    pub(crate) first_host: String,
    /// Whether its page may be shown within a page of these hosts.
    pub(crate) is_framed: bool,
    /// Who knows its users; or why there is nobody.
    pub(crate) directory: Result<Directory, String>,
    pub(crate) standing: Mutex<Standing>,
}

impl List {
    /// The provider at which its users sign in, if it is one.
    pub(crate) fn provider(&self) -> Option<&Oidc> {
        match &self.directory {
            Ok(Directory::Oidc(oidc)) => Some(oidc),
            _ => None,
        }
    }

    /// Whether a session is one of this list and neither idle for too long nor too old, `now` in Unix seconds.
    pub(crate) fn holds(&self, live: &LiveSession, now: u64) -> bool {
        let limits = SessionLimits {
            idle: self.session.idle,
            longest: self.session.longest,
        };
        *live.session().access == *self.name && limits.allow(live.session().begun, live.used(), now)
    }
}

/// All of them.
pub(crate) struct Lists {
    hosts: BTreeMap<String, Vec<Arc<List>>>,
    /// The port under which browsers outside reach all hosts over TLS.
    pub(crate) port: u16,
}

impl Lists {
    /// Those of `config`; `directory` makes what knows the users of one.
    pub(crate) fn new(
        config: &Config,
        mut directory: impl FnMut(&Access, &Sso) -> Result<Directory, String>,
    ) -> Self {
        let mut hosts: BTreeMap<String, Vec<Arc<List>>> = BTreeMap::new();
        for access in &config.access {
            let AccessKind::Sso(sso) = &access.kind else {
                continue;
            };
            let (users, is_framed) = users_of(config, &access.name);
            let list = Arc::new(List {
                name: access.name.clone(),
                session: sso.session.clone(),
                totp: sso.totp,
                groups: sso.groups.clone(),
                first_host: first_of(config, &users),
                hosts: users,
                is_framed,
                directory: directory(access, sso),
                standing: Mutex::default(),
            });
            for host in &list.hosts {
                hosts
                    .entry(host.clone())
                    .or_default()
                    .push(Arc::clone(&list));
            }
        }
        let port = config.site.public_ports.https;
        Self { hosts, port }
    }

    /// Those that a host uses; none: it has nothing to do with logins.
    pub(crate) fn of(&self, host: &str) -> &[Arc<List>] {
        self.hosts.get(host).map_or(&[], Vec::as_slice)
    }
}

/// What has to be entered at the providers of `config`: a sentence for each, with the line of its list.
///
/// Such a list that no rule names has no address.
pub fn to_enter(config: &Config) -> Vec<(u32, String)> {
    let lists = config.access.iter().filter_map(|access| {
        let AccessKind::Sso(sso) = &access.kind else {
            return None;
        };
        let users =
            matches!(sso.login, Login::Oidc(_)).then(|| users_of(config, &access.name).0)?;
        Some((access, first_of(config, &users)))
    });
    let named = lists.filter(|(_, host)| !host.is_empty());
    let told = named.map(|(access, host)| {
        let address = |path| public_address(config.site.public_ports.https, &host, path);
        let text = format!(
            "access.{}: its provider has to know the redirect address {} and the back-channel log-out address {}",
            access.name,
            address(CALLBACK),
            address(BACK_CHANNEL),
        );
        (access.line, text)
    });
    told.collect()
}

/// How browsers outside write the address of a page of a host, where they reach TLS at `port`.
pub(super) fn public_address(port: u16, host: &str, path: &str) -> String {
    match port {
        443 => format!("https://{host}{path}"),
        _ => format!("https://{host}:{port}{path}"),
    }
}

/// The first of these hosts in the file.
fn first_of(config: &Config, users: &BTreeSet<String>) -> String {
    let hosts = config.hosts.iter();
    let mut names = hosts.map(|host| host.name.domain.to_ascii_lowercase());
    names.find(|name| users.contains(name)).unwrap_or_default()
}

/// The hosts with a rule that names the list, and whether one of these rules shows the page to whoever asks.
fn users_of(config: &Config, list: &str) -> (BTreeSet<String>, bool) {
    let (mut hosts, mut always) = (BTreeSet::new(), false);
    for host in &config.hosts {
        for rule in &host.http {
            let mut named = rule.access.iter().chain(&rule.access_all);
            if named.any(|name| name == list) {
                hosts.insert(host.name.domain.to_ascii_lowercase());
                always |= rule.login_page == LoginPage::Always;
            }
        }
    }
    (hosts, always)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_provider_has_to_know_is_said() {
        let rules = |port: &str| {
            format!(
                r#"
schema = 1
[system]
hostname = "gate"
[network.lan]
trust = "inside"
interface = "lo"
addresses = ["192.0.2.1/24"]
[admin]
port = 9443
[site]
domain = "example.com"
public_ports = {{ https = {port} }}
[access.lan]
kind = "network"
from = ["192.0.2.0/24"]
[access.staff]
kind = "sso"
login = "oidc"
session = {{ domain = "example.com" }}
oidc = {{ issuer = "https://login.example.com", client = "gate", client_key = {{ secret = "oidc" }} }}
[[host]]
name = "open.example.com"
http = [{{ target = "http://10.0.0.1", access = ["lan"] }}]
[[host]]
name = "Wiki.example.com"
http = [{{ target = "http://10.0.0.1", access = ["staff"] }}]
[[host]]
name = "pbx.example.com"
http = [{{ target = "http://10.0.0.1", access_all = ["staff"] }}]
"#
            )
        };
        for (port, shown) in [("443", ""), ("8443", ":8443")] {
            let checked = config::check(&rules(port), "test").unwrap();
            let host = format!("https://wiki.example.com{shown}/.gatehouse/oidc");
            let text = format!(
                "access.staff: its provider has to know the redirect address {host}/callback and the back-channel log-out address {host}/logout"
            );
            assert_eq!(to_enter(&checked.config), [(17, text)]);
        }
    }
}
