//! Certificates for clients from the box's own CA: what was issued, and what of it holds no more.

use super::Certificates;
use super::authority::MOST_ASIDE;
use super::export::{is_long_enough, sealed};
use crate::supervisor::backend::failed;
use crate::supervisor::gate::Gate;
use crate::supervisor::orders::clock_is_wrong;
use certs::{Ca, ForClient};
use config::{Config, Identity};
use control::{ClientCertificate, IssuedCertificate, Moment, NewClientCertificate, Refusal, Role};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::Store;

const REGISTER: &str = "ca/clients.json";
/// Certificates that are registered at a time.
const MOST: usize = 10_000;
const DAY: Duration = Duration::from_hours(24);
/// How long after its end one is forgotten, where there is no room: a clock that is a little fast costs nothing.
const LONG_OVER: Duration = Duration::from_hours(24 * 365);

/// What was issued for clients by one CA. All registers lie in one file: where the clock was wrong, an earlier CA comes back.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Register {
    /// The root that signed it: what another one signed is worth nothing.
    root: String,
    entries: Vec<Entry>,
    /// How many lists of revoked ones there were.
    lists: u64,
    /// The last of them, where something was revoked.
    #[serde(default)]
    list: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Entry {
    name: String,
    serial: String,
    /// Seconds since 1970, as the others.
    issued: u64,
    until: u64,
    revoked: Option<u64>,
}

impl Entry {
    /// Whether it has this serial number or name.
    fn is_meant(&self, which: &str) -> bool {
        let which = which.trim();
        let serial = which.replace(':', "").to_ascii_lowercase();
        self.serial == serial || self.name == which
    }
}

impl Register {
    /// What an earlier run has left of the CA whose root is `root`.
    ///
    /// # Errors
    /// It can not be read: without it, nobody knows who was revoked, so that nobody is let in by it.
    pub(super) fn open(store: &Store, root: &str) -> anyhow::Result<Self> {
        let mut kept = all(store)?.into_iter();
        Ok(kept.find(|kept| kept.root == root).unwrap_or_else(|| Self {
            root: root.to_owned(),
            ..Self::default()
        }))
    }

    fn write(self, store: &mut Store) -> Result<(), Refusal> {
        let mut kept = all(store).map_err(damaged)?;
        kept.retain(|other| other.root != self.root);
        kept.push(self);
        let over = kept.len().saturating_sub(MOST_ASIDE + 1);
        kept.drain(..over);
        let bytes = serde_json::to_vec(&kept).map_err(failed)?;
        store.set_blob(REGISTER, &bytes).map_err(failed)
    }

    fn add(&mut self, issued: &ForClient, now: u64) -> Result<(), Refusal> {
        if self.entries.len() >= MOST {
            // One that was revoked stays: a clock that goes back would let it in again.
            let is_over = |entry: &Entry| entry.until + LONG_OVER.as_secs() < now;
            self.entries
                .retain(|entry| entry.revoked.is_some() || !is_over(entry));
        }
        if self.entries.len() >= MOST {
            return Err(Refusal::conflict(format!(
                "{MOST} certificates for clients are registered, and none of them ended more than a year ago; issue the next one when one did"
            )));
        }
        self.entries.push(Entry {
            name: issued.material.names.join(" "),
            serial: issued.serial.clone(),
            issued: now,
            until: seconds(issued.validity.not_after),
            revoked: None,
        });
        Ok(())
    }

    fn meant(&self, which: &str) -> impl Iterator<Item = &Entry> {
        self.entries
            .iter()
            .filter(move |entry| entry.is_meant(which))
    }

    /// Revokes what has this serial number or name; which of these were not revoked before.
    fn revoke(&mut self, which: &str, ca: &Ca, now: u64) -> Result<Vec<Entry>, Refusal> {
        if self.meant(which).next().is_none() {
            let which = which.trim();
            return Err(Refusal::not_found(format!(
                "no certificate for {which} was issued here; `gatehouse certificate issued` shows all"
            )));
        }
        let mut revoked = Vec::new();
        for entry in &mut self.entries {
            if entry.revoked.is_none() && entry.is_meant(which) {
                entry.revoked = Some(now);
                revoked.push(entry.clone());
            }
        }
        // Also what has ended, by a clock that may be fast.
        let gone = self.entries.iter();
        let gone: Vec<_> = gone
            .filter_map(|entry| Some((entry.serial.clone(), at(entry.revoked?))))
            .collect();
        self.lists += 1;
        let list = ca.revocation_list(&gone, self.lists, at(now));
        self.list = Some(list.map_err(failed)?);
        Ok(revoked)
    }
}

impl Certificates {
    /// The list of what the box has revoked itself, in PEM, where it has; before that, its register must be readable.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn own_revoked(&self, store: &Store) -> anyhow::Result<Option<String>> {
        Ok(Register::open(store, self.root_pem())?.list)
    }
}

impl Gate {
    /// Issues a certificate for a client, whose key is not kept.
    ///
    /// # Errors
    /// The name can not be that of a certificate, or the passphrase is too short.
    pub(in crate::supervisor) async fn issue(
        &self,
        new: NewClientCertificate,
    ) -> Result<IssuedCertificate, Refusal> {
        let NewClientCertificate {
            name,
            days,
            passphrase,
        } = new;
        is_long_enough(&passphrase)?;
        let days = days.unwrap_or(NewClientCertificate::USUAL_DAYS);
        if !NewClientCertificate::DAYS.contains(&days) {
            return Err(Refusal::invalid(format!(
                "a certificate holds for 1 to {} days",
                NewClientCertificate::DAYS.end()
            )));
        }
        let (issued, entry) = self
            .with(|state| {
                self.hub.porter.still(&self.actor, Role::Admin)?;
                let now = SystemTime::now();
                is_no_name_of_ours(&state.running.config, &name)?;
                let certificates = &mut state.certificates;
                clock_is_right(certificates, now)?;
                let life = DAY * u32::from(days);
                let issued = certificates.ca.issue_for_client(&name, life, now);
                let issued = issued.map_err(|error| Refusal::invalid(error.to_string()))?;
                let register = Register::open(&state.store, certificates.root_pem());
                let mut register = register.map_err(damaged)?;
                register.add(&issued, seconds(now))?;
                let entry = register.entries.last().cloned();
                // What nobody knows of could never be revoked.
                register.write(&mut state.store)?;
                Ok((
                    issued,
                    entry.ok_or_else(|| failed("it was not registered"))?,
                ))
            })
            .await?;
        let text = format!(
            "issued a certificate for the client {name}, serial number {}",
            entry.serial
        );
        self.audit(text);
        Ok(IssuedCertificate {
            certificate: shown(entry),
            pkcs12: sealed(issued.material, passphrase).await?,
        })
    }

    /// What was issued for clients, the oldest first.
    ///
    /// # Errors
    /// The register can not be read.
    pub(in crate::supervisor) async fn issued(&self) -> Result<Vec<ClientCertificate>, Refusal> {
        let register = self
            .with(|state| Register::open(&state.store, state.certificates.root_pem()))
            .await
            .map_err(damaged)?;
        Ok(register.entries.into_iter().map(shown).collect())
    }

    /// Has certificates of clients hold no more, from the next request on; all that are meant, also those that were revoked before.
    ///
    /// # Errors
    /// None was issued that is meant, or the gate does not know of it yet.
    pub(in crate::supervisor) async fn revoke(
        &self,
        which: String,
    ) -> Result<Vec<ClientCertificate>, Refusal> {
        let gate = self.clone();
        let revoke = async move {
            let (revoked, all) = gate
                .with(|state| {
                    gate.still()?;
                    let register = Register::open(&state.store, state.certificates.root_pem());
                    let mut register = register.map_err(damaged)?;
                    let now = seconds(SystemTime::now());
                    let revoked = register.revoke(&which, &state.certificates.ca, now)?;
                    let all: Vec<_> = register.meant(&which).cloned().collect();
                    register.write(&mut state.store)?;
                    Ok::<_, Refusal>((revoked, all))
                })
                .await?;
            for one in &revoked {
                let text = format!(
                    "revoked the certificate of the client {}, serial number {}",
                    one.name, one.serial
                );
                gate.audit(text);
            }
            let unserved = gate.refresh_now().await;
            if !unserved.is_empty() {
                return Err(Refusal::failed(format!(
                    "it is revoked, but may be let in until the gate is told so: {}; repeat it",
                    unserved.join("; ")
                )));
            }
            Ok::<_, Refusal>(all.into_iter().map(shown).collect())
        };
        // To its end, also where nobody waits for it.
        tokio::spawn(revoke).await.map_err(failed)?
    }
}

/// Whether a client may have this name.
///
/// # Errors
/// The box shows it of itself, or publishes a host under it: a target that believes the box's CA would take the client for that.
/// What a wildcard of a certificate covers beyond that is free, as phones have their names below it.
fn is_no_name_of_ours(config: &Config, name: &str) -> Result<(), Refusal> {
    let hosts = config.hosts.iter().map(|host| host.name.domain.clone());
    let mut own: Vec<String> = hosts.collect();
    own.extend([config.own_name(), config.system.hostname.clone()]);
    if let Identity::Certificate(shown) = &config.proxy.identity {
        own.push(shown.clone());
        let found = config.certificate_for(shown);
        own.extend(found.into_iter().flat_map(|found| found.names.clone()));
    }
    let of_certificates = config.certificates.iter().flat_map(|one| &one.names);
    let exact = certs::normal_name(name);
    let is_ours = own.iter().any(|own| certs::matches_name(own, name))
        || of_certificates
            .into_iter()
            .any(|own| certs::normal_name(own) == exact);
    if is_ours {
        return Err(Refusal::conflict(format!(
            "{name} is a name of the box itself or of a host that it publishes; give the client a name of its own"
        )));
    }
    Ok(())
}

fn all(store: &Store) -> anyhow::Result<Vec<Register>> {
    let kept = store.blob(REGISTER)?;
    let kept = kept.map(|kept| serde_json::from_slice(&kept));
    Ok(kept.transpose()?.unwrap_or_default())
}

/// Whether one can be issued now.
///
/// # Errors
/// By the clock it is not the time of the CA: one of them is wrong, and what is issued would be so as well.
fn clock_is_right(certificates: &Certificates, now: SystemTime) -> Result<(), Refusal> {
    if certificates.is_valid(now) && !clock_is_wrong(seconds(now)) {
        return Ok(());
    }
    Err(Refusal::conflict(
        "by the clock, this is not the time of the box's own CA; set the clock right, or restart the box where it is right now, \
         and issue the certificate again",
    ))
}

fn shown(entry: Entry) -> ClientCertificate {
    let moment = |seconds: u64| Moment(seconds.saturating_mul(1000));
    ClientCertificate {
        name: entry.name,
        serial: entry.serial,
        issued: moment(entry.issued),
        expires: moment(entry.until),
        revoked: entry.revoked.map(moment),
    }
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn damaged(error: anyhow::Error) -> Refusal {
    Refusal::failed(format!("{REGISTER} can not be used: {error:#}"))
}

fn seconds(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_revoked_stays_so_whatever_the_clock_shows() {
        let folder = std::env::temp_dir().join(format!("gatehouse-reg-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        let now = SystemTime::now();
        let ca = Ca::create("gate", now).unwrap();
        let issue = |ca: &Ca, name: &str| ca.issue_for_client(name, DAY, now).unwrap();
        let (anna, bert) = (issue(&ca, "anna"), issue(&ca, "bert"));
        let mut register = Register::open(&store, ca.root_pem()).unwrap();
        for one in [&anna, &bert] {
            register.add(one, seconds(now)).unwrap();
        }
        // The clock is fast, and comes back.
        for (name, days) in [("anna", 30), ("bert", 36_500)] {
            let at = seconds(now + DAY * days);
            assert_eq!(register.revoke(name, &ca, at).unwrap().len(), 1);
        }
        register.write(&mut store).unwrap();
        // Another CA was in use meanwhile.
        let other = Ca::create("gate", now).unwrap();
        let mut of_other = Register::open(&store, other.root_pem()).unwrap();
        of_other.add(&issue(&other, "carl"), seconds(now)).unwrap();
        of_other.write(&mut store).unwrap();
        let kept = Register::open(&store, ca.root_pem()).unwrap();
        let file = |pem| certs::PemFile { name: "own", pem };
        let list = kept.list.clone().unwrap();
        let clients = certs::Clients::new(
            &[file(ca.root_pem())],
            &[file(&list)],
            certs::Outdated::Refuse,
        );
        let clients = clients.unwrap();
        for one in [anna, bert] {
            let chain = one.material.chain().unwrap();
            let why = clients.verify(&chain[0], &[], now).unwrap_err().why;
            assert_eq!(why, certs::Why::Revoked);
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_full_register_forgets_none_that_was_revoked() {
        let now = SystemTime::now();
        let entry = |until: u64, revoked: Option<u64>| Entry {
            name: "anna".to_owned(),
            serial: String::new(),
            issued: 0,
            until,
            revoked,
        };
        let at = seconds(now);
        let year = LONG_OVER.as_secs();
        let mut register = Register {
            entries: vec![entry(at - year / 2, None); MOST - 1],
            ..Register::default()
        };
        register.entries.push(entry(0, Some(1)));
        let ca = Ca::create("gate", now).unwrap();
        let issued = ca.issue_for_client("bert", DAY, now).unwrap();
        assert!(register.add(&issued, at).is_err());
        register.add(&issued, at + year).unwrap();
        assert_eq!(register.entries.len(), 2);
        assert_eq!(register.entries[0].revoked, Some(1));
    }
}
