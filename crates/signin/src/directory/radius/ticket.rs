//! Which server has asked a question: only that one knows about it.

use std::net::SocketAddr;

/// The server of a question, and what it wants to have back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    /// As the configuration writes it.
    pub(super) server: String,
    /// Where the question came from; a name may have several addresses.
    pub(super) address: SocketAddr,
    /// Its State; empty: it had none.
    pub(super) state: Vec<u8>,
}

impl Ticket {
    /// As a question keeps it: two lines, and the State.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = format!("{}\n{}\n", self.server, self.address).into_bytes();
        bytes.extend_from_slice(&self.state);
        bytes
    }

    /// Reads what [`Ticket::write`] has written.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut parts = bytes.splitn(3, |byte| *byte == b'\n');
        let mut line = || str::from_utf8(parts.next()?).ok();
        let (server, address) = (line()?.to_owned(), line()?.parse().ok()?);
        Some(Self {
            server,
            address,
            state: parts.next()?.to_vec(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_comes_back_whatever_the_state_holds() {
        for (address, state) in [
            ("10.0.0.8:1812", &b""[..]),
            ("[2001:db8::8]:1812", b"\n\0\xff\n"),
        ] {
            let ticket = Ticket {
                server: "radius.example.com".to_owned(),
                address: address.parse().unwrap(),
                state: state.to_vec(),
            };
            assert_eq!(Ticket::read(&ticket.write()), Some(ticket));
        }
        for none in ["", "a", "a\n10.0.0.8:1812", "a\nb\n"] {
            assert_eq!(Ticket::read(none.as_bytes()), None, "{none}");
        }
    }
}
