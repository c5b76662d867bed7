//! A connection that was upgraded: bytes both ways until both sides have ended, nothing moves for too
//! long, or the rule is gone.

use crate::core::{Ask, AskedTls, Identity, Reason, TargetKey, TlsVerdict, Verdict, decide};
use crate::metrics::HostInstruments;
use crate::shell::alarm::Alarm;
use crate::shell::claims::Held;
use crate::shell::client::{Client, Sink, Source};
use crate::shell::domain::Claim;
use crate::shell::lane::{Broken, Lane};
use crate::shell::limits;
use crate::shell::presented::{Known, Presented};
use crate::shell::worker::{Current, Slot, Worker};
use net::stream::Stream;
use std::cell::Cell;
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
    /// SIP, LDAP or H.323, by a client that had proven to have this name, if it had.
    Domain(Box<Claim>, Option<Box<str>>),
}

/// How a tunnel has ended.
pub(crate) enum Ended {
    /// Both sides have ended their directions, the target first or at the same time.
    Cleanly,
    /// The same, but the client did so first, or we have ended both.
    Left,
    /// The client was cut off, nothing moved for too long, or it is not allowed any more.
    Cut,
    /// The target was cut off.
    TargetCut,
    /// A message may not pass.
    Refused(Reason),
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
    /// Whether the target has let the client in, where that can be heard; none where it can not.
    pub(crate) accepted: Option<Rc<Cell<bool>>>,
    pub(crate) counted: Counted,
}

/// What was counted of a tunnel while it is open, which may be for days.
pub(crate) struct Counted {
    host: HostInstruments,
    up: u64,
    down: u64,
}

impl Counted {
    pub(crate) fn new(host: &HostInstruments) -> Self {
        Self {
            host: host.clone(),
            up: 0,
            down: 0,
        }
    }

    /// So many bytes have passed by now.
    fn now(&mut self, up: u64, down: u64) {
        self.host.received.add(up.saturating_sub(self.up));
        self.host.sent.add(down.saturating_sub(self.down));
        (self.up, self.down) = (up, down);
    }
}

/// When it is to be looked again whether what let a client in still does.
#[derive(Default)]
pub(crate) struct HeldWatch {
    /// What was known of losses when it was looked last.
    losses: Option<u64>,
    alarm: Option<Alarm>,
    /// Since when half a message of the client is waited on.
    half: Option<Instant>,
    /// How much of it had passed then.
    passed: u64,
    /// Whether it is to end as soon as nothing moves.
    makes_room: bool,
}

impl<C: Client> Tunnel<'_, C> {
    /// Runs it to its end.
    pub(crate) async fn run(mut self) -> Ended {
        self.be_patient();
        let ended = std::future::poll_fn(|cx| {
            self.slot.watch(cx.waker());
            self.poll(cx)
        })
        .await;
        self.counted.now(self.up.passed(), self.down.passed());
        ended
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Ended> {
        if self.is_banned() {
            return Poll::Ready(Ended::Refused(Reason::Banned));
        }
        let due = self.is_look_due(cx);
        if !self.closing && self.is_stranger() && self.slot.is_shed() && !self.watch.makes_room {
            self.watch.makes_room = true;
            self.be_patient();
        }
        if !self.closing && !self.is_still_allowed(due) {
            self.closing = true;
            self.alarm.set(Instant::now() + limits::LINGER);
        }
        let has_left = self.up_ended || self.closing;
        let outcome = if self.closing {
            self.poll_close(cx)
        } else {
            self.poll_pass(cx)
        };
        match outcome {
            Poll::Ready(Ok(())) if has_left => Poll::Ready(Ended::Left),
            Poll::Ready(Ok(())) => Poll::Ready(Ended::Cleanly),
            Poll::Ready(Err(Ended::TargetCut)) if has_left => Poll::Ready(Ended::Cut),
            Poll::Ready(Err(ended)) => Poll::Ready(ended),
            Poll::Pending => self.alarm.poll(cx).map(|()| Ended::Cut),
        }
    }

    /// Passes both ways; ready when both have ended, or with an error when one is broken.
    fn poll_pass(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
        let mut moved = false;
        let ends = (self.up_ended, self.down_ended);
        if !self.up_ended {
            let up = one_way(self.up, cx, self.client, self.target, &mut moved);
            self.up_ended = up.map_err(|broken| ended(broken, true))?.is_ready();
        }
        if !self.down_ended {
            let down = one_way(self.down, cx, self.target, self.client, &mut moved);
            self.down_ended = down.map_err(|broken| ended(broken, false))?.is_ready();
        }
        if self.up_ended && self.down_ended {
            return Poll::Ready(Ok(()));
        }
        // A client that has ended its direction is still to be seen leaving.
        if self.up_ended && matches!(self.client.poll_readable(cx), Poll::Ready(Err(_))) {
            return Poll::Ready(Err(Ended::Cut));
        }
        // While the target does not take what there is, nothing more of the client is read.
        let half = self.up.waits_for_more() && !self.target.has_unsent();
        if half != self.watch.half.is_some() || self.up.passed() != self.watch.passed {
            self.watch.half = half.then(Instant::now);
            self.watch.passed = self.up.passed();
        }
        if moved || ends != (self.up_ended, self.down_ended) {
            self.be_patient();
            if let What::Request { held, .. } = &self.asked.what {
                held.touch();
            }
        }
        Poll::Pending
    }

    /// Ends both sides cleanly, without waiting for what they still want to say.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Ended>> {
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

    /// Whether nothing more of the client is to pass. Who has a WebSocket or TLS of his own with a target asks us for nothing.
    fn is_banned(&self) -> bool {
        let bans = &self.worker.shared.context.bans;
        matches!(self.asked.what, What::Domain(..)) && bans.contains(self.identity.address())
    }

    /// Whether the target has not let the client in yet.
    fn is_stranger(&self) -> bool {
        let accepted = self.accepted.as_deref();
        accepted.is_some_and(|accepted| !accepted.get())
    }

    fn be_patient(&mut self) {
        let mut idle = self.idle.unwrap_or(limits::IDLE_UPGRADED);
        self.slot.set_idle(self.is_stranger());
        if self.is_stranger() {
            let most = if self.watch.makes_room {
                limits::SILENT
            } else {
                limits::IDLE_STRANGER
            };
            idle = idle.min(most);
        }
        self.counted.now(self.up.passed(), self.down.passed());
        if self.up_ended || self.down_ended {
            idle = idle.min(limits::IDLE);
        }
        let due = Instant::now() + idle;
        let half = self.watch.half.map(|since| since + limits::HALF_MESSAGE);
        self.alarm.set(half.map_or(due, |half| half.min(due)));
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
            What::Domain(claim, proven) => match claim.decide(&self.current.live) {
                Ok(decided) => {
                    self.idle = Some(decided.rule.idle);
                    // What it may say was decided by what it had proven.
                    *decided.target == self.asked.target
                        && decided.proof.given() == proven.as_deref()
                }
                Err(_) => false,
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

/// How a tunnel ends of which one direction broke: towards the target, where it is `up`.
fn ended(broken: Broken, up: bool) -> Ended {
    match (broken, up) {
        (Broken::Refused(reason), _) => Ended::Refused(reason),
        (Broken::Sink, true) | (Broken::Source(_) | Broken::Cut, false) => Ended::TargetCut,
        _ => Ended::Cut,
    }
}

/// Passes one way; ready once the source has ended and the sink was told so.
fn one_way(
    lane: &mut Lane,
    cx: &mut Context<'_>,
    source: &mut impl Source,
    sink: &mut impl Sink,
    moved: &mut bool,
) -> Poll<Result<(), Broken>> {
    match lane.poll_pass(cx, source, sink, moved) {
        Poll::Pending => Poll::Pending,
        Poll::Ready(Err(broken)) => Poll::Ready(Err(broken)),
        Poll::Ready(Ok(())) => sink.poll_finish(cx).map_err(|_| Broken::Sink),
    }
}
