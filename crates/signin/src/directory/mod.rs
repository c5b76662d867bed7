//! Where a login is asked: what goes there, and what comes back, whatever it speaks.

pub(crate) mod choice;
pub mod ldap;
pub mod oidc;
pub mod radius;
mod supplies;

use guard::entrance::Typed;
use std::net::IpAddr;
use thiserror::Error;

pub(crate) use choice::Directory;
pub use supplies::{Supplies, Unusable, check, files_wanted, secrets_wanted};

/// What somebody has typed into the login page.
#[derive(Clone, Debug)]
pub struct Typing {
    /// The name, as it was typed; 1 to 128 characters, none of them a control character.
    pub user: String,
    /// The password; not empty, since an LDAP server takes an empty one for no login at all (RFC 4513 section 5.1.2).
    pub password: Typed,
    /// Where he sits.
    pub client: IpAddr,
}

/// Somebody whom a directory knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The name that targets are told; no control characters.
    pub user: String,
    /// The groups he is in.
    pub groups: Vec<String>,
    /// Whether the directory has said his name, so that it is the same whatever he has typed.
    pub is_named: bool,
}

/// What a directory says.
#[derive(Clone, Debug)]
pub enum Answer {
    /// It is he.
    Known(Person),
    /// It wants to know more: a one-time code (RFC 2865 section 4.4).
    Asks(Question),
    /// Wrong, unknown or locked; nobody but the operator is told which, where it is known.
    Refused(String),
}

/// What a directory wants to know beside the password.
#[derive(Clone, Debug)]
pub struct Question {
    /// What it has the user read; at most 200 characters, no control characters.
    pub prompt: String,
    /// What it wants to have back with the answer; it never leaves the box.
    pub state: Vec<u8>,
}

/// A directory could not be asked.
#[derive(Clone, Debug, Error)]
pub enum Fault {
    /// It is not there, or says nothing in time.
    #[error("{server} can not be reached: {why}")]
    Unreachable {
        /// The server, as the configuration writes it.
        server: String,
        /// Why; one line, for the operator.
        why: String,
    },
    /// It said something that is no answer, or refuses our own account.
    #[error("{server} gave no answer that can be used: {why}")]
    Unfit {
        /// The server, as the configuration writes it.
        server: String,
        /// Why; one line, for the operator, without anything secret.
        why: String,
    },
}
