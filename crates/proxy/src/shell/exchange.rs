//! One request and its response, both directions at once: a target may answer before it has
//! the whole request.

use crate::core::{Accept, HeadEdit, Reason, Rule, Sent, TargetKey, Trust, write_response};
use crate::shell::alarm::Alarm;
use crate::shell::client::Client;
use crate::shell::lane::{Broken, Lane};
use crate::shell::limits::{self, Limits};
use crate::shell::pace::Pace;
use crate::shell::report::Report;
use crate::shell::target::name;
use crate::shell::worker::Worker;
use config::WebSocket;
use net::stream::Stream;
use proto::http::{self, Framing, Malformed, Name, Progress, Response, ResponseFraming, Version};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;

/// What is to be done with a request whose head is written for the target already.
pub(crate) struct Plan {
    pub(crate) rule: Arc<Rule>,
    pub(crate) framing: Framing,
    pub(crate) version: Version,
    /// HEAD: the response has no body.
    pub(crate) head_only: bool,
    /// Whether the client will ask again on this connection.
    pub(crate) keep_alive: bool,
    /// Whether the client waits for a 100 before it sends the body.
    pub(crate) expects_continue: bool,
    /// The client asks for a WebSocket; what a target that agrees must say.
    pub(crate) websocket: Option<Accept>,
    /// Whether sending it twice does no harm.
    pub(crate) repeatable: bool,
}

impl Plan {
    /// Whether only a WebSocket may come of it, or an error.
    fn needs_switch(&self) -> bool {
        self.rule.websocket == WebSocket::Required
    }
}

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum End {
    /// The response is complete; which connections can go on.
    Done { client: bool, target: bool },
    /// Both sides speak WebSocket from now on.
    Upgraded,
    /// An idle connection had died: nothing came back, and the request may be sent again.
    Retry,
    /// It failed; `begun` says whether the client got some of the response.
    Failed { reason: Reason, begun: bool },
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The response head has not come.
    Head,
    /// The response body is passed on.
    Body,
    /// The response is complete, the request is not.
    After,
}

/// An exchange under way.
pub(crate) struct Exchange<'a, C> {
    pub(crate) plan: &'a Plan,
    pub(crate) worker: &'a Worker,
    pub(crate) report: &'a Report<'a>,
    pub(crate) target_key: &'a TargetKey,
    pub(crate) reused: bool,
    pub(crate) client: &'a mut C,
    pub(crate) target: &'a mut Stream,
    pub(crate) up: &'a mut Lane,
    pub(crate) down: &'a mut Lane,
    pub(crate) alarm: &'a mut Alarm,
    pub(crate) limits: &'a Limits,
    pub(crate) state: State,
}

/// What an exchange knows beside its connections.
pub(crate) struct State {
    phase: Phase,
    /// The request is still on its way.
    sending: bool,
    /// The target asked for the body, or the client sent some of it.
    continued: bool,
    interim: u8,
    /// How far the head that is awaited was looked at.
    progress: Progress,
    /// Whether anything at all came from the target.
    heard: bool,
    /// The status sent to the client; 0 before.
    pub(crate) status: u16,
    /// Only the end of the connection tells the client where the body ends.
    pub(crate) raw: bool,
    client_open: bool,
    target_open: bool,
    /// The client has ended its direction.
    client_ended: bool,
    pace: Pace,
}

impl Default for State {
    fn default() -> Self {
        Self {
            phase: Phase::Head,
            sending: true,
            continued: false,
            interim: 0,
            progress: Progress::default(),
            heard: false,
            status: 0,
            raw: false,
            client_open: false,
            target_open: false,
            client_ended: false,
            pace: Pace::default(),
        }
    }
}

/// What was found where a response head is due.
enum Heard {
    Incomplete,
    Interim(u16),
    Switched,
    /// A 101 that nobody asked for.
    NotAsked,
    /// A 101 that belongs to another handshake.
    NotAccepted,
    /// Something else than a WebSocket, where nothing else is allowed.
    Declined(u16),
    Final {
        status: u16,
        /// The length of the body, if it is known.
        body: Option<u64>,
        raw: bool,
        client_open: bool,
        target_open: bool,
    },
}

impl<C: Client> Exchange<'_, C> {
    /// Moves both directions as far as they go.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        let mut moved = false;
        if let Err(end) = self.step(cx, &mut moved) {
            return Poll::Ready(end);
        }
        if moved {
            self.be_patient();
        }
        if let Err(end) = self.keep_pace() {
            return Poll::Ready(end);
        }
        self.alarm.poll(cx).map(|()| self.too_late())
    }

    /// From now on nothing may stand still for longer than the rule allows.
    pub(crate) fn be_patient(&mut self) {
        self.alarm.set(Instant::now() + self.patience());
    }

    /// A client that is waited for, for its body or until it takes ours, must be worth the wait.
    fn keep_pace(&mut self) -> Result<(), End> {
        let up = self.state.sending && self.is_client_awaited();
        let down = self.state.phase == Phase::Body && self.is_client_full();
        if !up && !down && self.state.pace.is_at_rest() {
            return Ok(());
        }
        // What waits in our memory the client has not taken.
        let taken = self.down.passed();
        let taken = taken.saturating_sub(self.client.unsent() as u64);
        let bytes = self.up.passed() + taken;
        let waiting = up || down;
        if self
            .state
            .pace
            .is_kept(waiting, bytes, Instant::now(), self.limits)
        {
            return Ok(());
        }
        self.fail(Reason::BodySlow(self.limits.body_rate))
    }

    /// Nothing is left to be written: it is the client's body that is waited for.
    fn is_client_awaited(&self) -> bool {
        self.up.buffer.is_empty() && !self.up.has_unsent() && self.target.unsent() == 0
    }

    /// The client does not take what is there for it.
    fn is_client_full(&self) -> bool {
        self.down.has_unsent() || !self.down.buffer.is_empty() || self.client.has_unsent()
    }

    fn patience(&self) -> Duration {
        let idle = self.plan.rule.idle.unwrap_or(limits::IDLE);
        if self.state.client_ended {
            idle.min(limits::IDLE_HALF_CLOSED)
        } else {
            idle
        }
    }

    fn step(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<(), End> {
        if self.state.sending {
            self.send(cx, moved)?;
        }
        if self.state.phase == Phase::Head {
            self.receive_head(cx, moved)?;
        }
        if self.state.phase == Phase::Body {
            self.receive_body(cx, moved)?;
        }
        if self.state.phase == Phase::After && !self.state.sending {
            return Err(self.done());
        }
        self.watch_client(cx, moved)
    }

    fn send(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<(), End> {
        let passed = self.up.poll_pass(cx, self.client, self.target, moved);
        if !self.state.continued && self.up.passed() > 0 {
            self.state.continued = true;
        }
        match passed {
            Poll::Pending => Ok(()),
            // A target that takes no more has perhaps said why.
            Poll::Ready(Ok(()) | Err(Broken::Sink)) => {
                self.state.sending = false;
                Ok(())
            }
            Poll::Ready(Err(Broken::Source(_) | Broken::Cut)) => self.fail(Reason::ClientGone),
            Poll::Ready(Err(Broken::Malformed(fault))) => self.fail(Reason::Malformed(fault)),
            Poll::Ready(Err(Broken::TooLarge(limit))) => self.fail(Reason::BodyTooLarge(limit)),
            Poll::Ready(Err(Broken::Refused(reason))) => self.fail(reason),
        }
    }

    fn receive_head(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<(), End> {
        loop {
            let filled = self.down.buffer.filled();
            if self
                .state
                .progress
                .is_worth_parsing(filled, &http::Limits::default())
            {
                let may_keep = self.may_keep_client();
                let abrupt = is_trusted_anyway(self.target_key);
                let date = self.worker.date();
                let edit = self.plan.rule.response_edit(self.report.identity.tls());
                match hear::<C>(self.down, self.plan, may_keep, abrupt, edit, &date) {
                    Ok(Heard::Incomplete) => {}
                    Ok(heard) => {
                        *moved = true;
                        self.state.progress = Progress::default();
                        self.take_head(&heard)?;
                        if self.state.phase != Phase::Head {
                            return Ok(());
                        }
                        continue;
                    }
                    Err(fault) => {
                        return self.fail(Reason::TargetMalformed(name(self.target_key), fault));
                    }
                }
            }
            // Interim responses must not wait for the final one.
            if (self.down.has_unsent() || self.client.has_unsent())
                && let Poll::Ready(Err(_)) = self.down.poll_drain(cx, self.client, moved)
            {
                return self.fail(Reason::ClientGone);
            }
            match self.down.poll_read(cx, self.target) {
                Poll::Ready(Ok(0)) => return Err(self.hung_up("it closed the connection")),
                Poll::Ready(Ok(_)) => {
                    *moved = true;
                    self.state.heard = true;
                }
                Poll::Ready(Err(error)) => return Err(self.hung_up(&error.to_string())),
                Poll::Pending => {
                    self.down.buffer.release_if_empty();
                    return Ok(());
                }
            }
        }
    }

    fn take_head(&mut self, heard: &Heard) -> Result<(), End> {
        match *heard {
            Heard::Incomplete => {}
            Heard::Interim(status) => {
                self.state.continued |= status == 100;
                self.state.interim += 1;
                if self.state.interim > limits::INTERIM {
                    let fault = Malformed::StatusLine;
                    return self.fail(Reason::TargetMalformed(name(self.target_key), fault));
                }
                self.hand_over_head(None)?;
            }
            Heard::NotAsked => {
                return self.fail(Reason::TargetSwitched(name(self.target_key)));
            }
            Heard::NotAccepted => {
                return self.fail(Reason::TargetAccept(name(self.target_key)));
            }
            Heard::Declined(status) => {
                return self.fail(Reason::TargetDeclined(name(self.target_key), status));
            }
            // Before it has the whole request a target can not have agreed to it.
            Heard::Switched if !self.up.is_done() => {
                return self.fail(Reason::TargetSwitched(name(self.target_key)));
            }
            Heard::Switched => {
                self.state.status = 101;
                self.report.forwarded(&**self.target_key, !self.reused);
                self.up.reset();
                self.up.begin_tunnel();
                self.down.begin_tunnel();
                self.hand_over_head(None)?;
                return Err(End::Upgraded);
            }
            Heard::Final {
                status,
                body,
                raw,
                client_open,
                target_open,
            } => {
                self.state.status = status;
                self.state.raw = raw;
                self.state.client_open = client_open;
                self.state.target_open = target_open;
                self.state.phase = Phase::Body;
                self.report.forwarded(&**self.target_key, !self.reused);
                self.hand_over_head(body)?;
                if raw {
                    // Should this process be killed, or cut at the end of a drain.
                    self.client.reset_when_dropped(true);
                }
            }
        }
        Ok(())
    }

    fn hand_over_head(&mut self, body: Option<u64>) -> Result<(), End> {
        match self.down.hand_over_head(self.client, body) {
            Ok(()) => Ok(()),
            Err(_) => self.fail(Reason::ClientGone),
        }
    }

    fn receive_body(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<(), End> {
        let broke_off = |why: String| Reason::TargetBrokeOff(name(self.target_key), why.into());
        let reason = match self.down.poll_pass(cx, self.target, self.client, moved) {
            // Responses have no limit.
            Poll::Pending | Poll::Ready(Err(Broken::TooLarge(_))) => return Ok(()),
            Poll::Ready(Ok(())) => {
                if self.client.end_body(self.down.trailers()).is_err() {
                    return self.fail(Reason::ClientGone);
                }
                if self.state.raw {
                    self.client.reset_when_dropped(false);
                }
                let both = self.state.client_open && self.state.target_open;
                if self.state.sending && both {
                    self.state.phase = Phase::After;
                    return Ok(());
                }
                return Err(self.done());
            }
            Poll::Ready(Err(Broken::Sink)) => Reason::ClientGone,
            Poll::Ready(Err(Broken::Source(error))) => broke_off(error.to_string()),
            Poll::Ready(Err(Broken::Cut)) => broke_off("it closed the connection".to_owned()),
            Poll::Ready(Err(Broken::Malformed(fault))) => broke_off(fault.to_string()),
            Poll::Ready(Err(Broken::Refused(reason))) => reason,
        };
        self.fail(reason)
    }

    /// While only the target is waited for, the client may hang up, or send its next request.
    fn watch_client(&mut self, cx: &mut Context<'_>, moved: &mut bool) -> Result<(), End> {
        if self.state.sending {
            // A stream that is given up says so beside its body, which the target may not take.
            let watched = C::FRAMES_BODIES && !self.is_client_awaited();
            if watched && matches!(self.client.poll_readable(cx), Poll::Ready(Err(_))) {
                return self.fail(Reason::ClientGone);
            }
            return Ok(());
        }
        // What is read ahead is kept, so that it must not become much.
        while !self.state.client_ended && self.up.buffer.len() < limits::READ_AHEAD {
            match self.client.poll_readable(cx) {
                Poll::Pending => break,
                Poll::Ready(Err(_)) => return self.fail(Reason::ClientGone),
                Poll::Ready(Ok(())) => {}
            }
            match self.up.poll_read(cx, self.client) {
                Poll::Ready(Ok(0)) => {
                    self.state.client_ended = true;
                    *moved = true;
                }
                Poll::Ready(Ok(_)) => {}
                Poll::Ready(Err(_)) => return self.fail(Reason::ClientGone),
                Poll::Pending => break,
            }
        }
        self.up.buffer.release_if_empty();
        Ok(())
    }

    /// Whether the client's connection can serve another request, as far as is known before the head.
    fn may_keep_client(&self) -> bool {
        // A client that never got its 100 may send the body nonetheless, or not.
        let unsure = self.plan.expects_continue && !self.state.continued;
        // What a client sends behind a refused handshake may be WebSocket frames, whenever it
        // comes; frames can be made to look like a request.
        let handshake = self.plan.websocket.is_some();
        let whole = self.state.sending || self.up.has_whole_body();
        self.plan.keep_alive && whole && !unsure && !handshake && !self.worker.is_draining()
    }

    fn done(&self) -> End {
        End::Done {
            client: self.state.client_open && self.up.has_whole_body() && !self.state.client_ended,
            // What a target sends unasked would be taken for the answer to the next request.
            target: self.state.target_open && self.up.is_done() && self.down.buffer.is_empty(),
        }
    }

    fn hung_up(&self, why: &str) -> End {
        if self.reused && !self.state.heard && self.plan.repeatable {
            return End::Retry;
        }
        End::Failed {
            reason: Reason::TargetHungUp(name(self.target_key), why.into()),
            begun: false,
        }
    }

    fn fail(&self, reason: Reason) -> Result<(), End> {
        Err(self.failed(reason))
    }

    fn failed(&self, reason: Reason) -> End {
        let begun = self.state.phase != Phase::Head && self.down.has_begun();
        End::Failed { reason, begun }
    }

    fn too_late(&self) -> End {
        let seconds = self.patience().as_secs();
        let silent = || Reason::TargetSilent(name(self.target_key), seconds);
        let reason = match self.state.phase {
            Phase::After => {
                return End::Done {
                    client: false,
                    target: false,
                };
            }
            Phase::Head if self.state.sending && self.is_client_awaited() => Reason::BodyLate,
            Phase::Head => silent(),
            Phase::Body if self.is_client_full() => Reason::ClientGone,
            Phase::Body => {
                let why = format!("it was silent for {seconds} s");
                Reason::TargetBrokeOff(name(self.target_key), why.into())
            }
        };
        self.failed(reason)
    }
}

/// Whether TLS with the target keeps nobody out of the middle anyway: then a body that ends with
/// the connection may end without TLS's goodbye, which old servers leave out.
fn is_trusted_anyway(target: &TargetKey) -> bool {
    let trust = target.tls.as_ref().map(|tls| &tls.trust);
    trust == Some(&Trust::Any)
}

/// Reads a response head from `lane` and writes what the client gets of it.
fn hear<C: Client>(
    lane: &mut Lane,
    plan: &Plan,
    may_keep: bool,
    abrupt_end: bool,
    edit: &HeadEdit,
    date: &str,
) -> Result<Heard, Malformed> {
    lane.prepare();
    let method = if plan.head_only { "HEAD" } else { "GET" };
    let Some(response) = http::response(lane.buffer.filled(), method, &http::Limits::default())?
    else {
        return Ok(Heard::Incomplete);
    };
    let modern = plan.version == Version::Http11;
    let len = response.len;
    let heard = match response.status {
        101 => {
            let heard = judge_switch(&response, plan);
            if matches!(heard, Heard::Switched) {
                write_response(&mut lane.out, &response, false, Sent::WebSocket, date, edit);
            }
            heard
        }
        status @ ..200 => {
            // RFC 9110 section 15.2: never to a client of HTTP/1.0.
            if modern {
                write_response(
                    &mut lane.out,
                    &response,
                    false,
                    Sent::Open,
                    date,
                    &HeadEdit::default(),
                );
                lane.end_interim();
            }
            Heard::Interim(status)
        }
        status @ ..400 if plan.needs_switch() => Heard::Declined(status),
        status => {
            let framing = response.framing;
            let unframed = matches!(
                framing,
                ResponseFraming::Chunked | ResponseFraming::UntilClose
            );
            let raw = unframed && !modern;
            let chunked = unframed && !raw && !C::FRAMES_BODIES;
            let client_open = may_keep && (modern || !unframed);
            let sent = Sent::from((plan.version, client_open));
            let head = lane.out.len();
            write_response(&mut lane.out, &response, chunked, sent, date, edit);
            let target_open = response.keep_alive;
            lane.begin_response(head, framing, chunked, abrupt_end);
            Heard::Final {
                status,
                body: match framing {
                    ResponseFraming::None => Some(0),
                    ResponseFraming::Length(length) => Some(length),
                    ResponseFraming::Chunked | ResponseFraming::UntilClose => None,
                },
                raw,
                client_open,
                target_open,
            }
        }
    };
    lane.buffer.consume(len);
    Ok(heard)
}

/// Whether a 101 is the answer to the handshake of `plan`.
fn judge_switch(response: &Response<'_>, plan: &Plan) -> Heard {
    let Some(accept) = plan.websocket.as_ref().filter(|_| response.websocket) else {
        return Heard::NotAsked;
    };
    let answer = response.fields.all(Name::SecWebSocketAccept).next();
    if answer.is_some_and(|answer| accept.is(answer)) {
        Heard::Switched
    } else {
        Heard::NotAccepted
    }
}
