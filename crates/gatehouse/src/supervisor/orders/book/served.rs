//! Which of the certificates that were issued is served, and for how long they are kept.

use super::{Book, Want};
use crate::supervisor::orders::judge::seconds;
use crate::supervisor::orders::kept::Issued;
use crate::supervisor::orders::want::{key, kind, slot};
use certs::Material;
use certs::plan::Life;
use config::{Certificate, CertificateSource};
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Certificates, keys and records that are kept though nobody names them any more: a configuration that comes back finds them.
const MOST_KEPT: usize = 64;
/// Seconds after which nothing that is noted of a certificate counts any more.
const LONGEST_MEMORY: u64 = 8 * 24 * 3600;

impl Book {
    /// What is served at `now` for a `[[certificate]]` of a public CA: the one that is as it is wanted, or another one of the same
    /// names that is valid still, or, until there is one, those for other names that cover some of them.
    pub fn materials(&self, certificate: &Certificate, now: u64) -> Vec<Material> {
        let CertificateSource::Acme(acme) = &certificate.source else {
            return Vec::new();
        };
        let (names, own) = (&certificate.names, key(&certificate.names));
        let wanted = slot(&own, &acme.directory, kind(acme));
        let until = |issued: &Issued| life(issued).map_or(0, |life| life.until);
        let material = |issued: &Issued| Material {
            names: issued.names.clone(),
            chain_pem: issued.chain.clone(),
            key_pem: issued.key.clone(),
            temporary: false,
            line: Some(certificate.line),
        };
        let same = self.kept.issued.iter().filter(|(at, _)| is_of(at, &own));
        let rank = |(at, issued): &(&String, &Issued)| {
            let until = until(issued);
            (until > now, **at == wanted, until)
        };
        if let Some((_, best)) = same.max_by_key(rank) {
            return vec![material(best)];
        }
        let covers_some = |issued: &&Issued| {
            let mut wanted = names.iter();
            wanted.any(|name| issued.names.iter().any(|known| certs::covers(known, name)))
        };
        let mut others: Vec<&Issued> = self.kept.issued.values().filter(covers_some).collect();
        // Of two for the same names the one of the CA that is wanted.
        others.sort_by_key(|issued| Reverse((issued.directory == acme.directory, until(issued))));
        let mut seen = BTreeSet::new();
        others.retain(|issued| seen.insert(key(&issued.names)));
        others.into_iter().map(material).collect()
    }

    /// The certificate that is as it is wanted.
    pub(super) fn fitting(&self, want: &Want) -> Option<&Issued> {
        self.kept.issued.get(&want.slot())
    }

    /// Forgets certificates that have ended and others took the place of, and of those that nobody names any more the ones
    /// that end first where there are too many; and what was noted of them.
    pub(super) fn forget_old(&mut self, now: u64) {
        let slots: BTreeSet<String> = self.wants.iter().map(Want::slot).collect();
        let is_missing = |want: &&Want| self.fitting(want).is_none();
        let missing: Vec<&Want> = self.wants.iter().filter(is_missing).collect();
        let others = self.kept.issued.iter().filter(|(at, _)| {
            // It is served until there is a better one.
            !slots.contains(*at) && !missing.iter().any(|want| is_of(at, &want.key))
        });
        let mut others: Vec<(u64, String)> = others
            .map(|(at, issued)| (life(issued).map_or(0, |life| life.until), at.clone()))
            .collect();
        others.sort();
        let excess = others.len().saturating_sub(MOST_KEPT);
        for (index, (until, at)) in others.into_iter().enumerate() {
            if index < excess || until < now {
                self.kept.issued.remove(&at);
            }
        }
        self.forget_records(now);
    }

    fn forget_records(&mut self, now: u64) {
        let places: BTreeSet<String> = self.wants.iter().map(Want::place).collect();
        let records = self.kept.records.iter();
        let others = records.filter(|(place, _)| !places.contains(*place));
        let mut others: Vec<(u64, String)> = others
            .map(|(place, kept)| (kept.record.last(), place.clone()))
            .collect();
        others.sort();
        let excess = others.len().saturating_sub(MOST_KEPT);
        for (index, (last, place)) in others.into_iter().enumerate() {
            if index < excess || last.saturating_add(LONGEST_MEMORY) < now {
                self.kept.records.remove(&place);
            }
        }
    }

    /// Forgets keys that nobody waits for where there are too many.
    pub(super) fn forget_pending(&mut self) {
        let slots: BTreeSet<String> = self.wants.iter().map(Want::slot).collect();
        let others = self.kept.pending.keys();
        let others: Vec<String> = others.filter(|at| !slots.contains(*at)).cloned().collect();
        let excess = others.len().saturating_sub(MOST_KEPT);
        for at in others.into_iter().take(excess) {
            self.kept.pending.remove(&at);
        }
    }
}

/// Whether what is kept under `slot` is for the names of `key`.
fn is_of(slot: &str, key: &str) -> bool {
    // No name holds a slash, and every directory does.
    let rest = slot.strip_prefix(key);
    rest.is_some_and(|rest| rest.starts_with(" https://") || rest.starts_with(" http://"))
}

pub(super) fn life(issued: &Issued) -> Option<Life> {
    let material = Material {
        names: Vec::new(),
        chain_pem: issued.chain.clone(),
        key_pem: String::new(),
        temporary: false,
        line: None,
    };
    let validity = certs::validity(&material).ok()?;
    Some(Life {
        from: seconds(validity.not_before),
        until: seconds(validity.not_after),
    })
}
