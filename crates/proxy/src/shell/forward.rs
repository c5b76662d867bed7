//! A request on its way: a connection to its target, the exchange, and what both connections are
//! good for afterwards.

use crate::core::{Reason, TargetKey, replace_host};
use crate::metrics::HostInstruments;
use crate::shell::client::Client;
use crate::shell::connection::{Connection, Next};
use crate::shell::exchange::{End, Exchange, Plan, State};
use crate::shell::limits;
use crate::shell::report::Report;
use crate::shell::request::Place;
use crate::shell::target::Connected;
use crate::shell::tunnel::{self, Counted, Ended, HeldWatch, Tunnel};
use crate::shell::worker::Current;
use net::stream::Stream;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use tokio::time::Instant;

impl<C: Client> Connection<C> {
    /// How many requests of one address may be under way to `target`.
    fn most_requests(&self, target: &TargetKey) -> u32 {
        let most = self.limits.requests_per_address;
        if target.inside {
            most.min(limits::INSIDE_PER_ADDRESS)
        } else {
            most
        }
    }

    /// Passes a request on, and its response back.
    pub(crate) async fn forward(
        &mut self,
        current: &Rc<Current>,
        plan: Plan,
        place: Place,
        asked: Option<tunnel::Asked>,
    ) -> Next {
        let started = Instant::now();
        let targets = plan.rule.targets(self.identity.tls());
        let admitted = Rc::clone(&self.admitted);
        let first = &targets.first().target;
        let _waiting = match admitted.wait_for(first, self.most_requests(first)) {
            Ok(waiting) => waiting,
            Err(reason) => return self.give_up(current, place, &plan, &reason).await,
        };
        let mut fresh = false;
        loop {
            let reaching = self.worker.reach(current, targets, &self.identity, fresh);
            let (target, mut connected) = match unless_gone(&mut self.client, reaching).await {
                Ok(reached) => reached,
                Err(reason) => return self.give_up(current, place, &plan, &reason).await,
            };
            if targets.members().len() > 1 {
                replace_host(&mut self.up.out, &plan.rule, target);
            }
            let (end, state) = self
                .exchange(current, &plan, place, target, &mut connected)
                .await;
            if !matches!(end, End::Retry | End::Failed { begun: false, .. }) {
                let report = self.report(current, place);
                self.count(report.host(), state.status, started);
            }
            match end {
                End::Retry => {
                    self.worker.shared.instruments.retries.inc();
                    self.up.rewind();
                    self.down.reset();
                    self.down.buffer.clear();
                    fresh = true;
                }
                End::Done { client, target: ok } => {
                    self.down.buffer.clear();
                    if ok {
                        self.worker.keep_idle(current, target, connected.stream);
                    }
                    return self.after(&plan, client);
                }
                End::Upgraded => {
                    let (stream, target) = (connected.stream, target.clone());
                    let asked = asked.map(|asked| tunnel::Asked { target, ..asked });
                    return self.tunnel(current, place, &plan, asked, stream).await;
                }
                End::Failed { reason, begun } => {
                    drop(connected);
                    if !begun {
                        self.down.take_back();
                        // The page that comes instead has a clean end.
                        self.client.reset_when_dropped(false);
                        return self.give_up(current, place, &plan, &reason).await;
                    }
                    self.report(current, place).rejected(&reason, None);
                    return if state.raw { Next::Reset } else { Next::Drop };
                }
            }
        }
    }

    async fn exchange(
        &mut self,
        current: &Rc<Current>,
        plan: &Plan,
        place: Place,
        target: &TargetKey,
        connected: &mut Connected,
    ) -> (End, State) {
        // Not `self.report`: the exchange needs the rest of `self` for itself.
        let report = Report {
            shared: &self.worker.shared,
            current,
            identity: &self.identity,
            told: &self.told,
            host: place.host,
            line: place.line,
        };
        let mut exchange = Exchange {
            plan,
            worker: &self.worker,
            report: &report,
            target_key: target,
            reused: connected.reused,
            client: &mut self.client,
            target: &mut connected.stream,
            up: &mut self.up,
            down: &mut self.down,
            alarm: &mut self.alarm,
            limits: &self.limits,
            state: State::default(),
        };
        exchange.be_patient();
        let end = poll_fn(|cx| exchange.poll(cx)).await;
        (end, exchange.state)
    }

    /// How it goes on behind a whole response, where the connection of the `client` is good for
    /// another request, or not.
    fn after(&self, plan: &Plan, client: bool) -> Next {
        if client {
            return Next::Again;
        }
        // Frames behind a refused handshake must not cost the client the answer.
        let linger = !self.up.has_whole_body() || plan.websocket.is_some();
        Next::Close { linger }
    }

    /// Refuses a request that was to be passed on.
    async fn give_up(
        &mut self,
        current: &Rc<Current>,
        place: Place,
        plan: &Plan,
        reason: &Reason,
    ) -> Next {
        let linger = !self.up.has_whole_body();
        self.refuse(current, place, reason, plan.head_only, linger)
            .await
    }

    /// Counts what an exchange that got a status has moved.
    fn count(&self, host: &HostInstruments, status: u16, started: Instant) {
        if status != 0 {
            host.answered(status);
            host.received.add(self.up.passed());
            host.sent.add(self.down.passed());
            host.seconds.observe(started.elapsed().as_secs_f64());
        }
    }

    async fn tunnel(
        &mut self,
        current: &Rc<Current>,
        place: Place,
        plan: &Plan,
        asked: Option<tunnel::Asked>,
        mut target: Stream,
    ) -> Next {
        // A handshake is only taken for one when the request asked for it.
        let Some(asked) = asked else {
            return Next::Drop;
        };
        let host = self.report(current, place).host().clone();
        let _upgraded = Upgraded::count(&host);
        let tunnel = Tunnel {
            worker: &self.worker,
            current: Rc::clone(current),
            slot: &self.slot,
            identity: &self.identity,
            asked,
            idle: plan.rule.idle,
            client: &mut self.client,
            target: &mut target,
            up: &mut self.up,
            down: &mut self.down,
            alarm: &mut self.alarm,
            up_ended: false,
            down_ended: false,
            closing: false,
            watch: HeldWatch::default(),
            accepted: None,
            counted: Counted::new(&host),
        };
        let ended = tunnel.run().await;
        match ended {
            Ended::Cleanly | Ended::Left => Next::Close { linger: false },
            Ended::Cut | Ended::TargetCut | Ended::Refused(_) => Next::Drop,
        }
    }
}

/// What comes of `work`, unless the client goes meanwhile. One of HTTP/1 may have sent more, which
/// hides its end.
async fn unless_gone<C: Client, T>(
    client: &mut C,
    work: impl Future<Output = Result<T, Reason>>,
) -> Result<T, Reason> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let done = work.as_mut().poll(cx);
        if done.is_pending()
            && C::FRAMES_BODIES
            && let Poll::Ready(Err(_)) = client.poll_readable(cx)
        {
            return Poll::Ready(Err(Reason::ClientGone));
        }
        done
    })
    .await
}

/// Counts an upgraded connection.
pub(crate) struct Upgraded<'a>(&'a HostInstruments);

impl<'a> Upgraded<'a> {
    pub(crate) fn count(host: &'a HostInstruments) -> Self {
        host.upgraded.inc();
        Self(host)
    }
}

impl Drop for Upgraded<'_> {
    fn drop(&mut self) {
        self.0.upgraded.dec();
    }
}
