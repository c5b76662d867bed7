//! The ban list in a form that outlives the process and the box.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::bans::Ban;
use crate::client::ClientKey;

/// The ban list at one moment; all times are Unix milliseconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saved {
    /// When the list was written.
    pub saved_unix_ms: u64,
    /// The bans, the one that ends first first.
    pub bans: Vec<SavedBan>,
}

/// One ban of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedBan {
    /// Who is banned.
    pub client: ClientKey,
    /// When the ban began.
    pub since_unix_ms: u64,
    /// When it ends.
    pub until_unix_ms: u64,
    /// The offences of the minute that led to it.
    pub offences: u32,
    /// Whether the operator banned it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_hand: bool,
}

pub(crate) fn save(bans: &[Ban], now: Instant, unix_ms: u64) -> Saved {
    let bans = bans
        .iter()
        .map(|ban| SavedBan {
            client: ban.client,
            since_unix_ms: unix_ms.saturating_sub(millis(now.saturating_duration_since(ban.since))),
            until_unix_ms: unix_ms.saturating_add(millis(ban.until.saturating_duration_since(now))),
            offences: ban.offences,
            by_hand: ban.by_hand,
        })
        .collect();
    Saved {
        saved_unix_ms: unix_ms,
        bans,
    }
}

/// The bans that still have time to run; none that offences led to longer than `longest`.
///
/// A box without a battery for its clock starts in the past; then the time since the list was written counts as zero.
pub(crate) fn remaining(
    saved: &Saved,
    now: Instant,
    unix_ms: u64,
    longest: Duration,
) -> impl Iterator<Item = Ban> + '_ {
    let clock = unix_ms.max(saved.saved_unix_ms);
    saved.bans.iter().filter_map(move |ban| {
        let mut restored = Ban {
            client: ban.client,
            since: now,
            until: now,
            offences: ban.offences,
            by_hand: ban.by_hand,
        };
        let left = Duration::from_millis(ban.until_unix_ms.saturating_sub(clock));
        let left = left.min(restored.at_most(longest));
        let whole = Duration::from_millis(ban.until_unix_ms.saturating_sub(ban.since_unix_ms));
        // An `Instant` may not reach back before the start of the box.
        restored.since = now.checked_sub(whole.saturating_sub(left)).unwrap_or(now);
        restored.until = now + left;
        (!left.is_zero()).then_some(restored)
    })
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
