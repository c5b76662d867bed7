//! `cargo xtask bench`: the box as a whole (`boot`), and Gatehouse beside nginx and HAProxy, each alone on one core: `proxy` for the web, `sip` for
//! registrations and calls.
//!
//! The machine is noisy, so that CPU time per unit of work is what counts; within a case the rounds
//! alternate between the servers, and the table shows medians and spread.

mod boot;
mod case;
mod echo;
mod folder;
mod load;
mod peers;
mod process;
mod sample;
mod server;
mod sip;
mod table;

use anyhow::{Result, anyhow, ensure};
use clap::{Args, ValueEnum};
use nix::sched::{CpuSet, sched_setaffinity};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::unistd::Pid;

use crate::run::{cargo, has, say, visibly};
use case::Case;
pub(crate) use echo::serve as echo;
use folder::Folder;
use load::client;
use peers::{Kind, Peers};
use sample::Series;
use server::Server;
use table::Row;

/// The core of the server that is measured.
const SERVER_CORE: usize = 0;
/// The core of the load and of the targets.
const LOAD_CORE: usize = 1;
/// Open files that load, targets and servers may need at once.
const FILES: u64 = 16384;
/// Those that are asked for, where so many are allowed.
const MOST_FILES: u64 = 65536;

/// What is measured, and how long.
#[derive(Args)]
pub(crate) struct Options {
    /// What to measure
    #[arg(default_value = "proxy", value_parser = ["proxy", "sip", "boot"])]
    what: String,
    /// Only these cases, with commas between them; without it: all. docs/benchmarks.md lists them
    #[arg(long = "case", value_delimiter = ',', value_name = "CASE,…")]
    cases: Vec<String>,
    /// How often each server is measured in each case
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// Length of one measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Measure the release build as it is, without building it first
    #[arg(long)]
    no_build: bool,
}

impl Options {
    /// Builds what is measured, unless it is to be taken as it is.
    fn build(&self) -> Result<()> {
        if self.no_build {
            return Ok(());
        }
        visibly(&mut cargo(&[
            "build",
            "--release",
            "--package",
            "gatehouse",
        ]))
    }
}

/// The cases of those names; all where none is named.
///
/// # Errors
/// There is no case of such a name.
fn chosen<C: ValueEnum>(names: &[String]) -> Result<Vec<C>> {
    if names.is_empty() {
        return Ok(C::value_variants().to_vec());
    }
    let cases = names.iter().map(|name| C::from_str(name, false));
    let cases = cases.collect::<Result<_, _>>();
    cases.map_err(|error| anyhow!("--case {}: {error}", names.join(",")))
}

/// Measures what was asked for.
///
/// # Errors
/// It can not be measured here.
pub(crate) fn measure(options: &Options) -> Result<()> {
    match options.what.as_str() {
        "boot" => boot::run(),
        "sip" => sip::run(options),
        _ => proxy(options),
    }
}

/// Measures case after case and prints the table.
///
/// # Errors
/// When a program is missing, nothing could be started, or a case failed; the table is printed all
/// the same and names it.
fn proxy(options: &Options) -> Result<()> {
    for program in ["nginx", "haproxy", "wrk", "h2load", "openssl", "taskset"] {
        ensure!(
            has(program),
            "{program} is not installed; `cargo xtask test` installs what is needed"
        );
    }
    let cases: Vec<Case> = chosen(&options.cases)?;
    options.build()?;
    prepare_ourselves()?;
    let folder = Folder::new()?;
    let peers = Peers::new(folder.path())?;
    let mut rows = Vec::new();
    for case in cases {
        let measured = if case.is_own() {
            run_own(case, &peers, options)
        } else {
            run(case, &peers, options)
        };
        let measured = measured.map_err(|error| {
            say(&format!("{}: failed: {error:#}", case.name()));
            match error.chain().len() {
                1 => error.to_string(),
                _ => format!("{error}: {}", error.root_cause()),
            }
        });
        rows.push(Row { case, measured });
    }
    say(&table::text(
        &rows,
        &Peers::versions()?,
        options.rounds,
        options.seconds,
    ));
    let failed: Vec<&str> = rows
        .iter()
        .filter(|row| row.measured.is_err())
        .map(|row| row.case.name())
        .collect();
    ensure!(failed.is_empty(), "no figures for {}", failed.join(", "));
    Ok(())
}

/// All rounds of a case over all servers; `None` for a server that does not speak what it needs.
fn run(case: Case, peers: &Peers, options: &Options) -> Result<Vec<Option<Series>>> {
    // Where memory is measured, none of an earlier round may be left over: each round has a new server.
    let lasting = if case.needs_new_server() {
        Vec::new()
    } else {
        let servers = Kind::ALL.map(|kind| peers.start(kind));
        servers.into_iter().collect::<Result<Vec<Server>>>()?
    };
    let mut series = Vec::new();
    for server in &lasting {
        let served = is_served(case, server)?;
        if served {
            // Connections to the target, caches and clocks warm, and the answers are what they should be.
            load::run(case, server, 1, peers.dir())?;
        }
        series.push(served.then(Series::default));
    }
    series.resize_with(Kind::ALL.len(), || Some(Series::default()));
    for round in 1..=options.rounds {
        for (number, (kind, series)) in Kind::ALL.into_iter().zip(&mut series).enumerate() {
            let new;
            let server = if let Some(server) = lasting.get(number) {
                server
            } else {
                new = peers.start(kind)?;
                &new
            };
            let Some(series) = series else { continue };
            let sample = load::run(case, server, options.seconds, peers.dir())?;
            say(&format!(
                "{:<9}  round {round}/{}  {:<9}  {}",
                case.name(),
                options.rounds,
                kind.name(),
                table::progress(case, &sample)
            ));
            series.push(sample);
        }
    }
    Ok(series)
}

/// All rounds of a case of ours alone: with what it is about, and without.
fn run_own(case: Case, peers: &Peers, options: &Options) -> Result<Vec<Option<Series>>> {
    let server = peers.start(Kind::Gatehouse)?;
    let token = peers.token()?;
    let sides = [(true, "with"), (false, "without")];
    for (with, _) in sides {
        load::run_own(case, &server, with, &token, 1, peers.dir())?;
    }
    let mut series = sides.map(|_| Series::default());
    for round in 1..=options.rounds {
        for ((with, name), series) in sides.iter().zip(&mut series) {
            let sample = load::run_own(case, &server, *with, &token, options.seconds, peers.dir())?;
            say(&format!(
                "{:<9}  round {round}/{}  {name:<9}  {}",
                case.name(),
                options.rounds,
                table::progress(case, &sample)
            ));
            series.push(sample);
        }
    }
    Ok(series.map(Some).into())
}

/// Whether the server speaks what the case needs; what all of them must speak is checked on the way.
fn is_served(case: Case, server: &Server) -> Result<bool> {
    let protocol = client::negotiated(server.port())?;
    if case == Case::H2 && protocol.as_deref() != Some(b"h2") {
        say(&format!("h2: not served by {}", server.name()));
        return Ok(false);
    }
    Ok(true)
}

/// Puts this program, with the loads it starts and is, on the core of the load, and lets it and its
/// children open files enough.
fn prepare_ourselves() -> Result<()> {
    let mut cores = CpuSet::new();
    cores.set(LOAD_CORE)?;
    sched_setaffinity(Pid::from_raw(0), &cores)?;
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    ensure!(
        hard >= FILES,
        "{hard} open files are allowed here, {FILES} are needed"
    );
    setrlimit(
        Resource::RLIMIT_NOFILE,
        soft.max(hard.min(MOST_FILES)),
        hard,
    )?;
    Ok(())
}
