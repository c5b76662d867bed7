//! The box's own CA: kept, made, and chosen by what the clock shows.

use super::Certificates;
use crate::supervisor::journal::Journal;
use certs::Ca;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use store::Store;

/// Certificate and key of our CA, in one: they must agree after a power cut, too.
const AUTHORITY: &str = "ca/authority.json";
/// What it was where it could not be read.
const DAMAGED: &str = "ca/authority.damaged";
/// Those whose time it was not when they were needed: the clock may be wrong, and people have installed their roots.
const ASIDE: &str = "ca/authorities-before.json";
/// Those that are laid aside at a time.
pub(super) const MOST_ASIDE: usize = 8;
/// The certificate once more, for the operator to install.
const ROOT: &str = "ca/root.pem";

/// What is kept of our CA.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Authority {
    root_pem: String,
    key_pem: String,
}

impl Authority {
    fn of(ca: &Ca) -> Self {
        Self {
            root_pem: ca.root_pem().to_owned(),
            key_pem: ca.key_pem(),
        }
    }

    fn load(&self) -> anyhow::Result<Ca> {
        Ok(Ca::load(&self.root_pem, &self.key_pem)?)
    }

    fn write(&self, store: &mut Store) -> anyhow::Result<()> {
        store.set_blob(AUTHORITY, &serde_json::to_vec(self)?)?;
        Ok(())
    }
}

/// The one that is kept, or a new one at the first start.
///
/// # Errors
/// The store can not be read or written.
pub(super) fn open(store: &mut Store, hostname: &str, journal: &Journal) -> anyhow::Result<Ca> {
    let now = SystemTime::now();
    let Some(kept) = store.blob(AUTHORITY)? else {
        return create(store, hostname, now);
    };
    let error = match load(&kept) {
        Ok(ca) => return Ok(ca),
        Err(error) => error,
    };
    // Without it nothing would run, and nobody could mend it on a box.
    store.set_blob(DAMAGED, &kept)?;
    let text = format!(
        "the box's own CA is damaged ({error:#}) and lies in {DAMAGED}; there is a new one, whose root \
         has to be installed where the old one was"
    );
    journal.notice("certs", text);
    create(store, hostname, now)
}

impl Certificates {
    /// Takes another CA where the kept one is not valid at `now`: it was made while the clock was wrong, or the clock is wrong
    /// now, or it has come to its end. None is lost by that.
    ///
    /// # Errors
    /// The store can not be read or written.
    pub(super) fn keep_valid(
        &mut self,
        hostname: &str,
        store: &mut Store,
        now: SystemTime,
    ) -> anyhow::Result<()> {
        if self.is_valid(now) || self.take_back(store, now)? {
            return Ok(());
        }
        self.lay_aside(store)?;
        self.ca = create(store, hostname, now)?;
        self.is_another(store, "the box's own CA was not valid now; made a new one");
        Ok(())
    }

    pub(super) fn is_valid(&self, now: SystemTime) -> bool {
        is_valid(&self.ca, now)
    }

    /// Takes the one that was laid aside last and is valid at `now`; false where there is none.
    ///
    /// # Errors
    /// The store can not be read or written.
    fn take_back(&mut self, store: &mut Store, now: SystemTime) -> anyhow::Result<bool> {
        let aside = self.aside(store)?;
        let mut loaded = aside.iter().rev().filter_map(|one| one.load().ok());
        let Some(ca) = loaded.find(|ca| is_valid(ca, now)) else {
            return Ok(false);
        };
        self.lay_aside(store)?;
        Authority::of(&ca).write(store)?;
        self.ca = ca;
        self.is_another(
            store,
            "the box's own CA was not valid now; took the one of before that is",
        );
        Ok(true)
    }

    /// Keeps the one that is in use among those that were; before another is written over it.
    fn lay_aside(&self, store: &mut Store) -> anyhow::Result<()> {
        let mut aside = self.aside(store)?;
        let own = Authority::of(&self.ca);
        aside.retain(|one| *one != own);
        aside.push(own);
        let over = aside.len().saturating_sub(MOST_ASIDE);
        aside.drain(..over);
        store.set_blob(ASIDE, &serde_json::to_vec(&aside)?)?;
        Ok(())
    }

    fn aside(&self, store: &Store) -> anyhow::Result<Vec<Authority>> {
        let kept = store.blob(ASIDE)?.unwrap_or_else(|| b"[]".to_vec());
        Ok(serde_json::from_slice(&kept).unwrap_or_else(|error| {
            let text = format!("{ASIDE} can not be read ({error}), and is begun anew");
            self.journal.notice("certs", text);
            Vec::new()
        }))
    }

    fn is_another(&mut self, store: &mut Store, text: &str) {
        self.issued.clear();
        self.journal.notice("certs", text);
        self.show_root(store);
    }

    /// Lays the root where the operator finds it. It can be done without.
    pub(super) fn show_root(&self, store: &mut Store) {
        let root = self.ca.root_pem().as_bytes();
        if store
            .blob(ROOT)
            .is_ok_and(|kept| kept.as_deref() == Some(root))
        {
            return;
        }
        if let Err(error) = store.set_blob(ROOT, root) {
            self.journal
                .notice("certs", format!("{ROOT} was not written: {error}"));
        }
    }
}

fn is_valid(ca: &Ca, now: SystemTime) -> bool {
    let validity = ca.validity();
    (validity.not_before..=validity.not_after).contains(&now)
}

fn load(kept: &[u8]) -> anyhow::Result<Ca> {
    serde_json::from_slice::<Authority>(kept)?.load()
}

fn create(store: &mut Store, hostname: &str, now: SystemTime) -> anyhow::Result<Ca> {
    let name = format!("Gatehouse {hostname}");
    let name: String = name.chars().take(64).collect();
    let ca = Ca::create(&name, now)?;
    Authority::of(&ca).write(store)?;
    Ok(ca)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_damaged_ca_is_laid_aside_and_there_is_another() {
        let folder = std::env::temp_dir().join(format!("gatehouse-ca-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        store.set_blob(AUTHORITY, b"{\"root_pem\": \"").unwrap();
        let journal = Journal::new();
        Certificates::open(&mut store, "gate", Vec::new(), journal).unwrap();
        let kept = store.blob(AUTHORITY).unwrap().unwrap();
        assert!(load(&kept).is_ok());
        assert_eq!(store.blob(DAMAGED).unwrap().unwrap(), b"{\"root_pem\": \"");
        Certificates::open(&mut store, "gate", Vec::new(), Journal::new()).unwrap();
        assert_eq!(store.blob(AUTHORITY).unwrap().unwrap(), kept, "once");
        std::fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_clock_that_jumps_costs_no_ca() {
        let folder = std::env::temp_dir().join(format!("gatehouse-jump-{}", std::process::id()));
        let mut store = Store::open(&folder).unwrap().store;
        let journal = Journal::new();
        let mut certificates = Certificates::open(&mut store, "gate", Vec::new(), journal).unwrap();
        let root = certificates.root_pem().to_owned();
        let now = SystemTime::now();
        let years = |count: u32| Duration::from_hours(24 * 365) * count;
        let mut seen = Vec::new();
        for at in [now + years(70), now, now - years(30), now + years(70), now] {
            certificates.keep_valid("gate", &mut store, at).unwrap();
            let kept = store.blob(AUTHORITY).unwrap().unwrap();
            assert_eq!(load(&kept).unwrap().root_pem(), certificates.root_pem());
            let shown = store.blob(ROOT).unwrap().unwrap();
            assert_eq!(shown, certificates.root_pem().as_bytes());
            seen.push(certificates.root_pem().to_owned());
        }
        assert_eq!([&seen[1], &seen[4]], [&root; 2]);
        assert_eq!(seen[0], seen[3], "the one of that time is taken again");
        assert!(seen[0] != root && seen[2] != root && seen[0] != seen[2]);
        std::fs::remove_dir_all(folder).unwrap();
    }
}
