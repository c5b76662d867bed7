//! What was counted, for programs: what the operator's pages show of the proxy.

use crate::metrics::{
    BYTES, CLASSES, CONNECTIONS, FORWARDED, HOST_REJECTED, REJECTED, REQUEST_SECONDS, REQUESTS,
    SECONDS, TARGET_WELL, UPGRADED,
};
use serde::{Deserialize, Serialize};
use service::Registry;
use service::metrics::{Reading, Value};
use std::collections::BTreeMap;

/// Hosts that are told of; a registry has no more, since it keeps at most 2000 series of a name.
const MOST_HOSTS: usize = 500;
/// Targets that are told of.
const MOST_TARGETS: usize = 2000;

/// What was counted since the proxy started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    /// By host; the one without a name is for requests that name none of ours.
    pub hosts: BTreeMap<String, HostFigures>,
    /// Rejected requests and connections.
    pub rejected: u64,
    /// The same by reason, without those that never were.
    pub reasons: BTreeMap<String, u64>,
    /// Open connections of clients.
    pub connections: u64,
    /// Targets, and whether they are well.
    pub targets: Vec<TargetFigures>,
}

/// What was counted for a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostFigures {
    /// Requests by class of their status: 1xx to 5xx.
    pub classes: [u64; CLASSES.len()],
    /// Rejected requests and connections.
    pub rejected: u64,
    /// Bytes that clients sent.
    pub received: u64,
    /// Bytes that clients got.
    pub sent: u64,
    /// Upgraded and passed-through connections that are open.
    pub upgraded: u64,
    /// Open connections of SIP, LDAP and H.323, by what their clients speak, without those of which there are none.
    pub forwarded: BTreeMap<String, u64>,
    /// Requests by how long they took, by the bounds of the histogram; private to [`HostFigures::within`].
    seconds: Vec<u64>,
}

/// One target, in the way in which it is asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetFigures {
    /// Address or name, and port.
    pub target: String,
    /// Host and path that it is asked for; empty: requests alone show it.
    pub asked: String,
    /// Whether it is well.
    pub well: bool,
}

impl Figures {
    /// Reads them from the registry of the process that the proxy runs in.
    pub fn read(registry: &Registry) -> Self {
        let mut figures = Self {
            rejected: sum(&registry.read(REJECTED)),
            reasons: registry.read(REJECTED).iter().filter_map(reason).collect(),
            connections: sum(&registry.read(CONNECTIONS)),
            ..Self::default()
        };
        for reading in registry.read(REQUESTS) {
            let class = reading.labels.get(1).map(String::as_str);
            let class = CLASSES.iter().position(|known| Some(*known) == class);
            if let (Some(host), Some(class)) = (figures.host(&reading), class) {
                host.classes[class] = count(&reading.value);
            }
        }
        for reading in registry.read(BYTES) {
            let is_sent = reading.labels.get(1).is_some_and(|label| label == "sent");
            let Some(host) = figures.host(&reading) else {
                continue;
            };
            let place = if is_sent {
                &mut host.sent
            } else {
                &mut host.received
            };
            *place = count(&reading.value);
        }
        for reading in registry.read(HOST_REJECTED) {
            if let Some(host) = figures.host(&reading) {
                host.rejected = count(&reading.value);
            }
        }
        for reading in registry.read(UPGRADED) {
            if let Some(host) = figures.host(&reading) {
                host.upgraded = count(&reading.value);
            }
        }
        for reading in registry.read(FORWARDED) {
            let open = count(&reading.value);
            let spoken = reading.labels.get(1).filter(|_| open > 0).cloned();
            if let (Some(host), Some(spoken)) = (figures.host(&reading), spoken) {
                host.forwarded.insert(spoken, open);
            }
        }
        for reading in registry.read(REQUEST_SECONDS) {
            if let (Some(host), Value::Buckets(counts)) = (figures.host(&reading), &reading.value) {
                host.seconds.clone_from(counts);
            }
        }
        let targets = registry.read(TARGET_WELL).into_iter().take(MOST_TARGETS);
        figures.targets = targets.filter_map(target).collect();
        figures
    }

    /// Whether a target is well that is asked for `path`, or that requests alone show to be so; `None`: nobody knows.
    pub fn is_well(&self, target: &str, path: Option<&str>) -> Option<bool> {
        let is_asked = |asked: &str| match path {
            Some(path) => asked.ends_with(path),
            None => asked.is_empty(),
        };
        let mut targets = self.targets.iter();
        let known = targets.find(|known| known.target == target && is_asked(&known.asked))?;
        Some(known.well)
    }

    fn host(&mut self, reading: &Reading) -> Option<&mut HostFigures> {
        let name = reading.labels.first()?;
        if !self.hosts.contains_key(name) && self.hosts.len() >= MOST_HOSTS {
            return None;
        }
        Some(self.hosts.entry(name.clone()).or_default())
    }
}

impl HostFigures {
    /// All requests.
    pub fn requests(&self) -> u64 {
        self.classes
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// In how many seconds `share` of the requests were done, as exactly as the bounds of the histogram allow; `None`: there
    /// were none. What took longer than the highest bound counts as that.
    pub fn within(&self, share: f64) -> Option<f64> {
        if self.seconds.len() != SECONDS.len() + 1 {
            return None;
        }
        #[allow(
            clippy::cast_precision_loss,
            reason = "a share needs no more than 15 digits"
        )]
        let counts: Vec<f64> = self.seconds.iter().map(|count| *count as f64).collect();
        let all: f64 = counts.iter().sum();
        if all <= 0.0 {
            return None;
        }
        let wanted = all * share;
        let (mut below, mut from) = (0.0, 0.0);
        for (count, bound) in counts.iter().zip(SECONDS) {
            if below + count >= wanted && *count > 0.0 {
                return Some(from + (bound - from) * ((wanted - below) / count).clamp(0.0, 1.0));
            }
            below += count;
            from = bound;
        }
        Some(from)
    }
}

fn target(reading: Reading) -> Option<TargetFigures> {
    let well = count(&reading.value) > 0;
    let mut labels = reading.labels.into_iter();
    Some(TargetFigures {
        target: labels.next()?,
        asked: labels.next()?,
        well,
    })
}

fn reason(reading: &Reading) -> Option<(String, u64)> {
    let rejected = count(&reading.value);
    let reason = reading.labels.first().filter(|_| rejected > 0)?;
    Some((reason.clone(), rejected))
}

fn sum(readings: &[Reading]) -> u64 {
    let counts = readings.iter().map(|reading| count(&reading.value));
    counts.fold(0, u64::saturating_add)
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Count(count) => *count,
        Value::Level(level) => u64::try_from(*level).unwrap_or(0),
        Value::Buckets(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_by_host() {
        let registry = Registry::default();
        let requests = |host, class| {
            let labels = [("host", host), ("status", class)];
            registry.counter(REQUESTS, "R.", &labels)
        };
        requests("a", "2xx").add(3);
        requests("a", "5xx").add(1);
        requests("", "4xx").add(2);
        let bytes = |direction| {
            let labels = [("host", "a"), ("direction", direction)];
            registry.counter(BYTES, "B.", &labels)
        };
        bytes("received").add(10);
        bytes("sent").add(20);
        registry
            .counter(HOST_REJECTED, "R.", &[("host", "a")])
            .add(4);
        registry.gauge(UPGRADED, "U.", &[("host", "a")]).set(-1);
        for (kind, count) in [("http", 2), ("https", 3)] {
            registry
                .gauge(CONNECTIONS, "C.", &[("protocol", kind)])
                .set(count);
            registry.counter(REJECTED, "R.", &[("reason", kind)]).add(7);
        }
        registry.counter(REJECTED, "R.", &[("reason", "never")]);
        for (kind, open) in [("sip", 0), ("sips", 2)] {
            let labels = [("host", "a"), ("protocol", kind)];
            registry.gauge(FORWARDED, "F.", &labels).set(open);
        }
        let labels = [("target", "192.0.2.2:80"), ("asked", "a/health")];
        registry.gauge(TARGET_WELL, "W.", &labels).set(1);
        let figures = Figures::read(&registry);
        assert_eq!((figures.rejected, figures.connections), (14, 5));
        let reasons = [("http".to_owned(), 7), ("https".to_owned(), 7)];
        assert_eq!(figures.reasons, BTreeMap::from(reasons));
        let a = &figures.hosts["a"];
        assert_eq!((a.classes, a.requests()), ([0, 3, 0, 0, 1], 4));
        assert_eq!((a.received, a.sent, a.rejected, a.upgraded), (10, 20, 4, 0));
        assert_eq!(a.forwarded, BTreeMap::from([("sips".to_owned(), 2)]));
        assert_eq!(figures.hosts[""].classes[3], 2);
        assert_eq!(figures.is_well("192.0.2.2:80", Some("/health")), Some(true));
        assert_eq!(figures.is_well("192.0.2.2:80", None), None);
        // Over the link and back.
        let text = serde_json::to_string(&figures).unwrap();
        assert_eq!(serde_json::from_str::<Figures>(&text).unwrap(), figures);
    }

    #[test]
    fn how_long_requests_took_is_told_from_the_histogram() {
        let registry = Registry::default();
        let seconds = registry.histogram(REQUEST_SECONDS, "S.", &[("host", "a")], &SECONDS);
        assert_eq!(Figures::read(&registry).hosts["a"].within(0.5), None);
        for _ in 0..90 {
            seconds.observe(0.015);
        }
        for _ in 0..10 {
            seconds.observe(0.7);
        }
        let host = |registry| Figures::read(registry).hosts["a"].clone();
        let near = |found: Option<f64>, expected: f64| {
            assert!(
                found.is_some_and(|found| (found - expected).abs() < 1e-9),
                "{found:?}"
            );
        };
        near(host(&registry).within(0.45), 0.015);
        near(host(&registry).within(0.95), 0.75);
        for _ in 0..900 {
            seconds.observe(99.0);
        }
        near(host(&registry).within(0.95), 30.0);
        // What a captured process may say.
        for odd in [vec![], vec![u64::MAX; 13], vec![1; 40]] {
            let host = HostFigures {
                classes: [u64::MAX; 5],
                seconds: odd,
                ..HostFigures::default()
            };
            assert_eq!(host.requests(), u64::MAX);
            assert!(host.within(0.95).is_none_or(f64::is_finite));
        }
    }
}
