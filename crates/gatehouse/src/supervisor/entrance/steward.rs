//! The one who knows visitors, tokens, sessions and second factors: keeps them, and tells edge.

use super::group::Group;
use super::sessions::Unkept;
use super::{TOKENS, VISITORS};
use crate::supervisor::journal::Journal;
use crate::supervisor::operators::{Porter, unix};
use control::{Actor, Refusal, Role};
use guard::entrance::{
    Change, Factors, KeyId, Roll, SessionLimits, Sessions, Tokens, Typed, Visitors,
};
use guard::operators::{PasswordHash, SALT_BYTES, UserName};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex as AsyncMutex, broadcast, mpsc, watch};
use tokio::time::{MissedTickBehavior, interval};

/// How many changes wait for edge; where more do, it is told all anew.
const CHANGES: usize = 1024;
/// How many passwords wait to be kept in a better form.
const OUTDATED: usize = 16;
/// How often tokens whose time is over are forgotten.
const SWEEP: Duration = Duration::from_mins(1);

/// Where visitors, tokens and sessions are kept, and what else is asked of the box.
pub trait Shelf: Clone + Send + Sync + 'static {
    /// Keeps `bytes` over a restart, all of them or nothing. Once they are written it does not wait any more. It asks
    /// `still` right before it writes.
    ///
    /// # Errors
    /// What `still` says, as a [`Refusal`]; the disk's.
    fn keep(
        &self,
        blob: &'static str,
        bytes: Vec<u8>,
        still: impl FnOnce() -> Result<(), Refusal> + Send,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;

    /// The name of the box.
    fn hostname(&self) -> impl Future<Output = String> + Send;

    /// The names of `[access.NAME]` of the kind "cookie".
    fn cookie_accesses(&self) -> impl Future<Output = Vec<String>> + Send;

    /// How long sessions last, by the names of `[access.NAME]` of the kind "sso".
    fn sso_limits(&self) -> impl Future<Output = BTreeMap<String, SessionLimits>> + Send;

    /// The names of `[access.NAME]` that ask for a second factor.
    fn totp_accesses(&self) -> impl Future<Output = BTreeSet<String>> + Send;
}

/// Visitors, tokens, keys, sessions and second factors. Clones are the same.
#[derive(Clone)]
pub struct Steward {
    book: Arc<Mutex<Book>>,
    /// Held while something is changed, so that what is kept last is the latest.
    pub(super) changes: Arc<AsyncMutex<()>>,
    told: broadcast::Sender<Change>,
    pub(super) group: Group,
    /// What of sessions is not kept yet: their changes hold at once.
    pub(super) unkept: watch::Sender<Unkept>,
    /// Whether something of second factors is not kept yet; their changes hold at once, too.
    pub(super) unkept_factors: watch::Sender<bool>,
    pub(super) porter: Porter,
    pub(super) journal: Journal,
    outdated: mpsc::Sender<Outdated>,
    rehash: Arc<Mutex<Option<mpsc::Receiver<Outdated>>>>,
}

/// A visitor, and what he typed.
type Outdated = (UserName, Typed);

/// All that is known.
#[derive(Default)]
pub struct Book {
    /// Who has a password.
    pub visitors: Visitors,
    /// Tokens, and keys by which they are made.
    pub tokens: Tokens,
    /// Who has signed in.
    pub sessions: Sessions,
    /// Second factors.
    pub factors: Factors,
}

impl Steward {
    /// One who knows `book`.
    pub fn new(book: Book, porter: Porter, journal: Journal) -> Self {
        let (outdated, rehash) = mpsc::channel(OUTDATED);
        Self {
            book: Arc::new(Mutex::new(book)),
            changes: Arc::default(),
            told: broadcast::Sender::new(CHANGES),
            group: Group::default(),
            unkept: watch::Sender::default(),
            unkept_factors: watch::Sender::default(),
            porter,
            journal,
            outdated,
            rehash: Arc::new(Mutex::new(Some(rehash))),
        }
    }

    /// Brings the figures of what is kept up to date.
    pub fn measure(&self, registry: &service::Registry) {
        let book = self.lock();
        let level = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        registry
            .gauge(
                "gatehouse_sso_sessions",
                "Sessions of the login page that are kept, at most 10000.",
                &[],
            )
            .set(level(book.sessions.len()));
        registry
            .gauge("gatehouse_tokens", "Tokens that are kept.", &[])
            .set(level(book.tokens.iter().count()));
        registry
            .gauge(
                "gatehouse_sso_second_factors",
                "Second factors of users of the login page that are kept, at most 10000.",
                &[],
            )
            .set(level(book.factors.iter().count()));
    }

    /// All that edge needs to know, and what changes from then on, in order.
    pub fn follow(&self) -> (Roll, broadcast::Receiver<Change>) {
        let book = self.lock();
        let changes = self.told.subscribe();
        let visitors = book.visitors.iter();
        let roll = Roll {
            visitors: visitors
                .map(|(name, visitor)| (name.clone(), visitor.password.clone()))
                .collect(),
            tokens: book.tokens.iter().map(|token| token.live.clone()).collect(),
            sessions: book.sessions.clone(),
            factors: book.factors.clone(),
        };
        (roll, changes)
    }

    /// Whose key this is. Whoever shows one that is none is written down, and counted by the guard.
    pub fn authenticate_key(&self, text: &str, client: Option<IpAddr>) -> Result<Actor, Refusal> {
        let book = self.lock();
        if let Some(key) = book.tokens.key(text) {
            return Ok(Actor::Key {
                id: key.id.0,
                access: key.access.to_string(),
                client,
            });
        }
        drop(book);
        let visitor = Actor::Visitor { client };
        self.porter
            .failed(&visitor, "showed a key that is none, or was revoked");
        Err(Refusal::unauthorized("this key is none, or was revoked"))
    }

    /// Whether there is a visitor of this name.
    pub fn has_visitor(&self, name: &str) -> bool {
        let name = UserName::new(name);
        name.is_ok_and(|name| self.lock().visitors.get(&name).is_some())
    }

    /// Edge says that the password of a visitor was right, while its hash is outdated. Nothing of it is believed before it was looked at.
    pub fn outdated(&self, user: UserName, password: Typed) {
        // There is another chance when he comes again.
        let _ = self.outdated.try_send((user, password));
    }

    /// Forgets tokens and sessions whose time is over, keeps sessions, second factors, and outdated passwords anew, for as long as the box runs.
    pub async fn tend(self, shelf: impl Shelf) {
        tokio::join!(
            self.tend_tokens(&shelf),
            self.tend_sessions(&shelf),
            self.tend_factors(&shelf)
        );
    }

    async fn tend_tokens(&self, shelf: &impl Shelf) {
        let rehash = self
            .rehash
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(mut rehash) = rehash else {
            return;
        };
        let mut sweep = interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                _ = sweep.tick() => self.sweep(shelf).await,
                Some((user, password)) = rehash.recv() => self.renew(shelf, user, password).await,
            };
            if let Err(refusal) = done {
                self.journal.notice("entrance", refusal.message);
            }
        }
    }

    async fn sweep(&self, shelf: &impl Shelf) -> Result<(), Refusal> {
        let now = unix();
        let is_over = |expires: u64| expires <= now;
        let due = self
            .lock()
            .tokens
            .iter()
            .any(|token| token.live.expires.is_some_and(is_over));
        if !due {
            return Ok(());
        }
        let expire = |tokens: &mut Tokens| {
            let gone = tokens.expire(now).into_iter();
            Ok(((), gone.map(Change::TokenGone).collect()))
        };
        self.change_tokens(shelf, || Ok(()), expire).await
    }

    async fn renew(
        &self,
        shelf: &impl Shelf,
        user: UserName,
        password: Typed,
    ) -> Result<(), Refusal> {
        let known = self
            .lock()
            .visitors
            .get(&user)
            .map(|visitor| visitor.password.clone());
        let Some(old) = known.filter(guard::entrance::VisitorHash::is_outdated) else {
            return Ok(());
        };
        let salt = crate::supervisor::operators::random::<SALT_BYTES>()?;
        let (looked_at, hash) = (old.clone(), password);
        let hashed = self.porter.hashing().run(move || {
            let is_right = looked_at.matches(hash.as_str());
            is_right.then(|| PasswordHash::of(hash.as_str(), salt))
        });
        let Some(new) = hashed.await? else {
            return Ok(());
        };
        let new = guard::entrance::VisitorHash::Argon2(new);
        let make = |visitors: &mut Visitors| {
            let same = visitors
                .get(&user)
                .is_some_and(|visitor| visitor.password == old);
            if !same {
                return Ok(((), Vec::new()));
            }
            visitors
                .set_password(&user, new.clone())
                .map_err(super::visitors::refused)?;
            Ok(((), vec![Change::Rehashed(user.clone(), new.clone())]))
        };
        self.change_visitors(shelf, || Ok(()), make).await
    }

    /// Changes visitors: keeps them first, believes it then, and tells edge.
    pub(super) async fn change_visitors<T>(
        &self,
        shelf: &impl Shelf,
        still: impl Fn() -> Result<(), Refusal> + Send,
        make: impl FnOnce(&mut Visitors) -> Result<(T, Vec<Change>), Refusal> + Send,
    ) -> Result<T, Refusal> {
        let _turn = self.changes.lock().await;
        let mut visitors = self.lock().visitors.clone();
        let (made, changes) = make(&mut visitors)?;
        if !changes.is_empty() {
            self.keep(shelf, VISITORS, &visitors, still).await?;
            let mut book = self.lock();
            book.visitors = visitors;
            self.tell(&book, changes);
        }
        Ok(made)
    }

    /// Changes tokens and keys, in the same way. Where there are no changes for edge, there are others to keep.
    pub(super) async fn change_tokens<T>(
        &self,
        shelf: &impl Shelf,
        still: impl Fn() -> Result<(), Refusal> + Send,
        make: impl FnOnce(&mut Tokens) -> Result<(T, Vec<Change>), Refusal> + Send,
    ) -> Result<T, Refusal> {
        let _turn = self.changes.lock().await;
        let mut tokens = self.lock().tokens.clone();
        let (made, changes) = make(&mut tokens)?;
        self.keep(shelf, TOKENS, &tokens, still).await?;
        let mut book = self.lock();
        book.tokens = tokens;
        self.tell(&book, changes);
        Ok(made)
    }

    /// Whether the actor still may do what needs `least`, or has a key that is still good.
    pub(super) fn still(&self, actor: &Actor, least: Role) -> Result<(), Refusal> {
        let Actor::Key { id, access, .. } = actor else {
            return self.porter.still(actor, least);
        };
        let book = self.lock();
        let mut keys = book.tokens.keys();
        if keys.any(|key| key.id == KeyId(*id) && *key.access == **access) {
            return Ok(());
        }
        Err(Refusal::unauthorized(
            "nothing was changed, the key was revoked meanwhile",
        ))
    }

    async fn keep(
        &self,
        shelf: &impl Shelf,
        blob: &'static str,
        what: &impl Serialize,
        still: impl Fn() -> Result<(), Refusal> + Send,
    ) -> Result<(), Refusal> {
        still()?;
        let bytes = serde_json::to_vec(what).expect("names, words and numbers are JSON");
        let kept = shelf.keep(blob, bytes, still).await;
        kept.map_err(|error| match error.downcast() {
            Ok(refusal) => refusal,
            Err(error) => Refusal::failed(format!(
                "nothing was changed, it can not be kept: {error:#}"
            )),
        })
    }

    /// With the book, so that nobody begins to follow in between.
    pub(super) fn tell(&self, _book: &Book, changes: Vec<Change>) {
        for change in changes {
            // Nobody listens while edge is started anew, and it is told all then.
            let _ = self.told.send(change);
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
