//! What the operator sees on the serial line: a menu of 24 lines and 80 columns, no shell.
//!
//! [`core`] decides: bytes of a terminal, answers of the box and time in; screens and questions out. [`run`] reads the terminal
//! and asks the box over its control socket.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

pub mod core;
mod shell;

pub use shell::{ConsoleError, Line, Options, run};
