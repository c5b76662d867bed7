//! Who is it? The login page, and the directories that know the users.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

pub mod directory;
