//! What can be typed after `gatehouse session`.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum SessionAction {
    /// List who is signed in
    List,
    /// End a session, those of a user, or all; WebSockets that were opened with it are closed
    ///
    /// Who was signed in may sign in again: lock him in the directory first where he shall not.
    End {
        /// Its number
        #[arg(value_name = "ID", required_unless_present_any = ["user", "all"])]
        id: Option<u64>,
        /// The user whose sessions end
        #[arg(long, value_name = "NAME", conflicts_with = "id")]
        user: Option<String>,
        /// End all sessions
        #[arg(long, conflicts_with_all = ["id", "user"])]
        all: bool,
    },
}
