//! Certificates from public CAs: what is ordered when, what is kept, what is told.
//!
//! [`Book`] decides and keeps; edge carries out what it wants and tells what became of it. Nothing that edge says is
//! believed before it was looked at: it may have been captured.

mod book;
mod judge;
mod kept;
#[cfg(test)]
pub(super) mod tests;
mod want;

use book::Heard;
pub use book::{Book, NotRenewed, Renewing};
use want::wants;

use super::gate::Gate;
use super::journal::Journal;
use super::state::State;
use service::Event;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::sync::{Notify, mpsc, watch};
use tokio::time::{Instant, sleep, sleep_until};
use uplink::acme::{News, Wanted};

/// News that wait to be looked at; what is more is lost, and the order with it is given up in time.
const NEWS: usize = 64;
/// The longest time between two looks at the clock.
const LONGEST_PAUSE: Duration = Duration::from_mins(15);
/// The shortest, for what can not be done at once.
const SHORTEST_PAUSE: Duration = Duration::from_secs(5);
/// The least time between two news that are looked at: whoever tells much must not keep the supervisor from everything else.
const PACE: Duration = Duration::from_millis(10);

/// What edge is told to have, and what it tells of it. Clones are the same.
#[derive(Clone)]
pub struct Orders {
    wanted: watch::Sender<Arc<Wanted>>,
    news: mpsc::Sender<News>,
    heard: Arc<Mutex<Option<mpsc::Receiver<News>>>>,
    changed: Arc<Notify>,
}

impl Orders {
    /// Nothing is wanted yet.
    pub fn new() -> Self {
        let (news, heard) = mpsc::channel(NEWS);
        Self {
            wanted: watch::Sender::default(),
            news,
            heard: Arc::new(Mutex::new(Some(heard))),
            changed: Arc::default(),
        }
    }

    /// What edge is to have, published anew whenever it changes.
    pub fn wanted(&self) -> watch::Receiver<Arc<Wanted>> {
        self.wanted.subscribe()
    }

    /// Takes in what edge says.
    pub fn heard(&self, news: News) {
        let _ = self.news.try_send(news);
    }

    /// The configuration, a secret or the operator's mind has changed.
    pub fn look_again(&self) {
        self.changed.notify_one();
    }

    fn publish(&self, wanted: Wanted) {
        self.wanted.send_if_modified(|known| {
            let is_new = **known != wanted;
            if is_new {
                *known = Arc::new(wanted);
            }
            is_new
        });
    }
}

/// Orders what is wanted and takes in what comes of it, for as long as the box runs.
pub async fn keep(gate: Gate) {
    let orders = gate.hub.orders.clone();
    let heard = orders
        .heard
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take();
    let Some(mut heard) = heard else { return };
    loop {
        let mut again = Instant::now() + look(&gate).await;
        // News change nothing of what is wanted: the files and secrets are not read again for them.
        while let Some(news) = next(&orders, &mut heard, again).await {
            let matters = !matches!(news, News::Step { .. } | News::Note { .. });
            hear(&gate, news).await;
            if matters {
                again = Instant::now() + carry_on(&gate).await;
            }
            sleep(PACE).await;
        }
    }
}

/// What edge says next; none where it is time, at `again` or before, to look at everything.
async fn next(orders: &Orders, heard: &mut mpsc::Receiver<News>, again: Instant) -> Option<News> {
    tokio::select! {
        // Whoever tells much does not keep us from it.
        biased;
        () = orders.changed.notified() => None,
        () = sleep_until(again) => None,
        Some(news) = heard.recv() => Some(news),
    }
}

/// Looks at what is wanted and what there is; returns when to look again.
pub(super) async fn look(gate: &Gate) -> Duration {
    want(gate).await;
    carry_on(gate).await
}

async fn want(gate: &Gate) {
    gate.with(|state| {
        let config = Arc::clone(&state.running.config);
        let State {
            store,
            certificates,
            ..
        } = state;
        let wants = wants(&config, store, |file| certificates.read(file));
        certificates.acme.want(wants);
    })
    .await;
}

/// Does what is due of what is wanted; returns when to look again.
async fn carry_on(gate: &Gate) -> Duration {
    let journal = gate.journal().clone();
    let missing = gate
        .with(|state| state.certificates.acme.keys_missing(now()))
        .await;
    for (key, kind) in missing {
        // A key of RSA takes up to a second.
        let made = tokio::task::spawn_blocking(move || certs::new_key(kind)).await;
        match made {
            Ok(Ok(pem)) => {
                gate.with(|state| state.certificates.acme.give_key(&key, pem))
                    .await;
            }
            Ok(Err(error)) => journal.notice("certs", format!("no key for {key}: {error}")),
            Err(error) => journal.notice("certs", format!("no key for {key}: {error}")),
        }
    }
    let (wanted, events, next) = gate
        .with(|state| {
            let at = now();
            let mut events = match &state.told {
                Some(told) => {
                    let (config, files) = (&state.running.config, &told.edge.load.files);
                    state.certificates.look_at_clients(config, files, at)
                }
                None => Vec::new(),
            };
            let book = &mut state.certificates.acme;
            events.extend(book.order(&mut state.store, at, dice()));
            let shown = &state.running.certificates;
            events.extend(book.judge_ends(shown, &mut state.store, at));
            (book.wanted(at), events, book.next_look(at))
        })
        .await;
    say(&journal, events);
    gate.hub.orders.publish(wanted);
    Duration::from_secs(next).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
}

/// Takes in what edge says, and puts a new certificate to work without a new generation.
pub(super) async fn hear(gate: &Gate, news: News) {
    let heard: Heard = gate
        .with(|state| {
            let State {
                store,
                certificates,
                ..
            } = state;
            certificates.acme.hear(news, store, now(), dice())
        })
        .await;
    say(gate.journal(), heard.events);
    if heard.is_new {
        gate.refresh().await;
    }
}

fn say(journal: &Journal, events: Vec<Event>) {
    for event in events {
        journal.record(event);
    }
}

/// Whether the clock shows a time before this program was built; then nothing is ordered, and nothing has expired.
pub fn clock_is_wrong(now: u64) -> bool {
    let built = option_env!("GATEHOUSE_COMMIT_TIME");
    let built = built.and_then(|built| built.parse::<u64>().ok());
    built.is_some_and(|built| now < built)
}

/// Seconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_secs()
}

fn dice() -> u64 {
    let mut bytes = [0; 8];
    // Without randomness all boxes do the same at the same time, and nothing else is lost.
    let _ = getrandom::fill(&mut bytes);
    u64::from_le_bytes(bytes)
}
