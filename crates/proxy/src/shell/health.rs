//! Targets are asked whether they are well, as their rules say.

use crate::core::{Probe, Reason, Standing, TargetKey};
use crate::shell::limits;
use crate::shell::worker::Worker;
use net::stream::Stream;
use proto::http::{self, Limits};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
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
        self.0.retain(|asking| worker.wants(&asking.standing));
        let mut shown = Vec::new();
        for (target, standing) in routes.standings() {
            let well = !standing.is_passed_over(worker.now());
            let gauge = worker.shared.instruments.target_well(target, standing);
            gauge.set(i64::from(well));
            shown.push(gauge);
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
        worker.shared.instruments.retain_targets(&shown);
    }
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
            Err(Fault::Target(format!(
                "it did not answer within {seconds} s"
            )))
        });
        match answer {
            Ok(()) if standing.heal() => worker.tell_well(&target, &standing),
            // That says nothing of it.
            Err(Fault::Ours) => {}
            // A reload may have come meanwhile, and asks others.
            Err(_) if !worker.wants(&standing) => {}
            Err(Fault::Target(why)) if standing.is_unwell() => {
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

/// Why it did not say that it is well.
enum Fault {
    Target(String),
    /// We had no room for a connection.
    Ours,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Target(error.to_string())
    }
}

impl From<Reason> for Fault {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::NoRoom(..) => Self::Ours,
            reason => Self::Target(reason.to_string()),
        }
    }
}

/// Asks once: a success or a redirect says that it is well.
async fn answer(worker: &Worker, target: &TargetKey, probe: &Probe) -> Result<(), Fault> {
    let current = worker.current();
    let mut stream = worker.connect(&current, target, None).await?.stream;
    let Probe { host, path, .. } = probe;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: Gatehouse\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    match status(&mut stream).await.map_err(Fault::Target)? {
        200..=399 => Ok(()),
        status => Err(Fault::Target(format!("it answered {status}"))),
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
