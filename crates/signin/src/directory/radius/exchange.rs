//! A request and its answer: one socket with a port of its own, the same packet again where nothing comes.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use std::{fmt, io};

use proto::radius::{Answer, Fault, MAX_PACKET, Nonce, Request, Unsayable};
use tokio::net::UdpSocket;
use tokio::time::{Instant, timeout_at};

/// Where to ask, and for how long.
pub(super) struct Exchange<'a> {
    /// The addresses of one server; the first that there is a way to is asked.
    pub(super) addresses: &'a [SocketAddr],
    pub(super) secret: &'a [u8],
    /// How long an answer is waited for, each time.
    pub(super) timeout: Duration,
    /// How often it is asked.
    pub(super) tries: u32,
}

/// Why there is no answer.
pub(super) enum Failure {
    /// It can not be asked in RADIUS.
    Unsayable(Unsayable),
    /// Nothing came that is an answer; why, for the operator.
    Unheard(String),
}

/// Packets that came from the server's address and are no answers: as if they had not come, but the operator is told.
#[derive(Default)]
struct Strays {
    count: u32,
    last: Option<Fault>,
}

impl Exchange<'_> {
    /// Asks, and gives the answer to `take` with the address that it came from.
    pub(super) async fn ask<T>(
        &self,
        request: &Request<'_>,
        take: impl FnOnce(Answer<'_>, SocketAddr) -> T,
    ) -> Result<T, Failure> {
        let nonce = nonce()?;
        let packet = request
            .encode(&nonce, self.secret)
            .map_err(Failure::Unsayable)?;
        let (socket, address) = self.socket().await?;
        let mut buffer = vec![0; MAX_PACKET];
        let mut strays = Strays::default();
        for _ in 0..self.tries {
            // An error of either is about the packet before: a port that nobody listens at, a way that is none.
            socket.send(&packet).await.map_err(unheard)?;
            let end = Instant::now() + self.timeout;
            while let Ok(received) = timeout_at(end, socket.recv(&mut buffer)).await {
                let len = received.map_err(unheard)?;
                let datagram = buffer.get(..len).unwrap_or_default();
                match Answer::read(datagram, &nonce, self.secret) {
                    Ok(answer) => return Ok(take(answer, address)),
                    Err(fault) => strays.note(fault),
                }
            }
        }
        let waited = self.timeout * self.tries;
        Err(Failure::Unheard(format!("no answer in {waited:?}{strays}")))
    }

    async fn socket(&self) -> Result<(UdpSocket, SocketAddr), Failure> {
        let mut last = Failure::Unheard("its name has no address".to_owned());
        for address in self.addresses {
            match connected(*address).await {
                Ok(socket) => return Ok((socket, *address)),
                Err(error) => last = unheard(error),
            }
        }
        Err(last)
    }
}

/// From a port that the kernel chooses at random, and heard by nobody but the server: one more number for a forger to guess.
async fn connected(address: SocketAddr) -> io::Result<UdpSocket> {
    let own = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(own).await?;
    socket.connect(address).await?;
    Ok(socket)
}

fn nonce() -> Result<Nonce, Failure> {
    let mut bytes = [0; 17];
    getrandom::fill(&mut bytes).map_err(unheard)?;
    let [identifier, authenticator @ ..] = bytes;
    Ok(Nonce {
        identifier,
        authenticator,
    })
}

fn unheard(error: impl fmt::Display) -> Failure {
    Failure::Unheard(error.to_string())
}

impl Strays {
    fn note(&mut self, fault: Fault) {
        self.count = self.count.saturating_add(1);
        self.last = Some(fault);
    }
}

impl fmt::Display for Strays {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.last {
            Some(last) => write!(f, ", but {} that can not be believed: {last}", self.count),
            None => Ok(()),
        }
    }
}
