//! What a connection may cost.

use std::time::Duration;

/// What the operator may set in `[proxy.limits]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Limits {
    /// Heads and chunked bodies.
    pub(crate) http: proto::http::Limits,
    /// Connections in all, of this process.
    pub(crate) connections: u32,
    /// Connections of one IPv4 address or one IPv6 /64; an office behind one address has some hundred.
    pub(crate) connections_per_address: u32,
    /// TLS handshakes of one address within a minute.
    pub(crate) handshakes_per_address: u32,
    /// Requests of one connection.
    pub(crate) requests_per_connection: u64,
    /// Requests of one address that wait for one target at once.
    pub(crate) requests_per_address: u32,
    /// HTTP/2 streams at once on one connection.
    pub(crate) streams: u32,
    /// HTTP/2 requests that a client may take back unanswered within a minute on one connection.
    pub(crate) resets: u32,
    /// From accepting a connection to the end of its TLS handshake.
    pub(crate) handshake: Duration,
    /// From the first byte of a request head to its last.
    pub(crate) head: Duration,
    /// From accepting a connection to its first request, which browsers open ahead of need.
    pub(crate) first_request: Duration,
    /// Between two requests of a connection.
    pub(crate) keep_alive: Duration,
    /// Until a target has taken a connection, TLS handshake not included.
    pub(crate) connect: Duration,
    /// Bytes of bodies that an HTTP/2 client may send ahead on one connection; of one stream half of it.
    pub(crate) send_ahead: u32,
    /// The least bytes per second of a body, either way, while the client is waited for.
    pub(crate) body_rate: u64,
    /// Over how long that is measured.
    pub(crate) body_rate_grace: Duration,
}

impl From<&config::ProxyLimits> for Limits {
    fn from(limits: &config::ProxyLimits) -> Self {
        let http = proto::http::Limits::default();
        let size = |bytes| usize::try_from(bytes).unwrap_or(usize::MAX);
        Self {
            http: proto::http::Limits {
                head: size(limits.head_size),
                fields: size(limits.head_fields.into()),
                target: http.target.min(size(limits.head_size)),
                ..http
            },
            connections: limits.connections,
            connections_per_address: limits.connections_per_address,
            handshakes_per_address: limits.handshakes_per_address,
            requests_per_connection: limits.requests_per_connection.into(),
            requests_per_address: limits.requests_per_address,
            streams: limits.streams,
            resets: limits.resets,
            send_ahead: u32::try_from(limits.send_ahead).unwrap_or(u32::MAX >> 1),
            handshake: limits.handshake_timeout,
            head: limits.head_timeout,
            first_request: limits.first_request_timeout,
            keep_alive: limits.keep_alive,
            connect: limits.connect_timeout,
            body_rate: limits.body_rate,
            body_rate_grace: limits.body_rate_grace,
        }
    }
}

#[cfg(test)]
impl Default for Limits {
    fn default() -> Self {
        Self::from(&config::ProxyLimits::default())
    }
}

/// Until a name is resolved.
pub(crate) const RESOLVE: Duration = Duration::from_secs(5);
/// Until a TLS handshake with a target has ended.
pub(crate) const TARGET_HANDSHAKE: Duration = Duration::from_secs(10);
/// How long nothing may move during a request, unless the rule says otherwise.
pub(crate) const IDLE: Duration = Duration::from_mins(5);
/// How long nothing may move once upgraded, unless the rule says otherwise.
pub(crate) const IDLE_UPGRADED: Duration = Duration::from_hours(24);
/// How long nothing may move while the target has not let the client in: somebody may have to type a password.
pub(crate) const IDLE_STRANGER: Duration = Duration::from_mins(2);
/// How long it must have been silent to be ended so that others find room.
pub(crate) const SILENT: Duration = Duration::from_secs(2);
/// How long half a message may take that is looked at, once a connection has its target.
pub(crate) const HALF_MESSAGE: Duration = Duration::from_secs(30);
/// As [`IDLE`], once the client has ended its direction: most such clients are gone altogether.
pub(crate) const IDLE_HALF_CLOSED: Duration = Duration::from_secs(30);
/// How long we go on reading what nobody wants, so that the client sees our answer before a reset.
pub(crate) const LINGER: Duration = Duration::from_secs(5);
/// How many bytes of it.
pub(crate) const LINGER_BYTES: u64 = 16 * 1024 * 1024;
/// How many bytes of a client's next request are read while it waits for the response to this one.
pub(crate) const READ_AHEAD: usize = 4096;

/// Idle connections to one target that one worker keeps.
pub(crate) const IDLE_PER_TARGET: usize = 256;
/// Idle connections that one worker keeps.
pub(crate) const IDLE_CONNECTIONS: usize = 2048;
/// How long they are kept.
pub(crate) const IDLE_TARGET: Duration = Duration::from_secs(30);
/// How often, at the most, everything that is open looks again since a session, token or visitor is gone.
pub(crate) const WAKE_PACE: Duration = Duration::from_millis(250);
/// Requests of one address to the login page at a time: an office signs in at eight.
pub(crate) const INSIDE_PER_ADDRESS: u32 = 32;
/// How often the dead and the old among them are looked for.
pub(crate) const SWEEP: Duration = Duration::from_secs(5);

/// How long a target that is asked for its health may take, at least and at most; in between, as long
/// as it is until it is asked again.
pub(crate) const HEALTH_LEAST: Duration = Duration::from_secs(1);
pub(crate) const HEALTH_MOST: Duration = Duration::from_secs(10);

/// How often idle connections are ended while there are too many.
pub(crate) const SHED: Duration = Duration::from_millis(100);
/// Which part of a worker's connections at a time: one of so many.
pub(crate) const SHED_PART: usize = 32;

/// Interim responses that one request may get.
pub(crate) const INTERIM: u8 = 16;
/// Framed bytes that wait to be written before more is read.
pub(crate) const FRAMED: usize = 64 * 1024;
