//! The life of one connection of HTTP/1: requests, one after the other.

use crate::core::Reason;
use crate::shell::buffer::Buffer;
use crate::shell::client::Client;
use crate::shell::connection::{Connection, Next};
use crate::shell::limits;
use crate::shell::request::{Place, Taken};
use net::stream::Stream;
use proto::http::Progress;
use std::future::poll_fn;
use std::task::{Context, Poll};
use tokio::time::Instant;

/// Serves a connection to its end; `ahead` was read of it already.
pub(crate) async fn serve(mut connection: Connection<Stream>, ahead: Buffer) {
    connection.up.buffer = ahead;
    connection.run().await;
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

impl Connection<Stream> {
    async fn run(&mut self) {
        let mut served = 0;
        loop {
            let next = self.request(served).await;
            served += 1;
            match next {
                Next::Again => {}
                Next::Close { linger } => return self.close(linger).await,
                Next::Drop => return,
                Next::Reset => return Client::reset_when_dropped(&mut self.client, true),
            }
        }
    }

    /// Waits for one request and deals with it.
    async fn request(&mut self, served: u64) -> Next {
        self.up.reset();
        self.down.reset();
        let mut progress = Progress::default();
        let patience = match (self.up.buffer.is_empty(), served) {
            (false, _) => self.limits.head,
            (true, 0) => self.limits.first_request,
            (true, _) => self.limits.keep_alive,
        };
        self.alarm.set(Instant::now() + patience);
        loop {
            let filled = self.up.buffer.filled();
            if progress.is_worth_parsing(filled, &self.limits.http) {
                let current = self.worker.current();
                if self.is_banned() {
                    self.report(&current, Place::default())
                        .rejected(&Reason::Banned, None);
                    return Next::Close { linger: false };
                }
                match self.take(&current) {
                    Taken::Incomplete => {}
                    Taken::Check(check) => {
                        self.look_at(check).await;
                        progress = Progress::default();
                        continue;
                    }
                    mut taken => {
                        if served + 1 >= self.limits.requests_per_connection {
                            taken.end_connection();
                        }
                        return self.deal_with(&current, taken).await;
                    }
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

    /// Reads more of a request head.
    fn poll_more(&mut self, cx: &mut Context<'_>) -> Poll<More> {
        let idle = self.up.buffer.is_empty();
        if idle {
            if self.worker.is_draining() || self.slot.is_shed() {
                return Poll::Ready(More::End);
            }
            self.slot.watch(cx.waker());
            match self.client.poll_readable(cx) {
                Poll::Ready(Ok(())) => self.slot.set_idle(false),
                Poll::Ready(Err(_)) => return Poll::Ready(More::End),
                Poll::Pending => {
                    self.slot.set_idle(true);
                    self.up.rest();
                    self.down.rest();
                    return self.alarm.poll(cx).map(|()| More::End);
                }
            }
        }
        match self.up.poll_read(cx, &mut self.client) {
            Poll::Ready(Ok(1..)) => {
                if idle {
                    self.alarm.set(Instant::now() + self.limits.head);
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

    async fn close(&mut self, linger: bool) {
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
}
