//! What is secret: typed without being shown, or read from standard input; never an argument, which others can see.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use control::CertificateExport;
use nix::sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios};

use super::Failure;

/// Asks with `label` without an echo on a terminal, or else takes all of standard input without the end of its last line;
/// `what` it is, and how many bytes it has at the `most`.
pub(super) fn read(label: &str, what: &str, most: usize) -> Result<String, Failure> {
    let stdin = io::stdin();
    let bytes = if stdin.is_terminal() {
        asked(label, most).map_err(|error| Failure::Unusable(format!("can not ask: {error}")))?
    } else {
        let mut bytes = Vec::new();
        let read = stdin.lock().take(most as u64 + 2).read_to_end(&mut bytes);
        read.map_err(|error| Failure::Unusable(format!("can not read the {what}: {error}")))?;
        Some(without_line_end(bytes))
    };
    let Some(bytes) = bytes else {
        return Err(Failure::Refused("nothing was set".to_owned()));
    };
    if bytes.is_empty() {
        return Err(Failure::Unusable(format!("the {what} is empty")));
    }
    if bytes.len() > most {
        let text = format!("the {what} is longer than {most} bytes");
        return Err(Failure::Unusable(text));
    }
    String::from_utf8(bytes).map_err(|_| Failure::Unusable(format!("the {what} is not UTF-8 text")))
}

/// Asks for a new password; on a terminal twice, for nobody sees what he typed.
pub(super) fn new_password(user: &str, most: usize) -> Result<String, Failure> {
    let password = read(&format!("New password of {user}"), "password", most)?;
    if io::stdin().is_terminal() && read("The same again", "password", most)? != password {
        return Err(Failure::Refused(
            "the two passwords differ; nothing was set".to_owned(),
        ));
    }
    Ok(password)
}

/// Asks for the passphrase of a file that is about to be made, twice on a terminal; or takes it from the first line of `file`.
pub(super) fn new_passphrase(file: Option<&Path>) -> Result<String, Failure> {
    let most = CertificateExport::LONGEST_PASSPHRASE;
    let passphrase = passphrase(file, "Passphrase for the file")?;
    let asked = file.is_none() && io::stdin().is_terminal();
    if asked && read("The same again", "passphrase", most)? != passphrase {
        return Err(Failure::Refused(
            "the two passphrases differ; nothing was written".to_owned(),
        ));
    }
    let least = CertificateExport::SHORTEST_PASSPHRASE;
    if passphrase.chars().count() < least {
        return Err(Failure::Refused(format!(
            "the passphrase is too short: give one of {least} characters at least"
        )));
    }
    Ok(passphrase)
}

/// Asks for the passphrase of a file that there is, with `label`; or takes it from the first line of `file`.
pub(super) fn passphrase(file: Option<&Path>, label: &str) -> Result<String, Failure> {
    let most = CertificateExport::LONGEST_PASSPHRASE;
    let Some(file) = file else {
        return read(label, "passphrase", most);
    };
    let text = std::fs::read_to_string(file)
        .map_err(|error| Failure::Unusable(format!("can not read {}: {error}", file.display())))?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() || line.len() > most {
        return Err(Failure::Unusable(format!(
            "{}: its first line is no passphrase",
            file.display()
        )));
    }
    Ok(line.to_owned())
}

fn without_line_end(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.last() == Some(&b'\n') {
        bytes.pop();
        if bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
    }
    bytes
}

/// Asks on the terminal; none: the operator gave up with Ctrl-C or Ctrl-D.
fn asked(label: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "{label} (not shown): ")?;
    stderr.flush()?;
    let result = {
        let _silent = Silent::begin()?;
        typed(&mut io::stdin().lock(), most)
    };
    writeln!(stderr)?;
    result
}

/// What is typed up to Enter, with the keys that a line usually knows.
fn typed(terminal: &mut impl io::Read, most: usize) -> io::Result<Option<Vec<u8>>> {
    const CTRL_C: u8 = 0x03;
    const CTRL_D: u8 = 0x04;
    const BACKSPACE: u8 = 0x08;
    const CTRL_U: u8 = 0x15;
    const DELETE: u8 = 0x7f;
    let mut line = Vec::new();
    let mut byte = [0];
    while terminal.read(&mut byte)? == 1 {
        match byte[0] {
            b'\n' | b'\r' => return Ok(Some(line)),
            CTRL_C => return Ok(None),
            CTRL_D if line.is_empty() => return Ok(None),
            CTRL_U => line.clear(),
            BACKSPACE | DELETE => {
                // A character is one or more bytes; those that go on begin with the bits 10.
                while line.pop().is_some_and(|last| last & 0xc0 == 0x80) {}
            }
            other if line.len() <= most => line.push(other),
            _ => {}
        }
    }
    Ok(if line.is_empty() { None } else { Some(line) })
}

/// A terminal that shows nothing of what is typed, and sends no signals for it: nothing may leave
/// it in that state. Restored when dropped.
struct Silent(Termios);

impl Silent {
    fn begin() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = termios::tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_flags &= !(LocalFlags::ECHO | LocalFlags::ICANON | LocalFlags::ISIG);
        silent.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        silent.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        termios::tcsetattr(&stdin, SetArg::TCSAFLUSH, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typed_line_knows_the_usual_keys() {
        for (keys, expected) in [
            ("secret\n", Some("secret")),
            ("secreX\x7ft\r", Some("secret")),
            ("é\x08e\n", Some("e")),
            ("wrong\x15right\n", Some("right")),
            ("abc\x03", None),
            ("\x04", None),
            ("\n", Some("")),
            ("", None),
        ] {
            let line = typed(&mut keys.as_bytes(), 100).unwrap();
            assert_eq!(line.as_deref(), expected.map(str::as_bytes), "{keys:?}");
        }
    }

    #[test]
    fn one_line_end_is_taken_off() {
        for (given, expected) in [
            ("a\n", "a"),
            ("a\r\n", "a"),
            ("a\n\n", "a\n"),
            ("a", "a"),
            ("\n", ""),
        ] {
            assert_eq!(without_line_end(given.into()), expected.as_bytes());
        }
    }
}
