//! All sessions, and the form in which they are kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::session::{Session, SessionId, SessionLimits};

/// The most sessions of all accesses together.
pub const MAX_SESSIONS: usize = 10_000;
/// The most sessions of one user of an access.
pub const MAX_SESSIONS_OF_USER: usize = 32;
/// The most bytes of all of them as they are told to edge at once, names at their longest.
pub const MAX_SESSION_BYTES: usize = 10 << 20;
/// How far the number of a session may be from the one before: whoever gives numbers counts, and must not use them up.
const MAX_STEP: u64 = 1 << 32;
/// The largest number, with more room behind it than any box will need.
const MAX_ID: u64 = u64::MAX / 2;

/// Which of `open`, which are told from the oldest on, make room for `new`: the oldest of the user, then the oldest of all.
pub fn make_room<'s>(
    open: impl Iterator<Item = &'s Session> + Clone,
    new: &Session,
) -> Vec<SessionId> {
    let is_same = |session: &&Session| session.access == new.access && session.is_of(&new.user);
    let mut own = (open.clone().filter(is_same).count() + 1).saturating_sub(MAX_SESSIONS_OF_USER);
    let (count, bytes) = open
        .clone()
        .fold((1, new.weight()), |(count, bytes), session| {
            (count + 1, bytes + session.weight())
        });
    let (mut count, mut bytes): (usize, usize) = (count, bytes);
    let mut gone = Vec::new();
    for session in open.clone().filter(is_same) {
        if own == 0 {
            break;
        }
        own -= 1;
        count -= 1;
        bytes -= session.weight();
        gone.push(session.id);
    }
    for session in open {
        if count <= MAX_SESSIONS && bytes <= MAX_SESSION_BYTES {
            break;
        }
        if !gone.contains(&session.id) {
            count -= 1;
            bytes -= session.weight();
            gone.push(session.id);
        }
    }
    gone
}

/// All sessions; serde writes and reads the form that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Kept", into = "Kept")]
pub struct Sessions {
    /// The largest number that a session has had.
    last: SessionId,
    open: BTreeMap<SessionId, Session>,
}

impl Sessions {
    /// All of them, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Session> + Clone {
        self.open.values()
    }

    /// The largest number that one has had.
    pub fn last(&self) -> SessionId {
        self.last
    }

    /// A session by its number.
    pub fn get(&self, id: SessionId) -> Option<&Session> {
        self.open.get(&id)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.open.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The number of the next one; `None`: they are used up.
    pub fn next_after(last: SessionId) -> Option<SessionId> {
        (last.0 < MAX_ID).then(|| SessionId(last.0 + 1))
    }

    /// Takes a session in that has begun elsewhere, and says which end by that; it may be the new one itself, where its number was
    /// given before, nobody would have come to by counting, or it can be none.
    pub fn begin(&mut self, session: Session) -> Vec<SessionId> {
        let id = session.id;
        let most = self.last.0.saturating_add(MAX_STEP).min(MAX_ID);
        if id <= self.last || id.0 > most || session.check().is_err() {
            let is_other = self.open.contains_key(&id);
            return if is_other { Vec::new() } else { vec![id] };
        }
        self.last = id;
        let gone = make_room(self.iter(), &session);
        for id in &gone {
            self.open.remove(id);
        }
        self.open.insert(id, session);
        gone
    }

    /// Ends a session; `None`: there is none of this number.
    pub fn end(&mut self, id: SessionId) -> Option<Session> {
        self.open.remove(&id)
    }

    /// Ends all for which `is_over` says so, and says which those were.
    pub fn end_where(&mut self, is_over: impl Fn(&Session) -> bool) -> Vec<SessionId> {
        let gone = self.open.extract_if(.., |_, session| is_over(session));
        gone.map(|(id, _)| id).collect()
    }

    /// Notes that a session was used, at `when` in Unix seconds.
    pub fn used(&mut self, id: SessionId, when: u64) {
        if let Some(session) = self.open.get_mut(&id) {
            session.used = session.used.max(when);
        }
    }

    /// Forgets what is over at `now`, in Unix seconds, and says which those were. `limits` knows the accesses that there are: of others
    /// there are no sessions.
    pub fn expire(
        &mut self,
        now: u64,
        limits: impl Fn(&str) -> Option<SessionLimits>,
    ) -> Vec<SessionId> {
        self.end_where(|session| {
            let limits = limits(&session.access);
            limits.is_none_or(|limits| limits.are_over(session.begun, session.used, now))
        })
    }
}

/// What is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    /// The form, for later ones.
    schema: u32,
    last: SessionId,
    sessions: Vec<Session>,
}

const SCHEMA: u32 = 1;

impl From<Sessions> for Kept {
    fn from(sessions: Sessions) -> Self {
        Self {
            schema: SCHEMA,
            last: sessions.last,
            sessions: sessions.open.into_values().collect(),
        }
    }
}

impl TryFrom<Kept> for Sessions {
    type Error = String;

    fn try_from(kept: Kept) -> Result<Self, String> {
        if kept.schema != SCHEMA {
            return Err(format!("schema {} is not known", kept.schema));
        }
        let bytes: usize = kept.sessions.iter().map(Session::weight).sum();
        if kept.sessions.len() > MAX_SESSIONS || bytes > MAX_SESSION_BYTES {
            return Err("too many sessions".to_owned());
        }
        for session in &kept.sessions {
            session.check().map_err(|unfit| unfit.to_string())?;
        }
        let last = kept.sessions.iter().map(|session| session.id).max();
        let last = kept.last.max(last.unwrap_or_default());
        if last.0 > MAX_ID {
            return Err("a number is too large".to_owned());
        }
        Ok(Self {
            last,
            open: kept
                .sessions
                .into_iter()
                .map(|session| (session.id, session))
                .collect(),
        })
    }
}
