//! The access lists that ask for a login, by the hosts that use them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use config::{Access, AccessKind, Config, LoginPage, Session, Sso};
use service::LiveSession;

use crate::core::standing::Standing;
use crate::directory::Directory;
use crate::directory::oidc::Oidc;

/// An access list that asks for a login.
pub(crate) struct List {
    pub(crate) name: String,
    /// The session that a login opens.
    pub(crate) session: Session,
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
        let begun = live.session().begun;
        *live.session().access == *self.name
            && now.saturating_sub(live.used()) < self.session.idle.as_secs()
            && now.saturating_sub(begun) < self.session.longest.as_secs()
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
