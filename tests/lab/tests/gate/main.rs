//! Lab tests: each is one sentence about what an operator, a client or a target sees.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod ban;
mod crash;
mod estos;
mod innovaphone;
mod malformed;
mod operator;
mod reload;
mod rules;
mod start;
mod target;
mod the_lab;
mod wcs;
