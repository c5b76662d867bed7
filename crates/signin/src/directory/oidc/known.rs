//! What we know of a provider, and when it is asked again.

use super::super::Fault;
use super::ask::{Http, Question};
use super::keys::Keys;
use super::provider::{Provider, address};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Mutex as Turn, MutexGuard as TurnGuard};
use tokio::time::Instant;

/// How long what a provider says of itself is believed; in seconds.
const FRESH: u64 = 3600;
/// How long it counts as there since it has answered; in seconds. Who is sent to one that is away sees nothing but an error of his browser.
const THERE: u64 = 10;
/// How often a key that we do not know has the keys fetched anew; in seconds.
const KEYS_AGAIN: u64 = 60;
/// How long everybody is told that it can not be reached, before it is tried again; in seconds.
const CALM: u64 = 5;

/// A provider as it was at some time.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) provider: Arc<Provider>,
    pub(super) keys: Arc<Keys>,
    at: u64,
    keys_at: u64,
}

/// One asks, and the others wait for what he hears, unless they know enough.
pub(super) struct Asked {
    issuer: String,
    state: Mutex<State>,
    /// Held by the one who asks.
    turn: Turn<()>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    /// When it answered last.
    answered: u64,
    /// When it was asked for newer keys last, whatever came of it.
    keys_asked: u64,
    fault: Option<(Fault, u64)>,
}

impl Asked {
    pub(super) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            state: Mutex::default(),
            turn: Turn::default(),
        }
    }

    /// The provider as it is known at `now`, in Unix seconds, or as it says itself.
    ///
    /// # Errors
    /// [`Fault`]; the provider's.
    pub(super) async fn known(&self, http: &Http, now: u64) -> Result<Known, Fault> {
        let fresh = |now| self.state().fresh(now).cloned();
        self.heard(now, fresh, async |now| self.ask(http, now).await)
            .await
    }

    /// The provider, which has just answered: somebody is to be sent there.
    ///
    /// # Errors
    /// As [`Asked::known`].
    pub(super) async fn there(&self, http: &Http, now: u64) -> Result<Known, Fault> {
        let just_now = |now: u64| {
            let state = self.state();
            let is_there = now.abs_diff(state.answered) < THERE;
            state.fresh(now).filter(|_| is_there).cloned()
        };
        self.heard(now, just_now, async |now| {
            let fresh = self.state().fresh(now).cloned();
            match fresh {
                // Its keys are as old as they were: a new one has them fetched anew.
                Some(known) => self.says(http).await.map(|provider| Known {
                    provider: Arc::new(provider),
                    ..known
                }),
                None => self.ask(http, now).await,
            }
        })
        .await
    }

    /// The provider with keys that are newer than those of `old`, if there can be any.
    ///
    /// # Errors
    /// As [`Asked::known`].
    pub(super) async fn with_newer_keys(
        &self,
        http: &Http,
        old: &Known,
        now: u64,
    ) -> Result<Option<Known>, Fault> {
        let settled = |now: u64| {
            let state = self.state();
            let known = state.known.as_ref();
            let newer = known.filter(|known| known.keys_at != old.keys_at).cloned();
            let asked = old.keys_at.max(state.keys_asked);
            // Whoever brings tokens with keys that there are not must not have it asked for each.
            let is_early = now.abs_diff(asked) < KEYS_AGAIN;
            newer.map(Some).or(is_early.then_some(None))
        };
        if let Some(settled) = settled(now) {
            return Ok(settled);
        }
        let (_turn, now) = self.take_turn(now).await;
        if let Some(settled) = settled(now) {
            return Ok(settled);
        }
        self.state().calm(now)?;
        self.state().keys_asked = now;
        let since = Instant::now();
        let keys = self.keys(http, &old.provider).await;
        let now = now + since.elapsed().as_secs();
        let known = keys.map(|keys| Known {
            keys: Arc::new(keys),
            keys_at: now,
            ..old.clone()
        });
        self.state().keep(known, now).map(Some)
    }

    /// What `settled` knows, before or after somebody else has asked; else what `ask` hears.
    async fn heard(
        &self,
        now: u64,
        settled: impl Fn(u64) -> Option<Known>,
        ask: impl AsyncFnOnce(u64) -> Result<Known, Fault>,
    ) -> Result<Known, Fault> {
        if let Some(known) = settled(now) {
            return Ok(known);
        }
        self.state().calm(now)?;
        let (_turn, now) = self.take_turn(now).await;
        if let Some(known) = settled(now) {
            return Ok(known);
        }
        self.state().calm(now)?;
        let since = Instant::now();
        let asked = ask(now).await;
        let now = now + since.elapsed().as_secs();
        self.state().keep(asked, now)
    }

    /// Waits for the others, and says what time it is then.
    async fn take_turn(&self, now: u64) -> (TurnGuard<'_, ()>, u64) {
        let since = Instant::now();
        let turn = self.turn.lock().await;
        (turn, now + since.elapsed().as_secs())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self, http: &Http, now: u64) -> Result<Known, Fault> {
        let provider = self.says(http).await?;
        let keys = self.keys(http, &provider).await?;
        Ok(Known {
            provider: Arc::new(provider),
            keys: Arc::new(keys),
            at: now,
            keys_at: now,
        })
    }

    /// What it says of itself.
    async fn says(&self, http: &Http) -> Result<Provider, Fault> {
        let body = self.body(http, &address(&self.issuer)).await?;
        let provider = Provider::read(&body, &self.issuer);
        provider.map_err(|why| self.unfit(why))
    }

    async fn keys(&self, http: &Http, provider: &Provider) -> Result<Keys, Fault> {
        let body = self.body(http, &provider.keys).await?;
        let keys = Keys::read(&body).filter(|keys| !keys.is_empty());
        keys.ok_or_else(|| self.unfit("it publishes no key that tokens can be signed with".into()))
    }

    async fn body(&self, http: &Http, address: &str) -> Result<bytes::Bytes, Fault> {
        let answer = http.ask(address, Question::default()).await;
        let answer = answer.map_err(|why| self.unreachable(format!("{address}: {why}")))?;
        match answer.status {
            200 => Ok(answer.body),
            status @ 500.. => Err(self.unreachable(format!("{address}: status {status}"))),
            status => Err(self.unfit(format!("{address}: status {status}"))),
        }
    }

    /// It can not be reached.
    pub(super) fn unreachable(&self, why: String) -> Fault {
        let server = self.issuer.clone();
        Fault::Unreachable { server, why }
    }

    /// It can be reached, and that is all.
    pub(super) fn unfit(&self, why: String) -> Fault {
        let server = self.issuer.clone();
        Fault::Unfit { server, why }
    }
}

impl State {
    /// What is known of it, while that is believed.
    fn fresh(&self, now: u64) -> Option<&Known> {
        let known = self.known.as_ref();
        known.filter(|known| now.abs_diff(known.at) < FRESH)
    }

    /// What went wrong, if that was just now.
    fn calm(&self, now: u64) -> Result<(), Fault> {
        match &self.fault {
            Some((fault, at)) if now.abs_diff(*at) < CALM => Err(fault.clone()),
            _ => Ok(()),
        }
    }

    fn keep(&mut self, asked: Result<Known, Fault>, now: u64) -> Result<Known, Fault> {
        match asked {
            Ok(known) => {
                self.fault = None;
                self.answered = now;
                Ok(self.known.insert(known).clone())
            }
            Err(fault) => {
                self.fault = Some((fault.clone(), now));
                Err(fault)
            }
        }
    }
}
