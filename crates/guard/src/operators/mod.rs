//! Who may operate the box: users, passwords, sessions, delays, the claim of a new box.
//!
//! Nothing here has a clock, a file or a source of randomness. Time comes as [`std::time::Instant`], or as Unix seconds where it
//! is kept or shown; random bytes come from the caller, who takes them from the kernel. Hashing a password takes a
//! hundredth of a second and more: whoever calls [`PasswordHash::of`] or [`PasswordHash::matches`] does so where nobody waits.
//!
//! Everything that is guessed at is bounded in number: passwords and codes by [`Delays`], the claim code by
//! [`Claim`] itself. Whatever is secret is compared in constant time, has no debug form, and is kept as a hash where
//! a hash will do; only the secret of TOTP must be kept as it is.

mod claim;
mod code;
mod delays;
mod password;
mod sessions;
#[cfg(test)]
mod tests;
mod totp;
mod user;
mod users;

pub use claim::{CLAIM_LIFE, CLAIM_TRIES, Claim, Claimed, Taken};
pub use code::{CODE_BYTES, Code};
pub use delays::{
    Attempt, Delays, LONGEST_ACCOUNT_DELAY, LONGEST_ADDRESS_DELAY, LONGEST_DELAY_IN_ALL, Origin,
};
pub use password::{
    LONGEST_PASSWORD, PasswordFault, PasswordHash, SALT_BYTES, SHORTEST_PASSWORD, check_password,
};
pub use sessions::{
    IDLE, LIFE, MAX_SESSIONS, MAX_SESSIONS_OF_USER, OFFER_LIFE, OFFER_TRIES, Offer, Session,
    SessionId, Sessions, TOKEN_BYTES, Token,
};
pub use totp::{RECOVERY_CODES, RecoveryHash, Totp};
pub use user::{BadName, LONGEST_NAME, Role, User, UserName};
pub use users::{MAX_USERS, UserFault, Users};
