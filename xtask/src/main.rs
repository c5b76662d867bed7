//! The tasks of the project: `cargo xtask demo`, `cargo xtask test`, and what they are made of.

mod bench;
mod cross;
mod demo;
mod fuzz;
mod generate;
mod image;
mod lab;
mod pages;
mod prepare;
mod report;
mod run;
mod suite;
mod test;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Tasks of the Gatehouse project.
#[derive(Parser)]
#[command(bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Run Gatehouse here, without root, in front of a few demo servers; Ctrl-C ends everything
    Demo,
    /// Install what the tests need
    Prepare,
    /// Install what the tests need, then run everything that belongs to every change
    Test,
    /// Run the lab tests alone (as root): the real binary against real programs
    Lab {
        /// Only tests whose name contains this
        filter: Option<String>,
    },
    /// Measure Gatehouse beside its peers, each on the same core, or how the box boots
    ///
    /// Case after case; in each, the servers take turns, round after round. Ends with a table in Markdown.
    Bench(bench::Options),
    /// The target of WebSockets in a measurement
    #[command(hide = true)]
    BenchEcho { address: SocketAddr },
    /// Have libFuzzer run every fuzz target for a while; needs cargo-fuzz and a nightly toolchain
    Fuzz {
        /// Seconds for each target
        #[arg(default_value_t = 60)]
        seconds: u32,
    },
    /// Build the binary for aarch64 and try it in qemu-user; needs gcc-aarch64-linux-gnu, libc6-dev-arm64-cross, qemu-user-static
    Aarch64,
    /// Build the bootable image of a board
    Image(image::Options),
    /// Check the admin pages in a real browser and compare them with what is built in; or build them
    Pages(pages::Options),
    /// Write the generated files anew: reference configuration, its documentation and schema
    Generate,
}

fn main() -> ExitCode {
    match run(Arguments::parse().task) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Demo => demo::run(),
        Task::Prepare => prepare::run(),
        Task::Test => test::run(),
        Task::Lab { filter } => lab::run(filter.as_deref()),
        Task::Bench(options) => bench::measure(&options),
        Task::BenchEcho { address } => bench::echo(address),
        Task::Fuzz { seconds } => fuzz::run(seconds),
        Task::Aarch64 => cross::run(),
        Task::Image(options) => image::run(&options),
        Task::Pages(options) => pages::run(&options),
        Task::Generate => generate::run(),
    }
}
