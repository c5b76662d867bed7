//! LDAP (RFC 4511) from both sides. Answers of a server are made plain before anything else reads them: no depth, no surprise,
//! no more than is asked for. Requests of a client are read as far as they say whom they are meant for.

mod answer;
mod ber;
mod envelope;
mod name;
mod reply;
mod request;
mod result;

use thiserror::Error;

pub use answer::{Answer, Kind, START_TLS, answer};
pub use name::BindName;
pub use reply::{Reply, reply};
pub use request::{Asks, Bind, LONGEST_REQUEST, Request, request};
pub use result::{ResultCode, disconnection};

/// The longest message that is read as a whole, in bytes: an entry with a thousand groups.
pub const LONGEST: usize = 512 * 1024;

/// It is no message of LDAP; its sender is to blame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Malformed {
    /// It is longer than [`LONGEST`].
    #[error("a message is too long")]
    Long,
    /// It has another form than section 4 gives it.
    #[error("a message is no LDAP")]
    Form,
}
