use super::records::{
    OVERHEAD, Outgoing, READ, RECORD, SCRATCH, Scratch, Sink, Step, WAITING, WRITE, Write, handle,
    invalid,
};
use rustls::client::UnbufferedClientConnection;
use rustls::server::UnbufferedServerConnection;
use rustls::{ClientConfig, CommonState, HandshakeKind, ProtocolVersion, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

enum Side {
    Server(UnbufferedServerConnection),
    Client(UnbufferedClientConnection),
}

/// One TLS connection over a TCP socket that its owner passes in.
pub(crate) struct Session {
    side: Side,
    /// Ciphertext that does not yet make a whole record.
    incoming: Vec<u8>,
    /// Plaintext that the reader had no room for, from `taken` on.
    plain: Vec<u8>,
    taken: usize,
    /// Records that the socket did not take yet, from `sent` on.
    outgoing: Vec<u8>,
    sent: usize,
    /// `outgoing` is our last flight of a TLS 1.3 handshake, or session tickets: the first write
    /// of data takes them along, which saves a system call and a packet.
    lazy: bool,
    peer_closed: bool,
    said_goodbye: bool,
    /// The session is beyond use; the fault itself is here until a read has told it.
    failed: bool,
    fault: Option<io::Error>,
}

impl Session {
    pub(crate) fn server(config: Arc<ServerConfig>) -> io::Result<Self> {
        let connection = UnbufferedServerConnection::new(config).map_err(invalid)?;
        Ok(Self::new(Side::Server(connection)))
    }

    pub(crate) fn client(config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<Self> {
        let connection = UnbufferedClientConnection::new(config, name).map_err(invalid)?;
        Ok(Self::new(Side::Client(connection)))
    }

    fn new(side: Side) -> Self {
        Self {
            side,
            incoming: Vec::new(),
            plain: Vec::new(),
            taken: 0,
            outgoing: Vec::new(),
            sent: 0,
            lazy: false,
            peer_closed: false,
            said_goodbye: false,
            failed: false,
            fault: None,
        }
    }

    fn state(&self) -> &CommonState {
        match &self.side {
            Side::Server(connection) => connection,
            Side::Client(connection) => connection,
        }
    }

    pub(crate) fn alpn(&self) -> Option<&[u8]> {
        self.state().alpn_protocol()
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.state().handshake_kind() == Some(HandshakeKind::Resumed)
    }

    pub(crate) fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        self.state().peer_certificates().unwrap_or_default()
    }

    /// Bytes that were read from the socket before the session existed, the hello for instance.
    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.incoming.extend_from_slice(bytes);
    }

    /// Plaintext is waiting, or the peer's goodbye was seen: a read will not wait.
    pub(crate) fn is_readable(&self) -> bool {
        self.taken < self.plain.len() || self.peer_closed || self.failed
    }

    /// Bytes of records that must be flushed. Those that the next write takes along do not count.
    pub(crate) fn unsent(&self) -> usize {
        if self.lazy {
            0
        } else {
            self.outgoing.len() - self.sent
        }
    }

    fn has_unsent(&self) -> bool {
        self.unsent() > 0
    }

    /// Ends when both sides know the keys; the last flight may still wait for the first write.
    pub(crate) fn poll_handshake(
        &mut self,
        io: &mut TcpStream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let outcome = SCRATCH.with_borrow_mut(|scratch| self.process_all(scratch, &mut [], 0));
            if let Err(error) = outcome {
                // The alert is a courtesy: the error counts whether it could be sent or not.
                let _ = self.poll_send(io, cx);
                return Poll::Ready(Err(error));
            }
            if !self.state().is_handshaking() {
                if self.state().protocol_version() == Some(ProtocolVersion::TLSv1_3) {
                    self.lazy = true;
                    return Poll::Ready(Ok(()));
                }
                return self.poll_send(io, cx);
            }
            ready!(self.poll_send(io, cx))?;
            if self.peer_closed {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            let read = SCRATCH.with_borrow_mut(|scratch| {
                let count = ready!(read_some(io, cx, &mut scratch.incoming[..RECORD]))?;
                self.incoming.extend_from_slice(&scratch.incoming[..count]);
                Poll::Ready(Ok::<_, io::Error>(count))
            });
            if ready!(read)? == 0 {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
    }

    /// Reads plaintext into `reader`, which must not be empty; 0 after the peer's `close_notify`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the socket ended without `close_notify`: what was read may be cut short.
    pub(crate) fn poll_read(
        &mut self,
        io: &mut TcpStream,
        cx: &mut Context<'_>,
        reader: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            if self.taken < self.plain.len() {
                return Poll::Ready(Ok(self.take_plain(reader)));
            }
            if self.failed {
                let fault = self.fault.take();
                return Poll::Ready(Err(
                    fault.unwrap_or_else(|| io::ErrorKind::InvalidData.into())
                ));
            }
            if self.peer_closed {
                return Poll::Ready(Ok(0));
            }
            if self.has_unsent() {
                // An answer to a key update; if the socket is full, a later write sends it.
                let _ = self.poll_send(io, cx)?;
            }
            let outcome = SCRATCH.with_borrow_mut(|scratch| {
                // Whatever is read decrypts to less, so that it fits `reader` in the common case.
                let limit = (reader.len() + OVERHEAD).clamp(4096, READ);
                let from = self.incoming.len();
                let room = &mut scratch.incoming[from..from + limit];
                let count = ready!(read_some(io, cx, room))?;
                if count == 0 {
                    return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
                }
                Poll::Ready(self.process_all(scratch, reader, count))
            });
            match ready!(outcome) {
                Ok(0) => {}
                Ok(count) => return Poll::Ready(Ok(count)),
                Err(error) => {
                    let _ = self.poll_send(io, cx);
                    return Poll::Ready(Err(error));
                }
            }
        }
    }

    /// Encrypts what it can take of `slices`; what the socket does not take at once is kept
    /// and must be flushed. Waits while something is still unsent.
    pub(crate) fn poll_write(
        &mut self,
        io: &mut TcpStream,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.failed {
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if self.has_unsent() {
            ready!(self.poll_send(io, cx))?;
        }
        SCRATCH.with_borrow_mut(|scratch| {
            let Scratch {
                outgoing, gather, ..
            } = scratch;
            outgoing.len = 0;
            outgoing.append(&self.outgoing[self.sent..]);
            let taken = self.seal_slices(slices, outgoing, gather);
            self.lazy = false;
            self.forget_sent();
            let sent = send_some(io, cx, outgoing.records());
            if let Ok(sent) = sent {
                self.outgoing.extend_from_slice(&outgoing.records()[sent..]);
            }
            Poll::Ready(sent.and(taken))
        })
    }

    /// Sends what waits.
    pub(crate) fn poll_flush(
        &mut self,
        io: &mut TcpStream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        self.lazy = false;
        self.poll_send(io, cx)
    }

    /// Sends what waits and our `close_notify`; reading goes on.
    pub(crate) fn poll_goodbye(
        &mut self,
        io: &mut TcpStream,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.said_goodbye && !self.failed {
            self.said_goodbye = true;
            SCRATCH.with_borrow_mut(|scratch| {
                scratch.outgoing.len = 0;
                // A session that failed can not say goodbye; its socket is closed all the same.
                if let Ok(Step::Sealed) = self.advance(&mut scratch.outgoing, Write::Goodbye) {
                    self.outgoing.extend_from_slice(scratch.outgoing.records());
                }
            });
        }
        self.poll_flush(io, cx)
    }

    fn take_plain(&mut self, reader: &mut [u8]) -> usize {
        let waiting = &self.plain[self.taken..];
        let count = waiting.len().min(reader.len());
        reader[..count].copy_from_slice(&waiting[..count]);
        self.taken += count;
        if self.taken == self.plain.len() {
            self.plain = Vec::new();
            self.taken = 0;
        }
        count
    }

    fn poll_send(&mut self, io: &mut TcpStream, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.sent < self.outgoing.len() {
            let sent = send_some(io, cx, &self.outgoing[self.sent..])?;
            if sent == 0 {
                return Poll::Pending;
            }
            self.sent += sent;
        }
        self.forget_sent();
        Poll::Ready(Ok(()))
    }

    fn forget_sent(&mut self) {
        self.outgoing = Vec::new();
        self.sent = 0;
    }

    /// Runs everything that has come in, `fresh` bytes of it behind the place of the old ones in
    /// the scratch memory, through rustls; gives how much plaintext was put into `reader`.
    fn process_all(
        &mut self,
        scratch: &mut Scratch,
        reader: &mut [u8],
        fresh: usize,
    ) -> io::Result<usize> {
        let Scratch {
            incoming, outgoing, ..
        } = scratch;
        let old = self.incoming.len();
        incoming[..old].copy_from_slice(&self.incoming);
        let end = old + fresh;
        outgoing.len = 0;
        let mut sink = Sink {
            reader,
            filled: 0,
            waiting: &mut self.plain,
        };
        let mut at = 0;
        let outcome = loop {
            let records = &mut incoming[at..end];
            let (used, step) = match &mut self.side {
                Side::Server(c) => handle(
                    c.process_tls_records(records),
                    &mut sink,
                    outgoing,
                    Write::No,
                ),
                Side::Client(c) => handle(
                    c.process_tls_records(records),
                    &mut sink,
                    outgoing,
                    Write::No,
                ),
            };
            at += used;
            match step {
                Ok(Step::Again) => {}
                Ok(Step::PeerClosed) => self.peer_closed = true,
                Ok(Step::Idle | Step::Sealed) => break Ok(sink.filled),
                Err(error) => break Err(error),
            }
        };
        let filled = sink.filled;
        let rest = &incoming[at..end];
        let too_much = rest.len() > WAITING;
        self.incoming = if too_much { Vec::new() } else { rest.to_vec() };
        let outcome = match outcome {
            Ok(_) if too_much => Err(io::ErrorKind::InvalidData.into()),
            outcome => outcome,
        };
        if outcome.is_err() {
            self.failed = true;
            self.collect_alert(outgoing);
        }
        self.outgoing.extend_from_slice(outgoing.records());
        match outcome {
            // Data before the fault is still good; the fault is told by the next read.
            Err(fault) if filled > 0 => {
                self.fault = Some(fault);
                Ok(filled)
            }
            outcome => outcome,
        }
    }

    /// After a fault rustls has an alert to send. It must not look at the bad records again.
    fn collect_alert(&mut self, outgoing: &mut Outgoing) {
        for _ in 0..8 {
            if !self.state().wants_write() || self.advance(outgoing, Write::No).is_err() {
                return;
            }
        }
    }

    fn seal_slices(
        &mut self,
        slices: &[IoSlice<'_>],
        outgoing: &mut Outgoing,
        gather: &mut [u8],
    ) -> io::Result<usize> {
        let mut slices = slices
            .iter()
            .map(|slice| &**slice)
            .filter(|s| !s.is_empty());
        let mut current: &[u8] = slices.next().unwrap_or_default();
        let mut taken = 0;
        while !current.is_empty() && taken < WRITE {
            if current.len() < RECORD
                && let Some(next) = slices.next()
            {
                // Head and body, or chunk size and chunk, become one record.
                let mut gathered = current.len();
                gather[..gathered].copy_from_slice(current);
                current = next;
                loop {
                    let count = current.len().min(RECORD - gathered);
                    gather[gathered..gathered + count].copy_from_slice(&current[..count]);
                    gathered += count;
                    current = &current[count..];
                    if !current.is_empty() || gathered == RECORD {
                        break;
                    }
                    match slices.next() {
                        Some(next) => current = next,
                        None => break,
                    }
                }
                if current.is_empty() {
                    current = slices.next().unwrap_or_default();
                }
                self.seal(&gather[..gathered], outgoing)?;
                taken += gathered;
            } else {
                let count = current.len().min(WRITE - taken);
                self.seal(&current[..count], outgoing)?;
                taken += count;
                current = &current[count..];
                if current.is_empty() {
                    current = slices.next().unwrap_or_default();
                }
            }
        }
        Ok(taken)
    }

    fn seal(&mut self, data: &[u8], outgoing: &mut Outgoing) -> io::Result<()> {
        loop {
            match self.advance(outgoing, Write::Data(data))? {
                Step::Sealed => return Ok(()),
                Step::Again | Step::PeerClosed => {}
                Step::Idle => return Err(io::ErrorKind::NotConnected.into()),
            }
        }
    }

    /// One call into rustls beside reading. It is shown the bytes that wait for the rest of their
    /// record, since it may have begun to join a message that starts there.
    fn advance(&mut self, outgoing: &mut Outgoing, write: Write<'_>) -> io::Result<Step> {
        let mut sink = Sink {
            reader: &mut [],
            filled: 0,
            waiting: &mut self.plain,
        };
        let incoming = &mut self.incoming[..];
        let (used, step) = match &mut self.side {
            Side::Server(c) => handle(c.process_tls_records(incoming), &mut sink, outgoing, write),
            Side::Client(c) => handle(c.process_tls_records(incoming), &mut sink, outgoing, write),
        };
        self.incoming.drain(..used);
        if matches!(step, Ok(Step::PeerClosed)) {
            self.peer_closed = true;
        }
        step
    }
}

fn read_some(io: &mut TcpStream, cx: &mut Context<'_>, room: &mut [u8]) -> Poll<io::Result<usize>> {
    let mut room = ReadBuf::new(room);
    ready!(Pin::new(io).poll_read(cx, &mut room))?;
    Poll::Ready(Ok(room.filled().len()))
}

/// Writes until the socket takes no more; then the waker is registered.
fn send_some(io: &mut TcpStream, cx: &mut Context<'_>, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match Pin::new(&mut *io).poll_write(cx, &bytes[sent..]) {
            Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
            Poll::Ready(Ok(count)) => sent += count,
            Poll::Ready(Err(error)) => return Err(error),
            Poll::Pending => break,
        }
    }
    Ok(sent)
}
