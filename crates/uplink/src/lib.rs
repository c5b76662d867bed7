//! What the box asks of the world: its address, by DHCP, and its certificates, by ACME.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

pub mod acme;
pub mod dhcp;
