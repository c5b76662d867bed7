//! Certificates at rest: keys, chains, choice by server name, the box's own CA.
//!
//! [`Material`] is a key with its chain, as it travels from the supervisor to the process that
//! serves it. [`load_pem`] makes one from PEM files, [`bundle`] from PKCS#12, [`Ca::issue`] from the box's own authority;
//! [`check()`] says what is wrong with one, and [`Chooser`] picks one per TLS handshake.
//! [`Clients`] judges the certificates that clients show.
//!
//! [`request()`] is what a public CA is asked with, and [`Answers`] what it finds where it looks whether a name
//! is ours.
//!
//! Nothing here reads a file, a socket or the clock: `now` is passed in.
#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::panic, reason = "tests may fail loudly")
)]

mod authority;
pub mod bundle;
pub mod challenge;
mod check;
mod chooser;
mod clients;
mod error;
mod material;
mod name;
pub mod plan;
mod request;

pub use authority::{Ca, ForClient, LEAF_LIFETIME, Usage};
pub use challenge::{Answer, Answers};
pub use check::{Problem, SOON, Validity, check, subject, validity};
pub use chooser::Chooser;
pub use clients::{
    Clients, ClientsError, ClientsFault, OWN_CA, Outdated, PemFile, Refused, Verified, Why, holds,
    matches_name,
};
pub use error::Error;
pub use material::{Material, chain, load_pem};
pub use name::{covers, normal_name};
pub use request::{KeyKind, certificate_id, new_key, request};
