//! What becomes of a request, and what is said to whom. Pure: the clock, sockets and files are
//! the shell's.

mod access;
mod asker;
mod attempts;
mod balance;
mod believed;
mod credentials;
mod date;
mod decide;
mod domains;
mod edit;
mod explain;
mod explain_domain;
mod handshake;
mod headers;
mod http2;
mod pages;
mod passthrough;
mod path;
mod reason;
mod routes;
mod signin;

pub use access::{CertificateFault, Gate, GateKind, Shown, told};
pub use asker::Asker;
pub use attempts::{Attempt, Attempts, MOST_UNANSWERED};
pub use balance::{Member, Probe, Standing, Targets, Tried};
pub use believed::{OWN_REVOKED, believed, client_problems};
pub use credentials::{
    Anonymous, Credentials, Login, LoginFault, LoginRefused, Ticket, TicketFault,
};
pub use date::http_date;
pub use decide::{Ask, AskedTls, Redirect, Step, Verdict, Watch, decide, decide_watched, redirect};
pub use domains::{DomainHost, DomainRule, Domains, Proof, Wanted, compared};
pub use edit::HeadEdit;
pub use explain::{Explanation, NotExplained, Shows, explain, explain_to};
pub use handshake::{Accept, websocket_key};
pub use headers::{
    ClientAddr, Identity, LocalAddr, Sent, Spoken, replace_host, write_request, write_response,
};
pub use http2::{header_map, take_http2_response, write_fields, write_http1_request};
pub use pages::{Page, write_page, write_proof};
pub use passthrough::{PassthroughHost, Passthroughs, TlsVerdict};
pub use path::{Fit, fit};
pub use reason::Reason;
pub use routes::{
    Entry, HostRoutes, Routes, RoutesError, Rule, Target, TargetKey, TargetTls, Trust,
};
pub use signin::{OWN_PATHS, Session, SignInFault, SignInRefused, SignOn, SignedIn, Span};
