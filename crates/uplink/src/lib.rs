//! What the box asks of the world: its address, by DHCP.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

pub mod dhcp;
