//! Sockets: listeners received or bound, links between our processes, what a process may still do,
//! TLS, connections to targets with pools, name resolution, and ping.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

pub mod connect;
pub mod datagram;
pub mod link;
pub mod listen;
pub mod ping;
pub mod pool;
pub mod resolve;
pub mod sandbox;
pub mod stream;
pub mod thread;
pub mod tls;

pub use listen::{Device, ListenError, ListenKey, Listener, Shards, Transport};
