//! One call into rustls and what is to be done for it, and the memory that all sessions of a thread
//! share while they are being polled.

use rustls::unbuffered::{ConnectionState, EncodeError, EncryptError, UnbufferedStatus};
use std::cell::RefCell;
use std::io;

/// Plaintext of one full record (RFC 8446 section 5.1).
pub(super) const RECORD: usize = 16 * 1024;
/// What one record adds on the wire, at most: header, nonce, tag, content type (RFC 8446 section 5.2).
pub(super) const OVERHEAD: usize = 5 + 256;
/// Plaintext taken by one write.
pub(super) const WRITE: usize = 128 * 1024;
/// Ciphertext taken by one read, beside what was left of the last.
pub(super) const READ: usize = 128 * 1024 + OVERHEAD;
/// Ciphertext of one side that may wait for the rest of its record or handshake message; rustls
/// itself refuses handshake messages beyond 64 KiB.
pub(super) const WAITING: usize = 64 * 1024 + RECORD + OVERHEAD;

thread_local! {
    pub(super) static SCRATCH: RefCell<Scratch> = RefCell::new(Scratch::default());
}

/// Memory for records under way, one per thread: no connection keeps it beyond a poll.
pub(super) struct Scratch {
    pub(super) incoming: Box<[u8]>,
    pub(super) outgoing: Outgoing,
    pub(super) gather: Box<[u8]>,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            incoming: vec![0; WAITING + READ].into(),
            outgoing: Outgoing::default(),
            gather: vec![0; RECORD].into(),
        }
    }
}

/// Records to be sent; the memory behind `len` stays initialised, so that it is zeroed but once.
#[derive(Default)]
pub(super) struct Outgoing {
    memory: Vec<u8>,
    pub(super) len: usize,
}

impl Outgoing {
    pub(super) fn room(&mut self, size: usize) -> &mut [u8] {
        let end = self.len + size;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        &mut self.memory[self.len..end]
    }

    pub(super) fn append(&mut self, bytes: &[u8]) {
        self.room(bytes.len()).copy_from_slice(bytes);
        self.len += bytes.len();
    }

    pub(super) fn records(&self) -> &[u8] {
        &self.memory[..self.len]
    }
}

/// Where decrypted bytes go: to the reader as far as they fit, the rest waits.
pub(super) struct Sink<'a> {
    pub(super) reader: &'a mut [u8],
    pub(super) filled: usize,
    pub(super) waiting: &'a mut Vec<u8>,
}

impl Sink<'_> {
    pub(super) fn push(&mut self, mut bytes: &[u8]) {
        if self.waiting.is_empty() {
            let count = bytes.len().min(self.reader.len() - self.filled);
            self.reader[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
            self.filled += count;
            bytes = &bytes[count..];
        }
        self.waiting.extend_from_slice(bytes);
    }
}

/// What came of one call into rustls.
pub(super) enum Step {
    Again,
    PeerClosed,
    Idle,
    Sealed,
}

/// What to do once rustls lets us write.
#[derive(Clone, Copy)]
pub(super) enum Write<'a> {
    No,
    Data(&'a [u8]),
    Goodbye,
}

/// Deals with one state of rustls; gives how many bytes of the incoming records are used up.
pub(super) fn handle<D>(
    status: UnbufferedStatus<'_, '_, D>,
    sink: &mut Sink<'_>,
    outgoing: &mut Outgoing,
    write: Write<'_>,
) -> (usize, io::Result<Step>) {
    let UnbufferedStatus { mut discard, state } = status;
    let step = match state {
        Err(error) => Err(invalid(error)),
        Ok(ConnectionState::ReadTraffic(mut traffic)) => loop {
            match traffic.next_record() {
                Some(Ok(record)) => {
                    discard += record.discard;
                    sink.push(record.payload);
                }
                Some(Err(error)) => break Err(invalid(error)),
                None => break Ok(Step::Again),
            }
        },
        Ok(ConnectionState::EncodeTlsData(mut flight)) => {
            let mut size = 512;
            loop {
                match flight.encode(outgoing.room(size)) {
                    Ok(written) => {
                        outgoing.len += written;
                        break Ok(Step::Again);
                    }
                    Err(EncodeError::InsufficientSize(needed)) => size = needed.required_size,
                    Err(EncodeError::AlreadyEncoded) => break Ok(Step::Again),
                }
            }
        }
        Ok(ConnectionState::TransmitTlsData(flight)) => {
            flight.done();
            Ok(Step::Again)
        }
        Ok(ConnectionState::PeerClosed) => Ok(Step::PeerClosed),
        Ok(ConnectionState::WriteTraffic(mut traffic)) => match write {
            Write::No => Ok(Step::Idle),
            Write::Data(data) => {
                let size = data.len() + (data.len() / RECORD + 1) * OVERHEAD;
                sealed(outgoing, size, |room| traffic.encrypt(data, room))
            }
            Write::Goodbye => sealed(outgoing, OVERHEAD, |room| traffic.queue_close_notify(room)),
        },
        Ok(_) => Ok(Step::Idle),
    };
    (discard, step)
}

fn sealed(
    outgoing: &mut Outgoing,
    mut size: usize,
    mut encrypt: impl FnMut(&mut [u8]) -> Result<usize, EncryptError>,
) -> io::Result<Step> {
    loop {
        match encrypt(outgoing.room(size)) {
            Ok(written) => {
                outgoing.len += written;
                return Ok(Step::Sealed);
            }
            Err(EncryptError::InsufficientSize(needed)) if needed.required_size > size => {
                size = needed.required_size;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

pub(super) fn invalid(error: rustls::Error) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
