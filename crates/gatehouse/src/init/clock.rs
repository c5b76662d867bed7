//! The clock of a box without a battery begins in 1970, when no certificate is valid.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime, clock_settime};
use std::fs;
use std::path::Path;
use std::time::UNIX_EPOCH;

/// When something was last changed below `folder`: the clock can not have been before that.
pub(super) fn newest(folder: &Path) -> u32 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let changed = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    let newest = changed
        .max()
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    newest.map_or(0, |since| u32::try_from(since.as_secs()).unwrap_or(0))
}

/// Sets the clock to `seconds` since 1970 if it is before that.
///
/// # Errors
/// The kernel does not let us.
pub(super) fn not_before(seconds: u32) -> nix::Result<()> {
    let seconds = i64::from(seconds);
    let clock = ClockId::CLOCK_REALTIME;
    if clock_gettime(clock)?.tv_sec() < seconds {
        clock_settime(clock, TimeSpec::new(seconds, 0))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn the_newest_file_tells_the_time() {
        let folder = std::env::temp_dir().join(format!("gatehouse-clock-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        assert_eq!(newest(&folder), 0);
        for (name, seconds) in [("old", 1_000_000_000), ("new", 1_800_000_000)] {
            let file = fs::File::create(folder.join(name)).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds))
                .unwrap();
        }
        assert_eq!(newest(&folder), 1_800_000_000);
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(newest(&folder), 0);
    }
}
