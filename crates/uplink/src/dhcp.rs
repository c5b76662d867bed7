//! The DHCP client of a port (RFC 2131, 2132, 3396, 3442), for IPv4.
//!
//! [`Client`] decides and is pure: bytes and time go in, [`Output`]s come out. [`run`] drives it on a socket that
//! the supervisor has opened (`net::datagram`) and publishes what the port has in a `watch` of [`Standing`].
//!
//! Answers are asked for by broadcast (the BROADCAST flag is always set), so that one ordinary UDP socket does:
//! the kernel sees to checksums, ARP and routes, and nobody needs a raw socket. What comes from the network is
//! believed only as far as it can be true; nothing in it makes the client speak more often than the
//! waits written down in `client`.

mod client;
mod lease;
mod message;
mod random;
mod shell;

#[cfg(test)]
mod tests;

pub use client::{Client, Identity, Loss, Now, Output, Receiver};
pub use lease::{Lease, Refusal, Route, Times};
pub use message::{HardwareAddr, MAX_DATAGRAM};
pub use shell::{Order, Standing, run};

/// The port that servers listen on.
pub const SERVER_PORT: u16 = 67;
/// The port that clients listen on.
pub const CLIENT_PORT: u16 = 68;
