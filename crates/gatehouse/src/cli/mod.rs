//! The command line: what the operator types, and what comes back.

mod apply;
mod args;
mod bans;
mod certificate;
mod check;
mod explain;
mod generations;
mod hidden;
mod log;
mod machine;
mod man;
mod metrics;
mod network;
mod operators;
mod output;
mod reach;
mod secret;
mod session;
mod status;
mod sure;
mod tables;
mod token;
mod totp;

use std::future::Future;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use control::{Client, ClientError, MachineOrder};

use args::{Args, Command, Process};
use output::Out;

/// Reads the command line, does what it says, and tells how it ended.
pub fn main() -> ExitCode {
    run(Args::parse())
}

/// Does what `args` say. Exit codes: 0 done, 1 refused or faults, 2 unreadable or wrongly used, 3 not running.
fn run(args: Args) -> ExitCode {
    let out = Out::new(args.json);
    match dispatch(args, out) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out.failure(&failure);
            failure.code()
        }
    }
}

/// Why a command did not do what it was asked.
#[derive(Debug)]
enum Failure {
    /// Faults, or the box refused: 1. The text may be empty where all was said before.
    Refused(String),
    /// Something can not be read or written, or was not meant: 2.
    Unusable(String),
    /// The box does not run: 3.
    NotRunning(String),
}

impl Failure {
    fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Refused(_) => 1,
            Self::Unusable(_) => 2,
            Self::NotRunning(_) => 3,
        })
    }

    fn text(&self) -> &str {
        match self {
            Self::Refused(text) | Self::Unusable(text) | Self::NotRunning(text) => text,
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let text = error.to_string();
        match error {
            ClientError::NotRunning(_) => Self::NotRunning(text),
            ClientError::Forbidden(_) => Self::Unusable(text),
            _ => Self::Refused(text),
        }
    }
}

type Done = Result<(), Failure>;

fn dispatch(args: Args, out: Out) -> Done {
    let state = args.state_or_default();
    let socket = state.join(control::SOCKET_NAME);
    let connected = async || Client::connect(&socket).await;
    match args.command {
        Command::Run { .. } if args.json => Err(no_json()),
        Command::Run {
            config: file,
            console,
            set_network,
        } => run_box(file, state, console, set_network),
        Command::Role { role } => be(role),
        Command::Man { directory } => man::write(&directory),
        Command::Check { file, tables } => check::run(out, &file, args.state.as_deref(), tables),
        Command::Explain(asked) => match &asked.config {
            Some(file) => explain::offline(out, file, &asked),
            None => wait(explain::running(out, &socket, &asked)),
        },
        Command::Tables => wait(async { tables::run(out, &connected().await?).await }),
        Command::Status => wait(async { status::run(out, &connected().await?).await }),
        Command::Log {
            follow,
            service,
            lines,
        } => wait(log::run(out, &socket, follow, service, lines)),
        Command::Bans { action } => {
            wait(async { bans::run(out, &connected().await?, action).await })
        }
        Command::Reload => wait(async { generations::reload(out, &connected().await?).await }),
        Command::Confirm => wait(async { generations::confirm(out, &connected().await?).await }),
        Command::Rollback { generation } => {
            wait(async { generations::rollback(out, &connected().await?, generation).await })
        }
        Command::Generations => wait(async { generations::list(out, &connected().await?).await }),
        Command::Diff { from, to } => {
            wait(async { generations::diff(out, &connected().await?, from, to).await })
        }
        Command::Apply { file, trial } => {
            wait(async { apply::run(out, &connected().await?, &file, trial).await })
        }
        Command::Certificate { action } => wait(certificate::run(out, &socket, action)),
        Command::Secret { action } => wait(secret::run(out, &state, &socket, action)),
        Command::Claim => wait(operators::claim(out, &socket)),
        Command::User { action } => wait(operators::user(out, &socket, action)),
        Command::Session { action } => wait(session::run(out, &socket, action)),
        Command::Totp { action } => wait(totp::run(out, &socket, action)),
        Command::Token { action } => wait(token::run(out, &socket, action)),
        Command::Console { tty, socket: other } => terminal(tty, other.unwrap_or(socket)),
        Command::Network { action } => wait(network::run(out, &socket, action)),
        Command::Ping { host, count } => wait(reach::ping(out, &host, count)),
        Command::Lookup { name } => wait(reach::lookup(out, &name)),
        Command::Reboot => wait(machine::run(out, &socket, MachineOrder::Reboot)),
        Command::Poweroff => wait(machine::run(out, &socket, MachineOrder::PowerOff)),
        Command::FactoryReset { yes } => wait(machine::factory_reset(out, &socket, yes)),
        Command::Metrics => wait(async { metrics::run(out, &connected().await?).await }),
    }
}

fn no_json() -> Failure {
    let text = "`run` writes its log as text; for JSON use `gatehouse log -f --json`";
    Failure::Unusable(text.to_owned())
}

fn run_box(file: PathBuf, state: PathBuf, console: Option<PathBuf>, set_network: bool) -> Done {
    ended(crate::supervisor::run(crate::supervisor::Order {
        file,
        state,
        console,
        set_network,
    }))
}

fn be(process: Process) -> Done {
    ended(match process {
        Process::Edge => crate::role::edge(),
        Process::Admin => crate::role::admin(),
    })
}

fn terminal(tty: Option<PathBuf>, socket: PathBuf) -> Done {
    console::run(&console::Options { tty, socket })
        .map_err(|error| Failure::Unusable(error.to_string()))
}

fn ended(result: anyhow::Result<()>) -> Done {
    result.map_err(|error| {
        let text = format!("{error:#}");
        let mut causes = error.chain();
        if causes.any(<dyn std::error::Error>::is::<std::io::Error>) {
            Failure::Unusable(text)
        } else {
            Failure::Refused(text)
        }
    })
}

fn wait(work: impl Future<Output = Done>) -> Done {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("this machine gives no event loop")
        .map_err(|error| Failure::Refused(format!("{error:#}")))?;
    runtime.block_on(work)
}
