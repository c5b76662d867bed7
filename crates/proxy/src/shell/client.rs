//! What an exchange needs of its client: the same of a connection of HTTP/1 and of a stream of
//! HTTP/2.

use net::stream::Stream;
use std::io::{self, IoSlice};
use std::task::{Context, Poll};

/// Where bytes come from.
pub(crate) trait Source {
    /// Reads into `room`, which must not be empty; 0 is the clean end.
    ///
    /// # Errors
    /// The peer's.
    fn poll_read_some(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>>;

    /// The trailers of a body that has ended, each as `name: value CR LF`. HTTP/1 has them in its chunks.
    fn take_trailers(&mut self) -> Vec<u8> {
        Vec::new()
    }
}

/// Where bytes go to.
pub(crate) trait Sink {
    /// Writes from the front of `slices` and gives how many bytes were taken.
    ///
    /// # Errors
    /// The peer's, when it is gone.
    fn poll_write_some(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>>;

    /// How many bytes that were taken must be flushed.
    fn unsent(&self) -> usize;

    /// Whether bytes that were taken must be flushed.
    fn has_unsent(&self) -> bool {
        self.unsent() > 0
    }

    /// Sends everything that was taken.
    ///
    /// # Errors
    /// The peer's, when it is gone.
    fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Ends this direction cleanly.
    ///
    /// # Errors
    /// The peer's, when it is gone.
    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A client: whoever asks, and gets the response.
pub(crate) trait Client: Source + Sink {
    /// Whether it frames bodies itself: then none comes or goes in chunks.
    const FRAMES_BODIES: bool;

    /// Ready when a read is likely to give something, or the client is gone; no memory is needed until
    /// then.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Sends the head that `out` begins with, unless heads are bytes like all others and go the way
    /// of the rest. `body` is the length of what follows, if it is known.
    ///
    /// # Errors
    /// The client's, when it is gone.
    fn send_head(&mut self, out: &mut Vec<u8>, body: Option<u64>) -> io::Result<()>;

    /// Ends the response behind its body; `trailers` are `name: value CR LF` each.
    ///
    /// # Errors
    /// The client's, when it is gone.
    fn end_body(&mut self, trailers: &[u8]) -> io::Result<()>;

    /// Whether a connection that is dropped, or lost with the process, is to end with a reset: where
    /// a clean end would tell the client that a response is complete.
    fn reset_when_dropped(&mut self, reset: bool);
}

impl Source for Stream {
    fn poll_read_some(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        self.poll_read_some(cx, room)
    }
}

impl Sink for Stream {
    fn poll_write_some(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_some(cx, slices)
    }

    fn unsent(&self) -> usize {
        self.unsent()
    }

    fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush_all(cx)
    }

    fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_finish(cx)
    }
}

/// A connection of HTTP/1: heads are bytes, and the lanes frame bodies.
impl Client for Stream {
    const FRAMES_BODIES: bool = false;

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_readable(cx)
    }

    fn send_head(&mut self, _out: &mut Vec<u8>, _body: Option<u64>) -> io::Result<()> {
        Ok(())
    }

    fn end_body(&mut self, _trailers: &[u8]) -> io::Result<()> {
        Ok(())
    }

    fn reset_when_dropped(&mut self, reset: bool) {
        Stream::reset_when_dropped(self, reset);
    }
}
