//! The life of one connection of a client: requests, one after the other, each through all rules.

use crate::core::{Identity, Page, Reason, write_page};
use crate::shell::alarm::Alarm;
use crate::shell::caps::Admitted;
use crate::shell::hello;
use crate::shell::lane::Lane;
use crate::shell::limits;
use crate::shell::report::{Report, Told};
use crate::shell::request::{Place, Taken};
use crate::shell::worker::{Current, Worker};
use net::stream::Stream;
use proto::http::{Malformed, Progress};
use service::metrics::Gauge;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
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
    // Dropped last, when the connection is no longer counted as one.
    let _open = Open::count(&worker, arrival.tls);
    let _admitted = arrival.admitted;
    let identity = Identity::new(arrival.client, arrival.tls);
    let (client, server_name) = if arrival.tls {
        match hello::handshake(&worker, arrival.io, &identity).await {
            Some((stream, server_name)) => (stream, server_name),
            None => return,
        }
    } else {
        (Stream::plain(arrival.io), None)
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

/// A connection of a client.
pub(crate) struct Connection {
    pub(crate) worker: Rc<Worker>,
    pub(crate) slot: u64,
    pub(crate) client: Stream,
    pub(crate) identity: Identity,
    /// The server name of the TLS hello.
    pub(crate) server_name: Option<Box<str>>,
    /// From the client to a target.
    pub(crate) up: Lane,
    /// From a target to the client.
    pub(crate) down: Lane,
    pub(crate) alarm: Alarm,
    pub(crate) told: Told,
    /// Whether the worker wakes us at changes.
    watched: bool,
}

/// How a connection goes on after a request.
pub(crate) enum Next {
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
        let mut progress = Progress::default();
        let patience = match (self.up.buffer.is_empty(), first) {
            (false, _) => limits::HEAD,
            (true, true) => limits::FIRST_REQUEST,
            (true, false) => limits::KEEP_ALIVE,
        };
        self.alarm.set(Instant::now() + patience);
        loop {
            let filled = self.up.buffer.filled();
            if progress.is_worth_parsing(filled, &limits::http()) {
                let current = self.worker.current();
                if self.is_banned() {
                    self.report(&current, Place::default())
                        .rejected(&Reason::Banned, None);
                    return Next::Close { linger: false };
                }
                match self.take(&current) {
                    Taken::Incomplete => {}
                    taken => return self.deal_with(&current, taken).await,
                }
            }
            let reason = match poll_fn(|cx| self.poll_more(cx)).await {
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
                // A query may hold a password or a token, which no log is to keep.
                let told = location.split('?').next().unwrap_or_default();
                self.report(current, place)
                    .answered(status, &format!("redirect to {told}"));
                let page = Page {
                    status,
                    location: Some(&location),
                    close,
                    head_only,
                    date: &self.worker.date(),
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

    /// Answers a request with a page that says no more than the status, and ends the connection.
    pub(crate) async fn refuse(
        &mut self,
        current: &Rc<Current>,
        place: Place,
        reason: &Reason,
        head_only: bool,
        linger: bool,
    ) -> Next {
        // Who hung up or speaks TLS can not read a page.
        let unreadable = matches!(
            reason,
            Reason::ClientGone | Reason::Malformed(Malformed::TlsOnPlainPort)
        );
        let status = (!unreadable).then(|| reason.status());
        self.report(current, place).rejected(reason, status);
        let Some(status) = status else {
            return Next::Drop;
        };
        let page = Page {
            status,
            location: None,
            close: true,
            head_only,
            date: &self.worker.date(),
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

    pub(crate) fn report<'a>(&'a self, current: &'a Rc<Current>, place: Place) -> Report<'a> {
        Report {
            shared: &self.worker.shared,
            current,
            identity: &self.identity,
            told: &self.told,
            host: place.host,
            line: place.line,
        }
    }
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

    fn gauge(&self) -> &Gauge {
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
