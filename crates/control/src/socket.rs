//! The Unix socket of the API.

use std::io;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{UnixListener, UnixStream, unix};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The longest path a Unix socket can have on Linux, without its final zero (unix(7)).
const LONGEST_PATH: usize = 107;

/// How long to wait when a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_secs(1);

/// Why the socket could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody answers on it.
    #[error("{}: a Gatehouse with this state directory runs already", .0.display())]
    InUse(PathBuf),
    /// What is there is no socket, and is left alone.
    #[error("{}: there is a file that is not a socket; move it away", .0.display())]
    NotASocket(PathBuf),
    /// Linux allows 107 bytes.
    #[error("{}: too long for the path of a socket; choose a shorter state directory", .0.display())]
    TooLong(PathBuf),
    /// Anything else the system says.
    #[error("{}: {}", .0.display(), .1)]
    System(PathBuf, #[source] io::Error),
}

/// Opens the socket at `path` with mode 0600, in place of one on which nobody answers.
///
/// Call it within a tokio runtime.
///
/// # Errors
/// [`BindError`]; the operator's state directory is to blame.
pub fn bind(path: &Path) -> Result<UnixListener, BindError> {
    let system = |error| BindError::System(path.to_owned(), error);
    let temporary = path.with_extension("new");
    if temporary.as_os_str().len().max(path.as_os_str().len()) > LONGEST_PATH {
        return Err(BindError::TooLong(path.to_owned()));
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NotASocket(path.to_owned()));
        }
        Ok(_) => match BlockingStream::connect(path) {
            Ok(_) => return Err(BindError::InUse(path.to_owned())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) => return Err(system(error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(system(error)),
    }
    match std::fs::remove_file(&temporary) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(system(error)),
        _ => {}
    }
    // Under its final name it never has another mode than 0600.
    let listener = UnixListener::bind(&temporary).map_err(system)?;
    std::fs::set_permissions(&temporary, std::fs::Permissions::from_mode(0o600))
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(system)?;
    Ok(listener)
}

/// A listener with at most `most` connections open at a time; further clients wait.
pub(crate) struct Capped {
    listener: UnixListener,
    room: Arc<Semaphore>,
}

impl Capped {
    pub(crate) fn new(listener: UnixListener, most: usize) -> Self {
        Self {
            listener,
            room: Arc::new(Semaphore::new(most)),
        }
    }
}

impl Listener for Capped {
    type Io = CappedStream;
    type Addr = unix::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let permit = Arc::clone(&self.room)
            .acquire_owned()
            .await
            .expect("the semaphore is never closed");
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    let io = CappedStream {
                        stream,
                        _permit: permit,
                    };
                    return (io, address);
                }
                Err(error) => {
                    // Most likely there are no more file descriptors; others may free some.
                    tracing::warn!("the control socket can not accept: {error}");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

/// A connection that makes room for another when it is dropped.
pub(crate) struct CappedStream {
    stream: UnixStream,
    _permit: OwnedSemaphorePermit,
}

impl AsyncRead for CappedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for CappedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
