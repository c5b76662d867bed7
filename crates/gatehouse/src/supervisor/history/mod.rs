//! What the box did for the last day, in numbers: every ten seconds one sample of a few of them, kept in memory.

mod cpu;
mod rings;

use super::gate::Gate;
use super::journal::now;
use super::memory;
use config::Config;
use control::{Moment, Series, SeriesKind};
use cpu::Cpu;
use proxy::Figures;
use rings::{Key, Reading, Rings, STEP};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::{Instant, MissedTickBehavior};

/// Hosts that have a series of their own: the first of the file.
const MOST_HOSTS: usize = 64;
/// Requests by class of their status.
const CLASSES: [&str; 5] = [
    "requests_1xx",
    "requests_2xx",
    "requests_3xx",
    "requests_4xx",
    "requests_5xx",
];
/// The other series, with their units.
const UNITS: [(&str, &str); 11] = [
    ("requests", "requests/s"),
    ("bytes_received", "bytes/s"),
    ("bytes_sent", "bytes/s"),
    ("rejected", "rejections/s"),
    ("connections", "connections"),
    ("upgraded", "connections"),
    ("offences", "offences/s"),
    ("bans", "clients"),
    ("memory_ours", "bytes"),
    ("memory_used", "bytes"),
    ("cpu", "cores"),
];

/// The numbers of the last day. Clones are the same.
#[derive(Clone)]
pub struct History {
    rings: Arc<Mutex<Rings>>,
    began: Instant,
}

/// One sample.
type Sample = BTreeMap<Key, Option<Reading>>;

impl History {
    /// None yet.
    pub fn new() -> Self {
        Self {
            rings: Arc::default(),
            began: Instant::now(),
        }
    }

    /// What is known of the last `seconds`.
    pub fn show(&self, seconds: u32) -> control::History {
        let rings = self.lock();
        let (step, shown) = rings.show(seconds);
        let age = u64::try_from(rings.age(self.began.elapsed()).as_millis()).unwrap_or(u64::MAX);
        drop(rings);
        let series = shown.into_iter().map(|shown| Series {
            name: shown.key.name.to_owned(),
            host: (!shown.key.host.is_empty()).then_some(shown.key.host),
            unit: unit(shown.key.name).to_owned(),
            kind: if shown.is_rate {
                SeriesKind::Rate
            } else {
                SeriesKind::Level
            },
            points: shown.points,
        });
        control::History {
            step_seconds: u32::try_from(step.as_secs()).unwrap_or(u32::MAX),
            end: Moment(now().0.saturating_sub(age)),
            series: series.collect(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Rings> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Takes a sample every ten seconds, for ever. A process that does not answer is waited for a second, and leaves gaps.
pub async fn keep(gate: Gate) {
    let history = gate.hub.history.clone();
    let mut ticks = tokio::time::interval_at(history.began, STEP);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut cpu = Cpu::default();
    loop {
        ticks.tick().await;
        let at = history.began.elapsed();
        let figures = gate.edge.figures().await;
        let config = gate.with(|state| Arc::clone(&state.running.config)).await;
        let pids = pids(&gate);
        // The kernel walks through all pages of a process to tell its memory.
        let looked = tokio::task::spawn_blocking(move || {
            let used = cpu.used(&pids);
            (cpu, used, memory::of(&pids), memory::used())
        });
        let Ok((kept, used, ours, all)) = looked.await else {
            cpu = Cpu::default();
            continue;
        };
        cpu = kept;
        let mut sample = traffic(figures.as_ref(), &config);
        let warden = &gate.hub.warden;
        let box_wide = [
            ("offences", Some(Reading::Total(float(warden.counted())))),
            (
                "bans",
                Some(level(u64::try_from(warden.banned()).unwrap_or(0))),
            ),
            ("memory_ours", ours.map(level)),
            ("memory_used", all.map(level)),
            ("cpu", used.map(Reading::Total)),
        ];
        sample.extend(box_wide.map(|(name, reading)| (whole(name), reading)));
        history.lock().take(at, &sample);
    }
}

/// The processes of the box that live now.
fn pids(gate: &Gate) -> Vec<u32> {
    let kept = [&gate.edge, &gate.admin].map(|child| child.condition().pid);
    let console = gate.hub.machine.console();
    let console = console.and_then(|condition| condition.pid);
    let own = Some(std::process::id());
    [own, console].into_iter().chain(kept).flatten().collect()
}

/// What edge has counted: all of it unknown where it does not answer. Of its hosts only those of the configuration count.
fn traffic(figures: Option<&Figures>, config: &Config) -> Sample {
    let sum = |of: &dyn Fn(&proxy::HostFigures) -> u64| {
        let hosts = figures.map(|figures| figures.hosts.values());
        hosts.map(|hosts| hosts.map(of).fold(0, u64::saturating_add))
    };
    let total = |count: Option<u64>| count.map(|count| Reading::Total(float(count)));
    let mut sample = Sample::new();
    for (class, name) in CLASSES.into_iter().enumerate() {
        sample.insert(whole(name), total(sum(&|host| host.classes[class])));
    }
    let rest = [
        ("bytes_received", total(sum(&|host| host.received))),
        ("bytes_sent", total(sum(&|host| host.sent))),
        ("upgraded", sum(&|host| host.upgraded).map(level)),
        ("rejected", total(figures.map(|figures| figures.rejected))),
        (
            "connections",
            figures.map(|figures| level(figures.connections)),
        ),
    ];
    sample.extend(rest.map(|(name, reading)| (whole(name), reading)));
    let names = config.hosts.iter().filter(|host| !host.http.is_empty());
    for name in names.map(|host| &host.name.domain).take(MOST_HOSTS) {
        let host = figures.map(|figures| figures.hosts.get(name));
        let requests = host.map(|host| host.map_or(0, proxy::HostFigures::requests));
        let key = Key {
            name: "requests",
            host: name.clone(),
        };
        sample.insert(key, total(requests));
    }
    sample
}

fn whole(name: &'static str) -> Key {
    Key {
        name,
        host: String::new(),
    }
}

fn unit(name: &str) -> &'static str {
    let known = UNITS.iter().find(|(known, _)| *known == name);
    known.map_or("requests/s", |(_, unit)| unit)
}

fn level(value: u64) -> Reading {
    Reading::Level(float(value))
}

#[allow(
    clippy::cast_precision_loss,
    reason = "15 digits are enough for a graph"
)]
fn float(value: u64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(hosts: usize) -> Config {
        let mut text =
            "schema = 1\n[system]\nhostname = \"gate\"\n[network.lan]\ntrust = \"inside\"\n\
            interface = \"eth0\"\naddresses = [\"192.0.2.4/24\"]\n"
                .to_owned();
        for number in 0..hosts {
            let name = format!("h{number}.example");
            text += "[[host]]\nname = \"";
            text += &name;
            text += "\"\ntarget = \"192.0.2.9\"\n[[host.http]]\n";
        }
        config::check(&text, "test.toml").unwrap().config
    }

    fn figures(text: &str) -> Figures {
        let json = format!(
            r#"{{"hosts":{{{text}}},"rejected":2,"reasons":{{}},"connections":3,"targets":[]}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn host(name: &str, sent: u64) -> String {
        format!(
            r#""{name}":{{"classes":[0,5,0,1,0],"rejected":1,"received":7,"sent":{sent},"upgraded":1,"forwarded":{{}},"seconds":[]}}"#
        )
    }

    #[test]
    fn what_edge_counts_is_summed_and_told_by_host() {
        let told = figures(
            &[
                host("h0.example", 1),
                host("", 2),
                host("invented.example", 4),
            ]
            .join(","),
        );
        let sample = traffic(Some(&told), &config(2));
        let of = |name, host: &str| {
            sample[&Key {
                name,
                host: host.to_owned(),
            }]
        };
        assert_eq!(of("requests_2xx", ""), Some(Reading::Total(15.0)));
        assert_eq!(of("bytes_sent", ""), Some(Reading::Total(7.0)));
        assert_eq!(of("upgraded", ""), Some(Reading::Level(3.0)));
        assert_eq!(of("requests", "h0.example"), Some(Reading::Total(6.0)));
        assert_eq!(of("requests", "h1.example"), Some(Reading::Total(0.0)));
        assert!(!sample.keys().any(|key| key.host == "invented.example"));
        for (key, reading) in traffic(None, &config(2)) {
            assert_eq!(reading, None, "{key:?}");
        }
    }

    #[test]
    fn what_a_captured_process_invents_is_bounded() {
        let told = figures(&[host("a", u64::MAX), host("b", u64::MAX)].join(","));
        let sample = traffic(Some(&told), &config(80));
        assert!(sample.len() + 5 <= rings::MOST_SERIES, "{}", sample.len());
        assert_eq!(
            sample.keys().filter(|key| !key.host.is_empty()).count(),
            MOST_HOSTS
        );
        let mut rings = Rings::default();
        rings.take(STEP, &sample);
        rings.take(STEP * 2, &traffic(Some(&figures("")), &config(80)));
        for shown in rings.show(60).1 {
            assert!(shown.points.iter().flatten().all(|point| point.is_finite()));
        }
    }

    #[test]
    fn every_series_has_its_unit() {
        let sample = traffic(None, &config(1));
        for key in sample
            .keys()
            .filter(|key| !key.name.starts_with("requests"))
        {
            assert!(
                UNITS.iter().any(|(name, _)| *name == key.name),
                "{}",
                key.name
            );
        }
        assert_eq!(unit("requests_2xx"), "requests/s");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_point_has_its_time() {
        let history = History::new();
        assert!(history.show(60).series.is_empty());
        tokio::time::advance(STEP).await;
        let sample = traffic(Some(&figures("")), &config(0));
        history.lock().take(history.began.elapsed(), &sample);
        tokio::time::advance(STEP / 2).await;
        let shown = history.show(60);
        let age = now().0 - shown.end.0;
        assert!((5000..60_000).contains(&age), "{age}");
        assert_eq!((shown.step_seconds, shown.series[0].points.len()), (10, 6));
        assert_eq!(history.show(7200).step_seconds, 60);
    }
}
