//! One end of a connection, as a script: sends bytes, and takes messages apart with no code of ours.

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Nothing on loopback takes that long.
const PATIENCE: Duration = Duration::from_secs(20);

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
    listener: TcpListener,
    pub(crate) address: SocketAddr,
}

impl Target {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        Self { listener, address }
    }

    pub(crate) async fn accept(&self) -> Peer<TcpStream> {
        let (stream, _) = within(self.listener.accept()).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Peer::new(stream)
    }

    /// Nobody connects for a while.
    pub(crate) async fn stays_alone(&self) {
        let accepted = self.listener.accept();
        let accepted = tokio::time::timeout(Duration::from_millis(150), accepted).await;
        assert!(accepted.is_err(), "somebody connected");
    }
}
