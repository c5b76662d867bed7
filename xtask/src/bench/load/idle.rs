//! Connections that are open and do nothing.

use std::time::Duration;

use anyhow::{Context, Result};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::{self, Client, Connection};
use crate::bench::case::SMALL;
use crate::bench::sample::{Sample, count};
use crate::bench::server::Server;

/// How many.
const CONNECTIONS: usize = 2000;
/// How many are opened at once.
const AT_ONCE: usize = 32;
/// How long they are idle before the memory is read: servers may give buffers back.
const REST: Duration = Duration::from_secs(2);

pub(super) fn run(server: &Server) -> Result<Sample> {
    let client = Client::new(server.port(), &[])?;
    client::block_on(async {
        // What any first connection costs is not what each one costs.
        let mut first = open(client.clone(), 0..1).await?;
        sleep(REST).await;
        let before = server.memory()?;
        let mut tasks = JoinSet::new();
        for number in 0..AT_ONCE {
            tasks.spawn(open(client.clone(), (number..CONNECTIONS).step_by(AT_ONCE)));
        }
        let mut all = Vec::new();
        while let Some(task) = tasks.join_next().await {
            all.extend(task??);
        }
        sleep(REST).await;
        let after = server.memory()?;
        for stream in first.iter_mut().chain(&mut all) {
            client::ask(stream, "/", SMALL, false)
                .await
                .context("no longer open when it was measured")?;
        }
        Ok(Sample {
            cost: count(after.saturating_sub(before)) / 1e3 / count(all.len() as u64),
            rate: 0.0,
            p99: None,
        })
    })
}

/// A connection for each number, after one request.
async fn open(client: Client, numbers: impl Iterator<Item = usize>) -> Result<Vec<Connection>> {
    let mut open = Vec::new();
    for number in numbers {
        let mut stream = client.connect(number).await?;
        client::ask(&mut stream, "/", SMALL, false).await?;
        open.push(stream);
    }
    Ok(open)
}
