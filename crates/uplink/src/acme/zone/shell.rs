//! Answers questions on sockets.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use certs::Answers;
use net::Listener;
use nix::errno::Errno;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Carrier, Zone, answer, by_stream};

/// The longest question that is looked at: a name has 255 bytes.
const QUESTION: usize = 512;
/// Connections at one time, and of one network (IPv4 /24, IPv6 /64) among them.
const CONNECTIONS: usize = 64;
const OF_ONE_NETWORK: usize = 8;
/// How long a connection may take for all of its questions.
const CONNECTION: Duration = Duration::from_secs(5);
/// Datagrams that are answered in a second, a CA sends a dozen; whoever comes later is told to come by a connection.
const DATAGRAMS: u32 = 500;
/// How long nothing is taken after taking has failed.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers questions for `zones` out of `answers` on `listener`, until it is dropped. Must be called where tokio runs.
///
/// # Errors
/// A socket can not be watched: ours.
pub fn serve(
    listener: &Listener,
    zones: &watch::Receiver<Arc<[Zone]>>,
    answers: &Answers,
) -> io::Result<impl Future<Output = ()> + use<>> {
    let mut tasks = JoinSet::new();
    for socket in listener.shards.udp() {
        let socket = UdpSocket::from_std(socket.try_clone()?)?;
        tasks.spawn(datagrams(socket, zones.clone(), answers.clone()));
    }
    let room = Room::default();
    for listener in listener.shards.tcp() {
        let listener = TcpListener::from_std(listener.try_clone()?)?;
        let room = Arc::clone(&room);
        tasks.spawn(connections(listener, zones.clone(), answers.clone(), room));
    }
    Ok(async move { while tasks.join_next().await.is_some() {} })
}

async fn datagrams(socket: UdpSocket, zones: watch::Receiver<Arc<[Zone]>>, answers: Answers) {
    let mut question = vec![0; QUESTION];
    let (mut second, mut left) = (Instant::now(), DATAGRAMS);
    loop {
        let (length, asker) = match socket.recv_from(&mut question).await {
            Ok(received) => received,
            Err(error) => {
                // News of an answer that did not arrive is no reason to wait.
                if error.raw_os_error() != Some(Errno::ECONNREFUSED as i32) {
                    sleep(PAUSE).await;
                }
                continue;
            }
        };
        if second.elapsed() >= Duration::from_secs(1) {
            (second, left) = (Instant::now(), DATAGRAMS);
        }
        if asker.port() == 0 {
            continue;
        }
        let question = &question[..length];
        let said = if left == 0 {
            by_stream(question)
        } else {
            left -= 1;
            let known = Arc::clone(&zones.borrow());
            answer(&known, question, Carrier::Datagram, |name| {
                answers.txt(name)
            })
        };
        if let Some(said) = said {
            tell(&socket, &said, asker);
        }
    }
}

/// The connections that are open, by network.
type Room = Arc<Mutex<HashMap<IpAddr, usize>>>;

/// One of these, until it is dropped.
struct Place {
    room: Room,
    network: IpAddr,
}

impl Place {
    /// None where all are taken, or those of this network.
    fn of(asker: IpAddr, room: &Room) -> Option<Self> {
        let network = network(asker);
        let mut open = room.lock().unwrap_or_else(PoisonError::into_inner);
        let ours = open.get(&network).copied().unwrap_or_default();
        if ours >= OF_ONE_NETWORK || open.values().sum::<usize>() >= CONNECTIONS {
            return None;
        }
        open.insert(network, ours + 1);
        let room = Arc::clone(room);
        Some(Self { room, network })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.network);
            }
        }
    }
}

fn network(asker: IpAddr) -> IpAddr {
    match asker.to_canonical() {
        IpAddr::V4(ip) => Ipv4Addr::from_bits(ip.to_bits() & (!0 << 8)).into(),
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() & (!0 << 64)).into(),
    }
}

/// Sends what can be sent now: whoever does not hear it asks again.
fn tell(socket: &UdpSocket, said: &[u8], asker: SocketAddr) {
    let _ = socket.try_send_to(said, asker);
}

async fn connections(
    listener: TcpListener,
    zones: watch::Receiver<Arc<[Zone]>>,
    answers: Answers,
    room: Room,
) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        let Ok((stream, asker)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let Some(place) = Place::of(asker.ip(), &room) else {
            continue;
        };
        let known = Arc::clone(&zones.borrow());
        let answers = answers.clone();
        open.spawn(async move {
            let _ = timeout(CONNECTION, questions(stream, &known, &answers)).await;
            drop(place);
        });
    }
}

/// Answers the questions of one connection, each behind its length (RFC 7766 section 8).
async fn questions(mut stream: TcpStream, zones: &[Zone], answers: &Answers) -> io::Result<()> {
    let mut question = Vec::new();
    loop {
        let length = usize::from(stream.read_u16().await?);
        if length > QUESTION {
            return Ok(());
        }
        question.resize(length, 0);
        stream.read_exact(&mut question).await?;
        let texts = |name: &str| answers.txt(name);
        let Some(said) = answer(zones, &question, Carrier::Stream, texts) else {
            return Ok(());
        };
        let Ok(length) = u16::try_from(said.len()) else {
            return Ok(());
        };
        let mut framed = length.to_be_bytes().to_vec();
        framed.extend(said);
        stream.write_all(&framed).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_network_takes_all_connections() {
        let room = Room::default();
        let mut held: Vec<Place> = (1..=OF_ONE_NETWORK)
            .map(|_| Place::of(IpAddr::from([192, 0, 2, 7]), &room).unwrap())
            .collect();
        assert!(Place::of(IpAddr::from([192, 0, 2, 200]), &room).is_none());
        let others = (0..200).filter_map(|n| Place::of(IpAddr::from([198, 51, n, 1]), &room));
        let others: Vec<Place> = others.collect();
        assert_eq!(held.len() + others.len(), CONNECTIONS);
        drop(others);
        assert!(Place::of("2001:db8::1".parse().unwrap(), &room).is_some());
        held.clear();
        assert!(room.lock().unwrap().is_empty());
    }
}
