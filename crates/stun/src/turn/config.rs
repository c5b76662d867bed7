//! What the relay is told.

use std::time::Duration;

/// How much there may be of everything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether there are relayed addresses of IPv4.
    pub ipv4: bool,
    /// Whether there are relayed addresses of IPv6.
    pub ipv6: bool,
    /// Allocations of this worker.
    pub allocations: usize,
    /// How long an allocation lasts that does not say, and at the least (RFC 8656 section 3.2: ten minutes).
    pub lifetime: Duration,
    /// How long it lasts at the most, until it is refreshed.
    pub longest_lifetime: Duration,
    /// Permissions of an allocation.
    pub permissions: usize,
    /// Channels of an allocation.
    pub channels: usize,
    /// Ports that wait for the allocation they were reserved for.
    pub reservations: usize,
    /// Bytes per second of an allocation, each way.
    pub bytes_per_second: u32,
    /// Bytes per second of this worker, all together.
    pub bytes_per_second_in_all: u32,
    /// Answers to those who have proven nothing.
    pub strangers: Strangers,
    /// The number of this worker, below 256: in the first byte of its tokens.
    pub worker: u8,
}

/// Answers per second to those who have proven nothing; a second's worth may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strangers {
    /// To one IPv4 address or IPv6 /64.
    pub each: u32,
    /// To all of them together.
    pub all: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            ipv4: true,
            ipv6: true,
            allocations: 4096,
            lifetime: Duration::from_mins(10),
            longest_lifetime: Duration::from_hours(1),
            permissions: 32,
            channels: 32,
            reservations: 64,
            bytes_per_second: 2_000_000,
            bytes_per_second_in_all: 125_000_000,
            strangers: Strangers {
                each: 50,
                all: 5000,
            },
            worker: 0,
        }
    }
}
