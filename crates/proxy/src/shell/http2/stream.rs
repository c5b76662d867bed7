//! One stream of HTTP/2: to an exchange, a client like any other.

use crate::core::{header_map, take_http2_response, write_fields};
use crate::shell::client::{Client, Sink, Source};
use bytes::{Buf, Bytes, BytesMut};
use h2::server::SendResponse;
use h2::{Reason, RecvStream, SendStream};
use std::io::{self, IoSlice};
use std::task::{Context, Poll, ready};

/// The most that is given to a connection at once; it holds no more than that of a stream.
pub(super) const WRITE: usize = 16 * 1024;

/// A stream that a client has opened.
pub(crate) struct Http2Stream {
    request: RecvStream,
    /// What came of the request's body and was not yet read.
    waiting: Bytes,
    trailers: Vec<u8>,
    request_ended: bool,
    respond: SendResponse<Bytes>,
    /// Takes the body once the head is sent.
    response: Option<SendStream<Bytes>>,
    /// What is left of the body, if that is known.
    left: Option<u64>,
    response_ended: bool,
    given_up: bool,
}

impl Http2Stream {
    pub(super) fn new(request: RecvStream, respond: SendResponse<Bytes>) -> Self {
        Self {
            request,
            waiting: Bytes::new(),
            trailers: Vec::new(),
            request_ended: false,
            respond,
            response: None,
            left: None,
            response_ended: false,
            given_up: false,
        }
    }

    /// Whether the client has taken the request back, and got nothing of a response.
    pub(super) fn is_given_up_unanswered(&mut self, cx: &mut Context<'_>) -> bool {
        if self.response.is_none() {
            // Its error is of no interest, only what it says of the client.
            let _ = self.poll_readable(cx);
            return self.given_up;
        }
        false
    }

    /// Ends the stream; the client learns why.
    pub(super) fn reset(&mut self, reason: Reason) {
        // What has ended cleanly may still wait to be sent; a reset would throw it away.
        if self.response_ended {
            return;
        }
        match &mut self.response {
            Some(response) => response.send_reset(reason),
            None => self.respond.send_reset(reason),
        }
    }

    fn broken(&mut self, error: h2::Error) -> io::Error {
        self.given_up |= error.is_reset() && error.is_remote();
        io::Error::other(error)
    }
}

impl Source for Http2Stream {
    fn poll_read_some(&mut self, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
        while self.waiting.is_empty() {
            if self.request_ended {
                return Poll::Ready(Ok(0));
            }
            match ready!(self.request.poll_data(cx)) {
                Some(Ok(data)) => self.waiting = data,
                Some(Err(error)) => return Poll::Ready(Err(self.broken(error))),
                None => match ready!(self.request.poll_trailers(cx)) {
                    Ok(trailers) => {
                        self.request_ended = true;
                        if let Some(trailers) = trailers {
                            write_fields(&mut self.trailers, &trailers);
                        }
                    }
                    Err(error) => return Poll::Ready(Err(self.broken(error))),
                },
            }
        }
        let count = room.len().min(self.waiting.len());
        self.waiting.copy_to_slice(&mut room[..count]);
        // The client may send as much as was taken. It can not be more than it has sent.
        let _ = self.request.flow_control().release_capacity(count);
        Poll::Ready(Ok(count))
    }

    fn take_trailers(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.trailers)
    }
}

impl Sink for Http2Stream {
    fn poll_write_some(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Some(response) = &mut self.response else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        let all: usize = slices.iter().map(|slice| slice.len()).sum();
        response.reserve_capacity(all.min(WRITE));
        while response.capacity() == 0 {
            match ready!(response.poll_capacity(cx)) {
                Some(Ok(_)) => {}
                Some(Err(error)) => return Poll::Ready(Err(self.broken(error))),
                None => return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            }
        }
        let count = response.capacity().min(all);
        let mut data = BytesMut::with_capacity(count);
        for slice in slices {
            let rest = count - data.len();
            data.extend_from_slice(&slice[..slice.len().min(rest)]);
        }
        let ends = match &mut self.left {
            Some(left) => {
                *left = left.saturating_sub(count as u64);
                *left == 0
            }
            None => false,
        };
        let sent = response.send_data(data.freeze(), ends);
        self.response_ended |= ends && sent.is_ok();
        Poll::Ready(match sent {
            Ok(()) => Ok(count),
            Err(error) => Err(self.broken(error)),
        })
    }

    fn unsent(&self) -> usize {
        0
    }

    fn poll_flush_all(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // What the connection has taken it sends by itself.
        Poll::Ready(Ok(()))
    }

    fn poll_finish(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.end_body(&[]))
    }
}

impl Client for Http2Stream {
    const FRAMES_BODIES: bool = true;

    /// Ready only when the client has gone: with the request there is nothing more to read.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let reset = match &mut self.response {
            Some(response) => ready!(response.poll_reset(cx)),
            None => ready!(self.respond.poll_reset(cx)),
        };
        Poll::Ready(Err(match reset {
            Ok(_) => {
                self.given_up = true;
                io::ErrorKind::ConnectionReset.into()
            }
            Err(error) => self.broken(error),
        }))
    }

    fn send_head(&mut self, out: &mut Vec<u8>, body: Option<u64>) -> io::Result<()> {
        let Some(head) = take_http2_response(out) else {
            return Ok(());
        };
        if head.status().is_informational() {
            let sent = self.respond.send_informational(head);
            return sent.map_err(|error| self.broken(error));
        }
        let bodiless = body == Some(0);
        match self.respond.send_response(head, bodiless) {
            Ok(response) => {
                self.response = Some(response);
                self.response_ended = bodiless;
                self.left = body;
                Ok(())
            }
            Err(error) => Err(self.broken(error)),
        }
    }

    fn end_body(&mut self, trailers: &[u8]) -> io::Result<()> {
        let Some(response) = self.response.as_mut().filter(|_| !self.response_ended) else {
            return Ok(());
        };
        let ended = match header_map(trailers) {
            trailers if trailers.is_empty() => response.send_data(Bytes::new(), true),
            trailers => response.send_trailers(trailers),
        };
        self.response_ended = ended.is_ok();
        ended.map_err(|error| self.broken(error))
    }

    /// A stream that is dropped, as one of a process that dies, has no clean end.
    fn reset_when_dropped(&mut self, _: bool) {}
}
