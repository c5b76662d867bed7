//! How much of the processors our processes take.

use std::collections::BTreeMap;
use std::fs;

/// The kernel tells times in hundredths of a second (`USER_HZ`), whatever its own clock is.
const TICKS: f64 = 100.0;

/// What processes have used, also those that have ended meanwhile.
#[derive(Debug, Default)]
pub struct Cpu {
    sum: u64,
    /// By process: what it had used when it was looked at last. `None` before the first time.
    seen: Option<BTreeMap<u32, u64>>,
}

impl Cpu {
    /// Seconds that the processes of these numbers have used since the first call, which gives 0; `None` where one of them can not be
    /// looked at.
    pub fn used(&mut self, pids: &[u32]) -> Option<f64> {
        let now: Option<BTreeMap<u32, u64>> =
            pids.iter().map(|pid| Some((*pid, ticks(*pid)?))).collect();
        Some(self.add(now?))
    }

    fn add(&mut self, now: BTreeMap<u32, u64>) -> f64 {
        if let Some(seen) = &self.seen {
            for (pid, ticks) in &now {
                // One that was not there before has used all of it since then.
                let before = seen.get(pid).copied().filter(|before| before <= ticks);
                self.sum += ticks - before.unwrap_or(0);
            }
        }
        self.seen = Some(now);
        #[allow(
            clippy::cast_precision_loss,
            reason = "15 digits are enough for a graph"
        )]
        let sum = self.sum as f64;
        sum / TICKS
    }
}

/// Ticks in user and kernel mode (`proc_pid_stat(5)`).
fn ticks(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    fields(&text)
}

fn fields(text: &str) -> Option<u64> {
    // The name stands in brackets and may hold anything.
    let (_, rest) = text.rsplit_once(')')?;
    let mut words = rest.split_whitespace().skip(11);
    let mut next = || words.next()?.parse::<u64>().ok();
    Some(next()? + next()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_whatever_the_name_is() {
        let text = "7 (a ) b) S 1 7 7 0 -1 4194560 100 0 0 0 25 5 0 0 20 0 1 0 100 1000 10";
        assert_eq!(fields(text), Some(30));
        assert_eq!(fields("7 (a) S 1"), None);
        assert!(ticks(std::process::id()).is_some());
        assert_eq!(Cpu::default().used(&[u32::MAX]), None);
    }

    #[test]
    fn what_a_process_used_counts_from_its_start() {
        let mut cpu = Cpu::default();
        let mut add = |seen: &[(u32, u64)]| cpu.add(seen.iter().copied().collect());
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-9, "{found}");
        close(add(&[(1, 500), (2, 100)]), 0.0);
        close(add(&[(1, 600), (2, 100)]), 1.0);
        // Process 2 was started anew as 3; then a number came again.
        close(add(&[(1, 600), (3, 50)]), 1.5);
        close(add(&[(1, 600), (3, 20)]), 1.7);
    }
}
