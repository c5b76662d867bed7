//! What can be typed after `explain`.

use std::net::IpAddr;
use std::path::PathBuf;

/// Which request is explained.
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// What a client would ask for: an http, https, ws or wss URL, sip:john@example.com, ldap:'example.com\john',
    /// h323:john@example.com/location (sips:, ldaps:, h323s: over TLS); or "pbx": what to enter at the PBX
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The address of the client; without it, somewhere outside
    #[arg(long, value_name = "ADDR")]
    pub(crate) from: Option<IpAddr>,
    /// Ask this configuration file instead of the box that runs
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The client shows the certificate in this file (PEM, with what leads to its CA); it is judged as in a handshake
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub(crate) certificate: Option<PathBuf>,
    /// The client is this user, who has signed in wherever it is asked for: which access lists let it in, and what the target is told
    #[arg(long = "as", value_name = "USER", conflicts_with = "certificate")]
    pub(crate) user: Option<String>,
    /// The groups that the user is in, with "," between them; without it, whichever are asked for
    #[arg(long, value_name = "GROUPS", value_delimiter = ',', requires = "user")]
    pub(crate) groups: Option<Vec<String>>,
}
