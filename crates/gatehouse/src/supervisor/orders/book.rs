//! All certificates that are had from CAs: what is wanted, what is under way, what there is.

mod ends;
mod hear;
mod served;
mod show;

pub use hear::Heard;
pub use show::Renewing;

use super::clock_is_wrong;
use super::kept::{Kept, KeptAccount, Pending};
use super::want::Want;
use crate::supervisor::journal::Journal;
use certs::KeyKind;
use certs::plan::{Cure, Present, Record};
use served::life;
use service::Event;
use std::collections::{BTreeMap, BTreeSet};
use store::Store;
use uplink::acme::{Account, Authority, Lookup, Order, OrderId, Step, Wanted};

/// Orders that are under way at a time.
const MOST_ORDERS: usize = 8;
/// Seconds after which an order that edge says nothing of counts as failed.
const LONGEST_ORDER: u64 = 2 * 3600;

/// What is wanted from CAs, under way, and there.
pub struct Book {
    wants: Vec<Want>,
    kept: Kept,
    /// By names.
    flights: BTreeMap<String, Flight>,
    /// The last number given to an order.
    last: u64,
    /// Names of certificates that the operator wants anew.
    by_hand: BTreeSet<String>,
    /// New keys, by [`Want::slot`]; they are kept before an order goes out.
    keys: BTreeMap<String, String>,
    /// Whether it was said that the clock is wrong.
    clock_told: bool,
}

/// An order under way.
struct Flight {
    order: Order,
    /// What it was made of.
    want: Want,
    /// When it went out.
    since: u64,
    /// Whether it takes up one that the CA has already.
    resumes: bool,
    /// Whether edge has told where the CA has it; once is enough, and each time is written down.
    has_begun: bool,
    /// Whether edge has told what the CA calls our account; as above.
    has_account: bool,
    /// What edge says that is done for it now.
    step: Option<Step>,
    /// Whether edge has told what the order waits for; as above.
    has_noted: bool,
}

impl Book {
    /// What an earlier run has left.
    pub fn open(store: &mut Store, journal: &Journal) -> Self {
        Self {
            wants: Vec::new(),
            kept: Kept::open(store, journal),
            flights: BTreeMap::new(),
            last: 0,
            by_hand: BTreeSet::new(),
            keys: BTreeMap::new(),
            clock_told: false,
        }
    }

    /// From now on `wants` are wanted and nothing else; an order for something else is given up.
    pub fn want(&mut self, wants: Vec<Want>) {
        if self.wants == wants {
            return;
        }
        for want in &wants {
            let before = self.wants.iter().find(|before| before.key == want.key);
            let differs = before.is_some_and(|before| !is_same(before, want));
            if differs && let Some(kept) = self.kept.records.get_mut(&want.place()) {
                kept.record.change();
                kept.failure = None;
            }
        }
        self.flights.retain(|key, flight| {
            let mut wants = wants.iter();
            wants.any(|want| want.key == *key && is_same(want, &flight.want))
        });
        self.by_hand
            .retain(|key| wants.iter().any(|want| want.key == *key));
        self.keys
            .retain(|slot, _| wants.iter().any(|want| want.slot() == *slot));
        self.wants = wants;
    }

    /// Certificates that are due at `now` and have no key yet, by [`Want::slot`].
    pub fn keys_missing(&self, now: u64) -> Vec<(String, KeyKind)> {
        let due = self.wants.iter().filter(|want| self.is_due(want, now));
        due.filter(|want| self.pending(want).is_none() && !self.keys.contains_key(&want.slot()))
            .map(|want| (want.slot(), want.kind))
            .take(MOST_ORDERS)
            .collect()
    }

    /// A new private key for the certificate `slot`, in PEM.
    pub fn give_key(&mut self, slot: &str, pem: String) {
        self.keys.insert(slot.to_owned(), pem);
    }

    /// Begins the orders that are due at `now`, and gives up those that do not end; what the operator should know of it.
    /// `dice` is any number.
    pub fn order(&mut self, store: &mut Store, now: u64, dice: u64) -> Vec<Event> {
        let mut events = Vec::new();
        if clock_is_wrong(now) && !self.wants.is_empty() {
            if !self.clock_told {
                self.clock_told = true;
                let text = "the clock shows a time before this version was made, so that no certificate is ordered or judged; \
                            see that the box reaches a time server";
                events.push(Event::Notice {
                    service: "certs".into(),
                    text: text.to_owned(),
                });
            }
            return events;
        }
        self.clock_told = false;
        self.mend(now);
        let late = |flight: &Flight| flight.since.saturating_add(LONGEST_ORDER) < now;
        let late = self.flights.values().filter(|flight| late(flight));
        let late: Vec<OrderId> = late.map(|flight| flight.order.id).collect();
        for id in late {
            let text = "nothing was heard of the order for two hours".to_owned();
            events.extend(self.fail(id, text, (Cure::Time, None), store, (now, dice)));
        }
        let due = self.wants.iter().filter(|want| self.is_due(want, now));
        for want in due.cloned().collect::<Vec<_>>() {
            if self.flights.len() >= MOST_ORDERS {
                break;
            }
            match self.begin(&want, store, now) {
                Ok(true) => events.push(Event::Certificate {
                    names: want.names.clone(),
                    text: format!("ordered from {}", want.directory),
                }),
                Ok(false) => {}
                Err(text) => {
                    let kept = self.kept.records.entry(want.place()).or_default();
                    kept.record.fail(now, Cure::Time, None, dice);
                    kept.failure = Some(text.clone());
                    let names = want.names.clone();
                    events.push(Event::Certificate { names, text });
                }
            }
        }
        events
    }

    /// Forgets what was noted while the clock was ahead.
    fn mend(&mut self, now: u64) {
        for kept in self.kept.records.values_mut() {
            kept.record.mend(now);
        }
        for flight in self.flights.values_mut() {
            flight.since = flight.since.min(now);
        }
    }

    /// What edge is to have at `now`, at most [`MOST_ORDERS`] of each kind: the others come when these are answered.
    pub fn wanted(&self, now: u64) -> Wanted {
        let lookups = self.wants.iter().filter_map(|want| {
            let issued = self.fitting(want)?;
            if self.record(want).ask_at() > now || clock_is_wrong(now) {
                return None;
            }
            Some(Lookup {
                certificate: certs::certificate_id(&issued.chain).ok()??,
                directory: want.directory.clone(),
                roots: want.terms.as_ref().ok()?.roots.clone(),
            })
        });
        Wanted {
            lookups: lookups.take(MOST_ORDERS).collect(),
            orders: self
                .flights
                .values()
                .map(|flight| flight.order.clone())
                .take(MOST_ORDERS)
                .collect(),
        }
    }

    /// Seconds from `now` until something is due.
    pub fn next_look(&self, now: u64) -> u64 {
        let wants = self.wants.iter();
        let has_room = self.flights.len() < MOST_ORDERS;
        let wants = wants
            .filter(|want| has_room && want.terms.is_ok() && !self.flights.contains_key(&want.key));
        let next = wants.flat_map(|want| {
            let asks = self.fitting(want).map(|_| self.record(want).ask_at());
            [Some(self.order_at(want)), asks.filter(|at| *at > now)]
        });
        let next = next.flatten().min().unwrap_or(u64::MAX);
        next.saturating_sub(now)
    }

    /// Has a certificate of `name` ordered as soon as its CA allows.
    ///
    /// # Errors
    /// No certificate of that name is had from a CA, none can be ordered now, or one is under way.
    pub fn renew(&mut self, name: &str, now: u64) -> Result<(), NotRenewed> {
        let found = self.wants.iter().find(|want| {
            let mut names = want.names.iter();
            names.any(|known| certs::normal_name(name) == *known)
        });
        let want = found.ok_or(NotRenewed::Unknown)?;
        if let Err(fault) = &want.terms {
            return Err(NotRenewed::Not(fault.clone()));
        }
        if self.flights.contains_key(&want.key) {
            return Err(NotRenewed::UnderWay);
        }
        let present = Present {
            life: None,
            by_hand: true,
        };
        let at = self.record(want).order_at(present);
        if at > now {
            return Err(NotRenewed::Before(at));
        }
        self.by_hand.insert(want.key.clone());
        Ok(())
    }

    /// Begins an order; false where its key is still to come.
    fn begin(&mut self, want: &Want, store: &mut Store, now: u64) -> Result<bool, String> {
        let Ok(terms) = want.terms.clone() else {
            return Ok(false);
        };
        if !self.lay_out_key(want, store, now)? {
            return Ok(false);
        }
        let account = self.account(want, store)?;
        let pending = self.pending(want).cloned().ok_or("its key is gone")?;
        let replaces = self.fitting(want);
        let replaces = replaces.and_then(|issued| certs::certificate_id(&issued.chain).ok()?);
        self.last += 1;
        let order = Order {
            id: OrderId(self.last),
            authority: Authority {
                directory: want.directory.clone(),
                roots: terms.roots,
                account: Account {
                    key: account.key,
                    url: account.url,
                    contact: terms.contact,
                    external: terms.external,
                },
            },
            names: want.names.clone(),
            proof: terms.proof,
            request: pending.request,
            replaces,
            begun: pending.begun,
        };
        let flight = Flight {
            resumes: order.begun.is_some(),
            has_begun: false,
            has_account: false,
            step: None,
            has_noted: false,
            order,
            want: want.clone(),
            since: now,
        };
        self.flights.insert(want.key.clone(), flight);
        self.by_hand.remove(&want.key);
        Ok(true)
    }

    /// Keeps the key and the request of an order before it goes out; false where the key is still to come.
    fn lay_out_key(&mut self, want: &Want, store: &mut Store, now: u64) -> Result<bool, String> {
        let by_hand = self.by_hand.contains(&want.key);
        if let Some(pending) = self.kept.pending.get_mut(&want.slot()) {
            pending.forget_late(now);
            if by_hand && !pending.by_hand {
                pending.by_hand = true;
                self.kept.write_pending(store)?;
            }
            return Ok(true);
        }
        let Some(pem) = self.keys.remove(&want.slot()) else {
            return Ok(false);
        };
        let request = certs::request(&pem, &want.names).map_err(|error| error.to_string())?;
        let pending = Pending {
            key: pem,
            request,
            directory: want.directory.clone(),
            kind: want.kind,
            by_hand,
            begun: None,
            begun_at: 0,
            resumes: 0,
            is_spoiled: false,
        };
        self.kept.pending.insert(want.slot(), pending);
        self.forget_pending();
        // A certificate whose key is lost in a power cut would be ordered in vain.
        if let Err(error) = self.kept.write_pending(store) {
            self.kept.pending.remove(&want.slot());
            return Err(error);
        }
        Ok(true)
    }

    /// Who we are at the CA; kept before the CA hears of it, so that there are never two.
    fn account(&mut self, want: &Want, store: &mut Store) -> Result<KeptAccount, String> {
        let name = want.account();
        if let Some(known) = self.kept.accounts.get(&name) {
            return Ok(known.clone());
        }
        let key = certs::new_key(KeyKind::P256).map_err(|error| error.to_string())?;
        let account = KeptAccount { key, url: None };
        self.kept.accounts.insert(name.clone(), account.clone());
        if let Err(error) = self.kept.write_accounts(store) {
            self.kept.accounts.remove(&name);
            return Err(error);
        }
        Ok(account)
    }

    fn is_due(&self, want: &Want, now: u64) -> bool {
        want.terms.is_ok()
            && !self.flights.contains_key(&want.key)
            && self.flights.len() < MOST_ORDERS
            && !clock_is_wrong(now)
            && self.order_at(want) <= now
    }

    fn order_at(&self, want: &Want) -> u64 {
        let life = self.fitting(want).and_then(life);
        let was_by_hand = self.pending(want).is_some_and(|pending| pending.by_hand);
        self.record(want).order_at(Present {
            life,
            by_hand: was_by_hand || self.by_hand.contains(&want.key),
        })
    }

    fn record(&self, want: &Want) -> Record {
        let kept = self.kept.records.get(&want.place());
        kept.map(|kept| kept.record.clone()).unwrap_or_default()
    }

    /// The key that waits for a certificate as it is wanted.
    fn pending(&self, want: &Want) -> Option<&Pending> {
        self.kept.pending.get(&want.slot())
    }

    fn flight(&self, id: OrderId) -> Option<&Flight> {
        self.flights.values().find(|flight| flight.order.id == id)
    }
}

/// Why no other certificate is ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotRenewed {
    /// There is none of this name from a CA.
    Unknown,
    /// None can be.
    Not(String),
    /// One is.
    UnderWay,
    /// Not before this time.
    Before(u64),
}

/// Whether an order for the one is one for the other.
fn is_same(one: &Want, other: &Want) -> bool {
    one.directory == other.directory && one.kind == other.kind && one.terms == other.terms
}
