//! Who may enter, as the data path sees it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use guard::entrance::{
    Change, Factor, FactorKey, LiveToken, NewSession, NoFactor, Roll, Session, SessionNews,
    TEXT_BYTES, TokenHash, TokenId, Typed, UnfitSession, VisitorHash, session_text,
};
use guard::operators::UserName;
use thiserror::Error;
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep_until};
use zeroize::Zeroizing;

use crate::live_factors::{CodeTaken, FactorStanding, LiveFactors};
use crate::live_sessions::{LiveSession, LiveSessions};

/// How many passwords wait at most to be kept in a better form; there is another chance at the next login.
const OUTDATED: usize = 16;
/// How often it is told when sessions were used.
const USED: Duration = Duration::from_mins(1);

/// Visitors, tokens, sessions and second factors, looked up on requests. Cloning is cheap, clones are the same.
///
/// Until it is told the first [`Roll`], there is nobody in it. A change costs as much as it is long, not as
/// there are tokens.
#[derive(Clone, Debug)]
pub struct RollWatch {
    book: Arc<RwLock<Book>>,
    losses: watch::Sender<u64>,
    outdated: mpsc::Sender<Outdated>,
    news: Arc<Notify>,
}

/// A visitor whose password was right, while its hash is one that is to be made anew.
pub struct Outdated {
    /// Who it is.
    pub user: UserName,
    /// What he typed.
    pub password: Typed,
}

/// What the supervisor is to know of sessions and second factors, as a [`RollWatch`] has it.
#[derive(Debug)]
pub struct SessionReport {
    watch: RollWatch,
    due: Option<Instant>,
}

/// Why no session begins.
#[derive(Debug, Error)]
pub enum SessionFault {
    /// It can be none; the directory that named the user is to blame.
    #[error(transparent)]
    Unfit(#[from] UnfitSession),
    /// The system's.
    #[error("there is no randomness for a session: {0}")]
    Randomness(#[from] getrandom::Error),
}

#[derive(Debug, Default)]
struct Book {
    visitors: HashMap<UserName, Known>,
    tokens: HashMap<TokenHash, LiveToken>,
    hashes: HashMap<TokenId, TokenHash>,
    sessions: LiveSessions,
    factors: LiveFactors,
    /// The number of the last password.
    passwords: u64,
}

#[derive(Debug)]
struct Known {
    hash: VisitorHash,
    version: u64,
}

impl RollWatch {
    /// One without anybody in it, and where it says whose password is to be kept in a better form, and what became of sessions.
    pub fn new() -> (Self, mpsc::Receiver<Outdated>, SessionReport) {
        let (outdated, receiver) = mpsc::channel(OUTDATED);
        let watch = Self {
            book: Arc::default(),
            losses: watch::Sender::new(0),
            outdated,
            news: Arc::default(),
        };
        let report = SessionReport {
            watch: watch.clone(),
            due: None,
        };
        (watch, receiver, report)
    }

    /// A token that is on the roll; whether its time is over, the caller looks.
    pub fn token(&self, hash: &TokenHash) -> Option<LiveToken> {
        self.read().tokens.get(hash).cloned()
    }

    /// The hash of a visitor's password, and a number that is another one for every other password of anybody.
    pub fn visitor(&self, name: &UserName) -> Option<(VisitorHash, u64)> {
        let book = self.read();
        let known = book.visitors.get(name)?;
        Some((known.hash.clone(), known.version))
    }

    /// A session that is open; whether it is idle for too long or too old, the caller looks, and touches it when it is used.
    pub fn session(&self, hash: &TokenHash) -> Option<Arc<LiveSession>> {
        self.read().sessions.get(hash).cloned()
    }

    /// Begins a session `now`, in Unix seconds, and gives its text: the value of the cookie. It is good at once, and the supervisor keeps
    /// it. Where there are too many, the oldest end.
    ///
    /// # Errors
    /// [`SessionFault`].
    pub fn begin_session(
        &self,
        who: NewSession,
        now: u64,
    ) -> Result<Zeroizing<String>, SessionFault> {
        let mut random = Zeroizing::new([0; TEXT_BYTES]);
        getrandom::fill(&mut *random)?;
        let text = Zeroizing::new(session_text(*random));
        let others_ended = self
            .write()
            .sessions
            .begin(who, TokenHash::of(&text), now)?;
        self.news.notify_one();
        if others_ended {
            self.lost();
        }
        Ok(text)
    }

    /// Ends a session: somebody signs out. False: there is none.
    pub fn end_session(&self, hash: &TokenHash) -> bool {
        let is_it = |session: &Session| session.hash == *hash;
        self.end_sessions(is_it) > 0
    }

    /// Ends the sessions of an access that its identity provider has ended: that of its number there, or all of a user, or, with both,
    /// those that fit both. Says how many those were; with neither none.
    pub fn end_sessions_at(
        &self,
        access: &str,
        issuer_session: Option<&str>,
        subject: Option<&str>,
    ) -> usize {
        self.end_sessions(|session| {
            *session.access == *access && session.is_of_issuer(issuer_session, subject)
        })
    }

    fn end_sessions(&self, is_it: impl Fn(&Session) -> bool) -> usize {
        let mut book = self.write();
        let gone = book.sessions.find(is_it);
        for id in &gone {
            book.sessions.end(*id);
        }
        drop(book);
        if !gone.is_empty() {
            self.news.notify_one();
            self.lost();
        }
        gone.len()
    }

    /// What is known of the second factor of a user of an access.
    pub fn factor(&self, access: &str, user: &str) -> FactorStanding {
        self.read().factors.standing(&FactorKey::of(access, user))
    }

    /// Begins a second factor, whose first code was right. It holds at once, and the supervisor keeps it.
    ///
    /// # Errors
    /// [`NoFactor`].
    pub fn begin_factor(&self, factor: Factor) -> Result<(), NoFactor> {
        self.write().factors.begin(factor)?;
        self.news.notify_one();
        Ok(())
    }

    /// Takes a code of a user's second factor, once, `now` in Unix seconds. Whoever guesses waits.
    pub fn take_code(&self, access: &str, user: &str, typed: &str, now: u64) -> CodeTaken {
        let key = FactorKey::of(access, user);
        let taken = self.write().factors.take(key, typed, now);
        if taken == CodeTaken::Right {
            self.news.notify_one();
        }
        taken
    }

    /// A number that changes whenever somebody who could enter may not be able to any more. Whoever holds something open on a token,
    /// session or visitor looks again then.
    pub fn losses(&self) -> u64 {
        *self.losses.borrow()
    }

    /// Waits for [`RollWatch::losses`].
    pub fn watch_losses(&self) -> watch::Receiver<u64> {
        self.losses.subscribe()
    }

    /// Has the password of `user`, which was right, kept in a better form; never blocks, and forgets it where many wait.
    pub fn tell_outdated(&self, user: UserName, password: Typed) {
        let _ = self.outdated.try_send(Outdated { user, password });
    }

    /// Puts a whole roll into force, for every clone.
    pub fn publish(&self, roll: Roll) {
        let mut book = self.write();
        let Roll {
            visitors,
            tokens,
            sessions,
            factors,
        } = roll;
        book.visitors.retain(|name, _| visitors.contains_key(name));
        for (name, hash) in visitors {
            book.set_visitor(name, Some(hash));
        }
        book.tokens.clear();
        book.hashes.clear();
        for token in tokens {
            book.add_token(token);
        }
        book.sessions.publish(&sessions);
        book.factors.publish(factors);
        drop(book);
        self.lost();
    }

    /// Puts changes into force, in their order.
    pub fn change(&self, changes: Vec<Change>) {
        let mut book = self.write();
        let adds = |change: &Change| {
            // Who has lost his second factor has lost his sessions by changes of their own.
            let of_factors = matches!(
                change,
                Change::Factor(_) | Change::FactorGone(_) | Change::NoFactors
            );
            of_factors || matches!(change, Change::Token(_) | Change::Rehashed(..))
        };
        let lost = !changes.iter().all(adds);
        for change in changes {
            match change {
                Change::Visitor(name, hash) => book.set_visitor(name, hash),
                Change::Rehashed(name, hash) => book.rehash(&name, hash),
                Change::Token(token) => book.add_token(token),
                Change::TokenGone(id) => book.remove_token(id),
                Change::SessionGone(id) => drop(book.sessions.forget(id)),
                Change::Factor(factor) => book.factors.set(factor),
                Change::FactorGone(key) => book.factors.forget(&key),
                Change::NoFactors => book.factors.forget_all(),
            }
        }
        drop(book);
        if lost {
            self.lost();
        }
    }

    fn lost(&self) {
        self.losses.send_modify(|losses| *losses += 1);
    }

    fn read(&self) -> RwLockReadGuard<'_, Book> {
        self.book.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Book> {
        self.book.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionReport {
    /// What is to be told next, once there is something: what began and ended, and codes, at once, what was used once a minute. May be dropped at
    /// any await; what it has returned is not told again.
    pub async fn next(&mut self) -> SessionNews {
        loop {
            let due = *self.due.get_or_insert_with(|| Instant::now() + USED);
            tokio::select! {
                () = self.watch.news.notified() => {}
                () = sleep_until(due) => self.due = None,
            }
            let mut book = self.watch.write();
            let mut news = book.sessions.take_news(self.due.is_none());
            (news.factors, news.codes) = book.factors.take_news();
            if book.sessions.has_news() || book.factors.has_news() {
                self.watch.news.notify_one();
            }
            if !news.is_empty() {
                return news;
            }
        }
    }
}

impl Default for RollWatch {
    /// One whose outdated passwords nobody wants, and whose sessions nobody keeps.
    fn default() -> Self {
        Self::new().0
    }
}

impl Book {
    fn set_visitor(&mut self, name: UserName, hash: Option<VisitorHash>) {
        let Some(hash) = hash else {
            self.visitors.remove(&name);
            return;
        };
        if self
            .visitors
            .get(&name)
            .is_some_and(|known| known.hash == hash)
        {
            return;
        }
        self.passwords += 1;
        let version = self.passwords;
        self.visitors.insert(name, Known { hash, version });
    }

    /// The same password in another form: what was found of it holds on.
    fn rehash(&mut self, name: &UserName, hash: VisitorHash) {
        if let Some(known) = self.visitors.get_mut(name) {
            known.hash = hash;
        }
    }

    fn add_token(&mut self, token: LiveToken) {
        self.remove_token(token.id);
        self.hashes.insert(token.id, token.hash);
        self.tokens.insert(token.hash, token);
    }

    fn remove_token(&mut self, id: TokenId) {
        if let Some(hash) = self.hashes.remove(&id) {
            self.tokens.remove(&hash);
        }
    }
}

#[cfg(test)]
mod tests;
