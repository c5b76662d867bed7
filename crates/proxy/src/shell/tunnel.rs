//! A connection that was upgraded: bytes both ways until both sides have ended, nothing moves for too
//! long, or the rule is gone.

use crate::core::{Ask, AskedTls, Identity, TargetKey, TlsVerdict, Verdict, decide};
use crate::shell::alarm::Alarm;
use crate::shell::claims::Held;
use crate::shell::client::{Client, Sink, Source};
use crate::shell::lane::Lane;
use crate::shell::limits;
use crate::shell::presented::{Known, Presented};
use crate::shell::worker::{Current, Slot, Worker};
use net::stream::Stream;
use std::net::IpAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// How long a token is believed without a look at the clock.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// What a tunnel was asked for, to be asked again after a reload.
pub(crate) struct Asked {
    pub(crate) what: What,
    pub(crate) server_name: Option<Rc<str>>,
    /// The certificate that the client has shown, if it was asked for one.
    pub(crate) presented: Option<Rc<Presented>>,
    pub(crate) target: TargetKey,
}

/// By what it was asked for.
pub(crate) enum What {
    /// A WebSocket.
    Request {
        host: Box<str>,
        path: Box<str>,
        /// By what its client was let in.
        held: Box<Held>,
    },
    /// TLS that is not decrypted, at this address of ours.
    Tls { at: IpAddr },
}

/// A tunnel under way.
pub(crate) struct Tunnel<'a, C> {
    pub(crate) worker: &'a Worker,
    pub(crate) current: Rc<Current>,
    pub(crate) slot: &'a Slot,
    pub(crate) identity: &'a Identity,
    pub(crate) asked: Asked,
    pub(crate) idle: Option<Duration>,
    pub(crate) client: &'a mut C,
    pub(crate) target: &'a mut Stream,
    pub(crate) up: &'a mut Lane,
    pub(crate) down: &'a mut Lane,
    pub(crate) alarm: &'a mut Alarm,
    pub(crate) up_ended: bool,
    pub(crate) down_ended: bool,
    pub(crate) closing: bool,
    pub(crate) watch: HeldWatch,
}

/// When it is to be looked again whether what let a client in still does.
#[derive(Default)]
pub(crate) struct HeldWatch {
    /// What was known of losses when it was looked last.
    losses: Option<u64>,
    alarm: Option<Alarm>,
}

impl<C: Client> Tunnel<'_, C> {
    /// Runs it to its end; false if that was not a clean one of both sides.
    pub(crate) async fn run(mut self) -> bool {
        self.be_patient();
        std::future::poll_fn(|cx| {
            self.slot.watch(cx.waker());
            self.poll(cx)
        })
        .await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        let due = self.is_look_due(cx);
        if !self.closing && !self.is_still_allowed(due) {
            self.closing = true;
            self.alarm.set(Instant::now() + limits::LINGER);
        }
        let outcome = if self.closing {
            self.poll_close(cx)
        } else {
            self.poll_pass(cx)
        };
        match outcome {
            Poll::Ready(ended) => Poll::Ready(ended.is_ok()),
            Poll::Pending => self.alarm.poll(cx).map(|()| false),
        }
    }

    /// Passes both ways; ready when both have ended, or with an error when one is broken.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let mut moved = false;
        if !self.up_ended && one_way(self.up, cx, self.client, self.target, &mut moved)?.is_ready()
        {
            self.up_ended = true;
        }
        if !self.down_ended
            && one_way(self.down, cx, self.target, self.client, &mut moved)?.is_ready()
        {
            self.down_ended = true;
        }
        if self.up_ended && self.down_ended {
            return Poll::Ready(Ok(()));
        }
        // A client that has ended its direction is still to be seen leaving.
        if self.up_ended && matches!(self.client.poll_readable(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Err(()));
        }
        if moved {
            self.be_patient();
            if let What::Request { held, .. } = &self.asked.what {
                held.touch();
            }
        }
        Poll::Pending
    }

    /// Ends both sides cleanly, without waiting for what they still want to say.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ()>> {
        let mut moved = false;
        let client = match self.down.poll_drain(cx, self.client, &mut moved) {
            Poll::Ready(Ok(())) => self.client.poll_finish(cx),
            other => other,
        };
        let target = match self.up.poll_drain(cx, self.target, &mut moved) {
            Poll::Ready(Ok(())) => self.target.poll_finish(cx),
            other => other,
        };
        match (client, target) {
            (Poll::Ready(_), Poll::Ready(_)) => Poll::Ready(Ok(())),
            _ => Poll::Pending,
        }
    }

    fn be_patient(&mut self) {
        let idle = self.idle.unwrap_or(limits::IDLE_UPGRADED);
        self.alarm.set(Instant::now() + idle);
    }

    /// Whether a token may have expired, or somebody was taken off the roll.
    fn is_look_due(&mut self, cx: &mut Context<'_>) -> bool {
        let What::Request { held, .. } = &self.asked.what else {
            return false;
        };
        let losses = Some(self.worker.shared.context.entrance.losses());
        let mut due = self.watch.losses != losses;
        self.watch.losses = losses;
        if let Some(alarm) = &mut self.watch.alarm {
            due |= alarm.poll(cx).is_ready();
        }
        if due {
            self.watch.alarm = held.holds().map(|left| {
                // Clocks are set while they are waited for.
                let left = left.clamp(Duration::from_millis(200), LOOK_AGAIN);
                let mut alarm = Alarm::new(Instant::now() + left);
                // It must be known whom to wake. It has not gone off yet.
                let _ = alarm.poll(cx);
                alarm
            });
        }
        due
    }

    /// Whether the configuration in force would still connect this client with this target. Without another configuration it is not
    /// looked anew, unless that is `due`.
    fn is_still_allowed(&mut self, due: bool) -> bool {
        let newest = self.worker.current();
        if Rc::ptr_eq(&newest, &self.current) && !due {
            return true;
        }
        self.current = newest;
        let routes = &self.current.live.routes;
        let tls = self.identity.tls();
        let server_name = self.asked.server_name.as_deref();
        match &self.asked.what {
            What::Tls { at } => match routes.passthroughs().decide(server_name, *at) {
                TlsVerdict::Pass(host) => {
                    self.idle = host.idle;
                    host.target == self.asked.target
                }
                TlsVerdict::Terminate | TlsVerdict::Refuse(_) => false,
            },
            What::Request { host, path, held } => {
                let presented = self.asked.presented.as_deref();
                let known = Known::of(&self.current.live, presented, routes.host(host));
                let ask = Ask {
                    client: self.identity.address(),
                    tls: tls.then_some(AskedTls {
                        server_name,
                        same_certificate: true,
                        certificate: known.shown(),
                    }),
                    method: "GET",
                    scheme: None,
                    host: Some(host),
                    path,
                    websocket: true,
                    body: None,
                    fields: None,
                    credentials: &**held,
                };
                match decide(routes, &ask) {
                    Verdict::Forward(_, rule) => {
                        self.idle = rule.idle;
                        rule.targets(tls).contains(&self.asked.target)
                    }
                    _ => false,
                }
            }
        }
    }
}

/// Passes one way; ready once the source has ended and the sink was told so.
fn one_way(
    lane: &mut Lane,
    cx: &mut Context<'_>,
    source: &mut impl Source,
    sink: &mut impl Sink,
    moved: &mut bool,
) -> Poll<Result<(), ()>> {
    match lane.poll_pass(cx, source, sink, moved) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Err(_)) => Poll::Ready(Err(())),
        Poll::Ready(Ok(())) => sink.poll_finish(cx).map_err(drop),
    }
}
