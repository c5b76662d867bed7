//! What a connection may cost. Settable later; these are what an edge for some hundred users needs.

use proto::http::Limits;
use std::time::Duration;

/// From the first byte of a request head to its last.
pub(crate) const HEAD: Duration = Duration::from_secs(15);
/// From accepting a connection to its first request, which browsers open ahead of need.
pub(crate) const FIRST_REQUEST: Duration = Duration::from_secs(30);
/// Between two requests of a connection.
pub(crate) const KEEP_ALIVE: Duration = Duration::from_secs(75);
/// From accepting a connection to the end of its TLS handshake.
pub(crate) const HANDSHAKE: Duration = Duration::from_secs(10);
/// Until a target has taken a connection, TLS handshake not included.
pub(crate) const CONNECT: Duration = Duration::from_secs(5);
/// Until a name is resolved.
pub(crate) const RESOLVE: Duration = Duration::from_secs(5);
/// How long nothing may move during a request, unless the rule says otherwise.
pub(crate) const IDLE: Duration = Duration::from_mins(5);
/// How long nothing may move once upgraded, unless the rule says otherwise.
pub(crate) const IDLE_UPGRADED: Duration = Duration::from_hours(24);
/// As [`IDLE`], once the client has ended its direction: most such clients are gone altogether.
pub(crate) const IDLE_HALF_CLOSED: Duration = Duration::from_secs(30);
/// How long we go on reading what nobody wants, so that the client sees our answer before a reset.
pub(crate) const LINGER: Duration = Duration::from_secs(5);
/// How many bytes of it.
pub(crate) const LINGER_BYTES: u64 = 16 * 1024 * 1024;

/// Connections in all, of this process.
pub(crate) const CONNECTIONS: u32 = 16 * 1024;
/// Connections of one IPv4 address or one IPv6 /64; an office behind one address has some hundred.
pub(crate) const CONNECTIONS_PER_ADDRESS: u32 = 1024;

/// Idle connections to one target that one worker keeps.
pub(crate) const IDLE_PER_TARGET: usize = 256;
/// Idle connections that one worker keeps.
pub(crate) const IDLE_CONNECTIONS: usize = 2048;
/// How long they are kept.
pub(crate) const IDLE_TARGET: Duration = Duration::from_secs(30);
/// How often the dead and the old among them are looked for.
pub(crate) const SWEEP: Duration = Duration::from_secs(5);

/// Interim responses that one request may get.
pub(crate) const INTERIM: u8 = 16;
/// Framed bytes that wait to be written before more is read.
pub(crate) const FRAMED: usize = 64 * 1024;

/// Heads and chunked bodies.
pub(crate) fn http() -> Limits {
    Limits::default()
}
