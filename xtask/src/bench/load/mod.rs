//! The loads: each does one kind of work through a server, checks every answer, and says what it cost.

pub(crate) mod client;
mod guesses;
mod h2load;
mod handshake;
mod idle;
mod websocket;
mod wrk;

use std::path::Path;

use anyhow::{Context, Result, bail};

use super::case::{Case, LARGE, MIDDLE, SMALL};
use super::sample::Sample;
use super::server::Server;
use wrk::Bodies;

/// The host that every request names.
const HOST: &str = "bench.localhost";
/// The cookie that holds the token.
const COOKIE: &str = "AUTH";

/// Loads one server for so long; files that are needed meanwhile go to `dir`.
///
/// # Errors
/// When an answer is not what it should be or a connection fails: such a figure would mean nothing.
pub(crate) fn run(case: Case, server: &Server, seconds: u32, dir: &Path) -> Result<Sample> {
    let bodies = |path, size, connections| Bodies {
        path,
        size,
        connections,
        cookie: None,
    };
    match case {
        Case::H1 => bodies("/", SMALL, 64).load(server, seconds, dir),
        Case::Body16k => bodies("/bodies/16k", MIDDLE, 64).load(server, seconds, dir),
        Case::Body10m => bodies("/bodies/10m", LARGE, 8).load(server, seconds, dir),
        Case::H2 => h2load::run(server, seconds, dir),
        Case::Handshake => handshake::run(server, seconds),
        Case::Websocket => websocket::run(server, seconds),
        Case::Idle => idle::run(server),
        Case::Cookie | Case::Guesses => bail!("it is compared with itself"),
    }
    .with_context(|| server.name())
}

/// Loads Gatehouse with what a case is about, or with the same but for that.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_own(
    case: Case,
    server: &Server,
    with: bool,
    token: &str,
    seconds: u32,
    dir: &Path,
) -> Result<Sample> {
    let cookie = (case == Case::Cookie).then(|| format!("{COOKIE}={token}"));
    let bodies = Bodies {
        // Paths of one length.
        path: if with && case == Case::Cookie {
            "/cookie"
        } else {
            "/public"
        },
        size: SMALL,
        connections: 64,
        cookie,
    };
    if !with || case != Case::Guesses {
        return bodies.load(server, seconds, dir);
    }
    let guesses = guesses::Guesses::begin(server)?;
    let sample = bodies.load(server, seconds, dir);
    guesses.end()?;
    sample
}
