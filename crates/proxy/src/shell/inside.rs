//! Connections to what this very process serves: the login page.

use net::stream::Stream;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio::net::UnixStream;

/// Makes connections to the login page. Cloning is cheap, clones are the same.
///
/// What it calls runs on the thread that needs the connection, inside a `LocalSet`, and must not block: it serves one end
/// of a pair of sockets by a task of its own, HTTP/1, and gives the other.
#[derive(Clone)]
pub struct Inside(Arc<dyn Fn() -> io::Result<UnixStream> + Send + Sync>);

impl Inside {
    /// One that asks `connect`.
    pub fn new(connect: impl Fn() -> io::Result<UnixStream> + Send + Sync + 'static) -> Self {
        Self(Arc::new(connect))
    }

    /// A new connection.
    ///
    /// # Errors
    /// Ours: there is nobody to answer, or no descriptor left.
    pub(crate) fn connect(&self) -> io::Result<Stream> {
        Stream::inside((self.0)()?)
    }
}

/// Nobody answers.
impl Default for Inside {
    fn default() -> Self {
        Self::new(|| Err(io::Error::other("there is no login page")))
    }
}

impl fmt::Debug for Inside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inside(..)")
    }
}
