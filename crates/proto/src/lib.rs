//! What is only recognised or framed on the wire: HTTP/1 heads and bodies, TLS hello, PROXY
//! header, ICMP echo, LDAP, the first message of H.323, answers of RADIUS servers, partition tables.
//!
//! Everything here is a function of a byte slice: no socket, no clock, no task, and nothing that
//! can panic. Three answers are possible everywhere: the thing itself, "need more bytes"
//! (`Ok(None)`), or the reason why it can never become one.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may panic")
)]

pub mod gpt;
pub mod h323;
pub mod http;
pub mod icmp;
pub mod ldap;
pub mod proxy_header;
pub mod radius;
pub mod tls;
