//! The last day in numbers: an hour by ten seconds and a day by minutes. Pure: time is passed in, as what has passed since
//! the box began to count.
//!
//! At most [`MOST_SERIES`] series, each of 360 and 1440 points of 4 bytes: 7.2 kB a series, 0.7 MB for all.

use std::collections::BTreeMap;
use std::time::Duration;

/// Between two points of the last hour, and between two samples.
pub const STEP: Duration = Duration::from_secs(10);
/// Between two points of the last day.
const LONG_STEP: Duration = Duration::from_mins(1);
/// Points of the last hour.
const FINE: u32 = 360;
/// Points of the last day.
const COARSE: u32 = 1440;
/// Samples of a minute.
const PER_MINUTE: u64 = 6;
/// Series at a time; further ones are not kept.
pub const MOST_SERIES: usize = 96;

/// How one number is to be understood.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reading {
    /// A sum that only grows; what is kept is its growth in a second. One that is smaller than before has begun anew at zero.
    Total(f64),
    /// A level, kept as it is; a minute has the highest of its samples.
    Level(f64),
}

/// Which series: its name, and the host where it is about one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// The host; empty for what is about the box.
    pub host: String,
}

/// All series.
#[derive(Debug, Default)]
pub struct Rings {
    series: BTreeMap<Key, Ring>,
    /// The number of the newest step that a sample was taken for.
    newest: Option<u64>,
}

/// What is shown of one series.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Which it is.
    pub key: Key,
    /// Whether it is a rate.
    pub is_rate: bool,
    /// Oldest first; `None` where nothing is known.
    pub points: Vec<Option<f64>>,
}

impl Rings {
    /// Takes a sample at `at`: `None` for what could not be learnt. Series that are not named are forgotten.
    ///
    /// A second sample within one step is not taken: there is one point for each.
    pub fn take(&mut self, at: Duration, sample: &BTreeMap<Key, Option<Reading>>) {
        let step = step_of(at);
        if self.newest.is_some_and(|newest| step <= newest) {
            return;
        }
        self.series.retain(|key, _| sample.contains_key(key));
        for (key, reading) in sample {
            if !self.series.contains_key(key) && self.series.len() >= MOST_SERIES {
                continue;
            }
            let ring = self.series.entry(key.clone()).or_default();
            ring.take(at, step, *reading);
        }
        self.newest = Some(step);
    }

    /// The points of the last `seconds` before the newest sample: by ten seconds up to an hour, else by minutes.
    pub fn show(&self, seconds: u32) -> (Duration, Vec<Shown>) {
        let is_fine = Duration::from_secs(seconds.into()) <= STEP * FINE;
        let step = if is_fine { STEP } else { LONG_STEP };
        let count = u64::from(seconds).div_ceil(step.as_secs()).max(1);
        let newest = self.newest.unwrap_or_default();
        let shown = self.series.iter().map(|(key, ring)| Shown {
            key: key.clone(),
            is_rate: ring.is_rate,
            points: if is_fine {
                ring.fine.last(newest, count.min(FINE.into()))
            } else {
                ring.coarse
                    .last(newest / PER_MINUTE, count.min(COARSE.into()))
            },
        });
        (step, shown.collect())
    }

    /// How long ago, at `now`, the time of the last point was; zero before the first.
    pub fn age(&self, now: Duration) -> Duration {
        let newest = self
            .newest
            .map(|step| STEP * u32::try_from(step).unwrap_or(u32::MAX));
        newest.map_or(Duration::ZERO, |at| now.saturating_sub(at))
    }
}

/// One series.
#[derive(Debug)]
struct Ring {
    is_rate: bool,
    /// The newest total, and when it was taken.
    total: Option<(f64, Duration)>,
    fine: Points,
    coarse: Points,
    minute: Minute,
}

impl Default for Ring {
    fn default() -> Self {
        Self {
            is_rate: false,
            total: None,
            fine: Points::new(FINE),
            coarse: Points::new(COARSE),
            minute: Minute::default(),
        }
    }
}

impl Ring {
    fn take(&mut self, at: Duration, step: u64, reading: Option<Reading>) {
        let point = match reading {
            None => None,
            Some(Reading::Level(value)) => {
                self.is_rate = false;
                Some(value)
            }
            Some(Reading::Total(total)) => {
                self.is_rate = true;
                self.growth(at, total)
            }
        };
        self.fine.put(step, point);
        let number = step / PER_MINUTE;
        if self.minute.number != number {
            self.minute = Minute {
                number,
                ..Minute::default()
            };
        }
        if let Some(point) = point {
            self.minute.take(point);
            self.coarse
                .put(number, Some(self.minute.value(self.is_rate)));
        }
    }

    /// By how much a total has grown in a second, on average since it was known last.
    fn growth(&mut self, at: Duration, total: f64) -> Option<f64> {
        let (before, then) = self.total.replace((total, at))?;
        let seconds = at.saturating_sub(then).as_secs_f64();
        let grown = if total < before {
            total
        } else {
            total - before
        };
        (seconds > 0.0).then(|| grown / seconds)
    }
}

/// What is known of the minute that runs.
#[derive(Debug, Default)]
struct Minute {
    number: u64,
    sum: f64,
    highest: f64,
    samples: u32,
}

impl Minute {
    fn take(&mut self, point: f64) {
        self.highest = if self.samples == 0 {
            point
        } else {
            self.highest.max(point)
        };
        self.sum += point;
        self.samples += 1;
    }

    fn value(&self, is_rate: bool) -> f64 {
        if is_rate {
            self.sum / f64::from(self.samples)
        } else {
            self.highest
        }
    }
}

/// The last points, each at its number modulo their count.
#[derive(Debug)]
struct Points {
    /// Not a number: unknown.
    values: Box<[f32]>,
    /// The number of the newest, where there is one.
    newest: Option<u64>,
}

impl Points {
    fn new(count: u32) -> Self {
        Self {
            values: (0..count).map(|_| f32::NAN).collect(),
            newest: None,
        }
    }

    fn put(&mut self, number: u64, value: Option<f64>) {
        // What lies between was not seen.
        let first = self.newest.map_or(number, |newest| newest + 1);
        let first = first.max((number + 1).saturating_sub(self.values.len() as u64));
        for skipped in first..number {
            *self.at(skipped) = f32::NAN;
        }
        #[allow(
            clippy::cast_possible_truncation,
            reason = "7 digits are enough for a graph"
        )]
        let value = value.map_or(f32::NAN, |value| value as f32);
        *self.at(number) = value;
        self.newest = Some(number);
    }

    /// The last `count` up to the one of number `newest`.
    fn last(&self, newest: u64, count: u64) -> Vec<Option<f64>> {
        let numbers = (0..count).rev().map(|back| newest.checked_sub(back));
        numbers.map(|number| self.get(number?)).collect()
    }

    fn get(&self, number: u64) -> Option<f64> {
        let newest = self.newest?;
        let is_kept = number <= newest && newest - number < self.values.len() as u64;
        let value = f64::from(*self.values.get(self.index(number))?);
        (is_kept && value.is_finite()).then_some(value)
    }

    fn at(&mut self, number: u64) -> &mut f32 {
        let index = self.index(number);
        &mut self.values[index]
    }

    fn index(&self, number: u64) -> usize {
        let count = self.values.len() as u64;
        usize::try_from(number % count).expect("it is less than a length")
    }
}

fn step_of(at: Duration) -> u64 {
    at.as_secs() / STEP.as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUESTS: Key = Key {
        name: "requests",
        host: String::new(),
    };
    const OPEN: Key = Key {
        name: "open",
        host: String::new(),
    };

    fn at(step: u32) -> Duration {
        STEP * step
    }

    fn one(key: &Key, reading: Option<Reading>) -> BTreeMap<Key, Option<Reading>> {
        BTreeMap::from([(key.clone(), reading)])
    }

    fn points(rings: &Rings, seconds: u32) -> Vec<Option<f64>> {
        rings.show(seconds).1[0].points.clone()
    }

    #[test]
    fn a_total_becomes_a_rate_and_begins_anew_with_its_process() {
        let mut rings = Rings::default();
        for (step, total) in [(1, 100.0), (2, 150.0), (3, 150.0), (4, 20.0)] {
            rings.take(at(step), &one(&REQUESTS, Some(Reading::Total(total))));
        }
        assert_eq!(points(&rings, 40), [None, Some(5.0), Some(0.0), Some(2.0)]);
        assert!(rings.show(40).1[0].is_rate);
    }

    #[test]
    fn what_was_not_learnt_is_a_gap_and_the_rate_after_it_is_right() {
        let mut rings = Rings::default();
        rings.take(at(1), &one(&REQUESTS, Some(Reading::Total(0.0))));
        rings.take(at(2), &one(&REQUESTS, None));
        rings.take(at(3), &one(&REQUESTS, Some(Reading::Total(40.0))));
        // Two samples that were never taken.
        rings.take(at(6), &one(&REQUESTS, Some(Reading::Total(40.0))));
        let expected = [None, None, Some(2.0), None, None, Some(0.0)];
        assert_eq!(points(&rings, 60), expected);
    }

    #[test]
    fn a_minute_has_the_mean_of_rates_and_the_highest_level() {
        let mut rings = Rings::default();
        let mut total = 0.0;
        for step in 0..18_u32 {
            total += f64::from(step) * 10.0;
            let sample = BTreeMap::from([
                (REQUESTS, Some(Reading::Total(total))),
                (
                    OPEN,
                    Some(Reading::Level(if step == 8 { 9.0 } else { 1.0 })),
                ),
            ]);
            rings.take(at(step), &sample);
        }
        let (step, shown) = rings.show(7200);
        assert_eq!(step, Duration::from_mins(1));
        assert_eq!(shown[0].points.len(), 120);
        assert_eq!(shown[0].points[117..], [Some(1.0), Some(9.0), Some(1.0)]);
        assert_eq!(shown[1].points[117..], [Some(3.0), Some(8.5), Some(14.5)]);
    }

    #[test]
    fn a_day_is_kept_and_no_more() {
        let mut rings = Rings::default();
        for step in 0..2 * 8640_u32 {
            rings.take(at(step), &one(&OPEN, Some(Reading::Level(step.into()))));
        }
        let newest = 2.0 * 8640.0 - 1.0;
        let hour = points(&rings, 3600);
        assert_eq!(
            (hour.len(), hour[0], hour[359]),
            (360, Some(newest - 359.0), Some(newest))
        );
        let day = points(&rings, 86_400);
        assert_eq!((day.len(), day[0]), (1440, Some(8645.0)));
        assert_eq!(points(&rings, u32::MAX).len(), 1440);
        // Nothing for two days: all of it is gone.
        rings.take(at(5 * 8640), &one(&OPEN, Some(Reading::Level(7.0))));
        let day = points(&rings, 86_400);
        assert_eq!(day.iter().flatten().collect::<Vec<_>>(), [&7.0]);
        assert_eq!(points(&rings, 3600).iter().flatten().count(), 1);
    }

    #[test]
    fn there_is_one_point_for_a_step_and_an_end_to_the_series() {
        let mut rings = Rings::default();
        rings.take(at(3), &one(&OPEN, Some(Reading::Level(1.0))));
        rings.take(
            at(3) + Duration::from_secs(9),
            &one(&OPEN, Some(Reading::Level(2.0))),
        );
        assert_eq!(points(&rings, 10), [Some(1.0)]);
        assert_eq!(
            rings.age(at(3) + Duration::from_secs(4)),
            Duration::from_secs(4)
        );
        let many = (0..500).map(|number| {
            let host = format!("{number}.example");
            (
                Key {
                    name: "requests",
                    host,
                },
                Some(Reading::Total(1.0)),
            )
        });
        rings.take(at(4), &many.collect());
        assert_eq!(
            rings.show(10).1.len(),
            MOST_SERIES,
            "and what is not named is forgotten"
        );
    }

    #[test]
    fn numbers_that_are_none_are_gaps() {
        let mut rings = Rings::default();
        for (step, value) in [(1, f64::NAN), (2, f64::INFINITY), (3, -4.0)] {
            rings.take(at(step), &one(&OPEN, Some(Reading::Level(value))));
        }
        assert_eq!(points(&rings, 30), [None, None, Some(-4.0)]);
    }
}
