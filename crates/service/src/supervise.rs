use crate::{Context, Event, Reloaded, Service, ServiceState};
use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

/// How long a service must have run for its next failure to be treated as the first.
const HEALTHY_AFTER: Duration = Duration::from_mins(1);

/// The pause before a new start: doubled with every failure, from 100 ms up to 10 s unless said otherwise.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    failures: u32,
    longest: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self::up_to(Self::LONGEST)
    }
}

impl Backoff {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(10);

    /// A back-off with no pause above `longest`.
    pub fn up_to(longest: Duration) -> Self {
        Self {
            failures: 0,
            longest,
        }
    }

    /// The pause after a run that lasted `ran`.
    pub fn next(&mut self, ran: Duration) -> Duration {
        if ran >= HEALTHY_AFTER {
            self.failures = 0;
        }
        let pause = Self::FIRST.saturating_mul(1 << self.failures.min(7));
        self.failures = self.failures.saturating_add(1);
        pause.min(self.longest)
    }
}

/// A configuration for a service, with the number that its [`Answer`] names.
#[derive(Clone, Debug)]
pub struct Numbered<C> {
    /// Larger for every later one.
    pub number: u64,
    /// The configuration.
    pub config: C,
}

/// What a service did with a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The configuration's number.
    pub number: u64,
    /// Why the service did not take it; `None`: it is in force.
    pub fault: Option<String>,
}

/// What the supervision of a service is told from outside, and answers.
pub struct Supervised<C> {
    /// The configuration to be in force; `None` as long as there is none.
    pub configs: watch::Receiver<Option<Numbered<C>>>,
    /// What the service did with the newest configuration that it was given.
    pub answers: watch::Sender<Option<Answer>>,
    /// Set once, to the time by which the service must have ended.
    pub stop: watch::Receiver<Option<Instant>>,
}

enum Ended {
    Stop(Instant),
    Restart,
    Failed(String),
}

/// Keeps service `S` running until told to stop: starts it, reloads it, and after a failure or a
/// panic starts it anew with [`Backoff`].
pub async fn supervise<S: Service>(mut inputs: Supervised<S::Config>, context: Context) {
    let mut backoff = Backoff::default();
    loop {
        let Some(Numbered { number, config }) = first_config(&mut inputs).await else {
            return;
        };
        let began = Instant::now();
        let reason = match S::start(config, context.clone()) {
            Err(error) => {
                let reason = describe(&error);
                inputs.answer(number, Some(reason.clone()));
                reason
            }
            Ok(service) => {
                inputs.answer(number, None);
                tell::<S>(&context, ServiceState::Running);
                match live(service, &mut inputs, &context).await {
                    Ended::Stop(_) => return tell::<S>(&context, ServiceState::Stopped),
                    Ended::Restart => continue,
                    Ended::Failed(reason) => reason,
                }
            }
        };
        let pause = backoff.next(began.elapsed());
        let retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
        tell::<S>(&context, ServiceState::Failed { reason, retry_ms });
        tokio::select! {
            // At the end the configuration is taken back, which is no new one.
            biased;
            _ = stopped(&mut inputs.stop) => return tell::<S>(&context, ServiceState::Stopped),
            changed = inputs.configs.changed() => if changed.is_err() { return },
            () = sleep_until(Instant::now() + pause) => {}
        }
    }
}

/// One life of a service, from its start to its end.
async fn live<S: Service>(
    mut service: S,
    inputs: &mut Supervised<S::Config>,
    context: &Context,
) -> Ended {
    let ended = loop {
        let fresh = tokio::select! {
            outcome = unpanicked(service.run()) => return Ended::Failed(match outcome {
                Ok(Ok(())) => "it ended by itself".to_owned(),
                Ok(Err(error)) => describe(&error),
                Err(panic) => format!("panic: {panic}"),
            }),
            deadline = stopped(&mut inputs.stop) => break Ended::Stop(deadline),
            changed = inputs.configs.changed() => match changed {
                Ok(()) => inputs.configs.borrow_and_update().clone(),
                Err(_) => break Ended::Stop(Instant::now()),
            },
        };
        let Some(Numbered { number, config }) = fresh else {
            continue;
        };
        match service.reload(config) {
            Ok(Reloaded::Applied) => inputs.answer(number, None),
            Ok(Reloaded::Restart) => break Ended::Restart,
            Err(error) => inputs.answer(number, Some(describe(&error))),
        }
    };
    let deadline = match ended {
        Ended::Stop(deadline) => deadline,
        _ => Instant::now(),
    };
    tell::<S>(context, ServiceState::Draining);
    service.shutdown(deadline).await;
    ended
}

impl<C> Supervised<C> {
    fn answer(&self, number: u64, fault: Option<String>) {
        self.answers.send_replace(Some(Answer { number, fault }));
    }
}

async fn first_config<C: Clone>(inputs: &mut Supervised<C>) -> Option<Numbered<C>> {
    loop {
        if let Some(config) = inputs.configs.borrow_and_update().clone() {
            return Some(config);
        }
        tokio::select! {
            changed = inputs.configs.changed() => changed.ok()?,
            _ = stopped(&mut inputs.stop) => return None,
        }
    }
}

/// Resolves once a stop was asked for; a sender that is gone asks for one at once.
async fn stopped(stop: &mut watch::Receiver<Option<Instant>>) -> Instant {
    match stop.wait_for(Option::is_some).await {
        Ok(deadline) => deadline.unwrap_or_else(Instant::now),
        Err(_) => Instant::now(),
    }
}

/// Runs `future`; a panic in it becomes an error that holds its message.
async fn unpanicked<F: Future>(future: F) -> Result<F::Output, String> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(message(panic.as_ref()))),
        },
    )
    .await
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "without a message".to_owned())
}

fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn tell<S: Service>(context: &Context, state: ServiceState) {
    context.events.send(Event::Service {
        name: S::NAME.into(),
        state,
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BanWatch, Outbox, Registry, RollWatch, Workers};

    #[derive(Debug, thiserror::Error)]
    #[error("broken as configured")]
    struct Broken;

    struct Sample(u32);

    impl Service for Sample {
        const NAME: &'static str = "sample";
        type Config = u32;
        type Error = Broken;

        fn start(config: u32, _: Context) -> Result<Self, Broken> {
            if config == 9 {
                return Err(Broken);
            }
            Ok(Self(config))
        }

        async fn run(&mut self) -> Result<(), Broken> {
            match self.0 {
                0 => Err(Broken),
                1 => panic!("one too few"),
                _ => std::future::pending().await,
            }
        }

        fn reload(&mut self, config: u32) -> Result<Reloaded, Broken> {
            if config == 9 {
                return Err(Broken);
            }
            self.0 = config;
            Ok(if config == 3 {
                Reloaded::Restart
            } else {
                Reloaded::Applied
            })
        }

        async fn shutdown(self, _: Instant) {}
    }

    #[test]
    fn backs_off_and_recovers() {
        let mut backoff = Backoff::default();
        let short = Duration::from_secs(1);
        assert_eq!(backoff.next(short), Duration::from_millis(100));
        assert_eq!(backoff.next(short), Duration::from_millis(200));
        for _ in 0..20 {
            backoff.next(short);
        }
        assert_eq!(backoff.next(short), Duration::from_secs(10));
        assert_eq!(backoff.next(HEALTHY_AFTER), Duration::from_millis(100));
    }

    fn numbered(number: u64, config: u32) -> Numbered<u32> {
        Numbered { number, config }
    }

    fn context() -> (Context, Outbox) {
        let (events, offences, outbox) = Outbox::new();
        let context = Context {
            events,
            offences,
            bans: BanWatch::default(),
            entrance: RollWatch::default(),
            metrics: Registry::default(),
            workers: Workers::start(1).unwrap(),
        };
        (context, outbox)
    }

    #[tokio::test(start_paused = true)]
    async fn restarts_what_fails_and_stops_when_told() {
        let (context, mut outbox) = context();
        let (config, configs) = watch::channel(Some(numbered(1, 0)));
        let (stop, stop_seen) = watch::channel(None);
        let inputs = Supervised {
            configs,
            answers: watch::channel(None).0,
            stop: stop_seen,
        };
        let life = async {
            supervise::<Sample>(inputs, context).await;
        };
        let script = async {
            let mut states = Vec::new();
            while let Some(Event::Service { state, .. }) = outbox.events.recv().await {
                match &state {
                    ServiceState::Failed { reason, .. } if reason.contains("broken") => {
                        config.send_replace(Some(numbered(2, 1)));
                    }
                    ServiceState::Failed { reason, .. } => {
                        assert_eq!(reason, "panic: one too few");
                        config.send_replace(Some(numbered(3, 2)));
                    }
                    ServiceState::Running if states.len() == 4 => {
                        stop.send_replace(Some(Instant::now()));
                    }
                    _ => {}
                }
                states.push(state);
            }
            states
        };
        let ((), states) = tokio::join!(life, script);
        assert_eq!(states.len(), 7, "{states:?}");
        assert_eq!(states[4], ServiceState::Running);
        assert_eq!(states[5], ServiceState::Draining);
        assert_eq!(states[6], ServiceState::Stopped);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_for_every_configuration_once_the_service_took_it_or_not() {
        let (context, _outbox) = context();
        let (config, configs) = watch::channel(Some(numbered(1, 9)));
        let (answers, mut answered) = watch::channel(None);
        let (stop, stop_seen) = watch::channel(None);
        let inputs = Supervised {
            configs,
            answers,
            stop: stop_seen,
        };
        let script = async {
            // Refused at the start; taken by a start, a reload and a restart; refused by a reload.
            for (number, next, taken) in [
                (1, 2, false),
                (2, 4, true),
                (3, 3, true),
                (4, 9, true),
                (5, 5, false),
            ] {
                let newest = |answer: &Option<Answer>| {
                    answer
                        .as_ref()
                        .is_some_and(|answer| answer.number == number)
                };
                let answer = answered.wait_for(newest).await.unwrap().clone();
                let fault = answer.unwrap().fault;
                assert_eq!(fault.is_none(), taken, "{number}: {fault:?}");
                config.send_replace(Some(numbered(number + 1, next)));
            }
            stop.send_replace(Some(Instant::now()));
        };
        tokio::join!(supervise::<Sample>(inputs, context), script);
    }
}
