//! What is read, written and exchanged, over the messages of tests/data/sip.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")]

mod answer;
mod message;
#[path = "../../../../tests/fuzz/tests/replay/mutation.rs"]
mod mutation;
mod rewrite;
#[path = "../../../proto/tests/table/mod.rs"]
mod table;
