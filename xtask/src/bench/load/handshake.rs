//! Connections that are opened for one request each.

use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;

use super::client::{self, Client};
use crate::bench::case::SMALL;
use crate::bench::sample::{Sample, count, p99};
use crate::bench::server::Server;

/// Connections under way at once.
const AT_ONCE: usize = 32;

pub(super) fn run(server: &Server, seconds: u32) -> Result<Sample> {
    let client = Client::new(server.port(), &[])?;
    client::block_on(async {
        let (before, begin) = (server.cpu()?, Instant::now());
        let end = begin + Duration::from_secs(u64::from(seconds));
        let mut tasks = JoinSet::new();
        for number in 0..AT_ONCE {
            tasks.spawn(one_after_another(client.clone(), number, end));
        }
        let mut times = Vec::new();
        while let Some(task) = tasks.join_next().await {
            times.extend(task??);
        }
        let cpu = server.cpu()?.saturating_sub(before);
        let done = count(times.len() as u64);
        Ok(Sample::timed(cpu, done, begin.elapsed(), p99(&mut times)))
    })
}

/// How long each took, from the first packet to the end of the connection.
async fn one_after_another(client: Client, number: usize, end: Instant) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    while Instant::now() < end {
        let begin = Instant::now();
        let mut stream = client.connect(number).await?;
        client::ask(&mut stream, "/", SMALL, true).await?;
        drop(stream);
        times.push(begin.elapsed());
    }
    Ok(times)
}
