//! The cases: what is done, what is counted, and what we aim at.

use clap::ValueEnum;

/// Bytes of a small answer.
pub(crate) const SMALL: u64 = 128;
/// Bytes of a middling one.
pub(crate) const MIDDLE: u64 = 16 << 10;
/// Bytes of a large one.
pub(crate) const LARGE: u64 = 10 << 20;

/// One row of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(crate) enum Case {
    /// Small requests over HTTP/1.1 keep-alive, 64 connections
    H1,
    /// Small requests over HTTP/2, 8 connections with 8 streams each
    H2,
    /// Full TLS handshakes, each with one small request
    Handshake,
    /// Bodies of 16 KiB over HTTP/1.1, 64 connections
    #[value(name = "body-16k")]
    Body16k,
    /// Bodies of 10 MiB over HTTP/1.1, 8 connections
    #[value(name = "body-10m")]
    Body10m,
    /// WebSocket messages of 128 bytes and their echo, 64 connections
    Websocket,
    /// Memory for each of 2000 idle TLS connections
    Idle,
    /// Small requests with a cookie token that is looked at, beside the same where it is not
    Cookie,
    /// Small requests while 50 wrong passwords a second come in, beside the same without
    Guesses,
}

/// What is to be reached.
#[derive(Clone, Copy)]
pub(crate) enum Aim {
    /// At most so much of the better peer's figure.
    Ratio(f64),
    /// At most this figure.
    Figure(f64),
    /// At most so much of what the same costs without it.
    Own(f64),
    /// The slowest of a hundred takes at most so much longer than without it.
    OwnP99(f64),
}

impl Case {
    /// As the command line and the table call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::H1 => "h1",
            Self::H2 => "h2",
            Self::Handshake => "handshake",
            Self::Body16k => "body-16k",
            Self::Body10m => "body-10m",
            Self::Websocket => "websocket",
            Self::Idle => "idle",
            Self::Cookie => "cookie",
            Self::Guesses => "guesses",
        }
    }

    /// The figure that counts, with its unit.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Self::H1 | Self::H2 | Self::Cookie | Self::Guesses => "CPU-µs per request",
            Self::Handshake => "CPU-µs per handshake and request",
            Self::Body16k => "CPU-µs per 16 KiB body",
            Self::Body10m => "CPU-µs per 10 MiB body",
            Self::Websocket => "CPU-µs per echo (2 relays)",
            Self::Idle => "kB per idle connection",
        }
    }

    /// What issue and documentation ask for.
    pub(crate) fn aim(self) -> Aim {
        match self {
            Self::H1 => Aim::Ratio(0.80),
            Self::H2 | Self::Websocket => Aim::Ratio(0.90),
            Self::Handshake => Aim::Ratio(0.65),
            Self::Body16k | Self::Body10m => Aim::Ratio(0.70),
            Self::Idle => Aim::Figure(24.0),
            Self::Cookie => Aim::Own(1.05),
            Self::Guesses => Aim::OwnP99(2.0),
        }
    }

    /// Units per second as the reader wants them; `None` where no rate means anything.
    pub(crate) fn rate(self, units: f64) -> Option<String> {
        #[expect(
            clippy::cast_precision_loss,
            reason = "sizes of bodies are far below 2^52"
        )]
        let megabytes = |size: u64| format!("{:.0} MB/s", units * size as f64 / 1e6);
        match self {
            Self::H1
            | Self::H2
            | Self::Handshake
            | Self::Websocket
            | Self::Cookie
            | Self::Guesses => Some(format!("{units:.0}/s")),
            Self::Body16k => Some(megabytes(MIDDLE)),
            Self::Body10m => Some(megabytes(LARGE)),
            Self::Idle => None,
        }
    }

    /// Whether Gatehouse is compared with itself.
    pub(crate) fn is_own(self) -> bool {
        matches!(self.aim(), Aim::Own(_) | Aim::OwnP99(_))
    }

    /// Whether every round needs a server that has done nothing yet.
    pub(crate) fn needs_new_server(self) -> bool {
        self == Self::Idle
    }
}
