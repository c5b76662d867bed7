//! `cargo xtask bench proxy`: Gatehouse beside nginx and HAProxy, each alone on one core.
//!
//! The machine is noisy, so that CPU time per request is what counts; rounds alternate between the
//! servers, and the table shows medians and spread.

mod load;
mod peers;
mod sample;

use std::path::PathBuf;
use std::{env, fs, process};

use anyhow::{Result, ensure};

use crate::run::{cargo, has, say, visibly};
use load::{CONNECTIONS, Load};
use peers::Server;
use sample::{Sample, Series};

/// The core of the server that is measured.
const SERVER_CORE: &str = "0";
/// The core of the load and of the target.
const LOAD_CORE: &str = "1";

/// Small keep-alive requests over TLS.
///
/// # Errors
/// When a program is missing, a server does not start, or answers something else than 200.
pub(crate) fn proxy(rounds: usize, seconds: u32) -> Result<()> {
    for program in ["nginx", "haproxy", "wrk", "openssl", "taskset"] {
        ensure!(
            has(program),
            "{program} is not installed; `cargo xtask test` installs what is needed"
        );
    }
    ensure!(rounds > 0, "at least one round");
    visibly(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "gatehouse",
    ]))?;
    let folder = Folder::new()?;
    let target = peers::target(&folder.0)?;
    let servers = peers::all(&folder.0)?;
    let mut series: Vec<Series> = servers.iter().map(|_| Series::default()).collect();
    for server in &servers {
        // Connections to the target, caches and clocks warm, and the answer is what it should be.
        Load::run(server.port, 1)?;
    }
    for round in 1..=rounds {
        for (server, series) in servers.iter().zip(&mut series) {
            let sample = measure(server, seconds)?;
            let (name, cost, rate) = (server.name, sample.cost(), sample.rate);
            say(&format!(
                "round {round}/{rounds}  {name:<10} {cost:6.1} µs/request  {rate:8.0} requests/s"
            ));
            series.push(sample);
        }
    }
    drop(target);
    say(&table(&servers, &series, rounds, seconds));
    Ok(())
}

fn measure(server: &Server, seconds: u32) -> Result<Sample> {
    let before = sample::cpu(server.pid())?;
    let load = Load::run(server.port, seconds)?;
    let after = sample::cpu(server.pid())?;
    Ok(Sample {
        cpu: after.saturating_sub(before),
        requests: load.requests,
        rate: load.rate,
        p99: load.p99,
    })
}

/// The table for docs/benchmarks.md.
fn table(servers: &[Server], series: &[Series], rounds: usize, seconds: u32) -> String {
    let ours = series[0].cost();
    let mut lines = vec![
        String::new(),
        format!(
            "`cargo xtask bench proxy --rounds {rounds} --seconds {seconds}`: HTTP/1.1 keep-alive over TLS 1.3 \
             (ECDSA P-256), {CONNECTIONS} connections,"
        ),
        "answer of 128 bytes from nginx over plain keep-alive; each server pinned to one core, load and target on \
         another; medians of all rounds, in brackets least and most."
            .to_owned(),
        String::new(),
        "| server | version | CPU-µs per request | ours / it | requests/s | p99 ms |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for (server, series) in servers.iter().zip(series) {
        let cost = series.cost();
        lines.push(format!(
            "| {} | {} | {:.1} ({:.1}–{:.1}) | {:.2} | {:.0} | {:.1} |",
            server.name,
            server.version,
            cost.median,
            cost.least,
            cost.most,
            ours.median / cost.median,
            series.rate().median,
            series.p99().median,
        ));
    }
    lines.join("\n")
}

/// A folder that goes when the measurement ends.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("gatehouse-bench-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
