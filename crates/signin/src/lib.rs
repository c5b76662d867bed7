//! Who is it? The login page, and the directories that know the users.
//!
//! `core` decides and shows, and knows neither sockets nor the clock; `shell` serves browsers and asks directories.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

mod core;
pub mod directory;
mod shell;

pub use crate::core::form::Form;
pub use crate::core::returns::Return;
pub use directory::{Supplies, Unusable, check, files_wanted, secrets_wanted};
pub use shell::{SignIn, to_enter};
