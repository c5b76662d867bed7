//! `cargo xtask bench sip`: registrations, bytes and idle telephones through Gatehouse, beside HAProxy in TCP mode, which passes the same
//! on without looking inside.
//!
//! Loads and targets are this process; the servers take turns, round after round.

mod case;
mod load;
mod message;
mod peers;
mod pump;
mod table;
mod targets;

use anyhow::{Result, ensure};
use nix::sys::resource::{Resource, getrlimit};

use super::folder::Folder;
use super::load::client::block_on;
use super::peers::{haproxy_version, our_version};
use super::sample::Series;
use super::server::Server;
use super::{Options, chosen, prepare_ourselves};
use crate::run::{has, say};
use case::{Case, REGISTRATIONS};
use load::Load;
use peers::{Kind, Peers};
use table::Row;
use targets::Targets;

/// Files that a process has open beside its connections.
const OTHER_FILES: u64 = 1200;
/// Connections that a server must be able to hold beside them.
const SPARE: u64 = 64;
/// Memory differs little from round to round, and each takes long.
const IDLE_ROUNDS: u32 = 2;

/// Measures case after case and prints the table.
///
/// # Errors
/// When a program is missing, nothing could be started, or a case failed; the table is printed all the same and names it.
pub(super) fn run(options: &Options) -> Result<()> {
    for program in ["haproxy", "openssl", "taskset"] {
        ensure!(
            has(program),
            "{program} is not installed; `cargo xtask test` installs what is needed"
        );
    }
    let cases: Vec<Case> = chosen(&options.cases)?;
    options.build()?;
    prepare_ourselves()?;
    let (_, files) = getrlimit(Resource::RLIMIT_NOFILE)?;
    // Here and in each server, a telephone takes two.
    let idle = (files.saturating_sub(OTHER_FILES) / 2).min(REGISTRATIONS);
    if idle < REGISTRATIONS && cases.iter().any(|case| case.is_idle()) {
        say(&format!(
            "{files} open files are allowed here: {idle} registrations are held, and what each takes is multiplied"
        ));
    }
    let folder = Folder::new()?;
    let peers = Peers::new(folder.path(), idle + SPARE)?;
    let rows: Vec<Row> = block_on(async {
        let _targets = Targets::start(folder.path())?;
        let mut rows = Vec::new();
        for case in cases {
            let measured = measure(case, &peers, options, idle).await;
            let measured = measured.map_err(|error| {
                say(&format!("{}: failed: {error:#}", case.name()));
                error.root_cause().to_string()
            });
            rows.push(Row { case, measured });
        }
        Ok(rows)
    })?;
    let (ours, peer) = (our_version()?, haproxy_version()?);
    let (rounds, seconds) = (options.rounds, options.seconds);
    say(&table::text(&rows, [&ours, &peer], rounds, seconds));
    let failed = rows.iter().filter(|row| row.measured.is_err());
    let failed: Vec<&str> = failed.map(|row| row.case.name()).collect();
    ensure!(failed.is_empty(), "no figures for {}", failed.join(", "));
    Ok(())
}

/// All rounds of a case over both servers.
async fn measure(case: Case, peers: &Peers, options: &Options, idle: u64) -> Result<[Series; 2]> {
    // Where memory is measured, none of an earlier round may be left over: each round has a new server.
    let lasting = if case.is_idle() {
        Vec::new()
    } else {
        let servers = Kind::ALL.map(|kind| peers.start(kind));
        servers.into_iter().collect::<Result<Vec<Server>>>()?
    };
    let rounds = if case.is_idle() {
        options.rounds.min(IDLE_ROUNDS)
    } else {
        options.rounds
    };
    let mut series = [Series::default(), Series::default()];
    for round in 1..=rounds {
        for (number, (kind, series)) in Kind::ALL.into_iter().zip(&mut series).enumerate() {
            let new;
            let server = if let Some(server) = lasting.get(number) {
                server
            } else {
                new = peers.start(kind)?;
                &new
            };
            let load = Load {
                case,
                kind,
                server,
                idle,
            };
            let sample = load.run(options.seconds).await?;
            say(&format!(
                "{:<16}  round {round}/{rounds}  {:<9}  {}",
                case.name(),
                kind.name(),
                table::progress(case, &sample)
            ));
            series.push(sample);
        }
    }
    Ok(series)
}
