//! Keys of a terminal, out of bytes that may be noise.

use std::time::{Duration, Instant};

/// How long the rest of a sequence may take; a lone ESC is the key once it is over.
const REST: Duration = Duration::from_millis(200);
/// A longer sequence is of no key that we know.
const LONGEST: usize = 16;

/// What was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// One page up.
    PageUp,
    /// One page down.
    PageDown,
    /// To the first line.
    First,
    /// To the last line.
    Last,
    /// Enter, whether it sends CR, LF or both.
    Enter,
    /// DEL or BS.
    Backspace,
    /// Esc.
    Escape,
    /// Ctrl-C.
    Cancel,
    /// Ctrl-L.
    Redraw,
    /// Ctrl-U.
    Clear,
    /// A visible character of ASCII, or a space.
    Char(char),
}

/// Makes keys of bytes.
#[derive(Debug, Default)]
pub(super) struct Keys {
    state: State,
    /// An LF behind a CR is of the same Enter.
    after_cr: bool,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Plain,
    Escape(Instant),
    Sequence {
        since: Instant,
        bytes: Vec<u8>,
    },
}

impl Keys {
    /// Takes a byte in; calls `press` for each key that it completes.
    pub(super) fn feed(&mut self, byte: u8, now: Instant, press: &mut impl FnMut(Key)) {
        match std::mem::take(&mut self.state) {
            State::Plain => self.plain(byte, now, press),
            State::Escape(since) if matches!(byte, b'[' | b'O') => {
                let bytes = vec![byte];
                self.state = State::Sequence { since, bytes };
            }
            State::Escape(_) => {
                press(Key::Escape);
                self.plain(byte, now, press);
            }
            State::Sequence { since, bytes } => self.sequence(since, bytes, byte, press, now),
        }
    }

    /// When [`Keys::handle_timeout`] has something to do.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Plain => None,
            State::Escape(since) | State::Sequence { since, .. } => Some(since + REST),
        }
    }

    /// Ends what has been waiting for its rest for too long.
    pub(super) fn handle_timeout(&mut self, now: Instant, press: &mut impl FnMut(Key)) {
        if self.poll_timeout().is_none_or(|due| now < due) {
            return;
        }
        if matches!(std::mem::take(&mut self.state), State::Escape(_)) {
            press(Key::Escape);
        }
    }

    fn plain(&mut self, byte: u8, now: Instant, press: &mut impl FnMut(Key)) {
        let behind_cr = std::mem::take(&mut self.after_cr);
        press(match byte {
            b'\r' => {
                self.after_cr = true;
                Key::Enter
            }
            b'\n' if behind_cr => return,
            b'\n' => Key::Enter,
            0x03 => Key::Cancel,
            0x08 | 0x7f => Key::Backspace,
            0x0c => Key::Redraw,
            0x15 => Key::Clear,
            0x1b => {
                self.state = State::Escape(now);
                return;
            }
            b' '..=b'~' => Key::Char(char::from(byte)),
            // Noise, or a letter of another alphabet.
            _ => return,
        });
    }

    fn sequence(
        &mut self,
        since: Instant,
        mut bytes: Vec<u8>,
        byte: u8,
        press: &mut impl FnMut(Key),
        now: Instant,
    ) {
        match byte {
            0x1b => self.state = State::Escape(now),
            b' '..=b'?' if bytes.len() < LONGEST => {
                bytes.push(byte);
                self.state = State::Sequence { since, bytes };
            }
            b'@'..=b'~' => {
                bytes.push(byte);
                if let Some(key) = known(&bytes) {
                    press(key);
                }
            }
            // Neither the rest of a sequence nor the end of one.
            _ => {}
        }
    }
}

/// The key of a sequence behind its ESC: of VT100, of xterm, with or without modifiers.
fn known(sequence: &[u8]) -> Option<Key> {
    let (last, rest) = sequence.split_last()?;
    match (last, rest.get(1)) {
        (b'A', _) => Some(Key::Up),
        (b'B', _) => Some(Key::Down),
        (b'H', _) | (b'~', Some(b'1' | b'7')) => Some(Key::First),
        (b'F', _) | (b'~', Some(b'4' | b'8')) => Some(Key::Last),
        (b'~', Some(b'3')) => Some(Key::Backspace),
        (b'~', Some(b'5')) => Some(Key::PageUp),
        (b'~', Some(b'6')) => Some(Key::PageDown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(bytes: &[u8]) -> Vec<Key> {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let mut found = Vec::new();
        for byte in bytes {
            keys.feed(*byte, now, &mut |key| found.push(key));
        }
        keys.handle_timeout(now + REST, &mut |key| found.push(key));
        assert_eq!(keys.poll_timeout(), None);
        found
    }

    #[test]
    fn keys_of_several_terminals() {
        for (bytes, expected) in [
            (&b"\x1b[A\x1bOB"[..], &[Key::Up, Key::Down][..]),
            (b"\x1b[1;5A", &[Key::Up]),
            (
                b"\x1b[5~\x1b[6~\x1b[H\x1b[4~",
                &[Key::PageUp, Key::PageDown, Key::First, Key::Last],
            ),
            (b"\r\n\n\r", &[Key::Enter, Key::Enter, Key::Enter]),
            (
                b"\x7f\x08\x0c\x03\x15",
                &[
                    Key::Backspace,
                    Key::Backspace,
                    Key::Redraw,
                    Key::Cancel,
                    Key::Clear,
                ],
            ),
            (b"\x1b", &[Key::Escape]),
            (b"\x1bq", &[Key::Escape, Key::Char('q')]),
            (b"\x1b\x1b[B", &[Key::Escape, Key::Down]),
        ] {
            assert_eq!(pressed(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn noise_and_halves_press_nothing() {
        for bytes in [
            &b"\x00\xff\x80\xc3\x1f"[..],
            b"\x1b[",
            b"\x1b[12",
            b"\x1b[99z",
            b"\x1bO",
            b"\x1b[\xff",
        ] {
            assert_eq!(pressed(bytes), [], "{bytes:?}");
        }
        // Without an end it is given up.
        let long = [&b"\x1b["[..], &[b'0'; LONGEST], b"1"].concat();
        assert!(pressed(&long).len() <= 1, "{:?}", pressed(&long));
    }

    #[test]
    fn a_sequence_that_comes_in_pieces_is_one_key() {
        let (mut keys, now) = (Keys::default(), Instant::now());
        let mut found = Vec::new();
        for byte in b"\x1b[B" {
            keys.handle_timeout(now + REST / 2, &mut |key| found.push(key));
            keys.feed(*byte, now, &mut |key| found.push(key));
        }
        assert_eq!(found, [Key::Down]);
    }
}
