//! A connection of the data path, plain or TLS, that tells a clean end from a cut.

use crate::tls::Session;
use rustls::{ClientConfig, ServerConfig};
use rustls_pki_types::{CertificateDer, ServerName};
use socket2::SockRef;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

/// A byte stream over TCP, with or without TLS, or within this process.
///
/// A read of 0 bytes is the peer's clean end: FIN without TLS, `close_notify` with it. Written
/// bytes may stay behind in a TLS session; [`Stream::unsent`] says how many and
/// [`Stream::poll_flush_all`] sends them.
pub struct Stream {
    io: TcpStream,
    session: Option<Box<Session>>,
}

impl Stream {
    /// A connection without TLS.
    pub fn plain(io: TcpStream) -> Self {
        Self { io, session: None }
    }

    /// One end of a pair of sockets, whose other end is served by this process itself. It has no addresses.
    ///
    /// # Errors
    /// The system's.
    pub fn inside(io: UnixStream) -> io::Result<Self> {
        // What is asked of a socket here, those of both families do.
        let io = std::net::TcpStream::from(OwnedFd::from(io.into_std()?));
        Ok(Self::plain(TcpStream::from_std(io)?))
    }

    /// The server's side of a handshake; `hello` is what was read from `io` already. With TLS 1.3
    /// the session tickets go out with the first data, or with [`Stream::poll_flush_all`].
    ///
    /// # Errors
    /// The client's: it broke the protocol, offered nothing we do, or hung up. [`tls_fault`] tells
    /// what rustls found.
    pub async fn accept(
        io: TcpStream,
        config: Arc<ServerConfig>,
        hello: &[u8],
    ) -> io::Result<Self> {
        let mut session = Session::server(config)?;
        session.feed(hello);
        Self::handshake(io, session).await
    }

    /// The client's side of a handshake with a target that should be `name`. With TLS 1.3 our last
    /// flight goes out with the first data, or with [`Stream::poll_flush_all`].
    ///
    /// # Errors
    /// The target's: it hung up, broke the protocol, or showed a certificate that is not believed.
    pub async fn connect(
        io: TcpStream,
        config: Arc<ClientConfig>,
        name: ServerName<'static>,
    ) -> io::Result<Self> {
        Self::handshake(io, Session::client(config, name)?).await
    }

    async fn handshake(mut io: TcpStream, session: Session) -> io::Result<Self> {
        let mut session = Box::new(session);
        poll_fn(|cx| session.poll_handshake(&mut io, cx)).await?;
        Ok(Self {
            io,
            session: Some(session),
        })
    }

    /// The socket of a connection without TLS.
    pub fn into_plain(self) -> Option<TcpStream> {
        match self.session {
            Some(_) => None,
            None => Some(self.io),
        }
    }

    /// Whether TLS is spoken.
    pub fn is_tls(&self) -> bool {
        self.session.is_some()
    }

    /// The protocol that was agreed on in the handshake.
    pub fn alpn(&self) -> Option<&[u8]> {
        self.session.as_ref().and_then(|session| session.alpn())
    }

    /// Whether the session goes on from an earlier one, without certificates.
    pub fn is_resumed(&self) -> bool {
        self.session
            .as_ref()
            .is_some_and(|session| session.is_resumed())
    }

    /// The certificate that the other end has shown, then its intermediates; empty if it has none.
    pub fn peer_certificates(&self) -> &[CertificateDer<'static>] {
        let session = self.session.as_ref();
        session.map_or(&[], |session| session.peer_certificates())
    }

    /// Our address.
    ///
    /// # Errors
    /// The system's, when the connection is gone.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    /// The peer's address.
    ///
    /// # Errors
    /// The system's, when the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.io.peer_addr()
    }

    /// Waits until a read is likely to give something; no memory is needed until then.
    pub fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &self.session {
            Some(session) if session.is_readable() => Poll::Ready(Ok(())),
            _ => self.io.poll_read_ready(cx),
        }
    }

    /// Reads into `room`, which must not be empty; 0 is the clean end.
    ///
    /// # Errors
    /// The peer's: reset, broken TLS, or `UnexpectedEof` for TLS that ended without `close_notify`.
    pub fn poll_read_some(
        &mut self,
        cx: &mut Context<'_>,
        room: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        if let Some(session) = &mut self.session {
            return session.poll_read(&mut self.io, cx, room);
        }
        let mut room = ReadBuf::new(room);
        ready!(Pin::new(&mut self.io).poll_read(cx, &mut room))?;
        Poll::Ready(Ok(room.filled().len()))
    }

    /// Writes from the front of `slices` and gives how many bytes were taken.
    ///
    /// # Errors
    /// The peer's, when it is gone.
    pub fn poll_write_some(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match &mut self.session {
            Some(session) => session.poll_write(&mut self.io, cx, slices),
            None if slices.len() == 1 => Pin::new(&mut self.io).poll_write(cx, &slices[0]),
            None => Pin::new(&mut self.io).poll_write_vectored(cx, slices),
        }
    }

    /// How many bytes were taken and have not reached the socket, as they are on the wire.
    pub fn unsent(&self) -> usize {
        self.session.as_ref().map_or(0, |session| session.unsent())
    }

    /// Sends everything that was taken.
    ///
    /// # Errors
    /// The peer's, when it is gone.
    pub fn poll_flush_all(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.session {
            Some(session) => session.poll_flush(&mut self.io, cx),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Ends our direction cleanly: what was taken, `close_notify` where TLS is spoken, FIN.
    ///
    /// # Errors
    /// The peer's, when it is gone.
    pub fn poll_finish(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(session) = &mut self.session {
            ready!(session.poll_goodbye(&mut self.io, cx))?;
        }
        Pin::new(&mut self.io).poll_shutdown(cx)
    }

    /// Whether the connection ends with RST when it is dropped, or when this process dies, instead of
    /// the FIN that tells the peer of a clean end.
    pub fn reset_when_dropped(&self, reset: bool) {
        // If the option can not be set, the peer is gone already.
        let _ = SockRef::from(&self.io).set_linger(reset.then_some(Duration::ZERO));
    }

    /// Whether an idle connection is still good: nothing has come, neither data nor an end.
    /// Session tickets of TLS do not count. Costs a system call only where something has come.
    pub fn is_quiet(&mut self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        self.poll_read_some(&mut cx, &mut [0]).is_pending()
    }

    /// As [`Stream::is_quiet`], but asks the kernel instead of the last event: one system call
    /// where nothing has come.
    pub fn is_quiet_now(&mut self) -> bool {
        match self.peek() {
            Ok(None) => true,
            // What no event has told of yet is not read, and may be more than tickets.
            Ok(Some(1..)) if self.session.is_some() => {
                self.is_quiet() && matches!(self.peek(), Ok(None))
            }
            _ => false,
        }
    }

    /// Whether a byte waits in the kernel (1), the peer's end (0), or nothing.
    fn peek(&self) -> io::Result<Option<usize>> {
        match SockRef::from(&self.io).peek(&mut [MaybeUninit::uninit()]) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if buf.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let count = ready!(self.get_mut().poll_read_some(cx, buf.initialize_unfilled()))?;
        buf.advance(count);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_some(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.get_mut().poll_write_some(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_flush_all(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().poll_finish(cx)
    }
}

/// What rustls found, where a stream failed for that.
pub fn tls_fault(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

#[cfg(test)]
mod tests;
