//! How much memory the box takes.

use std::fs;

/// What is in use of the whole, and by our own processes; in MB.
pub(super) fn told() -> String {
    let about = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let total = field(&about, "MemTotal:");
    let used = total.saturating_sub(field(&about, "MemAvailable:"));
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ours: u64 = entries
        // Threads of the kernel have nothing there. What processes share, such as the program itself, counts once.
        .filter_map(|entry| fs::read_to_string(entry.path().join("smaps_rollup")).ok())
        .map(|text| field(&text, "Pss:"))
        .sum();
    let megabytes = |kibibytes: u64| kibibytes * 1024 / 1_000_000;
    format!(
        "memory: {} MB in use of {}, {} by our processes",
        megabytes(used),
        megabytes(total),
        megabytes(ours)
    )
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
        assert!(told().contains("by our processes"));
    }
}
