//! The end of a connection: what was said last must not be overtaken by a reset, which is what unread
//! bytes of the client turn into.

use crate::shell::alarm::Alarm;
use crate::shell::limits;
use net::stream::Stream;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

/// A stream whose shutdown reads on for a while behind its end.
pub(super) struct Farewell {
    stream: Stream,
    /// Set once it ends.
    alarm: Option<Alarm>,
    /// Whether our end is sent, as far as the client listens.
    finished: bool,
    /// How many bytes are still read then.
    left: u64,
}

impl Farewell {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            stream,
            alarm: None,
            finished: false,
            left: limits::LINGER_BYTES,
        }
    }

    /// Ready when our end is sent and the client has ended, too. What the client does meanwhile is no
    /// error: it must not hide the one for which the connection ends.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !self.finished {
            self.finished = self.stream.poll_finish(cx).is_ready();
        }
        if !self.finished {
            return Poll::Pending;
        }
        let mut scrap = [0; 4096];
        while self.left > 0 {
            match self.stream.poll_read_some(cx, &mut scrap) {
                Poll::Ready(Ok(count @ 1..)) => {
                    self.left = self.left.saturating_sub(count as u64);
                }
                Poll::Ready(_) => break,
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(())
    }
}

impl AsyncRead for Farewell {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Farewell {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let ended = this.poll_end(cx);
        let until = Instant::now() + limits::LINGER;
        let alarm = this.alarm.get_or_insert_with(|| Alarm::new(until));
        if ended.is_ready() || alarm.poll(cx).is_ready() {
            Poll::Ready(Ok(()))
        } else {
            Poll::Pending
        }
    }
}
