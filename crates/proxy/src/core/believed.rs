//! Whose client certificates are believed, made of what the configuration names.

use super::routes::Routes;
use certs::{Clients, OWN_CA, Outdated, PemFile};
use config::{ClientTrust, Config};
use std::collections::BTreeMap;
use std::sync::Arc;
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
    let mut roots = pem_files(&trust.authorities, &authorities);
    let own = files.get(OWN_CA);
    // It is the box's own CA by what a file holds, not by what the file is called.
    let own = own.filter(|root| authorities.iter().any(|pem| certs::holds(pem, root)));
    let named = |pem| PemFile { name: OWN_CA, pem };
    roots.extend(own.map(|root| named(root)));
    let list = files.get(OWN_REVOKED).filter(|_| own.is_some());
    lists.extend(list.map(|list| named(list)));
    let clients = Clients::new(
        &roots,
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
    let mut trusts: Vec<_> = routes
        .iter()
        .flat_map(Routes::trusts)
        .map(|(_, trust)| Arc::clone(trust))
        .collect();
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

#[cfg(test)]
mod tests {
    use super::*;
    use certs::{Ca, Usage, Why};
    use std::time::Duration;

    #[test]
    fn the_own_root_is_known_under_the_name_of_a_file_as_well() {
        let now = SystemTime::now();
        let ca = Ca::create("Gatehouse gate", now).unwrap();
        let anna = ca
            .issue_for_client("anna", Duration::from_hours(24), now)
            .unwrap();
        let identity = ca.issue(&["gate"], Usage::Identity, now).unwrap();
        let list = ca.revocation_list(&[(anna.serial.clone(), now)], 1, now);
        let files = BTreeMap::from([
            ("root.pem".to_owned(), format!("\n{}", ca.root_pem())),
            (OWN_CA.to_owned(), ca.root_pem().to_owned()),
            (OWN_REVOKED.to_owned(), list.unwrap()),
        ]);
        for names in [
            &["root.pem"][..],
            &["root.pem", "own"],
            &["own", "root.pem"],
            &["own"],
        ] {
            let trust = ClientTrust {
                authorities: names.iter().map(|&name| name.to_owned()).collect(),
                ..ClientTrust::default()
            };
            let clients = believed(&trust, &files).unwrap();
            let why = |material: &certs::Material| {
                let chain = material.chain().unwrap();
                clients.verify(&chain[0], &[], now).unwrap_err().why
            };
            assert_eq!(why(&anna.material), Why::Revoked, "{names:?}");
            assert_eq!(why(&identity), Why::NotIssuedForClients, "{names:?}");
        }
    }
}
