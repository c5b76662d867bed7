//! Second factors of users who sign in: edge begins them and takes their codes, operators reset them, and here they are kept.

use super::FACTORS;
use super::steward::{Book, Shelf, Steward};
use crate::supervisor::operators::unix;
use control::{Actor, FactorsReset, Moment, Refusal, Role, SsoFactor, WhichFactors};
use guard::entrance::{Change, CodeUsed, Factor, FactorKey, Factors, Session};
use guard::totp::TotpSecret;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::time::sleep;

/// The time from one write to the next.
const PACE: Duration = Duration::from_secs(1);
/// The time after a write that failed.
const RETRY: Duration = Duration::from_mins(1);
/// For so many seconds a second factor is new, and of an access that asks for one.
const NEW: u64 = 60;

impl Steward {
    /// Takes in what edge says of second factors, and tells it what holds: one that there is is never replaced, and a step only grows.
    /// Whether the configuration has such an access, is looked at before it is kept.
    pub(super) fn heard_factors(
        &self,
        book: &mut Book,
        (factors, codes): (Vec<Factor>, Vec<CodeUsed>),
        now: u64,
    ) {
        let (mut is_news, mut changes) = (false, Vec::new());
        for mut factor in factors {
            if factor.check().is_err() {
                continue;
            }
            factor.confirmed = now;
            factor.used = factor.used.min(TotpSecret::last_step(now));
            let key = factor.key();
            is_news |= book.factors.begin(factor).is_ok();
            changes.push(match book.factors.get(&key) {
                Some(there) => Change::Factor(there.clone()),
                None => Change::FactorGone(key),
            });
        }
        for code in codes {
            is_news |= book.factors.used(&code, now);
        }
        self.tell(book, changes);
        if is_news {
            self.unkept_factors.send_replace(true);
        }
    }

    /// Who has a second factor, by access and user.
    ///
    /// # Errors
    /// Nobody knows.
    pub fn sso_factors(&self) -> Result<Vec<SsoFactor>, Refusal> {
        let book = self.lock();
        if !book.factors.is_known() {
            return Err(lost());
        }
        Ok(book.factors.iter().map(shown).collect())
    }

    /// Takes second factors away, and ends the sessions of who had them. It holds at once, also where it can not be kept.
    ///
    /// # Errors
    /// There is no such second factor; the actor may not; the disk's.
    pub async fn reset_factors(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        which: WhichFactors,
    ) -> Result<FactorsReset, Refusal> {
        let lists = shelf.totp_accesses().await;
        self.still(actor, Role::Operator)?;
        let (reset, ended, text) = match which {
            WhichFactors::One { access, user } => {
                let key = FactorKey::of(&access, &user);
                let gone = self.take_away(&key)?;
                let is_his =
                    |session: &Session| FactorKey::of(&session.access, &session.user) == key;
                let (ended, user) = (self.end_where(is_his).len(), gone.user);
                (
                    1,
                    ended,
                    format!("reset the second factor of {user} at {access}"),
                )
            }
            WhichFactors::All => {
                let gone = self.take_all_away();
                let is_one = |session: &Session| {
                    let key = FactorKey::of(&session.access, &session.user);
                    gone.contains(&key) || lists.contains(&*session.access)
                };
                let ended = self.end_where(is_one).len();
                (
                    gone.len(),
                    ended,
                    format!("reset all {} second factors", gone.len()),
                )
            }
        };
        self.porter.audit(actor, text);
        let kept = self.keep_factors(shelf).await;
        self.keep_sessions(shelf).await?;
        kept?;
        let (reset, ended) = (reset as u64, ended as u64);
        Ok(FactorsReset { reset, ended })
    }

    fn take_away(&self, key: &FactorKey) -> Result<Factor, Refusal> {
        let mut book = self.lock();
        if !book.factors.is_known() {
            return Err(lost());
        }
        let gone = book.factors.remove(key);
        let gone = gone.ok_or_else(|| {
            Refusal::not_found("there is no second factor of this user at this access")
        })?;
        self.tell(&book, vec![Change::FactorGone(key.clone())]);
        self.unkept_factors.send_replace(true);
        Ok(gone)
    }

    fn take_all_away(&self) -> BTreeSet<FactorKey> {
        let mut book = self.lock();
        let gone = std::mem::replace(&mut book.factors, Factors::none());
        self.tell(&book, vec![Change::NoFactors]);
        self.unkept_factors.send_replace(true);
        gone.iter().map(Factor::key).collect()
    }

    /// Keeps second factors, for as long as the box runs.
    pub(super) async fn tend_factors(&self, shelf: &impl Shelf) {
        let mut unkept = self.unkept_factors.subscribe();
        let mut is_kept = true;
        loop {
            // Whoever waits is one who can send: the channel stays open.
            let _ = unkept.wait_for(|unkept| *unkept).await.map(drop);
            self.drop_strays(&shelf.totp_accesses().await);
            let kept = self.keep_factors(shelf).await;
            let (was_kept, pace) = (is_kept, if kept.is_ok() { PACE } else { RETRY });
            is_kept = kept.is_ok();
            match kept {
                Err(refusal) if was_kept => self.journal.notice("entrance", refusal.message),
                _ => {}
            }
            sleep(pace).await;
        }
    }

    /// Keeps what is not kept yet.
    ///
    /// # Errors
    /// The disk's; it is kept later, then.
    pub async fn keep_factors(&self, shelf: &impl Shelf) -> Result<(), Refusal> {
        let _turn = self.changes.lock().await;
        if !self.unkept_factors.send_replace(false) {
            return Ok(());
        }
        let mut debt = Debt(self, true);
        let bytes = serde_json::to_vec(&self.lock().factors);
        let bytes = bytes.expect("names, words and numbers are JSON");
        let kept = shelf.keep(FACTORS, bytes, || Ok(())).await;
        kept.map(|()| debt.1 = false).map_err(|error| {
            Refusal::failed(format!(
                "second factors can not be kept: {error:#}; after a restart of the box they are as they were before"
            ))
        })
    }

    /// Drops those that began just now at an access that asks for none. Others may come back with an older configuration.
    fn drop_strays(&self, lists: &BTreeSet<String>) {
        let now = unix();
        let mut book = self.lock();
        let is_stray = |factor: &&Factor| {
            let is_new = factor.confirmed <= now && now - factor.confirmed < NEW;
            is_new && !lists.contains(&*factor.access)
        };
        let strays: Vec<_> = book
            .factors
            .iter()
            .filter(is_stray)
            .map(Factor::key)
            .collect();
        for key in &strays {
            book.factors.remove(key);
        }
        self.tell(&book, strays.into_iter().map(Change::FactorGone).collect());
    }
}

fn lost() -> Refusal {
    Refusal::conflict(
        "it is not known who has a second factor, since what was kept of them is lost; `gatehouse totp reset --all` has everybody begin anew",
    )
}

/// A second factor as the API has it.
fn shown(factor: &Factor) -> SsoFactor {
    let moment = |unix: u64| Moment(unix.saturating_mul(1000));
    SsoFactor {
        access: factor.access.to_string(),
        user: factor.user.to_string(),
        confirmed: moment(factor.confirmed),
        used: moment(TotpSecret::begin_of(factor.used)),
    }
}

/// What is about to be kept: where that does not come to its end, since it fails or nobody waits for it any more, it is still to be kept.
struct Debt<'s>(&'s Steward, bool);

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        if self.1 {
            self.0.unkept_factors.send_replace(true);
        }
    }
}
