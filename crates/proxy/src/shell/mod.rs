//! The side of the proxy that has sockets and a clock. All of it runs on worker threads; a connection
//! never leaves its thread.

mod alarm;
mod arrival;
mod balancer;
mod buffer;
mod caps;
mod claims;
mod client;
mod connection;
mod domain;
mod exchange;
mod forward;
mod handshakes;
mod health;
mod hello;
mod http1;
mod http2;
mod inside;
mod lane;
mod limits;
mod listener;
mod live;
mod logins;
mod pace;
mod passthrough;
mod presented;
mod report;
mod request;
mod sessions;
mod target;
mod tunnel;
mod worker;

pub(crate) use caps::Caps;
pub(crate) use handshakes::Handshakes;
pub use inside::Inside;
pub(crate) use listener::{Order, run};
pub(crate) use live::Live;
pub use live::{ConfigError, check, files_wanted};
pub(crate) use logins::Logins;
pub(crate) use worker::Shared;
