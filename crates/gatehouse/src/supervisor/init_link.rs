//! The link to PID 1 of a box: single bytes, and nothing comes back.
//!
//! `h` each second from the loop that does everything else, so that a supervisor that hangs is noticed; `s`: it serves; `r`: reboot;
//! `o`: power off; `f`: reboot, and remove what is on the disk. The number of the stream socket is in the environment.

use std::io::{self, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use anyhow::Context as _;
use control::MachineOrder;

/// The environment variable with the number of the descriptor.
const VARIABLE: &str = "GATEHOUSE_INIT_FD";
/// Where everybody sees it.
const CONSOLE: &str = "/dev/console";
/// How often the supervisor shows that it lives.
const BEAT: Duration = Duration::from_secs(1);

/// Says on the serial line of a box why Gatehouse can not run: the log goes elsewhere, and there is no menu then.
pub fn complain(text: &str) {
    if std::env::var_os(VARIABLE).is_some() {
        // Whoever sees neither can not be helped.
        let _ = std::fs::write(CONSOLE, format!("gatehouse: {text}\r\n"));
    }
}

/// The link to PID 1.
#[derive(Debug)]
pub struct InitLink(UnixStream);

impl InitLink {
    /// The link that this process was started with; `None` where it is not the firmware of a box.
    ///
    /// # Errors
    /// The variable names no socket: whoever started this process is to blame.
    pub fn from_environment() -> anyhow::Result<Option<Self>> {
        let Some(number) = std::env::var_os(VARIABLE) else {
            return Ok(None);
        };
        let wrong = || format!("{VARIABLE} must be the number of an open socket to init");
        let number = number.to_str().and_then(|number| number.parse().ok());
        let number = number.with_context(wrong)?;
        let socket = net::link::inherited(number).with_context(wrong)?;
        Ok(Some(
            Self::new(UnixStream::from(socket)).with_context(wrong)?,
        ))
    }

    fn new(socket: UnixStream) -> io::Result<Self> {
        // Whoever is at the other end must never hold the supervisor up; and it must be a socket.
        socket.set_nonblocking(true)?;
        socket.take_error()?;
        Ok(Self(socket))
    }

    /// Shows once a second that this loop goes round, for as long as init listens.
    pub async fn beat(&self) {
        let mut ticks = tokio::time::interval(BEAT);
        loop {
            ticks.tick().await;
            match self.say(b'h') {
                // It has not read the last thousands, and knows that we live.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return,
                Ok(()) => {}
            }
        }
    }

    /// Asks init for what only it can do.
    ///
    /// # Errors
    /// Init does not listen.
    pub fn ask(&self, order: MachineOrder) -> io::Result<()> {
        self.say(match order {
            // What is to be removed the supervisor removes at its next start.
            MachineOrder::Reboot | MachineOrder::FactoryReset => b'r',
            MachineOrder::PowerOff => b'o',
        })
    }

    /// Asks init to remove the state on the disk, which the supervisor does not reach, and to reboot.
    ///
    /// # Errors
    /// Init does not listen.
    pub fn ask_for_reset(&self) -> io::Result<()> {
        self.say(b'f')
    }

    /// Tells init that the box serves.
    pub fn serves(&self) {
        // Whoever does not listen finds out what it needs otherwise.
        let _ = self.say(b's');
    }

    fn say(&self, word: u8) -> io::Result<()> {
        (&self.0).write_all(&[word])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn pair() -> (InitLink, UnixStream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (InitLink::new(ours).unwrap(), theirs)
    }

    #[tokio::test]
    async fn beats_until_init_is_gone() {
        let (link, mut init) = pair();
        let listening = tokio::task::spawn_blocking(move || {
            let mut heard = [0; 2];
            init.read_exact(&mut heard).map(|()| heard)
        });
        let ((), heard) = tokio::join!(link.beat(), listening);
        assert_eq!(&heard.unwrap().unwrap(), b"hh");
    }

    #[test]
    fn an_init_that_does_not_read_holds_nobody_up() {
        let (link, _init) = pair();
        let full = (0..1_000_000).find_map(|_| link.say(b'h').err()).unwrap();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
    }

    #[test]
    fn orders_are_one_byte_each() {
        let (link, mut init) = pair();
        for order in [
            MachineOrder::Reboot,
            MachineOrder::PowerOff,
            MachineOrder::FactoryReset,
        ] {
            link.ask(order).unwrap();
        }
        link.ask_for_reset().unwrap();
        link.serves();
        drop(link);
        let mut heard = Vec::new();
        init.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, b"rorfs");
    }
}
