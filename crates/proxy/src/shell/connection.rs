//! The life of one connection of a client: requests, one after the other, each through all rules.

use crate::core::{
    Ask, AskedTls, Identity, Page, Reason, Verdict, decide, redirect, write_page, write_request,
};
use crate::metrics::HostInstruments;
use crate::shell::alarm::Alarm;
use crate::shell::caps::Admitted;
use crate::shell::exchange::{End, Exchange, Plan, State};
use crate::shell::hello;
use crate::shell::lane::Lane;
use crate::shell::limits;
use crate::shell::report::{Report, Told};
use crate::shell::tunnel::{self, Tunnel};
use crate::shell::worker::{Current, Worker};
use net::stream::Stream;
use proto::http::{self, Framing, Malformed, Request, may_complete};
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A connection that was accepted.
pub(crate) struct Arrival {
    pub(crate) io: TcpStream,
    pub(crate) client: SocketAddr,
    /// Whether it came in on a TLS port.
    pub(crate) tls: bool,
    pub(crate) admitted: Admitted,
}

/// Serves a connection to its end.
pub(crate) async fn serve(worker: Rc<Worker>, slot: u64, arrival: Arrival) {
    let Arrival {
        io,
        client,
        tls,
        admitted: _admitted,
    } = arrival;
    let _open = Open::count(&worker, tls);
    let identity = Identity::new(client, tls);
    let (client, server_name) = if tls {
        match hello::handshake(&worker, io, &identity).await {
            Some((stream, server_name)) => (stream, server_name),
            None => return,
        }
    } else {
        (Stream::plain(io), None)
    };
    let connection = Connection {
        slot,
        client,
        identity,
        server_name,
        up: Lane::default(),
        down: Lane::default(),
        alarm: Alarm::new(Instant::now() + limits::FIRST_REQUEST),
        told: Told::default(),
        watched: false,
        worker,
    };
    connection.run().await;
}

struct Connection {
    worker: Rc<Worker>,
    slot: u64,
    client: Stream,
    identity: Identity,
    /// The server name of the TLS hello.
    server_name: Option<Box<str>>,
    /// From the client to a target.
    up: Lane,
    /// From a target to the client.
    down: Lane,
    alarm: Alarm,
    told: Told,
    /// Whether the worker wakes us at changes.
    watched: bool,
}

/// How a connection goes on after a request.
enum Next {
    Again,
    /// Our direction ends cleanly; `linger` reads on for a while, lest the client's unread bytes
    /// turn into a reset that overtakes our answer.
    Close {
        linger: bool,
    },
    /// It is closed as it is: a response that was cut off must not end cleanly.
    Drop,
    /// As [`Next::Drop`], where only a reset tells the client.
    Reset,
}

/// What was found where a request head is due.
enum Taken {
    Incomplete,
    Refuse {
        reason: Reason,
        place: Place,
        head_only: bool,
        linger: bool,
    },
    Redirect {
        status: u16,
        location: String,
        place: Place,
        head_only: bool,
        keep: bool,
    },
    Forward(Plan, Place, Option<tunnel::Asked>),
}

/// Where in the configuration a decision was made.
#[derive(Clone, Copy, Default)]
struct Place {
    host: Option<usize>,
    line: Option<u32>,
}

/// What waiting for more of a request head led to.
enum More {
    Read,
    /// Nothing is under way: the connection just ends.
    End,
    /// The client hung up within a head.
    Cut,
    /// The head did not come in time.
    Late,
}

impl Connection {
    async fn run(mut self) {
        let mut first = true;
        loop {
            let next = self.request(first).await;
            first = false;
            match next {
                Next::Again => {}
                Next::Close { linger } => return self.close(linger).await,
                Next::Drop => return,
                Next::Reset => return self.client.abort(),
            }
        }
    }

    /// Waits for one request and deals with it.
    async fn request(&mut self, first: bool) -> Next {
        self.up.reset();
        self.down.reset();
        let mut parsed = 0;
        let patience = match (self.up.buffer.is_empty(), first) {
            (false, _) => limits::HEAD,
            (true, true) => limits::FIRST_REQUEST,
            (true, false) => limits::KEEP_ALIVE,
        };
        self.alarm.set(Instant::now() + patience);
        loop {
            let filled = self.up.buffer.filled();
            if !filled.is_empty() && may_complete(filled, parsed) {
                parsed = filled.len();
                if self.is_banned() {
                    return Next::Close { linger: false };
                }
                let current = self.worker.current();
                match self.take(&current) {
                    Taken::Incomplete => {}
                    taken => return self.deal_with(&current, taken).await,
                }
            }
            let more = poll_fn(|cx| self.poll_more(cx)).await;
            let reason = match more {
                More::Read => continue,
                More::End => return Next::Close { linger: false },
                More::Cut => Reason::ClientGone,
                More::Late => Reason::HeadLate,
            };
            let current = self.worker.current();
            self.tell_first_line(&current);
            return self
                .refuse(&current, Place::default(), &reason, false, false)
                .await;
        }
    }

    fn is_banned(&self) -> bool {
        let bans = &self.worker.shared.context.bans;
        bans.contains(self.identity.address())
    }

    /// Reads more of a request head.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<More> {
        let idle = self.up.buffer.is_empty();
        if idle {
            if self.worker.is_draining() {
                return Poll::Ready(More::End);
            }
            if !self.watched {
                self.watched = true;
                self.worker.watch(self.slot, cx.waker());
            }
            match self.client.poll_readable(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(_)) => return Poll::Ready(More::End),
                Poll::Pending => {
                    self.up.rest();
                    self.down.rest();
                    return self.alarm.poll(cx).map(|()| More::End);
                }
            }
        }
        match self.up.poll_read(cx, &mut self.client) {
            Poll::Ready(Ok(1..)) => {
                if idle {
                    self.alarm.set(Instant::now() + limits::HEAD);
                }
                Poll::Ready(More::Read)
            }
            Poll::Ready(_) if idle => Poll::Ready(More::End),
            Poll::Ready(_) => Poll::Ready(More::Cut),
            Poll::Pending => {
                self.up.buffer.release_if_empty();
                let late = if idle { More::End } else { More::Late };
                self.alarm.poll(cx).map(|()| late)
            }
        }
    }

    /// Reads a request head, decides on it, and writes what the target gets of it.
    fn take(&mut self, current: &Rc<Current>) -> Taken {
        self.up.prepare();
        let live = &current.live;
        let request = match http::request(self.up.buffer.filled(), &limits::http()) {
            Ok(Some(request)) => request,
            Ok(None) => return Taken::Incomplete,
            Err(fault) => {
                self.tell_first_line(current);
                return Taken::Refuse {
                    reason: Reason::Malformed(fault),
                    place: Place::default(),
                    head_only: false,
                    linger: true,
                };
            }
        };
        if live.log_rejected || live.log_forwarded {
            tell(&mut self.told, &request);
        }
        let host = request.host.map_or("", |host| host.name());
        let server_name = self.server_name.as_deref();
        let ask = Ask {
            client: self.identity.address(),
            tls: self.identity.tls().then(|| AskedTls {
                server_name,
                same_certificate: live.same_certificate(server_name, host),
            }),
            method: request.method,
            host: request.host.is_some().then_some(host),
            path: request.target.path,
            websocket: request.upgrade.is_some(),
            body: match request.framing {
                Framing::Length(length) => Some(length),
                _ => None,
            },
        };
        let head_only = request.method == "HEAD";
        let has_body = !matches!(request.framing, Framing::None | Framing::Length(0));
        let len = request.len;
        let taken = match decide(&live.routes, &ask) {
            Verdict::Refuse { host, reason, line } => Taken::Refuse {
                reason,
                place: Place {
                    host: host.map(|host| host.index),
                    line,
                },
                head_only,
                linger: has_body,
            },
            Verdict::Redirect(routes, found) => Taken::Redirect {
                status: found.status,
                location: redirect(&live.routes, host, request.target.path, request.target.query),
                place: Place {
                    host: Some(routes.index),
                    line: Some(found.line),
                },
                head_only,
                keep: request.keep_alive && !has_body,
            },
            Verdict::Forward(routes, rule) => {
                write_request(&mut self.up.out, &request, rule, &self.identity);
                let asked = request.upgrade.map(|_| tunnel::Asked {
                    host: host.into(),
                    path: request.target.path.into(),
                    server_name: self.server_name.clone(),
                    target: rule.target(self.identity.tls()).clone(),
                });
                let place = Place {
                    host: Some(routes.index),
                    line: Some(rule.line),
                };
                Taken::Forward(plan(&request, Arc::clone(rule)), place, asked)
            }
        };
        self.up.buffer.consume(len);
        if let Taken::Forward(plan, ..) = &taken {
            self.up.begin_request(plan.framing, plan.rule.max_body);
        }
        taken
    }

    async fn deal_with(&mut self, current: &Rc<Current>, taken: Taken) -> Next {
        match taken {
            Taken::Incomplete => Next::Again,
            Taken::Refuse {
                reason,
                place,
                head_only,
                linger,
            } => {
                self.refuse(current, place, &reason, head_only, linger)
                    .await
            }
            Taken::Redirect {
                status,
                location,
                place,
                head_only,
                keep,
            } => {
                let close = !keep || self.worker.is_draining();
                self.report(current, place)
                    .answered(status, &format!("redirect to {location}"));
                let date = self.worker.date();
                let page = Page {
                    status,
                    location: Some(&location),
                    close,
                    head_only,
                    date: &date,
                };
                match self.send_page(&page).await {
                    true if !close => Next::Again,
                    true => Next::Close { linger: !keep },
                    false => Next::Drop,
                }
            }
            Taken::Forward(plan, place, asked) => self.forward(current, plan, place, asked).await,
        }
    }

    /// Passes a request on, and its response back.
    async fn forward(
        &mut self,
        current: &Rc<Current>,
        plan: Plan,
        place: Place,
        asked: Option<tunnel::Asked>,
    ) -> Next {
        let started = Instant::now();
        let target = plan.rule.target(self.identity.tls());
        let mut fresh = false;
        loop {
            let idle = if fresh {
                None
            } else {
                self.worker.take_idle(target, !plan.repeatable)
            };
            let connected = match idle {
                Some(connected) => Ok(connected),
                None => self.worker.connect(current, target).await,
            };
            let mut connected = match connected {
                Ok(connected) => connected,
                Err(reason) => {
                    let linger = !self.up.has_whole_body();
                    return self
                        .refuse(current, place, &reason, plan.head_only, linger)
                        .await;
                }
            };
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
                plan: &plan,
                worker: &self.worker,
                report: &report,
                target_key: target,
                reused: connected.reused,
                client: &mut self.client,
                target: &mut connected.stream,
                up: &mut self.up,
                down: &mut self.down,
                alarm: &mut self.alarm,
                state: State::default(),
            };
            exchange.be_patient();
            let end = poll_fn(|cx| exchange.poll(cx)).await;
            let State { status, raw, .. } = exchange.state;
            if !matches!(end, End::Retry) {
                self.count(report.host(), status, started);
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
                    let whole = self.up.has_whole_body();
                    self.down.buffer.clear();
                    if ok {
                        self.worker
                            .keep_idle(current, target, connected.stream);
                    }
                    return match client {
                        true => Next::Again,
                        false => Next::Close { linger: !whole },
                    };
                }
                End::Upgraded => {
                    let host = report.host().clone();
                    self.tunnel(Rc::clone(current), &plan, asked, connected.stream, &host)
                        .await;
                    return Next::Drop;
                }
                End::Failed { reason, begun } => {
                    drop(connected);
                    if begun {
                        report.rejected(&reason, None);
                        return if raw { Next::Reset } else { Next::Drop };
                    }
                    self.down.buffer.clear();
                    let linger = !self.up.has_whole_body();
                    return self
                        .refuse(current, place, &reason, plan.head_only, linger)
                        .await;
                }
            }
        }
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
        current: Rc<Current>,
        plan: &Plan,
        asked: Option<tunnel::Asked>,
        mut target: Stream,
        host: &HostInstruments,
    ) {
        // A handshake is only taken for one when the request asked for it.
        let Some(asked) = asked else { return };
        let _upgraded = Upgraded::count(host);
        let tunnel = Tunnel {
            worker: &self.worker,
            current,
            slot: self.slot,
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
        };
        tunnel.run().await;
        host.received.add(self.up.passed());
        host.sent.add(self.down.passed());
    }

    /// Answers a request with a page that says no more than the status, and ends the connection.
    async fn refuse(
        &mut self,
        current: &Rc<Current>,
        place: Place,
        reason: &Reason,
        head_only: bool,
        linger: bool,
    ) -> Next {
        let unanswered = match reason {
            // Who hung up or speaks TLS can not read a page.
            Reason::ClientGone | Reason::Malformed(Malformed::TlsOnPlainPort) => true,
            _ => false,
        };
        let status = (!unanswered).then(|| reason.status());
        self.report(current, place).rejected(reason, status);
        let Some(status) = status else {
            return Next::Drop;
        };
        let date = self.worker.date();
        let page = Page {
            status,
            location: None,
            close: true,
            head_only,
            date: &date,
        };
        if self.send_page(&page).await {
            Next::Close { linger }
        } else {
            Next::Drop
        }
    }

    /// Sends a whole response of our own, behind interim ones of a target that may still wait.
    async fn send_page(&mut self, page: &Page<'_>) -> bool {
        write_page(self.down.prepare(), page);
        self.alarm.set(Instant::now() + limits::LINGER);
        poll_fn(|cx| {
            let sent = self.down.poll_drain(cx, &mut self.client, &mut false);
            if let Poll::Ready(sent) = sent {
                return Poll::Ready(sent.is_ok());
            }
            self.alarm.poll(cx).map(|()| false)
        })
        .await
    }

    async fn close(mut self, linger: bool) {
        self.alarm.set(Instant::now() + limits::LINGER);
        let finished = poll_fn(|cx| match self.client.poll_finish(cx) {
            Poll::Ready(finished) => Poll::Ready(finished.is_ok()),
            Poll::Pending => self.alarm.poll(cx).map(|()| false),
        })
        .await;
        if !finished || !linger {
            return;
        }
        self.up.buffer.clear();
        let mut left = limits::LINGER_BYTES;
        poll_fn(|cx| {
            loop {
                match self.up.poll_read(cx, &mut self.client) {
                    Poll::Ready(Ok(count @ 1..)) if left > 0 => {
                        left = left.saturating_sub(count as u64);
                        self.up.buffer.clear();
                    }
                    Poll::Ready(_) => return Poll::Ready(()),
                    Poll::Pending => return self.alarm.poll(cx),
                }
            }
        })
        .await;
    }

    fn report<'a>(&'a self, current: &'a Rc<Current>, place: Place) -> Report<'a> {
        Report {
            shared: &self.worker.shared,
            current,
            identity: &self.identity,
            told: &self.told,
            host: place.host,
            line: place.line,
        }
    }

    /// What is known of a request that could not be read.
    fn tell_first_line(&mut self, current: &Current) {
        if !current.live.log_rejected {
            return;
        }
        let line = self.up.buffer.filled();
        let end = line.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let line = &line[..end.unwrap_or(line.len()).min(120)];
        self.told.host.clear();
        self.told.host.push_str(self.server_name.as_deref().unwrap_or_default());
        self.told.asked = line.escape_ascii().to_string();
    }
}

fn plan(request: &Request<'_>, rule: Arc<crate::core::Rule>) -> Plan {
    // RFC 9110 section 9.2.2; a body would have to be kept to be sent again.
    let idempotent = matches!(
        request.method,
        "GET" | "HEAD" | "OPTIONS" | "PUT" | "DELETE"
    );
    Plan {
        rule,
        framing: request.framing,
        version: request.version,
        head_only: request.method == "HEAD",
        keep_alive: request.keep_alive,
        expects_continue: request.expect_continue,
        websocket: request.upgrade.is_some(),
        repeatable: idempotent && matches!(request.framing, Framing::None | Framing::Length(0)),
    }
}

fn tell(told: &mut Told, request: &Request<'_>) {
    told.host.clear();
    told.host.push_str(request.host.map_or("", |host| host.host()));
    told.asked.clear();
    told.asked.push_str(request.method);
    told.asked.push(' ');
    told.asked.push_str(request.target.path);
}

/// Counts an open connection.
struct Open {
    worker: Rc<Worker>,
    tls: bool,
}

impl Open {
    fn count(worker: &Rc<Worker>, tls: bool) -> Self {
        let open = Self {
            worker: Rc::clone(worker),
            tls,
        };
        open.gauge().inc();
        open
    }

    fn gauge(&self) -> &service::metrics::Gauge {
        let instruments = &self.worker.shared.instruments;
        if self.tls {
            &instruments.open_tls
        } else {
            &instruments.open_plain
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.gauge().dec();
        if self.worker.is_draining() {
            self.worker.shared.closed.notify_waiters();
        }
    }
}

/// Counts an upgraded connection.
struct Upgraded<'a>(&'a HostInstruments);

impl<'a> Upgraded<'a> {
    fn count(host: &'a HostInstruments) -> Self {
        host.upgraded.inc();
        Self(host)
    }
}

impl Drop for Upgraded<'_> {
    fn drop(&mut self) {
        self.0.upgraded.dec();
    }
}
