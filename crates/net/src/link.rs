//! The link between the supervisor and one of its processes: messages as JSON, descriptors beside them.
//!
//! A frame is the length of the message (4 bytes, big endian), the number of descriptors (1 byte), then
//! the message. The descriptors travel with the first byte (unix(7), `SCM_RIGHTS`), 64 at most.

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream as StdUnixStream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// How long a message to a process may be; a configuration with its certificates fits a hundred times.
const TO_PROCESS_LIMIT: usize = 16 << 20;
/// How long a message to the supervisor may be: a process that was taken over shall not fill its memory.
const TO_SUPERVISOR_LIMIT: usize = 1 << 20;
/// What a message may carry around what [`fits`] was asked about.
const ENVELOPE: usize = 64;
/// How many descriptors go with one message.
pub const DESCRIPTOR_LIMIT: usize = 64;
const HEADER: usize = 5;

/// Two connected ends; one is given to a child as its standard input.
///
/// # Errors
/// The system's, when it has no descriptor left.
pub fn pair() -> io::Result<(StdUnixStream, StdUnixStream)> {
    StdUnixStream::pair()
}

/// A duplicate of a descriptor that this process was started with, by its number. The duplicate is not inherited further.
///
/// # Errors
/// Nothing is open under this number, or the kernel is older than 5.6.
pub fn inherited(number: i32) -> io::Result<OwnedFd> {
    if number < 0 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    // A number alone proves nothing to the borrow checker; the kernel looks it up in our own table.
    let process = pidfd_open(getpid(), PidfdFlags::empty())?;
    Ok(pidfd_getfd(process, number, PidfdGetfdFlags::empty())?)
}

/// Which end of a link this process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It keeps the process at the other end: sends long messages, takes short ones.
    Supervisor,
    /// It is kept by the process at the other end.
    Process,
}

/// Splits one end into a sender and a receiver. Must be called within a tokio runtime.
///
/// # Errors
/// The system's.
pub fn open(end: StdUnixStream, side: Side) -> io::Result<(Sender, Receiver)> {
    let (send_limit, receive_limit) = match side {
        Side::Supervisor => (TO_PROCESS_LIMIT, TO_SUPERVISOR_LIMIT),
        Side::Process => (TO_SUPERVISOR_LIMIT, TO_PROCESS_LIMIT),
    };
    end.set_nonblocking(true)?;
    let (read, write) = UnixStream::from_std(end)?.into_split();
    let sender = Sender {
        stream: write,
        limit: send_limit,
    };
    let receiver = Receiver {
        stream: read,
        limit: receive_limit,
    };
    Ok((sender, receiver))
}

/// Whether a message that is little more than `content` can be sent to a process.
pub fn fits<T: Serialize>(content: &T) -> bool {
    let mut room = Room(TO_PROCESS_LIMIT - ENVELOPE);
    serde_json::to_writer(&mut room, content).is_ok()
}

/// Takes so many bytes and keeps none.
struct Room(usize);

impl io::Write for Room {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.checked_sub(bytes.len());
        self.0 = left.ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Sends messages to the other process.
#[derive(Debug)]
pub struct Sender {
    stream: OwnedWriteHalf,
    limit: usize,
}

impl Sender {
    /// Sends `message` and duplicates of `descriptors`. Not cancel safe: half a frame breaks the link.
    ///
    /// # Errors
    /// The other process is gone; or, as [`io::ErrorKind::InvalidInput`] and with nothing sent, the
    /// message is over the limits: ours.
    pub async fn send<T: Serialize>(
        &mut self,
        message: &T,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let body = serde_json::to_vec(message)?;
        if body.len() > self.limit || descriptors.len() > DESCRIPTOR_LIMIT {
            let text = "the message is too long for the link";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let mut frame = Vec::with_capacity(HEADER + body.len());
        let length = u32::try_from(body.len()).map_err(io::Error::other)?;
        frame.extend_from_slice(&length.to_be_bytes());
        frame.push(u8::try_from(descriptors.len()).map_err(io::Error::other)?);
        frame.extend_from_slice(&body);
        let sent = self.send_first(&frame, descriptors).await?;
        let rest = frame.get(sent..).unwrap_or_default();
        self.stream.write_all(rest).await
    }

    async fn send_first(&self, frame: &[u8], descriptors: &[BorrowedFd<'_>]) -> io::Result<usize> {
        let stream: &UnixStream = self.stream.as_ref();
        let attempt = || {
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTOR_LIMIT))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            if !descriptors.is_empty() {
                ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
            }
            let flags = SendFlags::NOSIGNAL | SendFlags::DONTWAIT;
            let iov = [IoSlice::new(frame)];
            Ok(sendmsg(stream.as_fd(), &iov, &mut ancillary, flags)?)
        };
        stream.async_io(Interest::WRITABLE, attempt).await
    }
}

/// Receives messages from the other process.
#[derive(Debug)]
pub struct Receiver {
    stream: OwnedReadHalf,
    limit: usize,
}

impl Receiver {
    /// Receives one message and its descriptors; `None` once the other process is gone. Not cancel
    /// safe: call it from a task of its own.
    ///
    /// # Errors
    /// A frame over the limits or a message that is none; the other process is to blame.
    pub async fn receive<T: DeserializeOwned>(&mut self) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
        let mut header = [0; HEADER];
        let (mut filled, descriptors) = self.receive_first(&mut header).await?;
        if filled == 0 {
            return Ok(None);
        }
        while filled < HEADER {
            let rest = header.get_mut(filled..).unwrap_or_default();
            match self.stream.read(rest).await? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                more => filled += more,
            }
        }
        let [a, b, c, d, count] = header;
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if length > self.limit || usize::from(count) != descriptors.len() {
            return Err(io::Error::other("a frame that is none came over the link"));
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).await?;
        Ok(Some((serde_json::from_slice(&body)?, descriptors)))
    }

    async fn receive_first(&self, header: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        let stream: &UnixStream = self.stream.as_ref();
        let attempt = || {
            let mut space =
                [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTOR_LIMIT))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let flags = RecvFlags::CMSG_CLOEXEC | RecvFlags::DONTWAIT;
            let mut iov = [IoSliceMut::new(header)];
            let received = recvmsg(stream.as_fd(), &mut iov, &mut ancillary, flags)?;
            let descriptors = ancillary
                .drain()
                .filter_map(|message| match message {
                    RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
                    _ => None,
                })
                .flatten()
                .collect();
            Ok((received.bytes, descriptors))
        };
        stream.async_io(Interest::READABLE, attempt).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;
    use std::net::TcpListener;

    #[tokio::test]
    async fn carries_messages_and_descriptors_in_order() {
        let (ours, theirs) = pair().unwrap();
        let (mut sender, _) = open(ours, Side::Supervisor).unwrap();
        let (_keep, mut receiver) = open(theirs, Side::Process).unwrap();
        let sockets: Vec<_> = (0..DESCRIPTOR_LIMIT)
            .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        let long = "x".repeat(3 << 20);
        let send = async {
            let fds: Vec<_> = sockets.iter().map(AsFd::as_fd).collect();
            sender.send(&"first", &fds).await.unwrap();
            sender.send(&long, &[]).await.unwrap();
            drop(sender);
        };
        let receive = async {
            let (text, fds) = receiver.receive::<String>().await.unwrap().unwrap();
            assert_eq!((text.as_str(), fds.len()), ("first", DESCRIPTOR_LIMIT));
            let last = TcpListener::from(fds.into_iter().next_back().unwrap());
            let addr = sockets[DESCRIPTOR_LIMIT - 1].local_addr().unwrap();
            assert_eq!(last.local_addr().unwrap(), addr);
            let (text, fds) = receiver.receive::<String>().await.unwrap().unwrap();
            assert_eq!((text.len(), fds.len()), (3 << 20, 0));
        };
        tokio::join!(send, receive);
    }

    #[test]
    fn an_inherited_descriptor_is_known_by_its_number() {
        use std::os::fd::AsRawFd as _;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let same = TcpListener::from(inherited(listener.as_raw_fd()).unwrap());
        assert_eq!(same.local_addr().unwrap(), listener.local_addr().unwrap());
        assert!(inherited(1_000_000).is_err() && inherited(-1).is_err());
    }

    #[tokio::test]
    async fn refuses_a_frame_over_the_limit_and_ends_with_its_peer() {
        let (mut ours, theirs) = pair().unwrap();
        let (_keep, mut receiver) = open(theirs, Side::Process).unwrap();
        ours.write_all(&[0xff, 0xff, 0xff, 0xff, 0]).unwrap();
        assert!(receiver.receive::<String>().await.is_err());
        let (ours, theirs) = pair().unwrap();
        let (_keep, mut receiver) = open(theirs, Side::Process).unwrap();
        drop(ours);
        assert!(receiver.receive::<String>().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_process_may_say_less_than_it_is_told() {
        let (ours, theirs) = pair().unwrap();
        let (_sender, mut receiver) = open(ours, Side::Supervisor).unwrap();
        let (mut process, _) = open(theirs.try_clone().unwrap(), Side::Process).unwrap();
        let long = "x".repeat(TO_SUPERVISOR_LIMIT);
        let error = process.send(&long, &[]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        // Nothing of it was sent.
        process.send(&"short", &[]).await.unwrap();
        let (text, _) = receiver.receive::<String>().await.unwrap().unwrap();
        assert_eq!(text, "short");
        let header = u32::try_from(TO_SUPERVISOR_LIMIT + 1).unwrap();
        let mut theirs = theirs;
        theirs.write_all(&header.to_be_bytes()).unwrap();
        theirs.write_all(&[0]).unwrap();
        assert!(receiver.receive::<String>().await.is_err());
    }

    #[test]
    fn knows_what_fits() {
        assert!(fits(&"x".repeat(TO_PROCESS_LIMIT - ENVELOPE - 2)));
        assert!(!fits(&"x".repeat(TO_PROCESS_LIMIT - ENVELOPE - 1)));
    }
}
