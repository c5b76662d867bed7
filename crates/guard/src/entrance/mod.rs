//! Who may use what is published: visitors with a password, holders of a token, users who have signed in, by a second
//! factor, too.
//!
//! The supervisor keeps them, and tells the data path as much of it as it needs to judge who comes: the
//! [`Roll`], whole at its start and by [`Change`] later. Nothing here has a clock, a file or a source of randomness.

mod factor;
mod factors;
mod guesses;
pub mod htpasswd;
mod legacy;
mod remembered;
mod roll;
mod session;
mod sessions;
#[cfg(test)]
mod tests;
mod token;
mod tokens;
mod typed;
mod visitor;
mod visitors;

pub use factor::{CodeUsed, Factor, FactorKey, UnfitFactor};
pub use factors::{Factors, MAX_FACTOR_NAMES, MAX_FACTORS, NoFactor};
pub use guesses::{Guess, Guesses, LONGEST_WAIT};
pub use legacy::Legacy;
pub use remembered::{PROOF_KEY_BYTES, Proof, ProofKey, Remembered};
pub use roll::{Change, Roll};
pub use session::{
    AHEAD, LONGEST_GROUPS, LONGEST_SESSION_NAME, MOST_BEGUN, MOST_GROUPS, NewSession, Session,
    SessionId, SessionLimits, SessionNews, UnfitSession, session_text,
};
pub use sessions::{MAX_SESSION_BYTES, MAX_SESSIONS, MAX_SESSIONS_OF_USER, Sessions, make_room};
pub use token::{LiveToken, TokenHash, TokenId};
pub use tokens::{
    BadNote, KeyId, LONGEST_NOTE, MAX_KEYS, MAX_TOKENS, MAX_TOKENS_OF_ACCESS, Note, TEXT_BYTES,
    Token, TokenFault, TokenKey, Tokens, Wish, is_key_text, key_text, token_text,
};
pub use typed::Typed;
pub use visitor::VisitorHash;
pub use visitors::{MAX_VISITORS, Visitor, VisitorFault, Visitors};
