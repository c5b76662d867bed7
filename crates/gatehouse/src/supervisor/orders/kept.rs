//! What is kept of orders, each blob written whole: keys and what belongs to them are in one, so that they agree
//! after a power cut.

use crate::supervisor::journal::Journal;
use certs::KeyKind;
use certs::plan::Record;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use store::Store;

const ACCOUNTS: &str = "acme/accounts.json";
const PENDING: &str = "acme/pending.json";
const ISSUED: &str = "acme/issued.json";
const RECORDS: &str = "acme/records.json";
const TOLD: &str = "acme/told.json";

/// How often an order is taken up again that comes to nothing.
const MOST_RESUMES: u32 = 3;
/// Seconds for which it is.
const LONGEST_BEGUN: u64 = 24 * 3600;

/// All of it.
#[derive(Default)]
pub struct Kept {
    /// Who we are at CAs, by their address.
    pub accounts: BTreeMap<String, KeptAccount>,
    /// Keys for which there is no certificate yet, by names, CA and kind of key.
    pub pending: BTreeMap<String, Pending>,
    /// Certificates with their keys, by names, CA and kind of key: trying another CA takes nothing away from the first.
    pub issued: BTreeMap<String, Issued>,
    /// What happened, by names and CA: the CA counts it, whatever else is tried in between.
    pub records: BTreeMap<String, KeptRecord>,
    /// Of which ends of certificates the operator was told, by names: when it is, and the days that were left.
    pub told: BTreeMap<String, (u64, u64)>,
}

/// Who we are at a CA.
#[derive(Clone, Serialize, Deserialize)]
pub struct KeptAccount {
    /// The account key, PEM.
    pub key: String,
    /// What the CA calls the account.
    pub url: Option<String>,
}

/// A key for which a certificate was, or is about to be, ordered.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pending {
    /// The key, PEM.
    pub key: String,
    /// The request, DER.
    pub request: Vec<u8>,
    /// The CA's directory.
    pub directory: String,
    /// Its kind.
    pub kind: KeyKind,
    /// Whether the operator has asked for it, so that it does not wait for its time after a power cut either.
    #[serde(default)]
    pub by_hand: bool,
    /// The order at the CA, once there is one.
    pub begun: Option<String>,
    /// Since when there is.
    #[serde(default)]
    pub begun_at: u64,
    /// How often it was taken up again and came to nothing.
    #[serde(default)]
    pub resumes: u32,
    /// Whether a certificate came of it that can not be used.
    #[serde(default)]
    pub is_spoiled: bool,
}

impl Pending {
    /// The CA has this order since `now`.
    pub fn begin(&mut self, url: String, now: u64) {
        self.forget();
        self.begun = Some(url);
        self.begun_at = now;
    }

    /// The next order begins anew, with the same key.
    pub fn forget(&mut self) {
        self.begun = None;
        self.resumes = 0;
        self.is_spoiled = false;
    }

    /// Gives the order up where it is older than a day at `now`: nothing comes of it any more.
    pub fn forget_late(&mut self, now: u64) {
        if self.begun.is_some() && self.begun_at.abs_diff(now) > LONGEST_BEGUN {
            self.forget();
        }
    }

    /// It was taken up and came to nothing; whether it is given up now.
    pub fn fail(&mut self) -> bool {
        self.resumes += 1;
        let is_enough = self.resumes >= MOST_RESUMES;
        if is_enough {
            self.forget();
        }
        is_enough
    }
}

/// A certificate with its key.
#[derive(Clone, Serialize, Deserialize)]
pub struct Issued {
    /// Its chain, PEM.
    pub chain: String,
    /// Its key, PEM.
    pub key: String,
    /// Its names.
    pub names: Vec<String>,
    /// The directory of the CA that made it.
    pub directory: String,
    /// The kind of its key.
    pub kind: KeyKind,
}

/// What happened to the orders of a certificate.
#[derive(Clone, Default, Serialize, Deserialize)]
pub struct KeptRecord {
    /// What decides when the next is made.
    pub record: Record,
    /// Why the last one came to nothing, where it did.
    pub failure: Option<String>,
}

impl Kept {
    /// What an earlier run has left; what can not be read is laid aside and said.
    pub fn open(store: &mut Store, journal: &Journal) -> Self {
        let mut kept = Self {
            accounts: read(ACCOUNTS, store, journal),
            pending: read(PENDING, store, journal),
            issued: read(ISSUED, store, journal),
            records: read(RECORDS, store, journal),
            told: read(TOLD, store, journal),
        };
        // The power was cut when the certificate was kept, and its key was still among those that wait for one.
        let issued = &kept.issued;
        let has_come =
            |slot: &String, key: &str| issued.get(slot).is_some_and(|one| one.key == key);
        kept.pending.retain(|slot, one| !has_come(slot, &one.key));
        kept
    }

    /// # Errors
    /// The disk does not take it.
    pub fn write_accounts(&self, store: &mut Store) -> Result<(), String> {
        write(ACCOUNTS, &self.accounts, store)
    }

    /// # Errors
    /// The disk does not take it.
    pub fn write_pending(&self, store: &mut Store) -> Result<(), String> {
        write(PENDING, &self.pending, store)
    }

    /// # Errors
    /// The disk does not take it.
    pub fn write_issued(&self, store: &mut Store) -> Result<(), String> {
        write(ISSUED, &self.issued, store)
    }

    /// # Errors
    /// The disk does not take it.
    pub fn write_records(&self, store: &mut Store) -> Result<(), String> {
        write(RECORDS, &self.records, store)
    }

    /// # Errors
    /// The disk does not take it.
    pub fn write_told(&self, store: &mut Store) -> Result<(), String> {
        write(TOLD, &self.told, store)
    }
}

fn read<T: Default + DeserializeOwned>(name: &str, store: &mut Store, journal: &Journal) -> T {
    let kept = match store.blob(name) {
        Ok(kept) => kept,
        Err(error) => {
            journal.notice("certs", error.to_string());
            None
        }
    };
    let Some(kept) = kept else {
        return T::default();
    };
    serde_json::from_slice(&kept).unwrap_or_else(|error| {
        let damaged = name.replace(".json", ".damaged");
        let text = format!(
            "{name} is damaged ({error}) and lies in {damaged}; what was in it is ordered anew"
        );
        journal.notice("certs", text);
        if let Err(error) = store.set_blob(&damaged, &kept) {
            journal.notice("certs", error.to_string());
        }
        T::default()
    })
}

fn write<T: Serialize>(name: &str, content: &T, store: &mut Store) -> Result<(), String> {
    let bytes = serde_json::to_vec(content).map_err(|error| error.to_string())?;
    let written = store.set_blob(name, &bytes);
    written.map_err(|error| format!("{name} was not written: {error}"))
}
