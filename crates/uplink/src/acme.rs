//! Certificates from a public CA (ACME, RFC 8555).
//!
//! What is to be had, and when, the supervisor decides; it keeps the keys and everything that must survive. Here an
//! [`Order`] is carried out once, from the account to the chain, and what becomes of it is told as [`News`]. So the
//! two meet in the types of `order` only.

mod chewed;
mod client;
mod course;
mod dns;
mod http;
mod jws;
mod order;
mod problem;
mod proofs;
mod run;
mod shape;
pub mod zone;

pub use chewed::chew;
pub use order::{
    Account, Authority, Blame, DnsUpdate, External, Failure, Lookup, News, Order, OrderId, Proof,
    Step, Wanted, Window,
};
pub use run::run;
