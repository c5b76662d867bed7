//! The one who knows the operators: lets them in, and keeps the list of them.

use super::super::journal::{Journal, now};
use super::super::warden::Warden;
use super::hashing::Hashing;
use control::{Actor, Moment, Refusal, SessionStarted};
use guard::operators::{
    Attempt, Claim, Delays, PasswordHash, Session, SessionId, Sessions, TOKEN_BYTES, Token,
    UserFault, UserName, Users,
};
use service::Event;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Mutex as AsyncMutex, watch};

/// How often a session that is followed is looked at, beside when one ends.
const LOOK: Duration = Duration::from_secs(30);

/// Where the list of users is kept, and what else is asked of the box.
pub trait Shelf: Clone + Send + Sync + 'static {
    /// Keeps the list over a restart, all of it or nothing. Once it is written it does not wait any more: a caller that
    /// is dropped has either not written it, or knows that it did.
    fn keep(&self, users: &[u8]) -> impl Future<Output = anyhow::Result<()>> + Send;

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
        let session = match attended {
            true => sessions.of(&token, at()),
            false => sessions.known(&token, at()),
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
        book.delays
            .begin(account, actor.client(), at())
            .map_err(|wait| {
                // Whoever goes on all the same is a case for the guard, but not one more line of the log.
                self.offence(actor);
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
    pub(super) fn failed(&self, actor: &Actor, text: impl Into<String>) {
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

    /// Changes the list: keeps it first, and believes it then.
    ///
    /// `make` runs twice, on a copy and on the list itself, which may have noted a sign-in in between.
    pub(super) async fn change<T>(
        &self,
        shelf: &impl Shelf,
        make: impl Fn(&mut Users) -> Result<T, UserFault> + Send,
    ) -> Result<T, Refusal> {
        let _turn = self.changes.lock().await;
        let bytes = {
            let mut users = self.lock().users.clone();
            make(&mut users).map_err(refused)?;
            written(&users)
        };
        shelf.keep(&bytes).await.map_err(|error| {
            Refusal::failed(format!(
                "nothing was changed, the users can not be kept: {error:#}"
            ))
        })?;
        make(&mut self.lock().users).map_err(refused)
    }

    /// Keeps the list soon; it has changed in what nobody waits for.
    pub(super) fn save_later(&self, shelf: &impl Shelf) {
        if self.saving.swap(true, Ordering::AcqRel) {
            return;
        }
        let (porter, shelf) = (self.clone(), shelf.clone());
        tokio::spawn(async move {
            let _turn = porter.changes.lock().await;
            porter.saving.store(false, Ordering::Release);
            let bytes = written(&porter.lock().users);
            if let Err(error) = shelf.keep(&bytes).await {
                let text = format!("who signed in was not kept: {error:#}");
                porter.journal.notice("operators", text);
            }
        });
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
pub(super) fn unix() -> u64 {
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
pub(super) fn random<const N: usize>() -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Refusal::failed(format!("the kernel gives no random bytes: {error}")))?;
    Ok(bytes)
}

pub(super) fn refused(fault: UserFault) -> Refusal {
    let text = fault.to_string();
    match fault {
        UserFault::Unknown => Refusal::not_found(text),
        UserFault::Exists | UserFault::Full | UserFault::LastAdmin => Refusal::conflict(text),
    }
}

fn written(users: &Users) -> Vec<u8> {
    serde_json::to_vec(users).expect("names, words and numbers are JSON")
}
