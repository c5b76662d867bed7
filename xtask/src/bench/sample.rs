//! What was measured, and the statistics of several rounds.

use std::time::Duration;

/// One measurement.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// What one unit cost: microseconds of CPU time, or kilobytes (1000 bytes).
    pub(crate) cost: f64,
    /// Units per second of wall time.
    pub(crate) rate: f64,
    /// The slowest of a hundred, in milliseconds, where times were taken.
    pub(crate) p99: Option<f64>,
}

impl Sample {
    /// From the CPU time a server took for so many units, and the wall time it had.
    pub(crate) fn timed(cpu: Duration, units: f64, wall: Duration, p99: Option<f64>) -> Self {
        Self {
            cost: cpu.as_secs_f64() * 1e6 / units,
            rate: units / wall.as_secs_f64(),
            p99,
        }
    }
}

/// The measurements of one server in one case.
#[derive(Default)]
pub(crate) struct Series(Vec<Sample>);

/// The middle and the ends of several values.
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Series {
    /// Adds one.
    pub(crate) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// What one unit cost.
    pub(crate) fn cost(&self) -> Spread {
        spread(self.0.iter().map(|sample| sample.cost)).expect("a series has at least one round")
    }

    /// Units per second, the median.
    pub(crate) fn rate(&self) -> f64 {
        spread(self.0.iter().map(|sample| sample.rate))
            .expect("a series has at least one round")
            .median
    }

    /// Milliseconds, the median.
    pub(crate) fn p99(&self) -> Option<f64> {
        spread(self.0.iter().filter_map(|sample| sample.p99)).map(|spread| spread.median)
    }
}

/// Milliseconds that 99 of 100 times do not exceed.
pub(crate) fn p99(times: &mut [Duration]) -> Option<f64> {
    let last = times.len().checked_sub(1)?;
    let (_, time, _) = times.select_nth_unstable(last * 99 / 100);
    Some(time.as_secs_f64() * 1e3)
}

/// A count as a number to divide by.
#[expect(
    clippy::cast_precision_loss,
    reason = "requests and bytes of a measurement are far below 2^52"
)]
pub(crate) fn count(number: u64) -> f64 {
    number as f64
}

fn spread(values: impl Iterator<Item = f64>) -> Option<Spread> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let most = *values.last()?;
    let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
    Some(Spread {
        median: f64::midpoint(values[low], values[high]),
        least: values[0],
        most,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        let mut series = Series::default();
        for micros in [40, 10, 30, 20] {
            let cpu = Duration::from_micros(micros);
            series.push(Sample::timed(cpu, 1.0, Duration::from_secs(1), None));
        }
        let cost = series.cost();
        assert!((cost.median - 25.0).abs() < 1e-9);
        assert!((cost.least - 10.0).abs() < 1e-9);
        assert!((cost.most - 40.0).abs() < 1e-9);
        assert!((series.rate() - 1.0).abs() < 1e-9);
        assert!(series.p99().is_none());
    }

    #[test]
    fn the_slowest_of_a_hundred_is_left_out() {
        let mut times: Vec<Duration> = (1..=101).rev().map(Duration::from_millis).collect();
        assert!((p99(&mut times).expect("not empty") - 100.0).abs() < 1e-9);
        assert!(p99(&mut []).is_none());
    }
}
