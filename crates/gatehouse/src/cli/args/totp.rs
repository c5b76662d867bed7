//! What can be typed after `gatehouse totp`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum TotpAction {
    /// List who has a second factor
    List,
    /// Take away the second factor of a user, or of all, and end their sessions at the access
    ///
    /// Whoever has the password sets up another one at the next login: reset it when the user asks for it himself, and have him sign in at once.
    Reset {
        /// The NAME of `[access.NAME]`
        #[arg(
            long,
            value_name = "NAME",
            requires = "user",
            required_unless_present = "all"
        )]
        access: Option<String>,
        /// The user
        #[arg(long, value_name = "NAME", requires = "access")]
        user: Option<String>,
        /// Reset all, of every access
        #[arg(long, conflicts_with_all = ["access", "user"])]
        all: bool,
    },
}
