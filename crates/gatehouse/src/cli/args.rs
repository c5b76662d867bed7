//! What can be typed.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod certificate;
mod explain;
mod session;
mod token;
mod totp;

pub(crate) use certificate::{CertificateAction, FileIn, FileOut};
pub(crate) use explain::ExplainArgs;
pub(crate) use session::SessionAction;
pub(crate) use token::{KeyAction, TokenAction};
pub(crate) use totp::TotpAction;

const STATE: &str = "/var/lib/gatehouse";

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the configuration has faults, or the box refused
  2  something can not be read, or the command was not understood
  3  the box is not running

Examples:
  gatehouse check gatehouse.toml
  gatehouse run --config gatehouse.toml --state /var/lib/gatehouse
  gatehouse explain https://hq.example/PBX0/APPS
  gatehouse log -f";

/// Publishes a company's own servers, and lets nothing else in.
///
/// Everything is written in one file, gatehouse.toml: which hosts there are, where they go, who may
/// reach them. `check` looks for faults in it, `run` puts it to work, and the other commands ask or
/// tell the box that runs.
#[derive(Debug, Parser)]
#[command(name = "gatehouse", version, after_help = EXIT_CODES, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Args {
    /// Directory of what the box keeps: generations, secrets, certificates, its control socket
    /// [default: /var/lib/gatehouse]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "GATEHOUSE_STATE",
        hide_env_values = true
    )]
    pub(crate) state: Option<PathBuf>,
    /// Write JSON instead of text
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    /// The state directory that was named, or the usual one.
    pub(crate) fn state_or_default(&self) -> PathBuf {
        self.state.clone().unwrap_or_else(|| STATE.into())
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the box with a configuration, until SIGTERM or Ctrl-C
    ///
    /// Opens the listeners, starts the processes that serve them, and writes the log to standard error.
    /// SIGHUP has the same effect as `gatehouse reload`. Without root everything runs with the rights of the
    /// user, so that ports must be 1024 or above; `gatehouse status` says what was left out.
    #[command(after_help = "Example:\n  gatehouse run --config gatehouse.toml --state ./state")]
    Run {
        /// The configuration file; read again at each reload
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Keep a console on this terminal, such as the serial line /dev/ttyS0
        #[arg(long, value_name = "TTY")]
        console: Option<PathBuf>,
        /// Set the addresses and default routes of the zones in the kernel, which needs root
        ///
        /// A box that was started from its own image always does. Without this the network of the
        /// machine is somebody else's business.
        #[arg(long)]
        set_network: bool,
    },

    /// Look for faults in a configuration file
    ///
    /// Prints every fault at once, one a line: file, line, setting, what is wrong, and what would be right.
    /// What only the box can know, such as which secrets it holds, is checked if its state directory is
    /// named with --state; otherwise it is listed as not checked, and is no fault.
    #[command(after_help = "Examples:
  gatehouse check gatehouse.toml
  gatehouse check gatehouse.toml --tables
  gatehouse check gatehouse.toml --state /var/lib/gatehouse")]
    Check {
        /// The configuration file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print what follows from it: where the box listens, which names need a certificate,
        /// DNS records, port forwards of the router upstream
        #[arg(long)]
        tables: bool,
    },

    /// Tell what would happen to a request, and which line of the configuration decides
    ///
    /// Asks the box that runs; with --config a file is asked instead, and no box is needed.
    /// Nothing is sent to the target.
    #[command(after_help = "Examples:
  gatehouse explain https://hq.example/PBX0/APPS
  gatehouse explain wss://hq.example/chat --from 203.0.113.9
  gatehouse explain https://hq.example/ --certificate anna.pem
  gatehouse explain https://hq.example/ --as anna --from 203.0.113.9
  gatehouse explain http://hq.example/ --config gatehouse.toml")]
    Explain(ExplainArgs),

    /// Show what follows from the configuration in force
    ///
    /// Where the box listens, which names need a certificate, DNS records, port forwards of the router upstream. For a file that is not
    /// in force: `gatehouse check FILE --tables`.
    Tables,

    /// Show how the box is: configuration, processes, listeners, certificates
    Status,

    /// Show the log: each decision with its reason and the line that made it
    ///
    /// With -f, goes on with what comes, over a restart of the box as well; Ctrl-C ends it.
    #[command(after_help = "Examples:
  gatehouse log
  gatehouse log -f --service proxy
  gatehouse log -n 1000 --json")]
    Log {
        /// Go on with what comes
        #[arg(short, long)]
        follow: bool,
        /// Only what one service says: proxy, guard, config, certs, edge, admin, …
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        /// Begin with the last N records
        #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
        lines: usize,
    },

    /// Show who is banned, ban somebody, or lift a ban
    #[command(
        after_help = "Examples:
  gatehouse bans
  gatehouse bans add 203.0.113.9 --for 7d --reason 'scans for weeks'
  gatehouse bans clear 203.0.113.9
  gatehouse bans clear --all",
        args_conflicts_with_subcommands = true
    )]
    Bans {
        #[command(subcommand)]
        action: Option<BanAction>,
    },

    /// Read the configuration file again and put it into force
    ///
    /// A file with faults changes nothing. Sessions that the new configuration still allows go on. A change that could lock
    /// you out is in force on trial: confirm it, or it is rolled back.
    Reload,

    /// Put a configuration file into force, whatever its name
    ///
    /// The box gets the text and checks it; a file with faults changes nothing. What is applied becomes a generation; the file that
    /// Gatehouse was started with is not changed, and `reload` would bring that back. A change that could lock you out is on
    /// trial for 3 minutes; with --trial any change is, and for as long as that says.
    #[command(after_help = "Examples:
  gatehouse apply gatehouse.toml
  gatehouse apply gatehouse.toml --trial 10m")]
    Apply {
        /// The configuration file
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// How long it waits for `gatehouse confirm` before it is rolled back: 60s to 1h
        #[arg(long, value_name = "TIME", value_parser = trial_seconds)]
        trial: Option<u32>,
    },

    /// Keep the configuration that is on trial
    Confirm,

    /// Put an earlier configuration into force
    ///
    /// Without a number, the one before. `gatehouse generations` lists the numbers; `gatehouse diff N` shows what would change.
    Rollback {
        /// The number of the generation
        #[arg(value_name = "N")]
        generation: Option<u32>,
    },

    /// List the configurations that are kept
    Generations,

    /// Show how the configuration in force differs from an earlier one
    Diff {
        /// The number of the earlier generation; without it, the one before
        #[arg(value_name = "N")]
        from: Option<u32>,
        /// Another generation to compare it with, instead of the one in force
        #[arg(value_name = "M")]
        to: Option<u32>,
    },

    /// Show certificates, order one anew, take one in or out, issue or revoke those of clients, or print the root of the box's own CA
    #[command(after_help = "Examples:
  gatehouse certificate list
  gatehouse certificate show hq.example
  gatehouse certificate renew hq.example
  gatehouse certificate import hq.p12
  gatehouse certificate export hq.example --out hq.p12
  gatehouse certificate issue anna@example.com --out anna.p12
  gatehouse certificate revoke anna@example.com
  gatehouse certificate root > gatehouse-root.pem")]
    Certificate {
        #[command(subcommand)]
        action: CertificateAction,
    },

    /// Set, list or remove secrets, which the configuration refers to by name
    ///
    /// Secrets are never in the configuration, which says `{ secret = "name" }` instead, and never leave the box. While the box
    /// does not run, they are kept in its state directory for the next start.
    Secret {
        #[command(subcommand)]
        action: SecretAction,
    },

    /// Show the code that makes you the first operator of the admin pages
    ///
    /// A new box has no users and no password. Whoever enters this code in the admin pages becomes its first admin. It is good for 30
    /// minutes and for one use, and void after five wrong tries; ask again for another one.
    Claim,

    /// List, make, change or remove users: visitors of what is published, and users of the admin pages
    ///
    /// A user with a role is one of the admin pages; one without is a visitor, whom `[access.NAME]` of kind = "basic" lets in.
    /// Passwords are asked for and not shown, or read from standard input; they are never part of the command line, which other
    /// users of the machine can see.
    #[command(after_help = "Examples:
  gatehouse user list
  gatehouse user add login
  gatehouse user import .htpasswd
  gatehouse user add anna --role admin
  gatehouse user password anna
  gatehouse user reset")]
    User {
        #[command(subcommand)]
        action: UserAction,
    },

    /// Make, list or revoke tokens, whose text in a cookie lets in by `[access.NAME]` of kind = "cookie"
    #[command(after_help = "Examples:
  gatehouse token new --access wcs --expires 1h --note 'call of Monday'
  gatehouse token list
  gatehouse token revoke 12
  gatehouse token revoke --access wcs --all
  gatehouse token key new --access wcs --note 'application server'")]
    Token {
        #[command(subcommand)]
        action: TokenAction,
    },

    /// List or end sessions of users who have signed in by `[access.NAME]` of kind = "sso"
    #[command(after_help = "Examples:
  gatehouse session list
  gatehouse session end 12
  gatehouse session end --user anna
  gatehouse session end --all")]
    Session {
        #[command(subcommand)]
        action: SessionAction,
    },

    /// List or reset second factors of users who sign in by `[access.NAME]` with `totp`
    #[command(after_help = "Examples:
  gatehouse totp list
  gatehouse totp reset --access sso --user anna
  gatehouse totp reset --all")]
    Totp {
        #[command(subcommand)]
        action: TotpAction,
    },

    /// Show the menu of the serial line here
    ///
    /// State, network settings, rollback, ping, restart and factory reset at 80 columns and 24 lines. Ctrl-C leaves it.
    Console {
        /// Take this terminal instead, in a session of its own, and never leave it; `run --console` starts this
        #[arg(long, value_name = "TTY")]
        tty: Option<PathBuf>,
        /// The control socket of the box; without it, the one in the state directory
        #[arg(long, value_name = "FILE")]
        socket: Option<PathBuf>,
    },

    /// Show the networks of the box, or set the address of a zone
    ///
    /// Shows what the kernel has now, and what the configuration asks for.
    #[command(
        after_help = "Examples:
  gatehouse network
  gatehouse network set lan 192.168.1.4/24 --gateway 192.168.1.254
  gatehouse network set lan dhcp",
        args_conflicts_with_subcommands = true
    )]
    Network {
        #[command(subcommand)]
        action: Option<NetworkAction>,
    },

    /// Ask a host for a sign of life (ICMP echo)
    ///
    /// This process sends it, from the machine it runs on; no running box is needed. Exit code 1 when nothing answers.
    Ping {
        /// A name or an address
        #[arg(value_name = "HOST")]
        host: String,
        /// How many requests, one after the other
        #[arg(short, long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1000))]
        count: u16,
    },

    /// Ask the name servers of this machine for the addresses of a name
    Lookup {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },

    /// Restart the box
    ///
    /// The machine, not only Gatehouse; only where Gatehouse is the firmware of a box.
    Reboot,

    /// Switch the box off
    ///
    /// Only where Gatehouse is the firmware of a box.
    Poweroff,

    /// Remove every configuration, secret and certificate, and begin anew
    ///
    /// A box restarts with the configuration that it came with. Elsewhere Gatehouse ends; its next start removes everything in the
    /// state directory and takes the file of `gatehouse run`. A power cut meanwhile changes nothing about it.
    FactoryReset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },

    /// Show all counters, as Prometheus reads them
    Metrics,

    /// Be one of the processes of the box; only the supervisor starts these
    #[command(hide = true)]
    Role {
        #[arg(value_enum)]
        role: Process,
    },

    /// Write the manual pages into a directory
    #[command(hide = true)]
    Man {
        #[arg(value_name = "DIR")]
        directory: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum BanAction {
    /// Ban an address, whatever it has done
    ///
    /// Everywhere and at once, but for the admin pages inside. Who is in `never` of the configuration, and targets, can not be banned.
    Add {
        /// The address; of IPv6, the /64 around it is banned
        #[arg(value_name = "ADDR", value_parser = client_address)]
        client: IpAddr,
        /// For how long: 60s to 30d
        #[arg(long = "for", value_name = "TIME", value_parser = ban_seconds, default_value = "1h")]
        time: u32,
        /// Why, for the log
        #[arg(long, value_name = "TEXT", default_value = "no reason given")]
        reason: String,
    },
    /// Lift the ban of one address, or all bans
    Clear {
        /// The address; of IPv6, any within the banned /64
        #[arg(value_name = "ADDR", value_parser = client_address, required_unless_present = "all")]
        client: Option<IpAddr>,
        /// Lift all bans
        #[arg(long, conflicts_with = "client")]
        all: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum NetworkAction {
    /// Set the address of a zone
    ///
    /// The address takes the place of those of its family (dhcp is IPv4, auto6 is IPv6) in the configuration in force, all else
    /// stays. The result is checked, and in force on trial: confirm it, or it is rolled back. The file that
    /// Gatehouse was started with is not changed.
    Set {
        /// The zone, as the configuration calls it
        #[arg(value_name = "ZONE")]
        zone: String,
        /// An address with its network, such as 192.168.1.4/24; or dhcp, or auto6
        #[arg(value_name = "ADDRESS")]
        address: String,
        /// The router towards everything else; without it, the zone leads nowhere else
        #[arg(long, value_name = "ADDR")]
        gateway: Option<IpAddr>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretAction {
    /// Store a secret, in place of one of the same name
    ///
    /// The value is asked for and not shown, or read from standard input, without the end of its last
    /// line. It is never part of the command line, which other users of the machine can see.
    #[command(after_help = "Examples:
  gatehouse secret set acme-tsig
  gatehouse secret set hq-key < hq.example.key.pem")]
    Set {
        /// The name that the configuration uses
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// List the names of the secrets
    List,
    /// Remove a secret
    Rm {
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum UserAction {
    /// List the users
    List,
    /// Make a visitor of what is published or, with a role, a user of the admin pages
    Add {
        /// The name: letters from a to z, digits, ".", "-", "_" and "@"
        #[arg(value_name = "NAME")]
        name: String,
        /// What the user may do at the admin pages; without it, the user is a visitor and may do nothing there
        #[arg(long, value_enum)]
        role: Option<UserRole>,
    },
    /// Make the visitors of a file of `htpasswd`, all of them or none
    ///
    /// bcrypt, $apr1$ and {SHA} are taken, and replaced by a better hash when a visitor comes.
    Import {
        /// The file
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Give a user another role, and end the user's sessions
    Role {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
        /// What the user may do from now on
        #[arg(value_enum, value_name = "ROLE")]
        role: UserRole,
    },
    /// Give a user another password, and end the user's sessions
    Password {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Let a user whose phone is lost sign in without the code of an authenticator app
    ForgetApp {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Remove a user, and end the user's sessions
    Remove {
        /// The name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Remove all users, so that the box can be claimed anew
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum UserRole {
    /// Look at everything but the users
    Viewer,
    /// Change the configuration, secrets and bans
    Operator,
    /// Everything
    Admin,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Process {
    Edge,
    Admin,
}

/// An address as `gatehouse bans` shows it: IPv4, or IPv6 with or without `/64`.
fn client_address(text: &str) -> Result<IpAddr, String> {
    let address = text.strip_suffix("/64").unwrap_or(text);
    let address: IpAddr = address
        .parse()
        .map_err(|_| "an IPv4 or IPv6 address is needed".to_owned())?;
    if text.ends_with("/64") && address.is_ipv4() {
        return Err("IPv4 clients are banned one by one; leave out the /64".to_owned());
    }
    Ok(address)
}

/// A time such as `90s`, `10m` or `1h`, in seconds.
fn seconds(text: &str) -> Option<u64> {
    let unit = text.chars().last()?;
    let each = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        _ => return None,
    };
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    number.checked_mul(each)
}

fn ban_seconds(text: &str) -> Result<u32, String> {
    let seconds = seconds(text).and_then(|seconds| u32::try_from(seconds).ok());
    seconds
        .filter(|seconds| control::NewBan::SECONDS.contains(seconds))
        .ok_or_else(|| "a time from 60s to 30d is needed, such as 12h".to_owned())
}

fn trial_seconds(text: &str) -> Result<u32, String> {
    let seconds = seconds(text).and_then(|seconds| u32::try_from(seconds).ok());
    seconds
        .filter(|seconds| control::Apply::TRIAL.contains(seconds))
        .ok_or_else(|| "a time from 60s to 1h is needed, such as 10m".to_owned())
}

#[cfg(test)]
mod tests;
