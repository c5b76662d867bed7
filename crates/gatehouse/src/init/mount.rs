//! The file systems of the kernel itself.

use super::told;
use nix::mount::{MsFlags, mount};
use std::fs;

/// Mounts them; those that an earlier run has mounted stay.
pub(super) fn system() {
    let strict = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    let devices = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC;
    on("proc", "/proc", strict, None);
    on("devtmpfs", "/dev", devices, Some("mode=0755"));
    on("sysfs", "/sys", strict, None);
    on("tmpfs", "/run", strict, Some("mode=0755,size=8m"));
    on("tmpfs", "/tmp", strict, Some("mode=1777,size=16m"));
}

fn on(kind: &str, place: &str, flags: MsFlags, options: Option<&str>) {
    if !is_mounted(place) {
        told(place, mount(Some(kind), place, Some(kind), flags, options));
    }
}

/// Whether something is mounted there.
pub(super) fn is_mounted(place: &str) -> bool {
    // Before /proc is there, nothing is.
    let table = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    table
        .lines()
        .any(|line| line.split(' ').nth(1) == Some(place))
}
