//! Second factors, as the data path sees them: their codes are taken here, and the supervisor keeps what was taken.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use guard::entrance::{CodeUsed, Factor, FactorKey, Factors, NoFactor};

/// How many second factors that began, or codes, travel in one message, which has an end.
const BATCH: usize = 128;
/// Wrong codes that cost no wait; a right one takes them back.
const FREE: u32 = 10;
/// The first wait; each is twice as long as the one before.
const FIRST_WAIT: u64 = 30;
/// The longest, in seconds. Who waits has the password already: it is not its owner alone who suffers from it, but he who guesses.
const LONGEST_WAIT: u64 = 3600;

/// What is known of the second factor of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactorStanding {
    /// He has one.
    There,
    /// He has none.
    None,
    /// Nobody knows; he must not be let in, and not begin one.
    Unknown,
}

/// What came of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeTaken {
    /// It was right, and is used up.
    Right,
    /// It was wrong, or used before.
    Wrong,
    /// It was not looked at: after so many wrong ones, so long is waited.
    Wait(Duration),
    /// There is no second factor any more.
    Gone,
}

/// All there are, and what the supervisor does not know of them yet: never more than there are.
#[derive(Debug, Default)]
pub(crate) struct LiveFactors {
    all: Factors,
    begun: BTreeSet<FactorKey>,
    used: BTreeMap<FactorKey, u64>,
    /// Wrong codes of those there are, and when the last was, in Unix seconds.
    wrong: HashMap<FactorKey, (u32, u64)>,
}

impl LiveFactors {
    pub(crate) fn standing(&self, key: &FactorKey) -> FactorStanding {
        match self.all.get(key) {
            _ if !self.all.is_known() => FactorStanding::Unknown,
            Some(_) => FactorStanding::There,
            None => FactorStanding::None,
        }
    }

    pub(crate) fn begin(&mut self, factor: Factor) -> Result<(), NoFactor> {
        let key = factor.key();
        self.all.begin(factor)?;
        self.begun.insert(key);
        Ok(())
    }

    pub(crate) fn take(&mut self, key: FactorKey, typed: &str, now: u64) -> CodeTaken {
        let Some(factor) = self.all.get(&key).filter(|_| self.all.is_known()) else {
            return CodeTaken::Gone;
        };
        // Where the clock was set back meanwhile, the wait begins now: else it would last until it is then again.
        let wrong = self.wrong.get_mut(&key);
        let wrong = wrong.map(|wrong| {
            wrong.1 = wrong.1.min(now);
            *wrong
        });
        let wait = wrong.map_or(0, |(count, last)| wait(count, last, now));
        if wait > 0 {
            return CodeTaken::Wait(Duration::from_secs(wait));
        }
        let Some(step) = factor.secret.step_of(typed, now, factor.used) else {
            let count = wrong.map_or(0, |(count, _)| count).saturating_add(1);
            self.wrong.insert(key, (count, now));
            return CodeTaken::Wrong;
        };
        self.wrong.remove(&key);
        let code = CodeUsed { key, step };
        self.all.used(&code, now);
        self.used.insert(code.key, step);
        CodeTaken::Right
    }

    /// The supervisor says which there are. What it does not know yet stays, and no code that was taken here is taken again.
    pub(crate) fn publish(&mut self, whole: Factors) {
        let own = std::mem::replace(&mut self.all, whole);
        for factor in own.iter() {
            let key = factor.key();
            if self.begun.contains(&key) {
                // Where there is one meanwhile, it stays.
                let _ = self.all.begin(factor.clone());
            }
            self.catch_up(factor);
        }
        let all = &self.all;
        self.begun.retain(|key| all.get(key).is_some());
        self.used.retain(|key, _| all.get(key).is_some());
        self.wrong.retain(|key, _| all.get(key).is_some());
    }

    /// The supervisor says how one is.
    pub(crate) fn set(&mut self, factor: Factor) {
        let key = factor.key();
        self.begun.remove(&key);
        let own = self.all.remove(&key);
        self.all.put(factor);
        if let Some(own) = own {
            self.catch_up(&own);
        }
    }

    /// The supervisor says that one is gone.
    pub(crate) fn forget(&mut self, key: &FactorKey) {
        self.all.remove(key);
        self.begun.remove(key);
        self.used.remove(key);
        self.wrong.remove(key);
    }

    /// The supervisor says that nobody has one.
    pub(crate) fn forget_all(&mut self) {
        *self = Self {
            all: Factors::none(),
            ..Self::default()
        };
    }

    /// What the supervisor does not know yet, as much as fits into a message.
    pub(crate) fn take_news(&mut self) -> (Vec<Factor>, Vec<CodeUsed>) {
        let mut factors = Vec::new();
        while factors.len() < BATCH
            && let Some(key) = self.begun.pop_first()
        {
            factors.extend(self.all.get(&key).cloned());
        }
        let mut codes = Vec::new();
        while codes.len() < BATCH
            && let Some((key, step)) = self.used.pop_first()
        {
            codes.push(CodeUsed { key, step });
        }
        (factors, codes)
    }

    /// Whether there is more to tell.
    pub(crate) fn has_news(&self) -> bool {
        !self.begun.is_empty() || !self.used.is_empty()
    }

    /// Takes no code again that `own`, which was here before, has taken.
    fn catch_up(&mut self, own: &Factor) {
        let key = own.key();
        let is_same = |factor: &Factor| factor.secret == own.secret;
        if self.all.get(&key).is_some_and(is_same) {
            let step = own.used;
            self.all.used(&CodeUsed { key, step }, u64::MAX);
        }
    }
}

/// How many seconds are still to be waited after so many wrong codes. Where the clock was set back, it is the whole wait.
fn wait(count: u32, last: u64, now: u64) -> u64 {
    let Some(beyond) = count.checked_sub(FREE) else {
        return 0;
    };
    let whole = FIRST_WAIT.saturating_mul(1_u64.checked_shl(beyond).unwrap_or(u64::MAX));
    whole
        .min(LONGEST_WAIT)
        .saturating_sub(now.saturating_sub(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use guard::totp::TotpSecret;

    const NOW: u64 = 1_800_000_000;

    fn factor(user: &str, number: u8) -> Factor {
        Factor {
            access: "staff".into(),
            user: user.into(),
            secret: TotpSecret::new([number; 20]),
            confirmed: NOW,
            used: NOW / 30,
        }
    }

    fn key(user: &str) -> FactorKey {
        FactorKey::of("staff", user)
    }

    fn known() -> LiveFactors {
        let mut live = LiveFactors::default();
        live.publish(Factors::none());
        live
    }

    fn code(number: u8, now: u64) -> String {
        TotpSecret::new([number; 20]).code_at(now)
    }

    #[test]
    fn nobody_has_one_or_none_before_it_is_told() {
        let mut live = LiveFactors::default();
        assert_eq!(live.standing(&key("anna")), FactorStanding::Unknown);
        assert_eq!(live.begin(factor("anna", 1)), Err(NoFactor::Unknown));
        assert_eq!(live.take(key("anna"), &code(1, NOW), NOW), CodeTaken::Gone);
        live.publish(Factors::none());
        assert_eq!(live.standing(&key("anna")), FactorStanding::None);
        live.begin(factor("anna", 1)).unwrap();
        assert_eq!(live.standing(&key("ANNA")), FactorStanding::There);
        assert_eq!(live.begin(factor("Anna", 2)), Err(NoFactor::There));
    }

    #[test]
    fn a_code_is_taken_once_and_told() {
        let mut live = known();
        live.begin(factor("anna", 1)).unwrap();
        let later = NOW + 60;
        let typed = code(1, later);
        // That of the beginning is used up.
        assert_eq!(live.take(key("anna"), &code(1, NOW), NOW), CodeTaken::Wrong);
        assert_eq!(live.take(key("anna"), &typed, later), CodeTaken::Right);
        assert_eq!(live.take(key("HQ\\anna"), &typed, later), CodeTaken::Wrong);
        let (factors, codes) = live.take_news();
        assert_eq!((factors.len(), factors[0].used), (1, later / 30));
        let step = later / 30;
        assert_eq!(
            codes,
            [CodeUsed {
                key: key("anna"),
                step
            }]
        );
        assert!(!live.has_news());

        // Told anew by a supervisor that lags behind, it is still used up.
        let mut whole = Factors::none();
        whole.begin(factor("anna", 1)).unwrap();
        live.publish(whole);
        assert_eq!(live.take(key("anna"), &typed, later), CodeTaken::Wrong);
        live.set(factor("anna", 1));
        assert_eq!(live.take(key("anna"), &typed, later), CodeTaken::Wrong);
        // What begins anew is another.
        live.set(factor("anna", 2));
        assert_eq!(
            live.take(key("anna"), &code(2, later), later),
            CodeTaken::Right
        );
    }

    #[test]
    fn who_guesses_waits_and_the_right_code_forgives() {
        let mut live = known();
        live.begin(factor("anna", 1)).unwrap();
        let mut now = NOW + 600;
        for _ in 0..FREE {
            assert_eq!(live.take(key("anna"), "1", now), CodeTaken::Wrong);
        }
        for wait in [30, 60, 120, 240, 480, 960, 1920, 3600, 3600] {
            let waits = CodeTaken::Wait(Duration::from_secs(wait));
            assert_eq!(live.take(key("anna"), &code(1, now), now), waits);
            now += wait;
            assert_eq!(live.take(key("anna"), "1", now), CodeTaken::Wrong);
        }
        now += 3600;
        assert_eq!(live.take(key("anna"), &code(1, now), now), CodeTaken::Right);
        assert_eq!(live.take(key("anna"), "1", now), CodeTaken::Wrong);
        assert_eq!(live.wrong.len(), 1);
        live.forget(&key("anna"));
        assert!(live.wrong.is_empty() && !live.has_news());
    }

    #[test]
    fn what_the_supervisor_does_not_know_yet_stays_and_what_it_has_reset_is_gone() {
        let mut live = known();
        live.begin(factor("anna", 1)).unwrap();
        live.publish(Factors::none());
        assert_eq!(live.standing(&key("anna")), FactorStanding::There);
        assert_eq!(live.take_news().0.len(), 1);
        live.set(factor("anna", 1));
        live.begin(factor("bert", 2)).unwrap();
        live.forget(&key("bert"));
        assert!(!live.has_news());
        live.publish(Factors::none());
        assert_eq!(live.standing(&key("anna")), FactorStanding::None);
        live.publish(Factors::unknown());
        live.forget_all();
        assert_eq!(live.standing(&key("anna")), FactorStanding::None);
    }

    #[test]
    fn what_is_told_has_an_end() {
        let mut live = known();
        for number in 0..3 * BATCH {
            live.begin(factor(&number.to_string(), 1)).unwrap();
        }
        let mut told = 0;
        while live.has_news() {
            let (factors, _) = live.take_news();
            assert!(factors.len() <= BATCH);
            told += factors.len();
        }
        assert_eq!(told, 3 * BATCH);
    }
}
