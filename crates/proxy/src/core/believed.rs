//! Whose client certificates are believed, made of what the configuration names.

use super::routes::Routes;
use certs::{Clients, OWN_CA, Outdated, PemFile};
use config::{ClientTrust, Config};
use std::collections::BTreeMap;
use std::time::SystemTime;

/// What the list of revoked certificates of the box's own CA is called among the files, where there is one. No file is.
pub const OWN_REVOKED: &str = "own\n";

/// Whose certificates `trust` believes, whose files are in `files`.
///
/// # Errors
/// The file that can not be used, and why.
pub fn believed(trust: &ClientTrust, files: &BTreeMap<String, String>) -> Result<Clients, String> {
    let texts = |names: &'_ [String]| {
        let text = |name: &String| {
            let pem = files.get(name);
            pem.ok_or_else(|| format!("{name}: the file is not at hand"))
        };
        names.iter().map(text).collect::<Result<Vec<_>, _>>()
    };
    let (authorities, revoked) = (texts(&trust.authorities)?, texts(&trust.revoked)?);
    let mut lists = pem_files(&trust.revoked, &revoked);
    let own = trust.authorities.iter().any(|name| name == OWN_CA);
    lists.extend(
        files
            .get(OWN_REVOKED)
            .filter(|_| own)
            .map(|pem| PemFile { name: OWN_CA, pem }),
    );
    let clients = Clients::new(
        &pem_files(&trust.authorities, &authorities),
        &lists,
        if trust.outdated_holds {
            Outdated::Accept
        } else {
            Outdated::Refuse
        },
    );
    clients.map_err(|error| error.to_string())
}

/// What the operator should know at `now` of the authorities of clients that `config` names, and of their lists.
pub fn client_problems(
    config: &Config,
    files: &BTreeMap<String, String>,
    now: SystemTime,
) -> Vec<String> {
    let routes = Routes::new(config, files);
    let hosts = routes.iter().flat_map(Routes::hosts);
    let mut trusts: Vec<_> = hosts.filter_map(|host| host.client_trust.clone()).collect();
    trusts.dedup();
    let problems = trusts.iter().map(|trust| believed(trust, files));
    let mut problems: Vec<String> = problems.flat_map(|clients| told(&clients, now)).collect();
    problems.sort();
    problems.dedup();
    problems
}

/// The same of those that were put together before, or could not be.
fn told<E: std::fmt::Display>(clients: &Result<Clients, E>, now: SystemTime) -> Vec<String> {
    match clients {
        Ok(clients) => clients.problems(now),
        Err(why) => vec![format!("client certificates are refused: {why}")],
    }
}

fn pem_files<'a>(names: &'a [String], texts: &[&'a String]) -> Vec<PemFile<'a>> {
    let files = names.iter().zip(texts);
    files.map(|(name, pem)| PemFile { name, pem }).collect()
}
