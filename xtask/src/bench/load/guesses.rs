//! Somebody who guesses passwords, beside the load that is measured.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use data_encoding::BASE64;
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::HOST;
use super::client::{self, Client};
use crate::bench::server::Server;

/// From one guess to the next: 50 a second.
const EVERY: Duration = Duration::from_millis(20);

/// Guesses under way, each with a connection of its own, until the end.
pub(super) struct Guesses {
    thread: JoinHandle<Result<()>>,
    is_over: Arc<AtomicBool>,
}

/// What came of them.
#[derive(Default)]
struct Told {
    refused: AtomicU64,
    busy: AtomicU64,
}

impl Guesses {
    /// Begins to guess, and waits for the first refusal.
    pub(super) fn begin(server: &Server) -> Result<Self> {
        let client = Client::new(server.port(), &[])?;
        let is_over = Arc::new(AtomicBool::new(false));
        let told = Arc::new(Told::default());
        let thread = {
            let (is_over, told) = (Arc::clone(&is_over), Arc::clone(&told));
            thread::spawn(move || client::block_on(guess(client, is_over, told)))
        };
        let guesses = Self { thread, is_over };
        while told.refused.load(Ordering::Relaxed) == 0 {
            if guesses.thread.is_finished() {
                guesses.end()?;
                bail!("the guesses ended before the first answer");
            }
            thread::sleep(EVERY);
        }
        Ok(guesses)
    }

    /// Ends it; what is still under way is cut.
    pub(super) fn end(self) -> Result<()> {
        self.is_over.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the guesses panicked"))?
    }
}

async fn guess(client: Client, is_over: Arc<AtomicBool>, told: Arc<Told>) -> Result<()> {
    let mut clock = interval(EVERY);
    clock.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut tasks = JoinSet::new();
    let mut number = 0;
    while !is_over.load(Ordering::Relaxed) {
        clock.tick().await;
        number += 1;
        tasks.spawn(one(client.clone(), number, Arc::clone(&told)));
        while let Some(task) = tasks.try_join_next() {
            task??;
        }
    }
    Ok(())
}

/// One wrong password, another than all others.
async fn one(client: Client, number: usize, told: Arc<Told>) -> Result<()> {
    let mut stream = client.connect(number).await.context("a guess")?;
    let sent = BASE64.encode(format!("guess{number}:wrong {number}").as_bytes());
    let request = format!(
        "GET /basic HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Basic {sent}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    let (head, _) = client::patiently(client::head(&mut stream)).await?;
    if head.starts_with("HTTP/1.1 401 ") {
        told.refused.fetch_add(1, Ordering::Relaxed);
    } else {
        ensure!(head.starts_with("HTTP/1.1 503 "), "a guess: {head}");
        told.busy.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}
