//! The log: kept for those who ask, and printed on standard error as it comes.

use control::{Moment, render};
use service::Event;
use std::io::Write as _;
use std::time::SystemTime;

/// The log of the box. Clones are the same.
#[derive(Clone)]
pub struct Journal {
    kept: control::Journal,
}

impl Journal {
    /// An empty log.
    pub fn new() -> Self {
        Self {
            kept: control::Journal::new(control::Journal::CAPACITY, now()),
        }
    }

    /// Writes `event` down.
    pub fn record(&self, event: Event) {
        let record = self.kept.push(event, now());
        let line = format!("{}\n", render::line(&record));
        // A closed standard error is no reason to stop.
        let _ = std::io::stderr().lock().write_all(line.as_bytes());
    }

    /// Writes down what `service` says to the operator.
    pub fn notice(&self, service: &'static str, text: impl Into<String>) {
        self.record(Event::Notice {
            service: service.into(),
            text: text.into(),
        });
    }

    /// The same log, for those who read it.
    pub fn kept(&self) -> control::Journal {
        self.kept.clone()
    }
}

/// The time.
pub fn now() -> Moment {
    SystemTime::now().into()
}
