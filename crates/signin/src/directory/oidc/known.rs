//! What we know of a provider, and when it is asked again.

use super::super::Fault;
use super::ask::{Http, Question};
use super::keys::Keys;
use super::provider::{Provider, address};
use std::sync::Arc;
use tokio::sync::Mutex;

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

/// One asks, and the others wait for what he hears.
pub(super) struct Asked {
    issuer: String,
    known: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: Option<Known>,
    /// When it answered last.
    answered: u64,
    fault: Option<(Fault, u64)>,
}

impl Asked {
    pub(super) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            known: Mutex::default(),
        }
    }

    /// The provider as it is known at `now`, in Unix seconds, or as it says itself.
    ///
    /// # Errors
    /// [`Fault`]; the provider's.
    pub(super) async fn known(&self, http: &Http, now: u64) -> Result<Known, Fault> {
        let mut state = self.known.lock().await;
        if let Some(known) = state.fresh(now) {
            return Ok(known.clone());
        }
        state.calm(now)?;
        let asked = self.ask(http, now).await;
        state.keep(asked, now)
    }

    /// The provider, which has just answered: somebody is to be sent there.
    ///
    /// # Errors
    /// As [`Asked::known`].
    pub(super) async fn there(&self, http: &Http, now: u64) -> Result<Known, Fault> {
        let mut state = self.known.lock().await;
        let fresh = state.fresh(now).cloned();
        if let Some(known) = &fresh
            && now.abs_diff(state.answered) < THERE
        {
            return Ok(known.clone());
        }
        state.calm(now)?;
        let asked = match fresh {
            // Its keys are as old as they were: a new one has them fetched anew.
            Some(known) => self.says(http).await.map(|provider| Known {
                provider: Arc::new(provider),
                ..known
            }),
            None => self.ask(http, now).await,
        };
        state.keep(asked, now)
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
        let mut state = self.known.lock().await;
        if let Some(known) = &state.known
            && known.keys_at != old.keys_at
        {
            return Ok(Some(known.clone()));
        }
        if now.abs_diff(old.keys_at) < KEYS_AGAIN {
            return Ok(None);
        }
        state.calm(now)?;
        let keys = self.keys(http, &old.provider).await;
        let known = keys.map(|keys| Known {
            keys: Arc::new(keys),
            keys_at: now,
            ..old.clone()
        });
        state.keep(known, now).map(Some)
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
