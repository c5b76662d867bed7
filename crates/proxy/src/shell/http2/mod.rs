//! The life of one connection of HTTP/2: streams side by side, each of them one request that goes through
//! all rules.

mod farewell;
mod stream;

use crate::core::{CertificateFault, Identity, Reason, websocket_key, write_http1_request};
use crate::shell::alarm::Alarm;
use crate::shell::buffer::{give_back_vector, take_vector};
use crate::shell::caps::Admitted;
use crate::shell::client::Client;
use crate::shell::connection::{Connection, Next};
use crate::shell::limits::{self, Limits};
use crate::shell::presented::Presented;
use crate::shell::report::{Report, Told};
use crate::shell::request::{Place, Taken};
use crate::shell::worker::{Current, Slot, Worker};
use bytes::Bytes;
use farewell::Farewell;
use h2::server::{Builder, SendResponse};
use h2::{Reason as Code, RecvStream};
use http::request::Parts;
use http::{Method, Request};
use net::stream::Stream;
use proto::http::Malformed;
use service::metrics::Gauge;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use stream::{Http2Stream, WRITE};
use tokio::time::{Instant, timeout};

/// Streams that were given up before we have looked at them.
const UNSEEN_RESETS: usize = 20;
/// Over how long [`Limits::resets`] are counted.
const RESETS_OVER: Duration = Duration::from_mins(1);

type Asked = (Request<RecvStream>, SendResponse<Bytes>);

/// Serves a connection to its end.
pub(crate) async fn serve(
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    stream: Stream,
    identity: Rc<Identity>,
    admitted: Rc<Admitted>,
    server_name: Option<Rc<str>>,
    presented: Option<Rc<Presented>>,
) {
    let limits = worker.limits();
    let handshake = builder(&limits).handshake::<_, Bytes>(Farewell::new(stream));
    let h2 = match timeout(limits.first_request, handshake).await {
        Ok(Ok(h2)) => h2,
        Ok(Err(error)) => return tell(&worker, &identity, server_name.as_deref(), &error),
        // As over HTTP/1: nothing was asked.
        Err(_) => return,
    };
    let session = Session {
        h2,
        slot,
        identity,
        admitted,
        server_name,
        presented,
        streams: Rc::new(Streams {
            gauge: worker.shared.instruments.open_streams.clone(),
            ..Streams::default()
        }),
        alarm: Alarm::new(Instant::now() + limits.first_request),
        asked: 0,
        idle: true,
        ending: None,
        banned: false,
        resets_since: Instant::now(),
        limits,
        worker,
    };
    session.run().await;
}

fn builder(limits: &Limits) -> Builder {
    let head = u32::try_from(limits.http.head).unwrap_or(u32::MAX);
    let mut builder = Builder::new();
    builder
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(head)
        .initial_window_size(limits.send_ahead / 2)
        .initial_connection_window_size(limits.send_ahead)
        .max_send_buffer_size(WRITE)
        .max_pending_accept_reset_streams(UNSEEN_RESETS)
        .enable_connect_protocol();
    builder
}

/// A connection with its streams.
struct Session {
    worker: Rc<Worker>,
    slot: Rc<Slot>,
    h2: h2::server::Connection<Farewell, Bytes>,
    identity: Rc<Identity>,
    admitted: Rc<Admitted>,
    server_name: Option<Rc<str>>,
    presented: Option<Rc<Presented>>,
    limits: Rc<Limits>,
    streams: Rc<Streams>,
    alarm: Alarm,
    /// Requests so far.
    asked: u64,
    /// No stream is open.
    idle: bool,
    /// The client was told to open no more streams; those it opens after this time are refused.
    ending: Option<Instant>,
    /// The client was banned meanwhile, and that is told.
    banned: bool,
    resets_since: Instant,
}

/// What the streams of a connection tell it.
#[derive(Default)]
struct Streams {
    open: Cell<u32>,
    /// Those of all connections together.
    gauge: Gauge,
    /// How many the client has taken back unanswered, or had no right to open.
    given_up: Cell<u32>,
    /// Whether it is to end after those that are open.
    end: Cell<bool>,
    waker: RefCell<Option<Waker>>,
}

/// How a connection ended.
enum End {
    Closed,
    Failed(h2::Error),
    /// Streams were given up too often.
    Restless,
}

impl Session {
    async fn run(mut self) {
        let server_name = self.server_name.clone();
        match poll_fn(|cx| self.poll(cx)).await {
            End::Closed => {}
            End::Failed(error) => {
                tell(&self.worker, &self.identity, server_name.as_deref(), &error);
            }
            End::Restless => {
                let reason = Reason::Http2("too many requests were given up".into());
                report(
                    &self.worker,
                    &self.identity,
                    server_name.as_deref(),
                    &reason,
                );
                self.h2.abrupt_shutdown(Code::ENHANCE_YOUR_CALM);
                let farewell = poll_fn(|cx| self.h2.poll_closed(cx));
                // It is told as far as it listens.
                let _ = timeout(limits::LINGER, farewell).await;
            }
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<End> {
        self.slot.watch(cx.waker());
        self.streams.watch(cx.waker());
        let shed = self.is_idle() && self.slot.is_shed();
        if self.ending.is_none() && (self.worker.is_draining() || self.streams.end.get() || shed) {
            self.end();
        }
        if self.is_restless() {
            return Poll::Ready(End::Restless);
        }
        while let Poll::Ready(heard) = self.h2.poll_accept(cx) {
            match heard {
                Some(Ok(asked)) => self.open(asked),
                Some(Err(error)) => return Poll::Ready(End::Failed(error)),
                None => return Poll::Ready(End::Closed),
            }
        }
        if self.is_restless() {
            return Poll::Ready(End::Restless);
        }
        self.slot.set_idle(self.is_idle());
        if !self.is_idle() {
            // Each stream has its own patience.
            self.idle = false;
            return Poll::Pending;
        }
        if !std::mem::replace(&mut self.idle, true) {
            self.alarm.set(Instant::now() + self.patience());
        }
        if self.alarm.poll(cx).is_pending() {
            return Poll::Pending;
        }
        if self.ending.is_some() {
            return Poll::Ready(End::Closed);
        }
        self.end();
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn is_idle(&self) -> bool {
        self.streams.open.get() == 0
    }

    /// Tells the client to open no more streams; those that are open go on.
    fn end(&mut self) {
        let until = Instant::now() + limits::LINGER;
        self.ending = Some(until);
        self.h2.graceful_shutdown();
        self.alarm.set(until);
    }

    /// How long nothing may be asked while no stream is open.
    fn patience(&self) -> Duration {
        if self.h2.has_streams() {
            // The end of a response is still on its way.
            self.limits.body_rate_grace
        } else if self.ending.is_some() {
            limits::LINGER
        } else {
            self.limits.keep_alive
        }
    }

    fn is_restless(&mut self) -> bool {
        if self.streams.given_up.get() == 0 {
            return false;
        }
        if self.resets_since.elapsed() >= RESETS_OVER {
            self.resets_since = Instant::now();
            self.streams.given_up.set(0);
        }
        self.streams.given_up.get() > self.limits.resets
    }

    fn open(&mut self, (request, mut respond): Asked) {
        self.asked += 1;
        if self.is_refused() {
            self.streams.give_up();
            return respond.send_reset(Code::REFUSED_STREAM);
        }
        if self.asked >= self.limits.requests_per_connection && self.ending.is_none() {
            self.end();
        }
        let counted = Counted::new(&self.streams);
        let admitted = Rc::clone(&self.admitted);
        let (head, body) = request.into_parts();
        let bodiless = body.is_end_stream();
        let worker = Rc::clone(&self.worker);
        let identity = Rc::clone(&self.identity);
        let server_name = self.server_name.clone();
        let presented = self.presented.clone();
        self.worker.spawn(|slot| {
            // In a place of its own, since every step of spawning would move all of it.
            Box::pin(async move {
                let client = Http2Stream::new(body, respond);
                let mut asker = Connection::new(
                    worker,
                    slot,
                    client,
                    identity,
                    admitted,
                    server_name,
                    presented,
                );
                asker.answer(head, bodiless, &counted.0).await;
            })
        });
    }
}

impl Session {
    /// Whether the client has no right to another stream.
    fn is_refused(&mut self) -> bool {
        // Those that the client has given up count no longer for the library, but we are still at them.
        let most = self.limits.streams.saturating_mul(2);
        // A client may leave our farewell unanswered, and go on.
        let over = self.ending.is_some_and(|until| Instant::now() > until);
        if over || self.banned || self.streams.open.get() >= most {
            return true;
        }
        let bans = &self.worker.shared.context.bans;
        self.banned = bans.contains(self.identity.address());
        if self.banned {
            let server_name = self.server_name.as_deref();
            report(&self.worker, &self.identity, server_name, &Reason::Banned);
            if self.ending.is_none() {
                self.end();
            }
        }
        self.banned
    }
}

impl Connection<Http2Stream> {
    /// Deals with the one request of a stream.
    async fn answer(&mut self, head: Parts, bodiless: bool, streams: &Streams) {
        let mut current = self.worker.current();
        let mut taken = self.take_head(&current, &head, bodiless);
        // Meanwhile there may be another configuration, or the client be banned.
        while let Taken::Check(check) = taken {
            self.look_at(check).await;
            current = self.worker.current();
            taken = if self.is_banned() {
                refused(Reason::Banned)
            } else {
                self.take(&current)
            };
        }
        // It is of no more use, and a stream may last.
        drop(head);
        if self.is_over(&current, &taken) {
            streams.end.set(true);
        }
        let next = self.deal_with(&current, taken).await;
        // Asked before our own reset.
        if poll_fn(|cx| Poll::Ready(self.client.is_given_up_unanswered(cx))).await {
            streams.give_up();
        }
        match next {
            Next::Again | Next::Close { .. } => {
                // Its error is the client's, who is gone.
                let _ = self.client.end_body(&[]);
            }
            Next::Drop | Next::Reset => self.client.reset(Code::INTERNAL_ERROR),
        }
    }

    /// Whether the connection is to end after this request: its client does not speak HTTP/2, or its
    /// handshake was too early to show the certificate that its own host wants since a reload.
    fn is_over(&self, current: &Current, taken: &Taken) -> bool {
        let Taken::Refuse { reason, place, .. } = taken else {
            return false;
        };
        match reason {
            Reason::Malformed(_) => true,
            Reason::Certificate(_, CertificateFault::NotAsked) => {
                let name = self.server_name.as_deref();
                let own = name.and_then(|name| current.live.routes.host(name));
                own.is_some_and(|own| place.host == Some(own.index))
            }
            _ => false,
        }
    }

    /// Writes the head as one of HTTP/1, and deals with that.
    fn take_head(&mut self, current: &Rc<Current>, head: &Parts, bodiless: bool) -> Taken {
        let websocket = head.method == Method::CONNECT;
        let key = if websocket {
            websocket_key()
        } else {
            String::new()
        };
        let mut written = take_vector();
        let fault = match write_http1_request(&mut written, head, bodiless, &key) {
            Ok(()) if self.up.buffer.put(&written) => None,
            Ok(()) => Some(Malformed::HeadTooLong),
            Err(fault) => Some(fault),
        };
        give_back_vector(written);
        match fault {
            None => match self.take(current) {
                Taken::Incomplete => malformed(Malformed::HeadTooLong),
                taken => taken,
            },
            Some(fault) => malformed(fault),
        }
    }
}

fn malformed(fault: Malformed) -> Taken {
    refused(Reason::Malformed(fault))
}

fn refused(reason: Reason) -> Taken {
    Taken::Refuse {
        location: None,
        reason,
        place: Place::default(),
        head_only: false,
        linger: false,
        keep: false,
    }
}

impl Streams {
    fn give_up(&self) {
        self.given_up.set(self.given_up.get() + 1);
    }

    fn watch(&self, waker: &Waker) {
        let mut known = self.waker.borrow_mut();
        match &*known {
            Some(known) if known.will_wake(waker) => {}
            _ => *known = Some(waker.clone()),
        }
    }
}

/// Counts an open stream.
struct Counted(Rc<Streams>);

impl Counted {
    fn new(streams: &Rc<Streams>) -> Self {
        streams.open.set(streams.open.get() + 1);
        streams.gauge.inc();
        Self(Rc::clone(streams))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
        self.0.gauge.dec();
        if let Some(waker) = &*self.0.waker.borrow() {
            waker.wake_by_ref();
        }
    }
}

/// Tells of a connection that failed, if that is the client's fault.
fn tell(worker: &Rc<Worker>, identity: &Identity, server_name: Option<&str>, error: &h2::Error) {
    // What the network or the client itself ended is no offence.
    if error.is_io() || error.is_remote() {
        return;
    }
    let reason = Reason::Http2(error.to_string().into());
    report(worker, identity, server_name, &reason);
}

fn report(worker: &Rc<Worker>, identity: &Identity, server_name: Option<&str>, reason: &Reason) {
    let told = Told {
        host: server_name.unwrap_or_default().to_owned(),
        asked: "HTTP/2 connection".to_owned(),
    };
    let report = Report {
        shared: &worker.shared,
        current: &worker.current(),
        identity,
        told: &told,
        host: None,
        line: None,
    };
    report.rejected(reason, None);
}
