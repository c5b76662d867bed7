//! The one who knows the operators: lets them in, and keeps the list of them.

use super::super::journal::{Journal, now};
use super::super::warden::Warden;
use super::hashing::Hashing;
use control::{Actor, Moment, Refusal, Role, SessionStarted};
use guard::operators::{
    Attempt, Claim, Delays, Origin, PasswordHash, Session, SessionId, Sessions, TOKEN_BYTES, Token,
    UserFault, UserName, Users,
};
use service::Event;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex as AsyncMutex, watch};
use tokio::task::JoinHandle;

/// How often a session that is followed is looked at, beside when one ends.
const LOOK: Duration = Duration::from_secs(30);

/// Where the list of users is kept, and what else is asked of the box.
pub trait Shelf: Clone + Send + Sync + 'static {
    /// Keeps the list over a restart, all of it or nothing. Once it is written it does not wait any more: a caller that
    /// is dropped has either not written it, or knows that it did. It asks `still` right before it writes.
    ///
    /// # Errors
    /// What `still` says, as a [`Refusal`]; the disk's.
    fn keep(
        &self,
        users: &[u8],
        still: impl FnOnce() -> Result<(), Refusal> + Send,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// The name of the box.
    fn hostname(&self) -> impl Future<Output = String> + Send;
}

/// Users, sessions, and the tries to become one. Clones are the same.
#[derive(Clone)]
pub struct Porter {
    book: Arc<Mutex<Book>>,
    pub(super) hashing: Hashing,
    /// Held while the list is changed, so that what is kept last is the latest.
    changes: Arc<AsyncMutex<()>>,
    /// Whether somebody is about to keep the list anyway.
    saving: Arc<AtomicBool>,
    /// News whenever a session has ended.
    over: watch::Sender<()>,
    journal: Journal,
    warden: Warden,
}

/// All that is known.
pub struct Book {
    /// Who there is.
    pub users: Users,
    /// Who is signed in.
    pub sessions: Sessions,
    /// Who has to wait.
    pub delays: Delays,
    /// How the box gets its first user.
    pub claim: Claim,
}

impl Porter {
    /// One who knows `users`, and nobody is signed in.
    pub fn new(users: Users, journal: Journal, warden: Warden) -> Self {
        let book = Book {
            users,
            sessions: Sessions::default(),
            delays: Delays::default(),
            claim: Claim::default(),
        };
        Self {
            book: Arc::new(Mutex::new(book)),
            hashing: Hashing::new(),
            changes: Arc::default(),
            saving: Arc::default(),
            over: watch::Sender::new(()),
            journal,
            warden,
        }
    }

    /// Where passwords are hashed.
    pub fn hashing(&self) -> &Hashing {
        &self.hashing
    }

    /// Whether there is a user of this name.
    pub fn has_user(&self, name: &UserName) -> bool {
        self.lock().users.get(name).is_some()
    }

    /// Who shows this token; it counts as a use of the session where it is `attended`.
    pub fn authenticate(
        &self,
        token: &str,
        client: Option<IpAddr>,
        attended: bool,
    ) -> Option<Actor> {
        let token = Token::read(token)?;
        let mut book = self.lock();
        let sessions = &mut book.sessions;
        let session = if attended {
            sessions.of(&token, at())
        } else {
            sessions.known(&token, at())
        }?;
        let (id, name) = (session.id, session.user.clone());
        // What he may do is what he may do now.
        let user = book.users.get(&name)?;
        Some(Actor::Session {
            id: id.0,
            user: name.to_string(),
            role: user.role.into(),
            client,
        })
    }

    /// Whether the actor still is what something needs `least`: since he was let in his session may have ended, or his role
    /// may have changed.
    pub fn still(&self, actor: &Actor, least: Role) -> Result<(), Refusal> {
        let id = match actor {
            Actor::Local => return Ok(()),
            Actor::Visitor { .. } | Actor::Key { .. } => {
                return Err(Refusal::unauthorized("sign in first"));
            }
            Actor::Session { id, .. } => SessionId(*id),
        };
        let book = self.lock();
        let session = book.sessions.get(id, at());
        let user = session.and_then(|session| book.users.get(&session.user));
        let user = user.ok_or_else(|| {
            Refusal::unauthorized("nothing was changed, the session ended meanwhile; sign in again")
        })?;
        if Role::from(user.role) >= least {
            return Ok(());
        }
        let word = least.word();
        Err(Refusal::forbidden(format!("this needs the role {word}")))
    }

    /// Ready once there is no such session any more.
    pub async fn session_over(self, id: u64) {
        let mut over = self.over.subscribe();
        while self.lock().sessions.get(SessionId(id), at()).is_some() {
            tokio::select! {
                _ = over.changed() => {}
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Begins a session for `name`; one that the browser had before ends: what somebody else may have put there is worth nothing.
    pub(super) fn begin_session(
        &self,
        book: &mut Book,
        name: &UserName,
        actor: &Actor,
    ) -> Result<SessionStarted, Refusal> {
        let token = Token::new(random::<TOKEN_BYTES>()?);
        if let Some(before) = actor.session() {
            book.sessions.end(SessionId(before));
        }
        let session = book
            .sessions
            .begin(&token, name.clone(), actor.client(), at());
        let session = shown(&session.clone(), &book.users);
        self.over.send_replace(());
        Ok(SessionStarted {
            token: token.text(),
            session: session.ok_or_else(|| Refusal::unauthorized("there is no such user"))?,
        })
    }

    /// Says that sessions have ended.
    pub(super) fn sessions_ended(&self) {
        self.over.send_replace(());
    }

    /// Lets a try to guess at `account` in, which counts as failed from here on.
    pub(super) fn admit(
        &self,
        book: &mut Book,
        account: &str,
        actor: &Actor,
    ) -> Result<Attempt, Refusal> {
        let from = actor.client().map(|client| {
            if self.warden.is_neighbour(client) {
                Origin::inside(client)
            } else {
                Origin::outside(client)
            }
        });
        book.delays.begin(account, from, at()).map_err(|wait| {
            // Whoever goes on all the same is a case for the guard, but not one more line of the log. It is not his
            // fault where he waits for what others did.
            if from.is_some_and(|from| !book.delays.own_wait(from, at()).is_zero()) {
                self.offence(actor);
            }
            Refusal::too_many(wait)
        })
    }

    /// Whether `password` is that of `name`, which is proven by `hash`; unknown users take as long.
    pub(super) async fn verify(
        &self,
        attempt: Attempt,
        hash: Option<PasswordHash>,
        password: String,
    ) -> Result<bool, Refusal> {
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(PasswordHash::of_nobody);
        let verified = self.hashing.run(move || hash.matches(&password)).await;
        match verified {
            Ok(right) => Ok(known && right),
            Err(refusal) => {
                self.lock().delays.take_back(attempt);
                Err(refusal)
            }
        }
    }

    /// Writes down that somebody tried in vain, and has the guard count it.
    pub fn failed(&self, actor: &Actor, text: impl Into<String>) {
        self.audit(actor, text);
        self.offence(actor);
    }

    /// Writes down what somebody did.
    pub fn audit(&self, actor: &Actor, text: impl Into<String>) {
        self.journal.record(Event::Audit {
            actor: actor.to_string(),
            client: actor.client(),
            text: text.into(),
        });
    }

    /// Changes the list for `actor`, who still is what this needs when it is written: keeps it first, believes it then, and
    /// does what follows from it before anybody else changes it.
    ///
    /// `make` runs twice, on a copy and on the list itself, which may have noted a sign-in in between.
    pub(super) async fn change<T>(
        &self,
        shelf: &impl Shelf,
        (actor, least): (&Actor, Role),
        make: impl Fn(&mut Users) -> Result<T, UserFault> + Send,
        then: impl FnOnce(&mut Book) + Send,
    ) -> Result<T, Refusal> {
        let _turn = self.changes.lock().await;
        let bytes = {
            let mut users = self.lock().users.clone();
            make(&mut users).map_err(refused)?;
            written(&users)
        };
        let still = || self.still(actor, least);
        still()?;
        let kept = shelf.keep(&bytes, still).await;
        kept.map_err(|error| match error.downcast() {
            Ok(refusal) => refusal,
            Err(error) => Refusal::failed(format!(
                "nothing was changed, the users can not be kept: {error:#}"
            )),
        })?;
        let mut book = self.lock();
        let made = make(&mut book.users).map_err(refused)?;
        then(&mut book);
        drop(book);
        self.sessions_ended();
        Ok(made)
    }

    /// Keeps the list soon; it has changed in what nobody waits for.
    pub(super) fn save_later(&self, shelf: &impl Shelf) {
        if !self.saving.swap(true, Ordering::AcqRel) {
            drop(self.save(shelf));
        }
    }

    /// Keeps that somebody signed in: soon, or, where he used a recovery code up, before he is told. That is good once, also where
    /// the box ends in the next moment. A disk that takes nothing is told of in the log, and locks nobody out.
    pub(super) async fn save_sign_in(&self, shelf: &impl Shelf, used_up: bool) {
        if used_up {
            let _ = self.save(shelf).await;
        } else {
            self.save_later(shelf);
        }
    }

    /// Keeps the list, also where nobody waits for it any more.
    fn save(&self, shelf: &impl Shelf) -> JoinHandle<()> {
        let (porter, shelf) = (self.clone(), shelf.clone());
        tokio::spawn(async move {
            let _turn = porter.changes.lock().await;
            porter.saving.store(false, Ordering::Release);
            let bytes = written(&porter.lock().users);
            if let Err(error) = shelf.keep(&bytes, || Ok(())).await {
                let text = format!("who signed in was not kept: {error:#}");
                porter.journal.notice("operators", text);
            }
        })
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offence(&self, actor: &Actor) {
        if let Some(client) = actor.client() {
            self.warden.offence("admin", client, 1);
        }
    }
}

/// The time, by the clock that is never set.
pub(super) fn at() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// The time in Unix seconds.
pub fn unix() -> u64 {
    now().0 / 1000
}

/// When `instant` is or was, by the calendar.
pub(super) fn moment(instant: Instant) -> Moment {
    let (today, here) = (now().0, at());
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let ahead = millis(instant.saturating_duration_since(here));
    let behind = millis(here.saturating_duration_since(instant));
    Moment(today.saturating_add(ahead).saturating_sub(behind))
}

/// A session as the API has it; none: its user is gone.
pub(super) fn shown(session: &Session, users: &Users) -> Option<control::Session> {
    let user = users.get(&session.user)?;
    Some(control::Session {
        id: session.id.0,
        user: session.user.to_string(),
        role: user.role.into(),
        since: moment(session.since),
        ends: moment(session.ends()),
        client: session.client,
        totp: user.totp.is_some(),
    })
}

/// Bytes that nobody can guess.
pub fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refusal::failed(format!("the kernel gives no random bytes: {error}")))?;
    Ok(bytes)
}

pub(super) fn refused(fault: UserFault) -> Refusal {
    let text = fault.to_string();
    match fault {
        UserFault::Unknown => Refusal::not_found(text),
        UserFault::Exists
        | UserFault::Full
        | UserFault::Changed
        | UserFault::FirstAdmin
        | UserFault::HasApp
        | UserFault::NoApp
        | UserFault::LastAdmin => Refusal::conflict(text),
    }
}

fn written(users: &Users) -> Vec<u8> {
    serde_json::to_vec(users).expect("names, words and numbers are JSON")
}
