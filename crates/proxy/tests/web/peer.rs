//! One end of a connection, as a script: sends bytes, and takes messages apart with no code of ours.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

/// Nothing on loopback takes that long.
const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const GET: &str = "GET / HTTP/1.1\r\nHost: web.example\r\n\r\n";
pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
pub(crate) const EMPTY: &str = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

/// Fails the test instead of letting it hang.
pub(crate) async fn within<T>(what: impl Future<Output = T>) -> T {
    let done = tokio::time::timeout(PATIENCE, what).await;
    done.expect("something happens in time")
}

pub(crate) struct Peer<S> {
    pub(crate) stream: S,
    ahead: Vec<u8>,
}

impl Peer<TcpStream> {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::new(within(TcpStream::connect(address)).await.unwrap())
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            ahead: Vec::new(),
        }
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.stream.write_all(bytes.as_ref())).await.unwrap();
        within(self.stream.flush()).await.unwrap();
    }

    /// Ends our direction.
    pub(crate) async fn finish(&mut self) {
        within(self.stream.shutdown()).await.unwrap();
    }

    /// A head up to its empty line, which is left out.
    pub(crate) async fn head(&mut self) -> String {
        loop {
            if let Some(end) = self.ahead.windows(4).position(|w| w == b"\r\n\r\n") {
                let rest = self.ahead.split_off(end + 4);
                let mut head = std::mem::replace(&mut self.ahead, rest);
                head.truncate(end);
                return String::from_utf8(head).unwrap();
            }
            let count = self.more().await;
            assert!(count > 0, "ended within {}", self.ahead.escape_ascii());
        }
    }

    /// Exactly so many bytes.
    pub(crate) async fn bytes(&mut self, count: usize) -> Vec<u8> {
        while self.ahead.len() < count {
            let more = self.more().await;
            assert!(more > 0, "ended after {} of {count}", self.ahead.len());
        }
        let rest = self.ahead.split_off(count);
        std::mem::replace(&mut self.ahead, rest)
    }

    pub(crate) async fn text(&mut self, count: usize) -> String {
        String::from_utf8(self.bytes(count).await).unwrap()
    }

    /// A line without its end.
    pub(crate) async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.ahead.windows(2).position(|w| w == b"\r\n") {
                let mut line = self.bytes(end + 2).await;
                line.truncate(end);
                return String::from_utf8(line).unwrap();
            }
            assert!(self.more().await > 0, "ended within a line");
        }
    }

    /// A whole chunked body: the data, and the trailer lines.
    pub(crate) async fn chunks(&mut self) -> (Vec<u8>, Vec<String>) {
        let mut data = Vec::new();
        loop {
            let size = usize::from_str_radix(&self.line().await, 16).unwrap();
            if size == 0 {
                break;
            }
            data.extend(self.bytes(size).await);
            assert_eq!(self.line().await, "");
        }
        let mut trailers = Vec::new();
        loop {
            match self.line().await {
                line if line.is_empty() => return (data, trailers),
                line => trailers.push(line),
            }
        }
    }

    /// A response: its head, and the body as its head frames it.
    pub(crate) async fn response(&mut self) -> (String, Vec<u8>) {
        let head = self.head().await;
        let body = if let Some(length) = field(&head, "content-length") {
            self.bytes(length.parse().unwrap()).await
        } else if field(&head, "transfer-encoding").is_some() {
            self.chunks().await.0
        } else {
            Vec::new()
        };
        (head, body)
    }

    /// A whole response with that status line, whatever its body.
    pub(crate) async fn gets(&mut self, status: &str) {
        let head = self.response().await.0;
        assert_eq!(first(&head), format!("HTTP/1.1 {status}"));
    }

    /// Takes the head of a request and sends `answer`.
    pub(crate) async fn answers(&mut self, answer: impl AsRef<[u8]>) {
        self.head().await;
        self.send(answer).await;
    }

    /// As a client that has asked: `target` answers [`OK`], and that arrives.
    pub(crate) async fn is_served_by<T>(&mut self, target: &mut Peer<T>)
    where
        T: AsyncRead + AsyncWrite + Unpin,
    {
        target.send(OK).await;
        assert_eq!(self.response().await.1, b"ok");
    }

    /// Everything up to the end, and whether that was a clean one.
    pub(crate) async fn rest(&mut self) -> (Vec<u8>, bool) {
        let ended = within(self.stream.read_to_end(&mut self.ahead)).await;
        (std::mem::take(&mut self.ahead), ended.is_ok())
    }

    /// The other side ends, cleanly or not, and has nothing left to say.
    pub(crate) async fn ends(&mut self) {
        let (rest, _) = self.rest().await;
        assert_eq!(rest.escape_ascii().to_string(), "");
    }

    /// Nothing comes for a while.
    pub(crate) async fn stays_silent(&mut self) {
        assert!(self.ahead.is_empty(), "{}", self.ahead.escape_ascii());
        let mut byte = [0];
        let read = self.stream.read(&mut byte);
        let read = tokio::time::timeout(Duration::from_millis(150), read).await;
        assert!(read.is_err(), "{read:?} {byte:?}");
    }

    async fn more(&mut self) -> usize {
        let mut room = vec![0; 64 * 1024];
        let count = within(self.stream.read(&mut room)).await.unwrap();
        self.ahead.extend_from_slice(&room[..count]);
        count
    }
}

/// The value of a field; the test fails where there are two.
pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut found = head.lines().skip(1).filter_map(|line| {
        let (own, value) = line.split_once(':')?;
        own.eq_ignore_ascii_case(name).then_some(value.trim())
    });
    let first = found.next();
    assert_eq!(found.next(), None, "two of {name} in\n{head}");
    first
}

/// The first line of a head.
pub(crate) fn first(head: &str) -> &str {
    head.lines().next().unwrap_or_default()
}

/// A target that a test plays.
pub(crate) struct Target {
    listener: Option<TcpListener>,
    pub(crate) address: SocketAddr,
}

impl Target {
    pub(crate) async fn start() -> Self {
        Self::at(([127, 0, 0, 1], 0).into()).await
    }

    /// One at that address.
    pub(crate) async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let listener = Some(listener);
        Self { listener, address }
    }

    /// It listens no more.
    pub(crate) fn close(&mut self) {
        self.listener = None;
    }

    /// One that takes no more connections: they stay unanswered. The first two are kept for it.
    pub(crate) async fn full() -> (Self, [TcpStream; 2]) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let first = within(TcpStream::connect(address)).await.unwrap();
        let second = within(TcpStream::connect(address)).await.unwrap();
        let listener = Some(listener);
        (Self { listener, address }, [first, second])
    }

    fn listener(&self) -> &TcpListener {
        self.listener.as_ref().expect("it listens")
    }

    pub(crate) async fn accept(&self) -> Peer<TcpStream> {
        let (stream, _) = within(self.listener().accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Peer::new(stream)
    }

    /// Accepts, and takes the head of a request that is like any other.
    pub(crate) async fn asked(&self) -> Peer<TcpStream> {
        let mut peer = self.accept().await;
        peer.head().await;
        peer
    }

    /// Whether somebody has connected by now, who is turned away.
    pub(crate) async fn is_waited_for(&self) -> bool {
        let accepted = self.listener().accept();
        let accepted = tokio::time::timeout(Duration::from_millis(1), accepted).await;
        accepted.is_ok()
    }

    /// Nobody connects for a while.
    pub(crate) async fn stays_alone(&self) {
        let accepted = self.listener().accept();
        let accepted = tokio::time::timeout(Duration::from_millis(150), accepted).await;
        assert!(accepted.is_err(), "somebody connected");
    }
}
