//! The one guard of the box at work: counts offences, publishes and keeps the ban list.

use super::journal::{Journal, now};
use guard::{BanSet, Guard, Policy, Saved};
use service::{Event, Registry, metrics};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};

/// Keeps the guard. Clones are the same.
#[derive(Clone)]
pub struct Warden {
    guard: Arc<Mutex<Guard>>,
    bans: watch::Sender<BanSet>,
    /// The bans that hold at the admin pages.
    admin_bans: watch::Sender<BanSet>,
    changed: Arc<Notify>,
    journal: Journal,
    offences: metrics::Counter,
    withheld: metrics::Counter,
    banned: metrics::Gauge,
}

impl Warden {
    /// A warden with the bans that were kept over a restart.
    pub fn new(policy: Policy, saved: &Saved, journal: Journal, registry: &Registry) -> Self {
        let mut guard = Guard::new(policy);
        guard.restore(saved, Instant::now(), now().0);
        let warden = Self {
            guard: Arc::new(Mutex::new(guard)),
            bans: watch::channel(BanSet::default()).0,
            admin_bans: watch::channel(BanSet::default()).0,
            changed: Arc::new(Notify::new()),
            journal,
            offences: registry.counter(
                "gatehouse_offences_total",
                "Offences of clients that were counted.",
                &[],
            ),
            withheld: registry.counter(
                "gatehouse_bans_withheld_total",
                "Offences that would have been a ban if the process that told of them had not had its bans of the minute.",
                &[],
            ),
            banned: registry.gauge("gatehouse_bans", "Clients that are banned now.", &[]),
        };
        warden.publish(&mut warden.lock());
        warden
    }

    /// The ban list, published anew whenever it changes.
    pub fn bans(&self) -> watch::Receiver<BanSet> {
        self.bans.subscribe()
    }

    /// The same for the admin pages: edge alone can not close them to an operator.
    pub fn admin_bans(&self) -> watch::Receiver<BanSet> {
        self.admin_bans.subscribe()
    }

    /// Who is banned, for the operator.
    pub fn list(&self) -> Vec<guard::Ban> {
        self.lock().bans(Instant::now())
    }

    /// Offences that were counted since the start.
    pub fn counted(&self) -> u64 {
        self.offences.get()
    }

    /// How many clients are banned now.
    pub fn banned(&self) -> i64 {
        self.banned.get()
    }

    /// Bans `client` by the operator's hand; `None`: the configuration says that it is never banned.
    pub fn ban(&self, client: IpAddr, time: Duration, reason: &str) -> Option<guard::Ban> {
        let mut guard = self.lock();
        let ban = guard.ban_by_hand(client, time, Instant::now())?;
        self.publish(&mut guard);
        self.journal.record(Event::Banned {
            client: ban.client.network(),
            seconds: time.as_secs(),
            reason: format!("by hand: {reason}"),
        });
        Some(ban)
    }

    /// Counts an offence of `client` that process `from` reports, and bans it where it was one too many.
    pub fn offence(&self, from: &str, client: IpAddr, weight: u32) {
        let at = Instant::now();
        let mut guard = self.lock();
        let version = guard.version();
        let verdict = match from {
            // What reads the words of strangers may have been captured by one.
            "edge" => guard.hearsay(client, weight, at),
            "admin" => guard.pages(client, weight, at),
            _ => guard.offence(client, weight, at),
        };
        match verdict {
            guard::Verdict::Exempt => {}
            guard::Verdict::Counted { .. } => self.offences.inc(),
            guard::Verdict::Banned { new: false, .. } => {
                self.offences.inc();
                if guard.version() != version {
                    self.publish(&mut guard);
                }
            }
            guard::Verdict::Withheld { first } => {
                self.offences.inc();
                self.withheld.inc();
                if first {
                    self.journal.notice("guard", many_bans(from));
                }
            }
            guard::Verdict::Banned { until, new: true } => {
                self.offences.inc();
                self.publish(&mut guard);
                self.journal.record(Event::Banned {
                    client,
                    seconds: until.saturating_duration_since(at).as_secs(),
                    reason: "more requests rejected in a minute than [guard] suspicious_per_minute"
                        .into(),
                });
            }
        }
    }

    /// Whether a client is in a network in which operators are.
    pub fn is_neighbour(&self, client: IpAddr) -> bool {
        self.lock().is_neighbour(client)
    }

    /// Lifts the ban of `client`, or all bans; returns how many were lifted.
    pub fn lift(&self, client: Option<IpAddr>) -> usize {
        let mut guard = self.lock();
        let lifted: Vec<IpAddr> = match client {
            Some(client) => guard.clear(client).then_some(client).into_iter().collect(),
            None => guard
                .clear_all()
                .iter()
                .map(guard::ClientKey::network)
                .collect(),
        };
        self.publish(&mut guard);
        for client in &lifted {
            self.journal.record(Event::Unbanned {
                client: *client,
                lifted: true,
            });
        }
        lifted.len()
    }

    /// Takes over a changed policy.
    pub fn set_policy(&self, policy: Policy) {
        let mut guard = self.lock();
        guard.set_policy(policy, Instant::now());
        self.publish(&mut guard);
    }

    /// The ban list in the form that is kept.
    pub fn saved(&self) -> Saved {
        self.lock().save(Instant::now(), now().0)
    }

    /// Ends bans in time and passes every change of the list to `save`, not more than once a second.
    pub async fn watch(self, mut save: impl FnMut(Saved)) {
        let mut kept = self.lock().version();
        loop {
            let next = self.lock().next_expiry();
            let wait = next.map_or(Duration::from_mins(1), |at| {
                at.saturating_duration_since(Instant::now())
            });
            tokio::select! {
                () = tokio::time::sleep(wait.max(Duration::from_millis(10))) => {}
                () = self.changed.notified() => {}
            }
            let saved = {
                let mut guard = self.lock();
                let ended = guard.expire(Instant::now());
                if !ended.is_empty() {
                    self.publish(&mut guard);
                }
                for client in ended {
                    self.journal.record(Event::Unbanned {
                        client: client.network(),
                        lifted: false,
                    });
                }
                let version = guard.version();
                (version != kept).then(|| {
                    kept = version;
                    guard.save(Instant::now(), now().0)
                })
            };
            if let Some(saved) = saved {
                save(saved);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }

    fn publish(&self, guard: &mut Guard) {
        let set = guard.ban_set(Instant::now());
        self.banned
            .set(i64::try_from(set.len()).unwrap_or(i64::MAX));
        self.bans.send_replace(set);
        self.admin_bans
            .send_replace(guard.operator_set(Instant::now()));
        self.changed.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn many_bans(from: &str) -> String {
    format!(
        "{from} asked for more than {} new bans within a minute; who misbehaves from now until the minute is over goes \
         free. Many addresses attack, or {from} itself was captured and invents them: see `gatehouse bans` and \
         `gatehouse log --service proxy`; a restart of the box makes {from} anew, `gatehouse bans clear --all` forgives",
        guard::HEARSAY_BANS
    )
}
