//! A target that keeps every byte it receives and answers each request head with the same words.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::{Lab, PATIENCE, Place};

/// The answer when nothing else is wanted.
const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// A listening target in the test's own process; it ends with the process.
pub struct Recorder {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<u8>>,
    answer: Mutex<Vec<u8>>,
    open: Mutex<BTreeMap<usize, TcpStream>>,
}

impl Recorder {
    /// Listens at `place` on `address`, answering 200 with the body `ok`.
    pub fn start(lab: &Lab, place: Place, address: &str) -> Result<Self> {
        Self::answering(lab, place, address, OK)
    }

    /// Listens at `place` on `address`, answering with `answer`, byte for byte; an empty one is silence.
    pub fn answering(lab: &Lab, place: Place, address: &str, answer: &str) -> Result<Self> {
        let address: SocketAddr = address.parse().with_context(|| address.to_owned())?;
        let listener = lab.enter(place, || TcpListener::bind(address))??;
        let recorder = Self {
            shared: Arc::default(),
        };
        recorder.answer(answer.as_bytes());
        let shared = Arc::clone(&recorder.shared);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let shared = Arc::clone(&shared);
                let Ok(own) = stream.try_clone() else {
                    continue;
                };
                locked(&shared.open).insert(number, own);
                thread::spawn(move || {
                    record(stream, &shared).ok();
                    locked(&shared.open).remove(&number);
                });
            }
        });
        Ok(recorder)
    }

    /// Answers with these bytes from now on.
    pub fn answer(&self, bytes: &[u8]) {
        *locked(&self.shared.answer) = bytes.to_vec();
    }

    /// Everything received until now, over all connections, in the order of arrival.
    pub fn received(&self) -> String {
        String::from_utf8_lossy(&locked(&self.shared.received)).into_owned()
    }

    /// Forgets what was received until now, and returns it.
    pub fn take(&self) -> String {
        let bytes = std::mem::take(&mut *locked(&self.shared.received));
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// As [`take`](Self::take), and hangs up on everybody, so that nothing more belongs to it.
    ///
    /// # Errors
    /// When a connection can not be ended.
    pub fn take_and_hang_up(&self) -> Result<String> {
        for stream in locked(&self.shared.open).values() {
            // The other side may have ended it already.
            stream.shutdown(Shutdown::Both).ok();
        }
        let start = Instant::now();
        while !locked(&self.shared.open).is_empty() {
            ensure!(start.elapsed() < PATIENCE, "a connection stays open");
            thread::sleep(Duration::from_millis(1));
        }
        Ok(self.take())
    }
}

/// Keeps what one connection brings, and answers after every empty line.
fn record(mut stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut tail = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        let count = match stream.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        locked(&shared.received).extend_from_slice(&buffer[..count]);
        tail.extend_from_slice(&buffer[..count]);
        while let Some(end) = tail.windows(4).position(|four| four == b"\r\n\r\n") {
            tail.drain(..end + 4);
            let answer = locked(&shared.answer).clone();
            stream.write_all(&answer)?;
        }
    }
}

fn locked<T>(of_all: &Mutex<T>) -> MutexGuard<'_, T> {
    of_all.lock().unwrap_or_else(PoisonError::into_inner)
}
