//! What edge says of orders, and how much of it is believed.

use super::Book;
use super::served::life;
use crate::supervisor::orders::judge::judge;
use crate::supervisor::orders::kept::{Issued, Pending};
use certs::plan::{Cure, Record};
use control::Moment;
use service::{Event, clip};
use store::Store;
use uplink::acme::{Blame, Failure, News, OrderId, Window};

/// A longer text of edge is cut.
const TEXT_LIMIT: usize = 1024;
/// A longer address is none.
const LONGEST_URL: usize = 2048;

/// What came of news.
#[derive(Debug, Default)]
pub struct Heard {
    /// What the operator should know.
    pub events: Vec<Event>,
    /// Whether there is a new certificate.
    pub is_new: bool,
}

impl Book {
    /// Takes in what edge says at `now`; `dice` is any number.
    pub fn hear(&mut self, news: News, store: &mut Store, now: u64, dice: u64) -> Heard {
        let events = match news {
            News::Account { directory, url } => self.account_named(&directory, &url, store),
            News::Step { id, step } => {
                let mut flights = self.flights.values_mut();
                if let Some(flight) = flights.find(|flight| flight.order.id == id) {
                    flight.step = Some(step);
                }
                Vec::new()
            }
            News::Note { id, text } => self.note(id, text),
            News::Begun { id, url } => self.begun(id, url, store, now),
            News::Issued { id, chain } => return self.issued(id, &chain, store, (now, dice)),
            News::Failed { id, failure } => {
                let Failure {
                    blame,
                    mut text,
                    retry_after,
                } = failure;
                clip(&mut text, TEXT_LIMIT);
                if !matches!(blame, Blame::Unreachable | Blame::Limited) {
                    self.forget_begun(id);
                }
                self.fail(id, text, (cure(blame), retry_after), store, (now, dice))
            }
            News::Renewal {
                certificate,
                window,
            } => self.renewal(&certificate, Ok(&window), store, (now, dice)),
            News::NoRenewal {
                certificate,
                failure,
            } => self.renewal(&certificate, Err(failure.retry_after), store, (now, dice)),
        };
        Heard {
            events,
            is_new: false,
        }
    }

    /// What the order `id` waits for; told once, lest the log be filled.
    fn note(&mut self, id: OrderId, mut text: String) -> Vec<Event> {
        let mut flights = self.flights.values_mut();
        let flight = flights.find(|flight| flight.order.id == id && !flight.has_noted);
        let Some(flight) = flight else {
            return Vec::new();
        };
        flight.has_noted = true;
        clip(&mut text, TEXT_LIMIT);
        let names = flight.want.names.clone();
        vec![Event::Certificate { names, text }]
    }

    /// The order `id` has come to nothing.
    pub(super) fn fail(
        &mut self,
        id: OrderId,
        text: String,
        (cure, retry_after): (Cure, Option<u64>),
        store: &mut Store,
        (now, dice): (u64, u64),
    ) -> Vec<Event> {
        let note = |record: &mut Record, _| record.fail(now, cure, retry_after, dice);
        self.close(id, text, store, note)
    }

    /// What the CA has made by the order `id` can not be used. A clock that is put right helps, and the CA counts another one:
    /// the same one is had and judged again.
    fn spoil(
        &mut self,
        id: OrderId,
        text: String,
        store: &mut Store,
        (now, dice): (u64, u64),
    ) -> Vec<Event> {
        let Some(flight) = self.flight(id) else {
            return Vec::new();
        };
        let slot = flight.want.slot();
        let pending = self.kept.pending.get_mut(&slot);
        let is_new = pending.is_none_or(|pending| {
            let is_new = !pending.is_spoiled;
            pending.is_spoiled = pending.begun.is_some();
            is_new
        });
        let note = |record: &mut Record, is_over: bool| {
            let cure = if is_over { Cure::Operator } else { Cure::Time };
            record.spoil(now, is_new, cure, dice);
        };
        self.close(id, text, store, note)
    }

    /// The order `id` is over; `note` notes it, and is told whether it is not taken up again though it was until now.
    fn close(
        &mut self,
        id: OrderId,
        text: String,
        store: &mut Store,
        note: impl FnOnce(&mut Record, bool),
    ) -> Vec<Event> {
        let Some(flight) = self.flight(id) else {
            return Vec::new();
        };
        let (want, resumes) = (flight.want.clone(), flight.resumes);
        self.flights.remove(&want.key);
        let mut pending = self.kept.pending.get_mut(&want.slot());
        if let Some(pending) = &mut pending {
            // It was tried as it was asked for; from now on it has its time.
            pending.by_hand = false;
        }
        let is_over = resumes && pending.is_some_and(Pending::fail);
        let kept = self.kept.records.entry(want.place()).or_default();
        note(&mut kept.record, is_over);
        let next = Moment(self.order_at(&want).saturating_mul(1000));
        let said = format!("was not issued: {text}; next try at {next}");
        let kept = self.kept.records.entry(want.place()).or_default();
        kept.failure = Some(text);
        let mut events = vec![Event::Certificate {
            names: want.names,
            text: said,
        }];
        events.extend(kept_or_said(self.kept.write_pending(store)));
        events.extend(kept_or_said(self.kept.write_records(store)));
        events
    }

    /// The CA has given up the order `id`: the next one begins anew, with the same key.
    fn forget_begun(&mut self, id: OrderId) {
        let slot = self.flight(id).map(|flight| flight.want.slot());
        if let Some(pending) = slot.and_then(|slot| self.kept.pending.get_mut(&slot)) {
            pending.forget();
        }
    }

    fn account_named(&mut self, directory: &str, url: &str, store: &mut Store) -> Vec<Event> {
        let flights = self.flights.values();
        let flights = flights.filter(|flight| flight.want.directory == directory);
        let mut accounts: Vec<String> = flights.map(|flight| flight.want.account()).collect();
        accounts.sort();
        accounts.dedup();
        // Whose of two it is can not be told; the CA tells again.
        let ([account], true) = (accounts.as_slice(), is_url(url)) else {
            return Vec::new();
        };
        let Some(known) = self.kept.accounts.get_mut(account) else {
            return Vec::new();
        };
        if known.url.as_deref() == Some(url) {
            return Vec::new();
        }
        let mut flights = self.flights.values();
        if flights.all(|flight| flight.has_account || flight.want.account() != *account) {
            return Vec::new();
        }
        known.url = Some(url.to_owned());
        for flight in self.flights.values_mut() {
            if flight.want.account() == *account {
                flight.order.authority.account.url = Some(url.to_owned());
                flight.has_account = true;
            }
        }
        kept_or_said(self.kept.write_accounts(store))
    }

    fn begun(&mut self, id: OrderId, url: String, store: &mut Store, now: u64) -> Vec<Event> {
        let mut flights = self.flights.values_mut();
        let Some(flight) = flights.find(|flight| flight.order.id == id) else {
            return Vec::new();
        };
        if !is_url(&url) || flight.has_begun || flight.order.begun.as_ref() == Some(&url) {
            return Vec::new();
        }
        flight.has_begun = true;
        flight.order.begun = Some(url.clone());
        flight.resumes = false;
        if let Some(pending) = self.kept.pending.get_mut(&flight.want.slot()) {
            pending.begin(url, now);
        }
        kept_or_said(self.kept.write_pending(store))
    }

    fn issued(
        &mut self,
        id: OrderId,
        chain: &str,
        store: &mut Store,
        (now, dice): (u64, u64),
    ) -> Heard {
        let Some(want) = self.flight(id).map(|flight| flight.want.clone()) else {
            return Heard::default();
        };
        let Some(pending) = self.pending(&want).cloned() else {
            return Heard::default();
        };
        let material = match judge(chain, &pending.key, &want.names, now, want.is_public()) {
            Ok(material) => material,
            Err(why) => {
                let text = format!("what the CA sent can not be used: {why}");
                let events = self.spoil(id, text, store, (now, dice));
                return Heard {
                    events,
                    is_new: false,
                };
            }
        };
        let issued = Issued {
            chain: material.chain_pem,
            key: material.key_pem,
            names: material.names,
            directory: want.directory.clone(),
            kind: want.kind,
        };
        let until = life(&issued).map_or(0, |life| life.until);
        self.kept.issued.insert(want.slot(), issued);
        self.forget_old(now);
        let mut events = vec![Event::Certificate {
            names: want.names.clone(),
            text: format!(
                "issued by {}, good until {}",
                want.directory,
                Moment(until.saturating_mul(1000))
            ),
        }];
        self.flights.remove(&want.key);
        let kept = self.kept.records.entry(want.place()).or_default();
        kept.record.succeed(now);
        kept.failure = None;
        match self.kept.write_issued(store) {
            // Only now, so that a power cut in between finds one of the two.
            Ok(()) => {
                self.kept.pending.remove(&want.slot());
                events.extend(kept_or_said(self.kept.write_pending(store)));
            }
            Err(text) => events.extend(kept_or_said(Err(text))),
        }
        events.extend(kept_or_said(self.kept.write_records(store)));
        Heard {
            events,
            is_new: true,
        }
    }

    fn renewal(
        &mut self,
        certificate: &str,
        told: Result<&Window, Option<u64>>,
        store: &mut Store,
        (now, dice): (u64, u64),
    ) -> Vec<Event> {
        let found = self.wants.iter().find_map(|want| {
            let issued = self.fitting(want)?;
            let id = certs::certificate_id(&issued.chain).ok()??;
            let asked = id == certificate && self.record(want).ask_at() <= now;
            asked.then(|| (want.clone(), life(issued)))
        });
        let Some((want, Some(life))) = found else {
            return Vec::new();
        };
        let before = self.order_at(&want);
        let kept = self.kept.records.entry(want.place()).or_default();
        match told {
            Ok(window) => {
                let bounds = (window.start, window.end);
                kept.record.tell(now, life, bounds, window.ask_again, dice);
            }
            Err(retry_after) => kept.record.tell_nothing(now, retry_after),
        }
        let mut events = kept_or_said(self.kept.write_records(store));
        let after = self.order_at(&want);
        if after < before && after < life.renew_at().saturating_sub(24 * 3600) {
            events.push(Event::Certificate {
                names: want.names,
                text: "the CA wants it renewed earlier than usual".to_owned(),
            });
        }
        events
    }
}

fn cure(blame: Blame) -> Cure {
    match blame {
        Blame::Order | Blame::Us => Cure::Operator,
        Blame::Unreachable | Blame::Limited | Blame::Proof | Blame::NameServer => Cure::Time,
    }
}

fn is_url(text: &str) -> bool {
    text.len() <= LONGEST_URL
        && text.starts_with("https://")
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

pub(super) fn kept_or_said(written: Result<(), String>) -> Vec<Event> {
    let said = written.err().map(|text| Event::Notice {
        service: "certs".into(),
        text,
    });
    said.into_iter().collect()
}
