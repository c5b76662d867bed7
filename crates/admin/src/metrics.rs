//! The instruments of the admin pages.

use service::Registry;
use service::metrics::{Counter, Gauge};

/// The instruments of the admin pages. Clones are the same.
#[derive(Debug, Clone)]
pub(crate) struct Metrics {
    /// Connections that are open.
    pub(crate) open: Gauge,
    /// Connections that were closed at once: banned, or not let in.
    pub(crate) refused: Counter,
    /// Connections that ended before a request was read.
    pub(crate) failed: Counter,
    registry: Registry,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Self {
        let counter = |name, help| registry.counter(name, help, &[]);
        Self {
            open: registry.gauge(
                "gatehouse_admin_open",
                "Open connections to the admin pages.",
                &[],
            ),
            refused: counter(
                "gatehouse_admin_refused_total",
                "Connections to the admin pages closed at once: banned, or not let in.",
            ),
            failed: counter(
                "gatehouse_admin_failed_total",
                "Connections to the admin pages that ended before a request was read.",
            ),
            registry: registry.clone(),
        }
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, status: u16) {
        let help = "Answers of the admin pages.";
        let status = status.to_string();
        let labels = [("status", status.as_str())];
        let name = "gatehouse_admin_answers_total";
        self.registry.counter(name, help, &labels).inc();
    }
}
