//! The local API on a Unix socket that command line, console and admin pages use.
//!
//! The supervisor implements [`Backend`] and calls [`serve`] on what [`bind`] gave it; [`Client`] is
//! the other end. Bodies are JSON, except metrics (Prometheus text) and the log (one JSON
//! record a line, for as long as the reader likes). Who may open the socket may do everything:
//! its mode is 0600.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/openapi.json` | [`openapi()`], which tells all of this exactly |
//! | `GET /v1/status` | [`Status`] |
//! | `GET /v1/metrics` | Prometheus text |
//! | `GET /v1/hosts`, `GET /v1/derived` | list of [`Host`], [`Derived`] |
//! | `GET /v1/history[?seconds=N]` | [`History`] |
//! | `GET /v1/bans`, `POST /v1/bans` ([`NewBan`]), `DELETE /v1/bans[?client=ADDR]` | list of [`Ban`], [`Ban`], [`Cleared`] |
//! | `POST /v1/reload`, `/v1/confirm`, `/v1/rollback[?generation=N]` | [`Applied`] |
//! | `GET /v1/generations` | list of [`Generation`] |
//! | `GET /v1/config[?generation=N]`, `GET /v1/diff[?from=N][&to=N]` | [`ConfigText`], [`Diff`] |
//! | `POST /v1/check` ([`Draft`]), `POST /v1/apply` ([`Apply`]) | [`Checked`], [`Applied`] |
//! | `GET /v1/secrets`, `PUT /v1/secrets` ([`Secret`]), `DELETE /v1/secrets?name=NAME` | names |
//! | `GET /v1/network`, `POST /v1/network` ([`ZoneChange`]) | [`Network`], [`Applied`] |
//! | `POST /v1/machine` ([`MachineOrder`]) | [`Ordered`] |
//! | `GET /v1/explain?url=URL[&from=ADDR]` | [`Explanation`] |
//! | `GET /v1/log[?after=ID][&last=N][&service=NAME][&follow=true]` | [`Record`] lines; with `Accept: text/event-stream`, as events |
//!
//! What is refused comes back as a [`Refusal`] with a status of 4xx or 5xx.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")
)]

mod api;
mod backend;
mod client;
mod journal;
mod moment;
pub mod render;
mod schema;
mod server;
mod socket;

pub use api::{
    Applied, Apply, Ban, CertificateStatus, Checked, Cleared, ConfigText, Derived, Diff, Draft,
    Explanation, Fault, Generation, GenerationState, History, Host, HostFigures, HostProtocol,
    HostRule, HostTarget, InterfaceStatus, ListenerStatus, LogQuery, MachineOrder, MachineStatus,
    Network, NewBan, NotBuilt, Ordered, ProcessStatus, Secret, Series, SeriesKind, Status, Table,
    ZoneChange, ZoneStatus,
};
pub use backend::{Backend, Refusal, RefusalKind};
pub use client::{Client, ClientError, LogStream};
pub use journal::{Follower, Journal, Record};
pub use moment::Moment;
pub use server::{openapi, openapi_text, serve};
pub use socket::{BindError, bind};

/// Name of the socket in the state directory.
pub const SOCKET_NAME: &str = "control.sock";
