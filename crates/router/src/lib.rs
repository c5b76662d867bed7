//! The kernel's packet path as the configuration wants it: links, addresses, default routes.
//!
//! What Gatehouse has set carries its mark in the kernel, so that a later run knows what is its own, and
//! what somebody else has set is never removed.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

mod core;
mod shell;

pub use core::{DefaultRoute, Dynamic, Leased, Link, Overlap, Wanted};
pub use shell::{Error, Report, prepare, reach, settle};
