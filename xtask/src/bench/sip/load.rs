//! What is done in each case, and what it cost the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::case::{Case, REGISTRATIONS, Way};
use super::peers::Kind;
use super::targets::Wire;
use super::{message, pump};
use crate::bench::load::client::Client;
use crate::bench::sample::{Sample, count};
use crate::bench::server::Server;

/// Telephones that register all the time.
const TELEPHONES: usize = 64;
/// Connections that are full of bytes.
const PUMPS: usize = 4;
/// Short messages under way at a time.
const AT_A_TIME: usize = 32;
/// How many telephones come in at once.
const AT_ONCE: usize = 32;
/// Before it is measured.
const WARM: Duration = Duration::from_secs(1);
/// How long telephones are idle before the memory is read: servers may give buffers back.
const REST: Duration = Duration::from_secs(3);

/// A server, and what is measured of it.
#[derive(Clone, Copy)]
pub(super) struct Load<'a> {
    pub(super) case: Case,
    pub(super) kind: Kind,
    pub(super) server: &'a Server,
    /// How many telephones may be idle here.
    pub(super) idle: u64,
}

/// A load that goes on until it is dropped.
struct Running {
    tasks: JoinSet<Result<()>>,
    done: Arc<AtomicU64>,
}

impl Load<'_> {
    /// Loads the server for so long.
    ///
    /// # Errors
    /// When an answer is not what it should be or a connection fails: such a figure would mean nothing.
    pub(super) async fn run(self, seconds: u32) -> Result<Sample> {
        if self.case.is_idle() {
            return self.hold().await;
        }
        let mut running = self.begin().await?;
        running.wait(WARM).await?;
        let (cpu, begin, arrived) = (self.server.cpu()?, Instant::now(), running.arrived());
        running.wait(Duration::from_secs(seconds.into())).await?;
        let cpu = self.server.cpu()?.saturating_sub(cpu);
        let units = count(running.arrived() - arrived);
        let units = if self.case.is_sip() {
            units
        } else {
            units / f64::from(1 << 20)
        };
        Ok(Sample::timed(cpu, units, begin.elapsed(), None))
    }

    async fn begin(self) -> Result<Running> {
        let mut running = Running {
            tasks: JoinSet::new(),
            done: Arc::default(),
        };
        let connections = match self.case {
            Case::Pump | Case::PumpTls => PUMPS,
            Case::Messages => 1,
            _ => TELEPHONES,
        };
        if !self.case.is_sip() {
            running.done = Arc::clone(&pump::ARRIVED);
        }
        for number in 0..connections {
            let wire = self.connect(number).await?;
            let (host, done) = (self.host(), Arc::clone(&running.done));
            match self.case {
                Case::Pump | Case::PumpTls => running.tasks.spawn(pump::client(wire, done)),
                Case::Messages => running.tasks.spawn(talk(wire, host, done)),
                _ => running
                    .tasks
                    .spawn(register_always(wire, host, number, done)),
            };
        }
        Ok(running)
    }

    /// The domain that leads to the target this way.
    fn host(self) -> &'static str {
        match self.case.way() {
            Way::Plain | Way::TlsToPlain => "bench.localhost",
            Way::Tls => "open.localhost",
        }
    }

    async fn connect(self, number: usize) -> Result<Wire> {
        let client = Client::new(self.kind.port(self.case), &[])?;
        Ok(match self.case.way() {
            Way::Plain => Box::new(client.connect_plain(number).await?),
            Way::Tls | Way::TlsToPlain => Box::new(client.connect(number).await?),
        })
    }

    /// Memory of the server with as many telephones as can be, each registered and idle.
    async fn hold(self) -> Result<Sample> {
        // What any first connection costs is not what each one costs.
        let mut all = self.telephones(0..AT_ONCE).await?;
        sleep(REST).await;
        let before = self.server.memory()?;
        let mut tasks = JoinSet::new();
        let most = usize::try_from(self.idle)?;
        // The client and the task outlive what is borrowed here.
        let (case, host) = (self.case, self.host());
        let client = Client::new(self.kind.port(case), &[])?;
        for first in 0..AT_ONCE {
            let client = client.clone();
            tasks.spawn(async move {
                let mut open = Vec::new();
                for number in (first..most).step_by(AT_ONCE) {
                    let mut wire: Wire = Box::new(client.connect(number).await?);
                    register(&mut wire, host, number, 1).await?;
                    open.push((number, wire));
                }
                anyhow::Ok(open)
            });
        }
        while let Some(task) = tasks.join_next().await {
            all.extend(task??);
        }
        let held = all.len() - AT_ONCE;
        sleep(REST).await;
        let after = self.server.memory()?;
        for (number, wire) in &mut all {
            register(wire, host, *number, 3)
                .await
                .context("no longer registered when it was measured")?;
        }
        let each = count(after.saturating_sub(before)) / count(held as u64);
        Ok(Sample {
            cost: (count(before) + each * count(REGISTRATIONS)) / 1e6,
            rate: 0.0,
            p99: None,
        })
    }

    async fn telephones(self, numbers: impl Iterator<Item = usize>) -> Result<Vec<(usize, Wire)>> {
        let mut open = Vec::new();
        for number in numbers {
            let mut wire = self.connect(number).await?;
            register(&mut wire, self.host(), number, 1).await?;
            open.push((number, wire));
        }
        Ok(open)
    }
}

impl Running {
    fn arrived(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Ends early where something goes wrong.
    async fn wait(&mut self, time: Duration) -> Result<()> {
        tokio::select! {
            () = sleep(time) => Ok(()),
            Some(task) = self.tasks.join_next() => {
                task??;
                bail!("a load has ended by itself")
            }
        }
    }
}

/// Registers as a telephone does that has not been asked for its password yet: two requests, from this number on.
async fn register(wire: &mut Wire, host: &str, user: usize, number: u64) -> Result<()> {
    message::ask(wire, &message::register(host, user, number, false)).await?;
    message::ask(wire, &message::register(host, user, number + 1, true)).await
}

async fn register_always(
    mut wire: Wire,
    host: &'static str,
    user: usize,
    done: Arc<AtomicU64>,
) -> Result<()> {
    for number in (1..).step_by(2) {
        register(&mut wire, host, user, number).await?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Short messages and their answers, after a registration.
async fn talk(mut wire: Wire, host: &'static str, done: Arc<AtomicU64>) -> Result<()> {
    register(&mut wire, host, 1, 1).await?;
    let mut numbers = 100_000..;
    loop {
        let some = numbers.by_ref().take(AT_A_TIME);
        let some: Vec<u8> = some
            .flat_map(|number| message::short(host, number))
            .collect();
        message::ask(&mut wire, &some).await?;
        // There and back.
        done.fetch_add(2 * AT_A_TIME as u64, Ordering::Relaxed);
    }
}
