//! What is counted: CPU time of a process and all its children, and the statistics of several rounds.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel's unit of time in /proc/PID/stat, on every architecture Linux supports here.
const TICK: Duration = Duration::from_millis(10);

/// One measurement.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    /// CPU time the server took.
    pub(crate) cpu: Duration,
    /// Requests answered in that time.
    pub(crate) requests: u64,
    /// Requests per second of wall time.
    pub(crate) rate: f64,
    /// The slowest of a hundred, in milliseconds.
    pub(crate) p99: f64,
}

impl Sample {
    /// CPU microseconds per request.
    pub(crate) fn cost(&self) -> f64 {
        #[expect(
            clippy::cast_precision_loss,
            reason = "a count of requests is far below 2^52"
        )]
        let requests = self.requests as f64;
        self.cpu.as_secs_f64() * 1e6 / requests
    }
}

/// The measurements of one server.
#[derive(Default)]
pub(crate) struct Series(Vec<Sample>);

/// The middle and the ends of several values.
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) most: f64,
}

impl Series {
    pub(crate) fn push(&mut self, sample: Sample) {
        self.0.push(sample);
    }

    /// CPU microseconds per request.
    pub(crate) fn cost(&self) -> Spread {
        self.spread(Sample::cost)
    }

    /// Requests per second.
    pub(crate) fn rate(&self) -> Spread {
        self.spread(|sample| sample.rate)
    }

    /// Milliseconds.
    pub(crate) fn p99(&self) -> Spread {
        self.spread(|sample| sample.p99)
    }

    fn spread(&self, value: impl Fn(&Sample) -> f64) -> Spread {
        let mut values: Vec<f64> = self.0.iter().map(value).collect();
        values.sort_by(f64::total_cmp);
        let (low, high) = ((values.len() - 1) / 2, values.len() / 2);
        Spread {
            median: f64::midpoint(values[low], values[high]),
            least: values[0],
            most: values[values.len() - 1],
        }
    }
}

/// CPU time of a process and of everything below it, until now.
///
/// # Errors
/// When the process is gone.
pub(crate) fn cpu(pid: u32) -> Result<Duration> {
    let mut sum = own_cpu(pid).with_context(|| format!("process {pid} is gone"))?;
    for child in children(pid) {
        // A child that ends meanwhile has done nothing that counts.
        sum += cpu(child).unwrap_or_default();
    }
    Ok(sum)
}

/// User and system time: the 14th and 15th field, counted behind the name, which may hold spaces.
fn own_cpu(pid: u32) -> Result<Duration> {
    let line = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = line
        .rsplit_once(") ")
        .context("no name in /proc/PID/stat")?;
    let ticks = fields
        .split(' ')
        .skip(11)
        .take(2)
        .map(|text| text.parse::<u32>().unwrap_or(0))
        .sum::<u32>();
    Ok(TICK * ticks)
}

fn children(pid: u32) -> Vec<u32> {
    let mut found = Vec::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))
        .into_iter()
        .flatten()
        .flatten()
    {
        let list = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        found.extend(
            list.split_whitespace()
                .filter_map(|text| text.parse::<u32>().ok()),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(costs: &[u64]) -> Series {
        let sample = |&micros| Sample {
            cpu: Duration::from_micros(micros),
            requests: 1,
            rate: 0.0,
            p99: 0.0,
        };
        Series(costs.iter().map(sample).collect())
    }

    #[test]
    fn the_median_of_an_even_number_is_between_the_middle_two() {
        let cost = series(&[40, 10, 30, 20]).cost();
        assert!((cost.median - 25.0).abs() < 1e-9);
        assert!((cost.least - 10.0).abs() < 1e-9);
        assert!((cost.most - 40.0).abs() < 1e-9);
    }

    #[test]
    fn the_time_of_this_process_is_read() {
        assert!(cpu(std::process::id()).is_ok());
        assert!(cpu(0).is_err());
    }
}
