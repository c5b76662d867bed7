//! Sessions, as the data path sees them: begun and ended here, kept by the supervisor.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use guard::entrance::{
    MOST_BEGUN, NewSession, Session, SessionId, SessionNews, Sessions, TokenHash, UnfitSession,
    make_room,
};

/// A session that is open. Whether it is idle for too long or too old, the caller looks.
#[derive(Debug)]
pub struct LiveSession {
    session: Session,
    used: AtomicU64,
    /// What the supervisor knows of `used`.
    told: AtomicU64,
}

impl LiveSession {
    /// What is known of it; when it was used last says [`LiveSession::used`].
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// When it was used last, in Unix seconds.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Notes that it is used `now`, in Unix seconds.
    pub fn touch(&self, now: u64) {
        self.used.fetch_max(now, Ordering::Relaxed);
    }

    fn of(session: Session) -> Arc<Self> {
        Arc::new(Self {
            used: AtomicU64::new(session.used),
            told: AtomicU64::new(session.used),
            session,
        })
    }

    /// When it was used, where that is not told yet.
    fn take_used(&self) -> Option<(SessionId, u64)> {
        let used = self.used();
        (self.told.swap(used, Ordering::Relaxed) < used).then_some((self.session.id, used))
    }
}

/// All that are open, and what the supervisor does not know of them yet. What it does not know is no longer than
/// all that was ever open at once, however late it asks.
#[derive(Debug, Default)]
pub(crate) struct LiveSessions {
    by_hash: HashMap<TokenHash, Arc<LiveSession>>,
    by_id: BTreeMap<SessionId, Arc<LiveSession>>,
    /// The largest number that one has had.
    last: SessionId,
    begun: BTreeSet<SessionId>,
    ended: BTreeSet<SessionId>,
}

impl LiveSessions {
    pub(crate) fn get(&self, hash: &TokenHash) -> Option<&Arc<LiveSession>> {
        self.by_hash.get(hash)
    }

    /// Begins one, and says whether others have ended by that.
    pub(crate) fn begin(
        &mut self,
        new: NewSession,
        hash: TokenHash,
        now: u64,
    ) -> Result<bool, UnfitSession> {
        let id = Sessions::next_after(self.last).ok_or(UnfitSession::Number)?;
        let session = new.begin(id, hash, now)?;
        self.last = id;
        let open = self.by_id.values().map(|live| &live.session);
        let gone = make_room(open, &session);
        for id in &gone {
            self.end(*id);
        }
        self.insert(LiveSession::of(session));
        self.begun.insert(id);
        Ok(!gone.is_empty())
    }

    /// Ends one here, which the supervisor is to know; false: there is none.
    pub(crate) fn end(&mut self, id: SessionId) -> bool {
        let is_there = self.forget(id);
        if is_there && !self.begun.remove(&id) {
            self.ended.insert(id);
        }
        is_there
    }

    /// Those for which `is_it` says so.
    pub(crate) fn find(&self, is_it: impl Fn(&Session) -> bool) -> Vec<SessionId> {
        let found = self.by_id.values().filter(|live| is_it(&live.session));
        found.map(|live| live.session.id).collect()
    }

    /// The supervisor says that one has ended.
    pub(crate) fn forget(&mut self, id: SessionId) -> bool {
        self.ended.remove(&id);
        let Some(live) = self.by_id.remove(&id) else {
            return false;
        };
        self.by_hash.remove(&live.session.hash);
        true
    }

    /// The supervisor says which there are. What it does not know yet stays, and what has ended here does not come back: numbers only
    /// grow, and are given here alone.
    pub(crate) fn publish(&mut self, whole: &Sessions) {
        let known = self.last;
        let gone = self.find(|own| own.id <= whole.last() && whole.get(own.id).is_none());
        for id in gone {
            // It was told of once, or it was refused.
            self.begun.remove(&id);
            self.forget(id);
        }
        for session in whole.iter().filter(|session| session.id > known) {
            self.insert(LiveSession::of(session.clone()));
        }
        self.last = known.max(whole.last());
    }

    /// What the supervisor does not know yet, as much as fits into a message; with `used`, when sessions were used, too.
    pub(crate) fn take_news(&mut self, used: bool) -> SessionNews {
        let mut begun = Vec::new();
        while begun.len() < MOST_BEGUN
            && let Some(id) = self.begun.pop_first()
        {
            let live = self.by_id.get(&id);
            begun.extend(live.map(|live| Session {
                used: live.used(),
                ..live.session.clone()
            }));
        }
        let used = if used {
            let live = self.by_id.values();
            live.filter_map(|live| live.take_used()).collect()
        } else {
            Vec::new()
        };
        let ended = std::mem::take(&mut self.ended).into_iter().collect();
        SessionNews {
            begun,
            ended,
            used,
            ..SessionNews::default()
        }
    }

    /// Whether there is more to tell at once.
    pub(crate) fn has_news(&self) -> bool {
        !self.begun.is_empty() || !self.ended.is_empty()
    }

    fn insert(&mut self, live: Arc<LiveSession>) {
        self.by_hash.insert(live.session.hash, Arc::clone(&live));
        self.by_id.insert(live.session.id, live);
    }
}
