//! Sessions of users who have signed in: edge begins and ends them, operators end them, and here they are kept.

use super::SESSIONS;
use super::steward::{Shelf, Steward};
use crate::supervisor::operators::unix;
use control::{Actor, Moment, Refusal, Role, SsoEnded, SsoSession, WhichSessions};
use guard::entrance::{Change, Session, SessionId, SessionNews, Sessions};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};

/// The time from one write to the next.
const PACE: Duration = Duration::from_secs(1);
/// The time after a write that failed.
const RETRY: Duration = Duration::from_mins(1);
/// How often it is kept when sessions were used last: it shall not wear out the disk.
const LAZY: Duration = Duration::from_mins(10);
/// How often sessions whose time is over are forgotten.
const SWEEP: Duration = Duration::from_hours(1);
/// For so many seconds a session is new, and of an access that there is.
const NEW: u64 = 60;

/// What is not kept yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unkept {
    /// Nothing.
    #[default]
    Nothing,
    /// When sessions were used last.
    Used,
    /// Sessions that began or ended.
    Sessions,
}

impl Steward {
    /// Takes in what edge says of sessions and second factors. What it can not have is ended at once; whether the configuration has such an access, is
    /// looked at before it is kept.
    pub fn heard(&self, news: SessionNews) {
        let now = unix();
        let mut unkept = Unkept::Nothing;
        let mut book = self.lock();
        let mut gone = Vec::new();
        for mut session in news.begun {
            session.begun = session.begun.min(now);
            session.used = session.used.min(now);
            gone.extend(book.sessions.begin(session));
            unkept = Unkept::Sessions;
        }
        for id in news.ended {
            if book.sessions.end(id).is_some() {
                unkept = Unkept::Sessions;
            }
        }
        for (id, when) in news.used {
            book.sessions.used(id, when.min(now));
            unkept = unkept.max(Unkept::Used);
        }
        self.tell(&book, gone.into_iter().map(Change::SessionGone).collect());
        self.heard_factors(&mut book, (news.factors, news.codes), now);
        self.note(unkept);
    }

    /// Who has signed in, the oldest first.
    pub async fn sso_sessions(&self, shelf: &impl Shelf) -> Vec<SsoSession> {
        let limits = shelf.sso_limits().await;
        let now = unix();
        let is_open = |session: &&Session| {
            let limits = limits.get(&*session.access);
            limits.is_some_and(|limits| limits.allow(session.begun, session.used, now))
        };
        let book = self.lock();
        book.sessions.iter().filter(is_open).map(shown).collect()
    }

    /// Ends sessions. They are over at once, also where that can not be kept.
    ///
    /// # Errors
    /// There is no such session; the actor may not; the disk's.
    pub async fn end_sso_sessions(
        &self,
        shelf: &impl Shelf,
        actor: &Actor,
        which: WhichSessions,
    ) -> Result<SsoEnded, Refusal> {
        self.still(actor, Role::Operator)?;
        let ended = self.end_where(|session| match &which {
            WhichSessions::One(id) => session.id == SessionId(*id),
            WhichSessions::OfUser(user) => session.is_of(user),
            WhichSessions::All => true,
        });
        let text = match &which {
            WhichSessions::One(id) => {
                let session = ended.get(&SessionId(*id));
                let session = session
                    .ok_or_else(|| Refusal::not_found("there is no session of this number"))?;
                let (user, access) = (&session.user, &session.access);
                format!("ended session {id} of {user} at {access}")
            }
            WhichSessions::OfUser(user) => format!("ended {} sessions of {user}", ended.len()),
            WhichSessions::All => format!("ended all {} sessions", ended.len()),
        };
        self.porter.audit(actor, text);
        self.keep_sessions(shelf).await?;
        let ended = ended.len() as u64;
        Ok(SsoEnded { ended })
    }

    /// Keeps sessions, and forgets those whose time is over, for as long as the box runs.
    pub(super) async fn tend_sessions(&self, shelf: &impl Shelf) {
        let mut unkept = self.unkept.subscribe();
        let (mut sweep, mut lazy) = (interval(SWEEP), interval(LAZY));
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        lazy.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut is_kept = true;
        loop {
            let is_sweep = tokio::select! {
                _ = sweep.tick() => true,
                _ = lazy.tick() => false,
                () = wait(&mut unkept) => false,
            };
            let limits = shelf.sso_limits().await;
            let now = unix();
            self.forget(|sessions| {
                if is_sweep {
                    return sessions.expire(now, |access| limits.get(access).copied());
                }
                // What was there before may come back with an older configuration.
                let is_new = |session: &Session| session.begun <= now && now - session.begun < NEW;
                sessions
                    .end_where(|session| is_new(session) && !limits.contains_key(&*session.access))
            });
            let kept = self.keep_sessions(shelf).await;
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
    pub async fn keep_sessions(&self, shelf: &impl Shelf) -> Result<(), Refusal> {
        let _turn = self.changes.lock().await;
        let unkept = self.unkept.send_replace(Unkept::Nothing);
        if unkept == Unkept::Nothing {
            return Ok(());
        }
        let mut debt = Debt(self, unkept);
        let bytes = serde_json::to_vec(&self.lock().sessions);
        let bytes = bytes.expect("names, words and numbers are JSON");
        let kept = shelf.keep(SESSIONS, bytes, || Ok(())).await;
        kept.map(|()| debt.1 = Unkept::Nothing).map_err(|error| {
            Refusal::failed(format!(
                "who has signed in can not be kept: {error:#}; after a restart of the box it is as it was before"
            ))
        })
    }

    /// Ends those of which `is_it` says so, and says which those were.
    pub(super) fn end_where(
        &self,
        is_it: impl Fn(&Session) -> bool,
    ) -> BTreeMap<SessionId, Session> {
        let mut ended = BTreeMap::new();
        self.forget(|sessions| {
            let found = sessions.iter().filter(|session| is_it(session));
            ended = found.map(|session| (session.id, session.clone())).collect();
            for id in ended.keys() {
                sessions.end(*id);
            }
            ended.keys().copied().collect()
        });
        ended
    }

    /// Tells edge which are gone.
    fn forget(&self, make: impl FnOnce(&mut Sessions) -> Vec<SessionId>) {
        let mut book = self.lock();
        let gone = make(&mut book.sessions);
        if gone.is_empty() {
            return;
        }
        self.tell(&book, gone.into_iter().map(Change::SessionGone).collect());
        self.note(Unkept::Sessions);
    }

    fn note(&self, unkept: Unkept) {
        self.unkept.send_if_modified(|known| {
            let is_more = unkept > *known;
            *known = unkept.max(*known);
            is_more
        });
    }
}

/// What is about to be kept: where that does not come to its end, since it fails or nobody waits for it any more, it is still to be kept.
struct Debt<'s>(&'s Steward, Unkept);

impl Drop for Debt<'_> {
    fn drop(&mut self) {
        self.0.note(self.1);
    }
}

/// Waits for something that is to be kept at once.
async fn wait(unkept: &mut watch::Receiver<Unkept>) {
    // Whoever waits is one who can send: the channel stays open.
    let _ = unkept
        .wait_for(|unkept| *unkept == Unkept::Sessions)
        .await
        .map(drop);
}

/// A session as the API has it.
fn shown(session: &Session) -> SsoSession {
    let moment = |unix: u64| Moment(unix.saturating_mul(1000));
    SsoSession {
        id: session.id.0,
        access: session.access.to_string(),
        user: session.user.to_string(),
        groups: session.groups.iter().map(ToString::to_string).collect(),
        from: session.from,
        begun: moment(session.begun),
        used: moment(session.used),
    }
}
