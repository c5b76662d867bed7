//! The clock of a box without a battery begins in 1970, when no certificate is valid.

use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime, clock_settime};

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
