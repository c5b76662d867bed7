//! How a service lives: the trait, its supervision, its events and its metrics.
//!
//! Facts flow down as checked configuration, shared state flows across ([`BanWatch`], [`RollWatch`]), news flows out
//! as one closed [`Event`] enum. No service acts on an event.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::panic,
        reason = "a test may fail by panic"
    )
)]

mod context;
mod event;
mod live_factors;
mod live_sessions;
pub mod metrics;
mod roll_watch;
mod supervise;
mod workers;

pub use context::{BanWatch, Context, EventSender, Offence, OffenceSender, Outbox};
pub use event::{Blame, ConfigChange, Decision, Event, Outcome, ServiceState, clip};
pub use live_factors::{CodeTaken, FactorStanding};
pub use live_sessions::LiveSession;
pub use metrics::Registry;
pub use roll_watch::{Outdated, RollWatch, SessionFault, SessionReport};
pub use supervise::{Answer, Backoff, Numbered, Supervised, supervise};
pub use workers::{WorkerGone, Workers};

use std::future::Future;
use tokio::time::Instant;

/// What a service did with a new configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reloaded {
    /// It is in force; sessions that it still allows went on.
    Applied,
    /// It can only be applied by a new start; the caller shuts the service down and starts it anew.
    Restart,
}

/// One part of Gatehouse that runs: it gets its sockets first and serves later.
pub trait Service: Sized {
    /// The name in `status`, in the log and in metrics.
    const NAME: &'static str;
    /// All that it needs to know, checked before.
    type Config: Clone;
    /// Why it could not start or run.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Takes over configuration and sockets; serves nothing yet.
    ///
    /// # Errors
    /// What in `config` can not be put to work; ours or the configuration's, never a client's.
    fn start(config: Self::Config, context: Context) -> Result<Self, Self::Error>;

    /// Serves until it fails. May be dropped at any await and called again: sessions live in `self`.
    ///
    /// # Errors
    /// A fault that the service can not live with; it is then started anew with back-off.
    fn run(&mut self) -> impl Future<Output = Result<(), Self::Error>>;

    /// Changes over to `config` without cutting a session that it still allows.
    ///
    /// # Errors
    /// As [`Service::start`]; the old configuration stays in force.
    fn reload(&mut self, config: Self::Config) -> Result<Reloaded, Self::Error>;

    /// Takes no new work, lets what is under way end, and cuts what is left at `deadline`.
    fn shutdown(self, deadline: Instant) -> impl Future<Output = ()>;
}
