//! Targets are asked whether they are well, as their rules say.

use crate::core::{Probe, Standing, TargetKey};
use crate::shell::limits;
use crate::shell::worker::Worker;
use net::stream::Stream;
use proto::http::{self, Limits};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{Instant, MissedTickBehavior, interval_at, timeout};

/// The longest head that an answer may have.
const ANSWER: usize = 16 * 1024;

/// All targets that are asked, each by a task of its own, which ends when this is dropped.
#[derive(Default)]
pub(crate) struct Health(Vec<Asking>);

struct Asking {
    standing: Arc<Standing>,
    task: AbortHandle,
}

impl Drop for Asking {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Health {
    /// Asks those of the configuration in force, and no others, and shows all.
    pub(crate) fn follow(&mut self, worker: &Rc<Worker>) {
        let current = worker.current();
        let routes = &current.live.routes;
        self.0.retain(|asking| is_wanted(worker, &asking.standing));
        for (target, standing) in routes.standings() {
            let well = !standing.is_passed_over(worker.now());
            let gauge = worker.shared.instruments.target_well(target, standing);
            gauge.set(i64::from(well));
            let is_asked = |asking: &Asking| Arc::ptr_eq(&asking.standing, standing);
            if standing.probe().is_none() || self.0.iter().any(is_asked) {
                continue;
            }
            let (target, standing) = (target.clone(), Arc::clone(standing));
            let task = spawn_local(ask(Rc::clone(worker), target, Arc::clone(&standing)));
            self.0.push(Asking {
                standing,
                task: task.abort_handle(),
            });
        }
    }
}

/// Whether a rule in force still needs it.
fn is_wanted(worker: &Worker, standing: &Arc<Standing>) -> bool {
    let current = worker.current();
    let mut standings = current.live.routes.standings();
    standings.any(|(_, wanted)| Arc::ptr_eq(wanted, standing))
}

/// Asks one target for ever.
async fn ask(worker: Rc<Worker>, target: TargetKey, standing: Arc<Standing>) {
    let Some(probe) = standing.probe() else {
        return;
    };
    let mut times = interval_at(Instant::now() + offset(&target, probe), probe.every);
    times.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        times.tick().await;
        let patience = probe.every.clamp(limits::HEALTH_LEAST, limits::HEALTH_MOST);
        let answer = timeout(patience, answer(&worker, &target, probe)).await;
        let answer = answer.unwrap_or_else(|_| {
            let seconds = patience.as_secs();
            Err(format!("it did not answer within {seconds} s"))
        });
        match answer {
            Ok(()) if standing.heal() => worker.tell_well(&target, &standing),
            // A reload may have come meanwhile, and asks others.
            Err(_) if !is_wanted(&worker, &standing) => {}
            Err(why) if standing.is_unwell() => {
                worker.tell_unwell(
                    &target,
                    &standing,
                    &format!("asked for {}, {why}", probe.path),
                );
            }
            _ => {}
        }
    }
}

/// Not all at the same time.
fn offset(target: &TargetKey, probe: &Probe) -> Duration {
    let mut hasher = DefaultHasher::new();
    (target, probe).hash(&mut hasher);
    let spread = probe.every.min(Duration::from_secs(1));
    spread * u32::from(hasher.finish().to_be_bytes()[0]) / 256
}

/// Asks once: a success or a redirect says that it is well.
async fn answer(worker: &Worker, target: &TargetKey, probe: &Probe) -> Result<(), String> {
    let current = worker.current();
    let connected = worker.connect(&current, target, None).await;
    let mut stream = connected.map_err(|reason| reason.to_string())?.stream;
    let Probe { host, path, .. } = probe;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Gatehouse\r\nConnection: close\r\n\r\n"
    );
    let asked = stream.write_all(request.as_bytes()).await;
    asked.map_err(|error| error.to_string())?;
    let flushed = stream.flush().await;
    flushed.map_err(|error| error.to_string())?;
    match status(&mut stream).await? {
        200..=399 => Ok(()),
        status => Err(format!("it answered {status}")),
    }
}

/// The status of the answer, interim ones passed over.
async fn status(stream: &mut Stream) -> Result<u16, String> {
    let mut answer = Vec::new();
    loop {
        let read = stream.read_buf(&mut answer).await;
        if read.map_err(|error| error.to_string())? == 0 {
            return Err("it hung up".to_owned());
        }
        while let Some(response) = http::response(&answer, "GET", &Limits::default())
            .map_err(|fault| format!("its answer is malformed: {fault}"))?
        {
            let (status, length) = (response.status, response.len);
            if status >= 200 || status == 101 {
                return Ok(status);
            }
            answer.drain(..length);
        }
        if answer.len() > ANSWER {
            return Err("its answer has no end".to_owned());
        }
    }
}
