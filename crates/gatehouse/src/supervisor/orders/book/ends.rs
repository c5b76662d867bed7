//! Certificates that come to their end.

use super::Book;
use super::hear::kept_or_said;
use crate::supervisor::orders::clock_is_wrong;
use crate::supervisor::orders::judge::seconds;
use certs::Material;
use certs::plan::stage;
use service::Event;
use store::Store;

impl Book {
    /// What the operator should know of the ends of `shown` at `now`: 30, 14, 7 and 1 days before, and after, once each,
    /// also over a restart.
    pub fn judge_ends(&mut self, shown: &[Material], store: &mut Store, now: u64) -> Vec<Event> {
        if clock_is_wrong(now) {
            return Vec::new();
        }
        let mut events = Vec::new();
        let before = self.kept.told.clone();
        let lasting = shown.iter().filter(|material| !material.temporary);
        for material in lasting {
            let Ok(validity) = certs::validity(material) else {
                continue;
            };
            let (until, key) = (seconds(validity.not_after), material.names.join(" "));
            let Some(days) = stage(until, now) else {
                continue;
            };
            // One that is about to be renewed by itself is nobody's concern.
            let renews = self.order_of(material);
            if days > 0 && renews.is_some_and(|at| at > now) && !self.has_failed(material) {
                continue;
            }
            if self.kept.told.insert(key, (until, days)) == Some((until, days)) {
                continue;
            }
            let text = match days {
                0 => "has expired: clients refuse it".to_owned(),
                1 => "expires within a day".to_owned(),
                days => format!("expires within {days} days"),
            };
            let names = material.names.clone();
            events.push(Event::Certificate { names, text });
        }
        let is_shown = |key: &str| shown.iter().any(|one| one.names.join(" ") == key);
        self.kept.told.retain(|key, _| is_shown(key));
        if self.kept.told != before {
            events.extend(kept_or_said(self.kept.write_told(store)));
        }
        events
    }

    fn order_of(&self, material: &Material) -> Option<u64> {
        let mut wants = self.wants.iter();
        let want = wants.find(|want| Some(want.line) == material.line)?;
        Some(self.order_at(want))
    }

    fn has_failed(&self, material: &Material) -> bool {
        let mut wants = self.wants.iter();
        let want = wants.find(|want| Some(want.line) == material.line);
        want.is_some_and(|want| self.record(want).failures > 0)
    }
}
