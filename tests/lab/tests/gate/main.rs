//! Lab tests: each is one sentence about what an operator, a client or a target sees.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod acme;
mod acme_dns;
mod api;
mod balance;
mod ban;
mod canaries;
mod canaries_of_logins;
mod churn;
mod clients;
mod console;
mod crash;
mod dhcp_client;
mod differential;
mod estos;
mod http2;
mod innovaphone;
mod interwise;
mod ldap;
mod login_page;
mod malformed;
mod many;
mod network;
mod oidc;
mod operator;
mod pages;
mod radius;
mod reload;
mod rules;
mod slow;
mod sso;
mod start;
mod target;
mod the_lab;
mod theft;
mod wcs;
