//! What directories need beside the configuration.

use std::collections::BTreeMap;

use config::{Access, AccessKind, Config, Login, SecretRef, Sso};
use guard::entrance::Typed;
use net::resolve::Names;
use thiserror::Error;

use super::Directory;

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Supplies {
    /// Secrets, by the names that the configuration calls them.
    pub secrets: BTreeMap<String, Typed>,
    /// Content of files that it names.
    pub files: BTreeMap<String, String>,
    /// Name servers and hosts file of this machine.
    pub names: Names,
}

/// A login that can not be asked; the configuration, a secret or a file is to blame.
#[derive(Debug, Error)]
#[error("access `{access}` of line {line}: {why}")]
pub struct Unusable {
    access: String,
    line: u32,
    why: String,
}

impl Supplies {
    /// The secret that `wanted` names.
    ///
    /// # Errors
    /// It was not handed over, in the operator's words.
    pub(crate) fn secret(&self, wanted: &SecretRef) -> Result<Typed, String> {
        let name = &wanted.name;
        let found = self.secrets.get(name).cloned();
        found.ok_or_else(|| {
            format!(
                "the secret `{name}` is not in the store; set it with `gatehouse secret set {name}`"
            )
        })
    }

    /// The content of a file.
    ///
    /// # Errors
    /// It was not handed over, in the operator's words.
    pub(crate) fn file(&self, name: &str) -> Result<&str, String> {
        let found = self.files.get(name);
        found
            .map(String::as_str)
            .ok_or_else(|| format!("the file {name} can not be read"))
    }
}

/// The secrets that logins of `config` need, each with the name of its access list.
pub fn secrets_wanted(config: &Config) -> Vec<(String, SecretRef)> {
    let mut wanted = Vec::new();
    for (access, sso) in logins(config) {
        let secret = match &sso.login {
            Login::Ldap(ldap) => ldap.account().map(|account| &account.password),
            Login::Radius(radius) => Some(&radius.shared),
            Login::Oidc(oidc) => Some(&oidc.client_key),
        };
        wanted.extend(secret.map(|secret| (access.name.clone(), secret.clone())));
    }
    wanted
}

/// The files that logins of `config` need.
pub fn files_wanted(config: &Config) -> Vec<String> {
    let files = logins(config).filter_map(|(_, sso)| match &sso.login {
        Login::Oidc(oidc) => oidc.issuer_ca.clone(),
        Login::Ldap(ldap) => ldap.ca_file().map(str::to_owned),
        Login::Radius(_) => None,
    });
    files.collect()
}

/// Whether every login of `config` can be asked, as far as that is seen without asking.
///
/// # Errors
/// [`Unusable`].
pub fn check(
    config: &Config,
    secrets: &BTreeMap<String, Typed>,
    files: &BTreeMap<String, String>,
) -> Result<(), Unusable> {
    let supplies = Supplies {
        secrets: secrets.clone(),
        files: files.clone(),
        names: Names::default(),
    };
    let own_name = config.own_name();
    for (access, sso) in logins(config) {
        Directory::new(sso, &own_name, &supplies).map_err(|why| Unusable {
            access: access.name.clone(),
            line: access.line,
            why,
        })?;
    }
    Ok(())
}

fn logins(config: &Config) -> impl Iterator<Item = (&Access, &Sso)> {
    config
        .access
        .iter()
        .filter_map(|access| match &access.kind {
            AccessKind::Sso(sso) => Some((access, &**sso)),
            _ => None,
        })
}
