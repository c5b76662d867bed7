//! Gatehouse: publishes a company's own servers, and lets nothing else in.
#![allow(
    unreachable_pub,
    reason = "nothing of a binary can be reached from outside"
)]
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

mod cli;
mod message;
mod role;
mod supervisor;

fn main() -> std::process::ExitCode {
    cli::main()
}
