//! How much memory the box takes.

use std::fs;

/// Memory in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// What there is.
    pub whole: u64,
    /// What is in use of it.
    pub used: u64,
    /// What our own processes have of that.
    pub ours: u64,
}

impl Memory {
    /// As it is now.
    pub fn now() -> Self {
        let about = fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let whole = field(&about, "MemTotal:");
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        let ours: u64 = entries
            // Threads of the kernel have nothing there. What processes share, such as the program itself, counts once.
            .filter_map(|entry| fs::read_to_string(entry.path().join("smaps_rollup")).ok())
            .map(|text| field(&text, "Pss:"))
            .sum();
        Self {
            whole: whole * 1024,
            used: whole.saturating_sub(field(&about, "MemAvailable:")) * 1024,
            ours: ours * 1024,
        }
    }
}

/// How much memory the processes of these numbers have, in bytes; `None` where one of them can not be looked at.
pub fn of(pids: &[u32]) -> Option<u64> {
    let each = pids.iter().map(|pid| {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        Some(field(&text, "Pss:") * 1024)
    });
    each.sum()
}

/// How much memory of the machine is in use, in bytes.
pub fn used() -> Option<u64> {
    let about = fs::read_to_string("/proc/meminfo").ok()?;
    let (whole, free) = (field(&about, "MemTotal:"), field(&about, "MemAvailable:"));
    Some(whole.saturating_sub(free) * 1024)
}

/// The number of kibibytes in the line that begins with `name`.
fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let word = line.and_then(|rest| rest.split_whitespace().next());
    word.and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        let text = "MemTotal:         500 kB\nMemAvailable:   400 kB\n";
        assert_eq!(field(text, "MemAvailable:"), 400);
        assert_eq!(field(text, "Pss:"), 0);
        let now = Memory::now();
        assert!(now.whole > now.used && now.used > 0 && now.ours > 0);
        let own = of(&[std::process::id()]).unwrap();
        assert!(own > 0 && own <= now.ours);
        assert!(used().unwrap() > 0);
        assert_eq!(of(&[std::process::id(), u32::MAX]), None);
    }
}
