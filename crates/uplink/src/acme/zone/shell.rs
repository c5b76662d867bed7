//! Answers questions on sockets.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use certs::Answers;
use net::Listener;
use nix::errno::Errno;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::{Carrier, Zone, answer};

/// The longest question that is looked at.
const QUESTION: usize = 4096;
/// Connections at one time.
const CONNECTIONS: usize = 64;
/// How long a connection may take for all of its questions.
const CONNECTION: Duration = Duration::from_secs(5);
/// Datagrams that are answered in a second; those who ask in vain ask again. A CA asks a dozen.
const DATAGRAMS: u32 = 500;
/// How long nothing is taken after taking has failed.
const PAUSE: Duration = Duration::from_millis(200);

/// Answers questions for `zones` out of `answers` on `listener`, until it is dropped. Must be called where tokio runs.
///
/// # Errors
/// A socket can not be watched: ours.
pub fn serve(
    listener: &Listener,
    zones: watch::Receiver<Arc<[Zone]>>,
    answers: Answers,
) -> io::Result<impl Future<Output = ()> + 'static> {
    let mut tasks = JoinSet::new();
    for socket in listener.shards.udp() {
        let socket = UdpSocket::from_std(socket.try_clone()?)?;
        tasks.spawn(datagrams(socket, zones.clone(), answers.clone()));
    }
    let room = Arc::new(Semaphore::new(CONNECTIONS));
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
        if left == 0 || asker.port() == 0 {
            continue;
        }
        left -= 1;
        let known = Arc::clone(&zones.borrow());
        let texts = |name: &str| answers.txt(name);
        let said = answer(&known, &question[..length], Carrier::Datagram, texts);
        if let Some(said) = said {
            tell(&socket, &said, asker);
        }
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
    room: Arc<Semaphore>,
) {
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        let Ok((stream, _)) = accepted else {
            sleep(PAUSE).await;
            continue;
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
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
