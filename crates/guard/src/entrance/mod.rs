//! Who may use what is published: visitors with a password, holders of a token.
//!
//! The supervisor keeps both, and tells the data path as much of it as it needs to judge who comes: the
//! [`Roll`], whole at its start and by [`Change`] later. Nothing here has a clock, a file or a source of randomness.

mod roll;
mod token;
mod typed;
mod visitor;

pub use roll::{Change, Roll};
pub use token::{LiveToken, TokenHash, TokenId};
pub use typed::Typed;
pub use visitor::VisitorHash;
