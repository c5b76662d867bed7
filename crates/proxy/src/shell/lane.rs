//! One direction of a request: bytes are read from one side, framed anew where needed,
//! and written to the other, never more of them held than one buffer.

use crate::core::Reason;
use crate::shell::buffer::{Buffer, give_back_vector, take_vector};
use crate::shell::client::{Client, Sink, Source};
use crate::shell::limits;
use proto::http::{
    CHUNK_HEADER_MAX, ChunkDecoder, Framing, LAST_CHUNK, Limits, Malformed, Name, ResponseFraming,
    write_chunk_header,
};
use std::io::{self, IoSlice};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

/// A direction, kept for all requests of a connection.
#[derive(Default)]
pub(crate) struct Lane {
    /// What was read from the source.
    pub(crate) buffer: Buffer,
    /// What goes to the sink before more of the buffer: heads, and chunks framed anew.
    pub(crate) out: Vec<u8>,
    sent: usize,
    body: Body,
    /// Whether the sink gets chunks.
    chunked: bool,
    /// Bytes of the body so far.
    passed: u64,
    /// The most there may be.
    limit: Option<u64>,
    /// The names of fields that only we may send, as trailers neither.
    withheld: Option<Arc<[Box<str>]>>,
    /// Trailers of a body whose sink does not get chunks, as `name: value CR LF`.
    trailers: Vec<u8>,
    /// Where in `out` the head of this message begins, behind interim ones.
    head: usize,
    /// Whether the sink took a byte of this message.
    begun: bool,
    /// Whether a source of TLS may end without saying so.
    abrupt_end: bool,
}

/// How the source frames what is left of the body.
#[derive(Default)]
enum Body {
    /// Nothing is left.
    #[default]
    Done,
    Length(u64),
    Chunked(Box<ChunkDecoder>),
    UntilEnd,
    /// Until the end, message by message.
    Screened(Box<Screened>),
}

/// A direction that is looked at.
struct Screened {
    screen: Box<dyn Screen>,
    /// So many bytes of the buffer and behind it may pass.
    looked: usize,
    /// Why what comes behind them may not.
    refused: Option<Reason>,
}

/// Looks at each message of one direction before it is passed on.
pub(crate) trait Screen {
    /// Looks at what was read, which begins where the last message ended and is not empty. What is to be sent instead of a
    /// message goes to `out`.
    ///
    /// # Errors
    /// Why the connection is to end, with nothing of the message passed on.
    fn look(&mut self, read: &[u8], out: &mut Vec<u8>) -> Result<Look, Reason>;
}

/// What becomes of the message that was looked at.
pub(crate) enum Look {
    /// More of it is needed.
    More,
    /// So many bytes pass as they are; more of them than there are yet, where they need not be looked at.
    Pass(usize),
    /// So many bytes that were read are left out, for what was written in their stead.
    Replaced(usize),
}

/// Why a direction can not go on.
#[derive(Debug)]
pub(crate) enum Broken {
    /// The source failed.
    Source(io::Error),
    /// The source ended in the middle of the body.
    Cut,
    /// The sink failed.
    Sink,
    /// The source's framing is wrong.
    Malformed(Malformed),
    /// The body is larger than allowed.
    TooLarge(u64),
    /// A message may not pass.
    Refused(Reason),
}

impl Lane {
    /// Begins the body of a request of a `C`; what is in `out` goes before it. `withheld` are the
    /// names of fields that are ours to send.
    pub(crate) fn begin_request<C: Client>(
        &mut self,
        framing: Framing,
        limit: Option<u64>,
        withheld: &Arc<[Box<str>]>,
    ) {
        self.body = match framing {
            Framing::None | Framing::Length(0) => Body::Done,
            Framing::Length(length) => Body::Length(length),
            Framing::Chunked if C::FRAMES_BODIES => Body::UntilEnd,
            Framing::Chunked => Body::Chunked(Box::new(decoder())),
        };
        self.chunked = framing == Framing::Chunked;
        self.passed = 0;
        self.limit = limit;
        // Only chunks have trailers.
        let some = self.chunked && !withheld.is_empty();
        self.withheld = some.then(|| Arc::clone(withheld));
    }

    /// Begins the body of a response; `chunked` says how the client gets it, `abrupt_end` whether a
    /// body that only the end of the connection ends may do so without TLS's goodbye. The message's head
    /// was written to `out` from `head` on.
    pub(crate) fn begin_response(
        &mut self,
        head: usize,
        framing: ResponseFraming,
        chunked: bool,
        abrupt_end: bool,
    ) {
        self.body = match framing {
            ResponseFraming::None | ResponseFraming::Length(0) => Body::Done,
            ResponseFraming::Length(length) => Body::Length(length),
            ResponseFraming::Chunked => Body::Chunked(Box::new(decoder())),
            ResponseFraming::UntilClose => Body::UntilEnd,
        };
        self.chunked = chunked;
        self.abrupt_end = abrupt_end;
        self.passed = 0;
        self.limit = None;
        self.withheld = None;
        self.head = head;
        self.begun = false;
    }

    /// Behind an interim head: the message's own is yet to come.
    pub(crate) fn end_interim(&mut self) {
        self.head = self.out.len();
    }

    /// Forgets a response of which the sink has got nothing yet; interim ones before it stay.
    pub(crate) fn take_back(&mut self) {
        self.out.truncate(self.head.max(self.sent));
        self.trailers.clear();
        self.body = Body::Done;
        self.buffer.clear();
    }

    /// Begins a tunnel: everything until the source ends.
    pub(crate) fn begin_tunnel(&mut self) {
        self.body = Body::UntilEnd;
        self.chunked = false;
        self.abrupt_end = false;
        self.passed = 0;
        self.limit = None;
        self.withheld = None;
    }

    /// As [`Lane::begin_tunnel`], with everything looked at by `screen`.
    pub(crate) fn begin_screened(&mut self, screen: Box<dyn Screen>) {
        self.begin_tunnel();
        self.body = Body::Screened(Box::new(Screened {
            screen,
            looked: 0,
            refused: None,
        }));
    }

    /// Makes ready for the next message; what was read ahead of it stays.
    pub(crate) fn reset(&mut self) {
        self.body = Body::Done;
        self.sent = 0;
        self.out.clear();
        self.trailers.clear();
        self.head = 0;
        self.begun = false;
    }

    /// A place to write heads to.
    pub(crate) fn prepare(&mut self) -> &mut Vec<u8> {
        if self.out.capacity() == 0 {
            self.out = take_vector();
        }
        &mut self.out
    }

    /// Gives back memory that is of no use until the next message.
    pub(crate) fn rest(&mut self) {
        self.reset();
        give_back_vector(std::mem::take(&mut self.out));
        self.buffer.release_if_empty();
    }

    /// Sends the head again, over another connection.
    pub(crate) fn rewind(&mut self) {
        self.sent = 0;
    }

    /// Whether the source has given the whole body.
    pub(crate) fn has_whole_body(&self) -> bool {
        matches!(self.body, Body::Done)
    }

    /// Whether everything has been given to the sink.
    pub(crate) fn is_done(&self) -> bool {
        self.has_whole_body() && self.sent == self.out.len()
    }

    /// Whether the sink has got some of the message.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Trailers that the sink does not get in chunks, as `name: value CR LF`.
    pub(crate) fn trailers(&self) -> &[u8] {
        &self.trailers
    }

    /// Has `client` send the head that `out` begins with, where that is its business.
    ///
    /// # Errors
    /// The client's, when it is gone.
    pub(crate) fn hand_over_head<C: Client>(
        &mut self,
        client: &mut C,
        body: Option<u64>,
    ) -> io::Result<()> {
        client.send_head(&mut self.out, body)?;
        self.begun |= C::FRAMES_BODIES;
        Ok(())
    }

    /// Whether more of a message is waited for that is looked at.
    pub(crate) fn waits_for_more(&self) -> bool {
        let is_between = match &self.body {
            Body::Screened(screened) => screened.looked == 0,
            _ => false,
        };
        is_between && !self.buffer.is_empty()
    }

    /// Whether framed bytes wait for the sink.
    pub(crate) fn has_unsent(&self) -> bool {
        self.sent < self.out.len()
    }

    /// Bytes of the body that were passed on.
    pub(crate) fn passed(&self) -> u64 {
        self.passed
    }

    /// Moves on; ready once everything was taken by the sink and has left for it. `moved` tells
    /// whether any byte was read or written.
    pub(crate) fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut impl Source,
        sink: &mut impl Sink,
        moved: &mut bool,
    ) -> Poll<Result<(), Broken>> {
        loop {
            let direct = self.translate()?;
            if self.sent < self.out.len() || direct > 0 {
                let count = ready!(self.poll_write(cx, sink, direct)).map_err(|_| Broken::Sink)?;
                *moved |= count > 0;
                continue;
            }
            if self.has_whole_body() {
                return sink.poll_flush_all(cx).map_err(|_| Broken::Sink);
            }
            if sink.has_unsent() {
                // A sink that is slow is not to cost a second buffer.
                self.buffer.release_if_empty();
                let before = sink.unsent();
                let flushed = sink.poll_flush_all(cx);
                *moved |= sink.unsent() < before;
                ready!(flushed).map_err(|_| Broken::Sink)?;
            }
            match self.poll_read(cx, source) {
                Poll::Ready(Ok(0)) => self.end(source)?,
                Poll::Ready(Ok(_)) => *moved = true,
                Poll::Ready(Err(error)) if self.abrupt_end && is_end(&error) => self.end(source)?,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Broken::Source(error))),
                Poll::Pending => {
                    self.buffer.release_if_empty();
                    return Poll::Pending;
                }
            }
        }
    }

    /// Writes what waits and may pass, without reading more; ready once it has left.
    pub(crate) fn poll_drain(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut impl Sink,
        moved: &mut bool,
    ) -> Poll<io::Result<()>> {
        loop {
            let looked = match &self.body {
                Body::Screened(screened) => screened.looked,
                _ => 0,
            };
            let direct = looked.min(self.buffer.len());
            if self.sent == self.out.len() && direct == 0 {
                return sink.poll_flush_all(cx);
            }
            *moved |= ready!(self.poll_write(cx, sink, direct))? > 0;
        }
    }

    /// Reads into the buffer, which must not be full; 0 is the source's clean end.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut impl Source,
    ) -> Poll<io::Result<usize>> {
        let count = ready!(source.poll_read_some(cx, self.buffer.room()))?;
        self.buffer.advance(count);
        Poll::Ready(Ok(count))
    }

    /// Writes `out` and then the first `direct` bytes of the buffer.
    fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut impl Sink,
        direct: usize,
    ) -> Poll<io::Result<usize>> {
        let framed = &self.out[self.sent..];
        let body = &self.buffer.filled()[..direct];
        let count = match (framed.is_empty(), body.is_empty()) {
            (false, true) => ready!(sink.poll_write_some(cx, &[IoSlice::new(framed)]))?,
            (true, _) => ready!(sink.poll_write_some(cx, &[IoSlice::new(body)]))?,
            (false, false) => {
                let slices = [IoSlice::new(framed), IoSlice::new(body)];
                ready!(sink.poll_write_some(cx, &slices))?
            }
        };
        if count == 0 {
            return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
        }
        let of_framed = count.min(framed.len());
        let of_body = count - of_framed;
        self.sent += of_framed;
        self.begun |= of_body > 0 || self.sent > self.head;
        if of_body > 0 {
            self.buffer.consume(of_body);
            self.passed += of_body as u64;
            match &mut self.body {
                Body::Length(left) => {
                    *left -= of_body as u64;
                    if *left == 0 {
                        self.body = Body::Done;
                    }
                }
                Body::Screened(screened) => screened.looked -= of_body,
                _ => {}
            }
        }
        Poll::Ready(Ok(count))
    }

    /// Frames what is in the buffer as far as that is needed; says how many bytes of it can be
    /// written as they are.
    fn translate(&mut self) -> Result<usize, Broken> {
        if self.sent == self.out.len() && self.sent > 0 && !self.has_whole_body() {
            // With the whole body read, the head is kept: it may have to be sent again.
            self.out.clear();
            self.sent = 0;
            self.head = 0;
        }
        let available = self.buffer.len();
        if let (Body::UntilEnd, Some(limit)) = (&self.body, self.limit)
            && self.passed + available as u64 > limit
        {
            return Err(Broken::TooLarge(limit));
        }
        match &mut self.body {
            Body::Done => Ok(0),
            Body::Length(left) => {
                Ok(usize::try_from(*left).map_or(available, |left| left.min(available)))
            }
            Body::UntilEnd if self.chunked => {
                if available > 0 && self.out.len() < limits::FRAMED {
                    chunk(&mut self.out, self.buffer.filled());
                    self.passed += available as u64;
                    self.buffer.consume(available);
                }
                Ok(0)
            }
            Body::UntilEnd => Ok(available),
            Body::Screened(..) => self.screen(),
            Body::Chunked(_) => {
                self.translate_chunks()?;
                Ok(0)
            }
        }
    }

    /// Has as many messages looked at as are there, so that one write takes them all; says how many bytes of the buffer can be written as
    /// they are.
    fn screen(&mut self) -> Result<usize, Broken> {
        let Body::Screened(screened) = &mut self.body else {
            return Ok(0);
        };
        let Screened {
            screen,
            looked,
            refused,
        } = &mut **screened;
        while *looked < self.buffer.len() && self.out.len() < limits::FRAMED && refused.is_none() {
            let before = self.out.len();
            let (passing, rest) = self.buffer.filled().split_at(*looked);
            match screen.look(rest, &mut self.out) {
                Ok(Look::More) => {
                    self.out.truncate(before);
                    break;
                }
                Ok(Look::Pass(count)) => *looked = looked.saturating_add(count),
                Ok(Look::Replaced(count)) => {
                    // What is to go before it is still in the buffer.
                    self.out.splice(before..before, passing.iter().copied());
                    let count = count + std::mem::take(looked);
                    self.passed += count as u64;
                    self.buffer.consume(count);
                }
                Err(reason) => {
                    self.out.truncate(before);
                    *refused = Some(reason);
                }
            }
        }
        if *looked == 0
            && self.out.len() == self.sent
            && let Some(reason) = refused.take()
        {
            return Err(Broken::Refused(reason));
        }
        Ok((*looked).min(self.buffer.len()))
    }

    fn translate_chunks(&mut self) -> Result<(), Broken> {
        let Body::Chunked(decoder) = &mut self.body else {
            return Ok(());
        };
        let mut finished = false;
        while !finished && !self.buffer.is_empty() && self.out.len() < limits::FRAMED {
            let input = self.buffer.filled();
            let decoded = decoder.decode(input).map_err(Broken::Malformed)?;
            let data = &input[decoded.data.clone()];
            self.passed += data.len() as u64;
            if let Some(limit) = self.limit.filter(|limit| self.passed > *limit) {
                return Err(Broken::TooLarge(limit));
            }
            if !data.is_empty() {
                if self.chunked {
                    chunk(&mut self.out, data);
                } else {
                    self.out.extend_from_slice(data);
                }
            }
            finished = decoded.finished;
            self.buffer.consume(decoded.consumed);
        }
        if finished {
            let withheld = self.withheld.as_deref().unwrap_or_default();
            if self.chunked {
                write_end(&mut self.out, decoder, withheld);
            } else {
                write_trailers(&mut self.trailers, decoder, withheld);
            }
            self.body = Body::Done;
        }
        Ok(())
    }

    /// The source has ended cleanly.
    fn end(&mut self, source: &mut impl Source) -> Result<(), Broken> {
        self.buffer.release_if_empty();
        let is_between = match &self.body {
            Body::UntilEnd => true,
            Body::Screened(screened) => screened.looked == 0 && self.buffer.is_empty(),
            _ => false,
        };
        if !is_between {
            return Err(Broken::Cut);
        }
        self.body = Body::Done;
        if self.chunked {
            self.out.clear();
            self.sent = 0;
            let trailers = source.take_trailers();
            if trailers.is_empty() {
                self.out.extend_from_slice(LAST_CHUNK);
            } else {
                // By the same rules as those in chunks.
                let section = [b"0\r\n", trailers.as_slice(), b"\r\n"].concat();
                let mut decoder = decoder();
                decoder.decode(&section).map_err(Broken::Malformed)?;
                let withheld = self.withheld.as_deref().unwrap_or_default();
                write_end(&mut self.out, &decoder, withheld);
            }
        }
        Ok(())
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        give_back_vector(std::mem::take(&mut self.out));
    }
}

fn decoder() -> ChunkDecoder {
    ChunkDecoder::new(&Limits::default())
}

/// Whether a source of TLS ended without its goodbye.
fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}

/// Appends `data`, which is not empty, as one chunk.
fn chunk(out: &mut Vec<u8>, data: &[u8]) {
    let mut line = [0; CHUNK_HEADER_MAX];
    out.extend_from_slice(write_chunk_header(data.len() as u64, &mut line));
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Appends the last chunk with the trailers of `decoder`, but for those that a target may take
/// for `withheld`.
fn write_end(out: &mut Vec<u8>, decoder: &ChunkDecoder, withheld: &[Box<str>]) {
    out.extend_from_slice(b"0\r\n");
    write_trailers(out, decoder, withheld);
    out.extend_from_slice(b"\r\n");
}

fn write_trailers(out: &mut Vec<u8>, decoder: &ChunkDecoder, withheld: &[Box<str>]) {
    let is_withheld = |name: &str| {
        let mut own = withheld.iter();
        own.any(|own| Name::are_twins(name.as_bytes(), own.as_bytes()))
    };
    for (name, value) in decoder.trailers().filter(|(name, _)| !is_withheld(name)) {
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value);
        out.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests;
