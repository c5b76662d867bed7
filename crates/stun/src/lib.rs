//! STUN (RFC 8489) and TURN (RFC 8656): messages as bytes, and the state machine of a relay.
//!
//! Nothing here opens a socket or looks at a clock: `now` is passed in, and what is to be sent is a range of the caller's
//! bytes or written into his buffer. What is read is borrowed. Nothing of it can panic, whatever comes from the wire.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")
)]

pub mod channel_data;
pub mod credentials;
pub mod message;
pub mod nonce;
mod now;
pub mod peer;
pub mod stream;
pub mod turn;

pub use now::Now;
