//! What can be typed after `gatehouse token`.

use clap::Subcommand;

use super::seconds;

#[derive(Debug, Subcommand)]
pub(crate) enum TokenAction {
    /// Make a token, and print it
    ///
    /// Its text is all of what is printed, this once: it is the value of the cookie. The box keeps a hash of it only.
    New {
        /// The NAME of an `[access.NAME]` with kind = "cookie"
        #[arg(long, value_name = "NAME")]
        access: String,
        /// For how long it is good, such as 90s, 10m, 1h or 30d; without it, until it is revoked
        #[arg(long, value_name = "TIME", value_parser = life)]
        expires: Option<u64>,
        /// What it is for, in 200 characters at the most
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// List the tokens that are good
    List {
        /// Only those of this access
        #[arg(long, value_name = "NAME")]
        access: Option<String>,
    },
    /// Revoke a token, or all of an access; WebSockets that were opened with it are closed
    Revoke {
        /// Its number
        #[arg(value_name = "ID", required_unless_present = "all")]
        id: Option<u64>,
        /// The access whose tokens are revoked
        #[arg(long, value_name = "NAME", requires = "all", conflicts_with = "id")]
        access: Option<String>,
        /// Revoke all of the access
        #[arg(long, requires = "access")]
        all: bool,
    },
    /// Make, list or revoke keys, by which applications make tokens of one access themselves
    Key {
        #[command(subcommand)]
        action: KeyAction,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyAction {
    /// Make a key, and print it
    ///
    /// The application shows it as `Authorization: Bearer KEY` on the port of the admin pages, and may do with the tokens of this
    /// access what there is to do, and nothing else.
    New {
        /// The NAME of an `[access.NAME]` with kind = "cookie"
        #[arg(long, value_name = "NAME")]
        access: String,
        /// What it is for, in 200 characters at the most
        #[arg(long, value_name = "TEXT")]
        note: Option<String>,
    },
    /// List the keys of an access
    List {
        /// The access
        #[arg(long, value_name = "NAME")]
        access: String,
    },
    /// Revoke a key; the tokens that were made with it stay
    Revoke {
        /// Its number
        #[arg(value_name = "ID")]
        id: u64,
        /// The access
        #[arg(long, value_name = "NAME")]
        access: String,
    },
}

fn life(text: &str) -> Result<u64, String> {
    let seconds = seconds(text).filter(|seconds| *seconds > 0);
    seconds.ok_or_else(|| "a time is needed, such as 90s, 10m, 1h or 30d".to_owned())
}
