//! The log of the box, as far back as it is kept in memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use service::Event;
use tokio::sync::watch;
use utoipa::ToSchema;

use crate::{LogQuery, Moment};

/// One event with its number and time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Record {
    /// Counts up; later records have greater ids, over restarts of the box as well.
    pub id: u64,
    /// When the supervisor took it.
    pub time: Moment,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// The last records, for any number of readers. Clones share their content.
///
/// Readers hold a position, not a queue: one that is slow costs nothing, and is told how
/// many records it missed.
#[derive(Debug, Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    records: Mutex<Records>,
    newest: watch::Sender<u64>,
}

#[derive(Debug)]
struct Records {
    kept: VecDeque<Arc<Record>>,
    capacity: usize,
    /// The first id of this run: how many records an older run had after an id is not known.
    first_id: u64,
    next_id: u64,
}

impl Journal {
    /// How many records a box keeps: some megabytes.
    pub const CAPACITY: usize = 10_000;

    /// An empty journal that keeps the last `capacity` records.
    ///
    /// `now` makes its ids greater than those of any run before; they stay below 2^53.
    pub fn new(capacity: usize, now: Moment) -> Self {
        let first_id = now.0.saturating_mul(1000) + 1;
        let (newest, _) = watch::channel(first_id - 1);
        Self {
            shared: Arc::new(Shared {
                records: Mutex::new(Records {
                    kept: VecDeque::new(),
                    capacity: capacity.max(1),
                    first_id,
                    next_id: first_id,
                }),
                newest,
            }),
        }
    }

    /// Adds `event`, in place of the oldest record where the journal is full.
    pub fn push(&self, event: Event, now: Moment) -> Arc<Record> {
        let mut records = self.lock();
        let record = Arc::new(Record {
            id: records.next_id,
            time: now,
            event,
        });
        records.next_id += 1;
        if records.kept.len() >= records.capacity {
            records.kept.pop_front();
        }
        records.kept.push_back(Arc::clone(&record));
        // Under the lock, so that what readers are told never goes backwards.
        self.shared.newest.send_replace(record.id);
        record
    }

    /// A reader that begins where `query` says.
    pub fn read(&self, query: &LogQuery) -> Follower {
        let records = self.lock();
        let oldest = records.oldest() - 1;
        // An id that is still to come is from a run whose clock was ahead, or invented: what comes is wanted all the same.
        let newest = records.next_id - 1;
        let mut position = query.after.map_or(oldest, |after| after.min(newest));
        if let Some(last) = query.last {
            let wanted = |record: &&Arc<Record>| fits(query.service.as_deref(), record);
            let matching = records.kept.iter().rev().filter(wanted);
            // One before the last so many; all where there are fewer.
            let start = match last {
                0 => records.next_id - 1,
                _ => matching.take(last).last().map_or(oldest, |r| r.id - 1),
            };
            position = position.max(start);
        }
        drop(records);
        Follower {
            journal: self.clone(),
            newest: self.shared.newest.subscribe(),
            position,
            service: query.service.clone(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.shared
            .records
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Records {
    /// The id of the oldest record that is kept; where there is none, of the next.
    fn oldest(&self) -> u64 {
        self.kept.front().map_or(self.next_id, |record| record.id)
    }
}

/// One reader of a [`Journal`].
#[derive(Debug)]
pub struct Follower {
    journal: Journal,
    newest: watch::Receiver<u64>,
    position: u64,
    service: Option<String>,
}

impl Follower {
    /// The next record that is there already.
    ///
    /// Where records are gone that this reader should have got, one [`Event::Dropped`] says how many.
    pub fn try_next(&mut self) -> Option<Arc<Record>> {
        let records = self.journal.lock();
        let oldest = records.oldest();
        if self.position + 1 < oldest {
            let from = self.position.max(records.first_id - 1);
            let (count, time) = (oldest - 1 - from, records.kept.front()?.time);
            self.position = oldest - 1;
            if count > 0 {
                return Some(Arc::new(Record {
                    id: self.position,
                    time,
                    event: Event::Dropped { count },
                }));
            }
        }
        let start = records.kept.partition_point(|r| r.id <= self.position);
        let service = self.service.as_deref();
        let next = records
            .kept
            .range(start..)
            .find(|record| fits(service, record));
        self.position = match next {
            Some(record) => record.id,
            None => self.position.max(records.next_id - 1),
        };
        next.cloned()
    }

    /// The next record, as soon as there is one.
    pub async fn next(&mut self) -> Arc<Record> {
        loop {
            self.newest.mark_unchanged();
            if let Some(record) = self.try_next() {
                return record;
            }
            // The sender lives in the journal that this reader holds.
            let _ = self.newest.changed().await;
        }
    }
}

fn fits(service: Option<&str>, record: &Record) -> bool {
    service.is_none_or(|name| record.event.service() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice(service: &'static str, text: &str) -> Event {
        Event::Notice {
            service: service.into(),
            text: text.into(),
        }
    }

    fn journal(capacity: usize, count: u64) -> (Journal, u64) {
        let journal = Journal::new(capacity, Moment(1_795_000_000_000));
        for number in 0..count {
            let service = if number % 2 == 0 { "even" } else { "odd" };
            journal.push(notice(service, &number.to_string()), Moment(number));
        }
        (journal, 1_795_000_000_000_001)
    }

    fn texts(follower: &mut Follower) -> Vec<String> {
        std::iter::from_fn(|| follower.try_next())
            .map(|record| match &record.event {
                Event::Notice { text, .. } => text.clone(),
                Event::Dropped { count } => format!("-{count}"),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn a_query_finds_its_records() {
        let (journal, first) = journal(4, 6);
        for (after, last, service, expected) in [
            (None, None, None, "2 3 4 5"),
            (None, Some(2), None, "4 5"),
            (None, Some(0), None, ""),
            (None, Some(9), None, "2 3 4 5"),
            (None, None, Some("odd"), "3 5"),
            (None, Some(1), Some("odd"), "5"),
            (None, None, Some("none"), ""),
            (Some(first + 3), None, None, "4 5"),
            (Some(first + 9), None, None, ""),
            (Some(u64::MAX), None, None, ""),
            // Two were pushed out after the record of this id.
            (Some(first - 1), None, None, "-2 2 3 4 5"),
            (Some(first), None, None, "-1 2 3 4 5"),
            // An id of an earlier run.
            (Some(17), None, None, "-2 2 3 4 5"),
            (Some(17), Some(1), None, "5"),
        ] {
            let query = LogQuery {
                after,
                last,
                service: service.map(str::to_owned),
                follow: false,
            };
            let found = texts(&mut journal.read(&query)).join(" ");
            assert_eq!(found, expected, "{query:?}");
        }
    }

    #[test]
    fn ids_grow_over_a_restart_and_fit_a_double() {
        let (journal, first) = journal(4, 6);
        let id = journal.push(notice("even", "x"), Moment(0)).id;
        assert_eq!(id, first + 6);
        let restarted = Journal::new(4, Moment(1_795_000_001_000));
        assert!(restarted.push(notice("even", "x"), Moment(0)).id > id);
        assert!(id < 1 << 53);
    }

    #[tokio::test]
    async fn a_follower_waits_for_what_it_wants() {
        let (journal, _) = journal(4, 6);
        let mut follower = journal.read(&LogQuery {
            last: Some(0),
            service: Some("odd".into()),
            ..LogQuery::default()
        });
        let waiting = tokio::spawn(async move { follower.next().await });
        tokio::task::yield_now().await;
        journal.push(notice("even", "no"), Moment(0));
        tokio::task::yield_now().await;
        journal.push(notice("odd", "yes"), Moment(0));
        let record = waiting.await.unwrap();
        assert_eq!(record.event, notice("odd", "yes"));
    }

    #[test]
    fn an_id_that_is_still_to_come_keeps_nothing_back() {
        let (journal, _) = journal(4, 6);
        let mut follower = journal.read(&LogQuery {
            after: Some(u64::MAX),
            ..LogQuery::default()
        });
        assert!(texts(&mut follower).is_empty());
        journal.push(notice("even", "new"), Moment(0));
        assert_eq!(texts(&mut follower), ["new"]);
    }

    #[test]
    fn a_slow_reader_is_told_what_it_missed_and_no_more() {
        let (journal, _) = journal(4, 2);
        let mut follower = journal.read(&LogQuery::default());
        assert_eq!(texts(&mut follower), ["0", "1"]);
        for number in 0..7 {
            journal.push(notice("even", &number.to_string()), Moment(0));
        }
        assert_eq!(texts(&mut follower), ["-3", "3", "4", "5", "6"]);
    }

    #[test]
    fn a_record_is_one_flat_object() {
        let record = Record {
            id: 7,
            time: Moment(1_795_225_367_000),
            event: notice("edge", "hello"),
        };
        let json = serde_json::to_string(&record).unwrap();
        assert_eq!(
            json,
            r#"{"id":7,"time":"2026-11-21T01:42:47.000Z","event":"notice","service":"edge","text":"hello"}"#
        );
        assert_eq!(serde_json::from_str::<Record>(&json).unwrap(), record);
    }
}
