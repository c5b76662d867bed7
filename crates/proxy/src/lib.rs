//! How a request finds its target: HTTP and WebSocket by host and path; SIP, LDAP and H.323 by the name in the first message.
//!
//! [`core`] decides and writes heads, and knows neither sockets nor the clock; the shell moves bytes.
//! [`explain`] tells of a request what [`Proxy`] would do with it: both ask the same function.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

pub mod core;
mod figures;
mod metrics;
mod service_impl;
mod shell;

pub use core::{
    Asker, Explanation, NotExplained, OWN_REVOKED, Shows, client_problems, explain, explain_to,
};
pub use figures::{Figures, HostFigures, TargetFigures};
pub use service_impl::{Config, Error, Proxy};
pub use shell::{ConfigError, Inside, check, files_wanted};
