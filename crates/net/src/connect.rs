//! Connections to targets.

use nix::errno::Errno;
use socket2::{SockRef, TcpKeepalive};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

/// Connects to the first of `addresses` that answers, each given a fair share of `limit`.
/// The socket has `TCP_NODELAY`, and the kernel looks whether the other end is still there.
///
/// # Errors
/// The target's: what the last address said; `TimedOut` when it said nothing; `NotFound` when
/// there is no address.
pub async fn connect(addresses: &[SocketAddr], limit: Duration) -> io::Result<TcpStream> {
    let deadline = Instant::now() + limit;
    let mut last = io::Error::from(io::ErrorKind::NotFound);
    for (index, address) in addresses.iter().enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - index).unwrap_or(u32::MAX);
        last = match timeout(left / others, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true)?;
                SockRef::from(&stream).set_tcp_keepalive(&keep_alive())?;
                return Ok(stream);
            }
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
    }
    Err(last)
}

/// How the kernel finds out that the other end of an idle connection is gone: it asks after a minute, and gives up after two more. Before
/// that, a NAT router on the way may forget who is behind it.
pub(crate) fn keep_alive() -> TcpKeepalive {
    TcpKeepalive::new()
        .with_time(Duration::from_mins(1))
        .with_interval(Duration::from_secs(20))
        .with_retries(6)
}

/// Whether a connection failed for want of something of ours: descriptors, ports, memory. It says nothing
/// of who was to be connected.
pub fn is_out_of_room(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw);
    let Some(code) = code else { return false };
    matches!(
        code,
        Errno::EMFILE | Errno::ENFILE | Errno::EADDRNOTAVAIL | Errno::ENOBUFS | Errno::ENOMEM
    )
}

/// The other end of a connection from a socket of this machine to another of its own: then both ends
/// have one address.
pub fn peer_on_this_machine(stream: &TcpStream) -> Option<SocketAddr> {
    let (local, peer) = (stream.local_addr().ok()?, stream.peer_addr().ok()?);
    (local.ip() == peer.ip()).then_some(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpListener;

    #[tokio::test]
    async fn goes_on_to_the_next_address() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let dead = closed.local_addr().unwrap();
        drop(closed);
        let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let live = open.local_addr().unwrap();
        let stream = connect(&[dead, live], Duration::from_secs(5))
            .await
            .unwrap();
        assert_eq!(stream.peer_addr().unwrap(), live);
        assert_eq!(peer_on_this_machine(&stream), Some(live));
        let error = connect(&[dead], Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = connect(&[], Duration::from_secs(5)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_we_lack_is_told_from_what_the_other_side_does() {
        for ours in [Errno::EMFILE, Errno::ENFILE, Errno::EADDRNOTAVAIL] {
            assert!(is_out_of_room(&ours.into()), "{ours}");
        }
        for theirs in [Errno::ECONNREFUSED, Errno::EHOSTUNREACH, Errno::ETIMEDOUT] {
            assert!(!is_out_of_room(&theirs.into()), "{theirs}");
        }
        assert!(!is_out_of_room(&io::ErrorKind::TimedOut.into()));
    }
}
