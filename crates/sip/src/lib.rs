//! SIP (RFC 3261) as bytes: messages framed on a stream, the addresses in them, answers, and the exchange of the
//! addresses of two sides.
//!
//! Everything here is a function of byte slices: no socket, no clock, no task, and nothing that can panic. What is read
//! is borrowed and stays as it was written; whoever forwards a message forwards its bytes.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")
)]

pub mod address;
pub mod answer;
pub mod attack_tool;
mod lex;
pub mod message;
pub mod rewrite;
mod span;
pub mod via;

pub use span::Span;
