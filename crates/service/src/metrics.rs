//! Instruments and their registry, rendered as Prometheus text (exposition format 0.0.4).
//!
//! Handles are cheap to clone and to use from any thread: an addition to an atomic. Names and labels are
//! looked up once, when an instrument is registered, never on a data path.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// How many label sets one name may have; further ones share a series whose labels all read `other`.
const SERIES_PER_NAME: usize = 2000;

/// Counts up.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// Adds one.
    pub fn inc(&self) {
        self.add(1);
    }

    /// Adds `count`.
    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Goes up and down.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicI64>);

impl Gauge {
    /// Adds one.
    pub fn inc(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes one away.
    pub fn dec(&self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }

    /// Sets the value.
    pub fn set(&self, value: i64) {
        self.0.store(value, Ordering::Relaxed);
    }

    /// The value now.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counts observations by upper bound.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Buckets>);

#[derive(Debug)]
struct Buckets {
    bounds: Box<[f64]>,
    /// One more than `bounds`: the last is for all that is above.
    counts: Box<[AtomicU64]>,
    /// In millionths, so that it can be added to atomically.
    sum: AtomicU64,
}

impl Histogram {
    fn new(bounds: &[f64]) -> Self {
        Self(Arc::new(Buckets {
            bounds: bounds.into(),
            counts: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }))
    }

    /// Counts `value`; a negative one or one that is no number counts as 0.
    pub fn observe(&self, value: f64) {
        let value = if value > 0.0 { value } else { 0.0 };
        let index = self.0.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.0.counts.get(index) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a float too large saturates, and none is negative here"
        )]
        self.0
            .sum
            .fetch_add((value * 1e6) as u64, Ordering::Relaxed);
    }
}

#[derive(Clone, Debug)]
enum Instrument {
    Counter(Counter),
    Gauge(Gauge),
    Histogram(Histogram),
}

impl Instrument {
    fn value(&self) -> Value {
        match self {
            Self::Counter(counter) => Value::Count(counter.get()),
            Self::Gauge(gauge) => Value::Level(gauge.get()),
            Self::Histogram(histogram) => {
                let counts = histogram.0.counts.iter();
                Value::Buckets(counts.map(|count| count.load(Ordering::Relaxed)).collect())
            }
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Counter(_) => "counter",
            Self::Gauge(_) => "gauge",
            Self::Histogram(_) => "histogram",
        }
    }
}

#[derive(Debug)]
struct Family {
    help: &'static str,
    /// By rendered labels, `host="a",status="2xx"`.
    series: BTreeMap<String, Series>,
}

#[derive(Debug)]
struct Series {
    /// The values of its labels, in the order of its making.
    labels: Vec<String>,
    instrument: Instrument,
}

/// One series as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The values of its labels, in the order in which they were named.
    pub labels: Vec<String>,
    /// What it says.
    pub value: Value,
}

/// What an instrument says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Of a counter.
    Count(u64),
    /// Of a gauge.
    Level(i64),
    /// Of a histogram: observations up to each of its bounds and above the one before; the last is for all that is above.
    Buckets(Vec<u64>),
}

/// All instruments of a process. Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    families: Arc<Mutex<BTreeMap<&'static str, Family>>>,
}

impl Registry {
    /// The counter of that name and those labels, made at the first call.
    pub fn counter(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
    ) -> Counter {
        let made = || Instrument::Counter(Counter::default());
        match self.instrument(name, help, labels, made) {
            Instrument::Counter(counter) => counter,
            _ => Counter::default(),
        }
    }

    /// The gauge of that name and those labels, made at the first call.
    pub fn gauge(&self, name: &'static str, help: &'static str, labels: &[(&str, &str)]) -> Gauge {
        let made = || Instrument::Gauge(Gauge::default());
        match self.instrument(name, help, labels, made) {
            Instrument::Gauge(gauge) => gauge,
            _ => Gauge::default(),
        }
    }

    /// The histogram of that name and those labels, made at the first call with ascending `bounds`.
    pub fn histogram(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        bounds: &[f64],
    ) -> Histogram {
        let made = || Instrument::Histogram(Histogram::new(bounds));
        match self.instrument(name, help, labels, made) {
            Instrument::Histogram(histogram) => histogram,
            _ => Histogram::new(bounds),
        }
    }

    /// Drops all gauges of that name but `kept`: what the others told of is no more.
    pub fn retain_gauges(&self, name: &str, kept: &[Gauge]) {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(family) = families.get_mut(name) else {
            return;
        };
        family.series.retain(|_, series| match &series.instrument {
            Instrument::Gauge(gauge) => kept.iter().any(|kept| Arc::ptr_eq(&kept.0, &gauge.0)),
            _ => true,
        });
    }

    /// All series of that name, for who reads them by program.
    pub fn read(&self, name: &str) -> Vec<Reading> {
        let families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let series = families.get(name).into_iter();
        let series = series.flat_map(|family| family.series.values());
        series
            .map(|series| Reading {
                labels: series.labels.clone(),
                value: series.instrument.value(),
            })
            .collect()
    }

    /// Everything as Prometheus text.
    pub fn render(&self) -> String {
        let families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = String::new();
        for (name, family) in families.iter() {
            let Some(first) = family.series.values().next() else {
                continue;
            };
            let kind = first.instrument.kind();
            let _ = writeln!(text, "# HELP {name} {}\n# TYPE {name} {kind}", family.help);
            for (labels, series) in &family.series {
                render_series(&mut text, name, labels, &series.instrument);
            }
        }
        text
    }

    /// Two kinds under one name are a mistake in our own code; the second is then not shown.
    fn instrument(
        &self,
        name: &'static str,
        help: &'static str,
        labels: &[(&str, &str)],
        made: impl Fn() -> Instrument,
    ) -> Instrument {
        let mut families = self.families.lock().unwrap_or_else(PoisonError::into_inner);
        let family = families.entry(name).or_insert_with(|| Family {
            help,
            series: BTreeMap::new(),
        });
        let mut key = render_labels(labels.iter().copied());
        let mut values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
        if !family.series.contains_key(&key) && family.series.len() >= SERIES_PER_NAME {
            key = render_labels(labels.iter().map(|(label, _)| (*label, "other")));
            values.fill("other");
        }
        let series = family.series.entry(key).or_insert_with(|| Series {
            labels: values.into_iter().map(str::to_owned).collect(),
            instrument: made(),
        });
        series.instrument.clone()
    }
}

fn render_labels<'a>(labels: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let mut text = String::new();
    for (label, value) in labels {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(label);
        text.push_str("=\"");
        for character in value.chars() {
            match character {
                '\\' => text.push_str("\\\\"),
                '"' => text.push_str("\\\""),
                '\n' => text.push_str("\\n"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    text
}

fn render_series(text: &mut String, name: &str, labels: &str, instrument: &Instrument) {
    let braced = if labels.is_empty() {
        String::new()
    } else {
        format!("{{{labels}}}")
    };
    let _ = match instrument {
        Instrument::Counter(counter) => writeln!(text, "{name}{braced} {}", counter.get()),
        Instrument::Gauge(gauge) => writeln!(text, "{name}{braced} {}", gauge.get()),
        Instrument::Histogram(histogram) => {
            render_histogram(text, name, labels, &braced, &histogram.0)
        }
    };
}

fn render_histogram(
    text: &mut String,
    name: &str,
    labels: &str,
    braced: &str,
    buckets: &Buckets,
) -> std::fmt::Result {
    let comma = if labels.is_empty() { "" } else { "," };
    let mut total = 0;
    for (index, count) in buckets.counts.iter().enumerate() {
        total += count.load(Ordering::Relaxed);
        match buckets.bounds.get(index) {
            Some(bound) => writeln!(
                text,
                "{name}_bucket{{{labels}{comma}le=\"{bound}\"}} {total}"
            )?,
            None => writeln!(text, "{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {total}")?,
        }
    }
    let micros = buckets.sum.load(Ordering::Relaxed);
    let (whole, part) = (micros / 1_000_000, micros % 1_000_000);
    writeln!(text, "{name}_sum{braced} {whole}.{part:06}")?;
    writeln!(text, "{name}_count{braced} {total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renders_what_a_prometheus_server_reads() {
        let registry = Registry::default();
        let requests = registry.counter("requests_total", "Requests.", &[("host", "a\"b")]);
        requests.add(2);
        registry
            .counter("requests_total", "Requests.", &[("host", "a\"b")])
            .inc();
        registry.gauge("open", "Open connections.", &[]).dec();
        let seconds = registry.histogram("seconds", "Time.", &[("host", "a")], &[0.1, 1.0]);
        for value in [0.05, 0.1, 0.5, 7.0, -1.0] {
            seconds.observe(value);
        }
        let expected = "# HELP open Open connections.\n# TYPE open gauge\nopen -1\n\
            # HELP requests_total Requests.\n# TYPE requests_total counter\nrequests_total{host=\"a\\\"b\"} 3\n\
            # HELP seconds Time.\n# TYPE seconds histogram\n\
            seconds_bucket{host=\"a\",le=\"0.1\"} 3\nseconds_bucket{host=\"a\",le=\"1\"} 4\n\
            seconds_bucket{host=\"a\",le=\"+Inf\"} 5\nseconds_sum{host=\"a\"} 7.650000\nseconds_count{host=\"a\"} 5\n";
        assert_eq!(registry.render(), expected);
    }

    #[test]
    fn series_are_read_by_programs() {
        let registry = Registry::default();
        let labels = [("host", "a\"b"), ("status", "2xx")];
        registry.counter("requests", "R.", &labels).add(7);
        registry.gauge("open", "O.", &[]).set(-2);
        let seconds = registry.histogram("seconds", "S.", &[("host", "a")], &[0.1, 1.0]);
        seconds.observe(0.5);
        seconds.observe(9.0);
        let read = |name| {
            let readings = registry.read(name).into_iter();
            readings
                .map(|reading| (reading.labels, reading.value))
                .collect::<Vec<_>>()
        };
        let labels = vec!["a\"b".to_owned(), "2xx".to_owned()];
        assert_eq!(read("requests"), [(labels, Value::Count(7))]);
        assert_eq!(read("open"), [(vec![], Value::Level(-2))]);
        assert_eq!(
            read("seconds"),
            [(vec!["a".to_owned()], Value::Buckets(vec![0, 1, 1]))]
        );
        assert!(read("unheard").is_empty());
    }

    #[test]
    fn gauges_of_what_is_no_more_are_dropped() {
        let registry = Registry::default();
        let gauge = |name, of| registry.gauge(name, "G.", &[("of", of)]);
        let kept = gauge("well", "a");
        gauge("well", "b").set(1);
        gauge("other", "b").set(1);
        registry.retain_gauges("well", &[kept]);
        registry.retain_gauges("unheard", &[]);
        let text = registry.render();
        assert!(text.contains("well{of=\"a\"} 0\n"), "{text}");
        assert!(!text.contains("well{of=\"b\"}"), "{text}");
        assert!(text.contains("other{of=\"b\"} 1\n"), "{text}");
    }

    #[test]
    fn a_flood_of_label_values_is_capped() {
        let registry = Registry::default();
        for number in 0..SERIES_PER_NAME + 50 {
            registry
                .counter("n", "N.", &[("v", &number.to_string())])
                .inc();
        }
        assert!(registry.render().contains("n{v=\"other\"} 50"));
    }
}
