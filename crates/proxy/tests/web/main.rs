//! The proxy on loopback, between raw clients and raw targets that a test scripts byte by byte.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail by panic"
)]

mod balancers;
mod bodies;
mod clients;
mod domains;
mod edits;
mod entrance;
mod gate;
mod h323;
mod heads;
mod http2;
mod http2_attacks;
mod http2_ends;
mod ldap;
mod life;
mod passthrough;
mod peer;
mod proofs;
mod rejected;
mod reuse;
mod room;
mod secure;
mod several;
mod sip;
mod sso;
mod upgrades;
