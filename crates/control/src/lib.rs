//! The local API on a Unix socket that command line, console and admin pages use.
//!
//! The supervisor implements [`Backend`] and calls [`serve`] on what [`bind`] gave it; [`Client`] is
//! the other end. Bodies are JSON, except metrics (Prometheus text) and the log (one JSON
//! record a line, for as long as the reader likes). Who may open the socket may do everything:
//! its mode is 0600. The admin pages come over connections of their own ([`serve_connection`]), and may do what the
//! session of an operator may that they bring along; `admission` has the list.
//!
//! | request | answer |
//! |---|---|
//! | `GET /v1/openapi.json` | [`openapi()`], which tells all of this exactly |
//! | `GET /v1/status` | [`Status`] |
//! | `GET /v1/metrics` | Prometheus text |
//! | `GET /v1/hosts`, `GET /v1/derived` | list of [`Host`], [`Derived`] |
//! | `GET /v1/history[?seconds=N]` | [`History`] |
//! | `GET /v1/bans`, `POST /v1/bans` ([`NewBan`]), `DELETE /v1/bans[?client=ADDR]` | list of [`Ban`], [`Ban`], [`Cleared`] |
//! | `POST /v1/reload`, `/v1/confirm[?generation=N]`, `/v1/rollback[?generation=N or ?trial=N]` | [`Applied`] |
//! | `GET /v1/generations` | list of [`Generation`] |
//! | `GET /v1/config[?generation=N]`, `GET /v1/diff[?from=N][&to=N]` | [`ConfigText`], [`Diff`] |
//! | `POST /v1/check` ([`Draft`]), `POST /v1/apply` ([`Apply`]) | [`Checked`], [`Applied`] |
//! | `GET /v1/secrets`, `PUT /v1/secrets` ([`Secret`]), `DELETE /v1/secrets?name=NAME` | names |
//! | `GET /v1/network`, `POST /v1/network` ([`ZoneChange`]) | [`Network`], [`Applied`] |
//! | `POST /v1/machine` ([`MachineOrder`]) | [`Ordered`] |
//! | `GET /v1/explain?url=URL[&from=ADDR]`, `POST /v1/explain` ([`ExplainShown`]) | [`Explanation`] |
//! | `GET /v1/log[?after=ID][&last=N][&service=NAME][&follow=true]` | [`Record`] lines; with `Accept: text/event-stream`, as events |
//! | `GET /v1/claim`, `POST /v1/claim` ([`Claim`]) | [`ClaimStatus`], [`SessionStarted`] |
//! | `POST /v1/login` ([`Login`]) | [`SessionStarted`] |
//! | `GET /v1/session`, `DELETE /v1/session` | [`Session`] |
//! | `PUT /v1/session/password` ([`PasswordChange`]) | |
//! | `POST /v1/session/totp` ([`PasswordProof`]), `PUT` ([`TotpCode`]), `DELETE` ([`PasswordProof`]) | [`TotpOffer`], [`RecoveryCodes`] |
//! | `GET /v1/sessions`, `DELETE /v1/sessions?id=ID` | list of [`Session`] |
//! | `GET /v1/users`, `POST` ([`NewUser`]), `PATCH ?name=NAME` ([`UserChange`]), `DELETE ?name=NAME` | [`User`], a list of them |
//! | `DELETE /v1/users/totp?name=NAME`, `POST /v1/users/reset` | [`ClaimStatus`] |
//! | `GET /v1/visitors`, `POST` ([`NewVisitor`]), `PATCH ?name=NAME` ([`VisitorPassword`]), `DELETE ?name=NAME` | [`Visitor`], a list of them |
//! | `POST /v1/visitors/import` ([`Htpasswd`]) | [`Imported`] |
//! | `GET /v1/tokens`, `DELETE /v1/tokens?id=ID` | list of [`Token`] |
//! | `GET /v1/access/NAME/tokens`, `POST` ([`NewToken`]), `DELETE`, `DELETE /v1/access/NAME/tokens/ID` | list of [`Token`], [`TokenMade`], [`Revoked`] |
//! | `GET /v1/sso/sessions`, `DELETE ?id=ID`, `?user=NAME`, `?all=true` | list of [`SsoSession`], [`SsoEnded`] |
//! | `GET /v1/sso/factors`, `DELETE ?access=NAME&user=NAME`, `?all=true` | list of [`SsoFactor`], [`FactorsReset`] |
//! | `GET /v1/access/NAME/keys`, `POST` ([`NewAccessKey`]), `DELETE /v1/access/NAME/keys/ID` | list of [`AccessKey`], [`AccessKeyMade`] |
//!
//! What is refused comes back as a [`Refusal`] with a status of 4xx or 5xx.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")
)]

mod admission;
mod api;
mod backend;
mod client;
mod entrance;
mod journal;
mod line;
mod moment;
mod operators;
mod pages;
pub mod render;
mod schema;
mod server;
mod socket;

pub use admission::{CLIENT_HEADER, IDLE_HEADER};
pub use api::{
    AccessKey, AccessKeyMade, Applied, Apply, Ban, CertificateExport, CertificateImport,
    CertificateName, CertificateStatus, Checked, Claim, ClaimStatus, Cleared, ClientCertificate,
    ConfigText, Derived, Diff, Draft, ExplainShown, Explanation, ExportedCertificate, FactorsReset,
    Fault, Generation, GenerationState, History, Host, HostFigures, HostProtocol, HostRule,
    HostTarget, HostTraffic, Htpasswd, Imported, ImportedCertificate, InterfaceStatus,
    IssuedCertificate, ListenerStatus, LogQuery, Login, MachineOrder, MachineStatus, Network,
    NewAccessKey, NewBan, NewClientCertificate, NewToken, NewUser, NewVisitor, NotBuilt,
    OpenConnections, OrderStep, Ordered, PasswordChange, PasswordProof, ProcessStatus,
    RecoveryCodes, RejectedFor, Renewal, RenewalState, Revocation, Revoked, Role, Rollback,
    RootCertificate, Secret, Series, SeriesKind, Session, SessionStarted, SsoEnded, SsoFactor,
    SsoSession, Status, Table, Token, TokenMade, TotpCode, TotpOffer, Traffic, User, UserChange,
    Visitor, VisitorPassword, WhichFactors, WhichSessions, ZoneChange, ZoneStatus,
};
pub use backend::{Backend, Refusal, RefusalKind};
pub use client::{Client, ClientError, LogStream};
pub use entrance::Entrance;
pub use journal::{Follower, Journal, Record};
pub use line::{Line, LineError, MOST_REQUESTS};
pub use moment::Moment;
pub use operators::{Actor, Operators, Peer};
pub use pages::{only_here, pages};
pub use server::{openapi, openapi_text, paths, serve, serve_connection};
pub use socket::{BindError, bind};

/// Name of the socket in the state directory.
pub const SOCKET_NAME: &str = "control.sock";
