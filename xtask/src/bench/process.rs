//! What the kernel says of a process and everything below it: CPU time and memory.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result};

/// The kernel's unit of time in /proc/PID/stat, on every architecture Linux supports here.
const TICK: Duration = Duration::from_millis(10);

/// CPU time, user and system, of a process and of everything below it, until now.
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

/// Bytes of memory of a process and of everything below it; pages that several share count once.
///
/// # Errors
/// When the process is gone, or it is not ours to look at.
pub(crate) fn memory(pid: u32) -> Result<u64> {
    let mut sum = own_memory(pid).with_context(|| format!("memory of process {pid}"))?;
    for child in children(pid) {
        sum += memory(child)?;
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

/// The proportional set size.
fn own_memory(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))?;
    let kilobytes: u64 = text
        .lines()
        .find_map(|line| line.strip_prefix("Pss:"))
        .and_then(|rest| rest.split_whitespace().next())
        .context("no Pss in smaps_rollup")?
        .parse()?;
    Ok(kilobytes * 1024)
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

    #[test]
    fn time_and_memory_of_this_process_are_read() {
        assert!(cpu(std::process::id()).is_ok());
        assert!(cpu(0).is_err());
        assert!(memory(std::process::id()).is_ok_and(|bytes| bytes > 100_000));
        assert!(memory(0).is_err());
    }
}
