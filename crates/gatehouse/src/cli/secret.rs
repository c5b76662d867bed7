//! `gatehouse secret`.

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::Path;

use control::{Client, ClientError, Secret};
use nix::sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios};
use store::{MAX_SECRET, Store};

use super::args::SecretAction;
use super::output::{self, Out};
use super::{Done, Failure};

/// Sets, lists or removes secrets, of the box that runs or, while none does, in its state directory.
pub(super) async fn run(out: Out, state: &Path, socket: &Path, action: SecretAction) -> Done {
    let place = match Client::connect(socket).await {
        Ok(client) => Place::Running(client),
        // A box that never ran may need its secrets before its first start.
        Err(ClientError::NotRunning(_))
            if state.is_dir() || matches!(action, SecretAction::Set { .. }) =>
        {
            Place::AtRest(state)
        }
        Err(error) => return Err(error.into()),
    };
    match action {
        SecretAction::Set { name } => {
            let value = value(&name)?;
            place
                .set(Secret {
                    name: name.clone(),
                    value,
                })
                .await?;
            out.show(&serde_json::json!({ "set": name }), || {
                format!("secret {name} is set{}\n", place.remark())
            })
        }
        SecretAction::List => {
            let names = place.names().await?;
            out.show(&names, || {
                names
                    .iter()
                    .flat_map(|name| [name.as_str(), "\n"])
                    .collect()
            })
        }
        SecretAction::Rm { name } => {
            place.remove(&name).await?;
            out.show(&serde_json::json!({ "removed": name }), || {
                format!("secret {name} is removed{}\n", place.remark())
            })
        }
    }
}

/// Where secrets are.
enum Place<'a> {
    Running(Client),
    AtRest(&'a Path),
}

impl Place<'_> {
    async fn set(&self, secret: Secret) -> Done {
        match self {
            Self::Running(client) => Ok(client.set_secret(&secret).await?),
            Self::AtRest(state) => {
                let mut store = open(state)?;
                let value = secret.value.as_bytes();
                store
                    .set_secret(&secret.name, value)
                    .map_err(|error| refused(&error))
            }
        }
    }

    async fn names(&self) -> Result<Vec<String>, Failure> {
        match self {
            Self::Running(client) => Ok(client.secrets().await?),
            Self::AtRest(state) => {
                let names = store::secret_names(state).map_err(|error| unusable(&error))?;
                Ok(names.into_iter().collect())
            }
        }
    }

    async fn remove(&self, name: &str) -> Done {
        match self {
            Self::Running(client) => Ok(client.remove_secret(name).await?),
            Self::AtRest(state) => {
                if !store::secret_names(state)
                    .map_err(|error| unusable(&error))?
                    .contains(name)
                {
                    return Err(Failure::Refused(format!("there is no secret `{name}`")));
                }
                open(state)?
                    .remove_secret(name)
                    .map(drop)
                    .map_err(|error| refused(&error))
            }
        }
    }

    fn remark(&self) -> String {
        match self {
            Self::Running(_) => String::new(),
            Self::AtRest(state) => {
                format!(" in {}, for the next start of the box", state.display())
            }
        }
    }
}

fn open(state: &Path) -> Result<Store, Failure> {
    let opened = Store::open(state).map_err(|error| unusable(&error))?;
    for note in &opened.notes {
        output::note(&format!("gatehouse: {note}"));
    }
    Ok(opened.store)
}

fn unusable(error: &store::Error) -> Failure {
    Failure::Unusable(error.to_string())
}

fn refused(error: &store::Error) -> Failure {
    match error {
        store::Error::Io { .. } => unusable(error),
        _ => Failure::Refused(error.to_string()),
    }
}

/// The value: asked for without an echo on a terminal, or else all of standard input without the
/// end of its last line.
fn value(name: &str) -> Result<String, Failure> {
    let stdin = io::stdin();
    let bytes = if stdin.is_terminal() {
        asked(name).map_err(|error| Failure::Unusable(format!("can not ask: {error}")))?
    } else {
        let mut bytes = Vec::new();
        let read = stdin
            .lock()
            .take(MAX_SECRET as u64 + 2)
            .read_to_end(&mut bytes);
        read.map_err(|error| Failure::Unusable(format!("can not read the value: {error}")))?;
        Some(without_line_end(bytes))
    };
    let Some(bytes) = bytes else {
        return Err(Failure::Refused("nothing was set".to_owned()));
    };
    if bytes.is_empty() {
        return Err(Failure::Unusable("the value is empty".to_owned()));
    }
    if bytes.len() > MAX_SECRET {
        let text = format!("the value is longer than {MAX_SECRET} bytes");
        return Err(Failure::Unusable(text));
    }
    String::from_utf8(bytes)
        .map_err(|_| Failure::Unusable("the value is not UTF-8 text".to_owned()))
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
fn asked(name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut stderr = io::stderr().lock();
    write!(stderr, "Value of {name} (not shown): ")?;
    stderr.flush()?;
    let result = {
        let _silent = Silent::begin()?;
        typed(&mut io::stdin().lock())
    };
    writeln!(stderr)?;
    result
}

/// What is typed up to Enter, with the keys that a line usually knows.
fn typed(terminal: &mut impl io::Read) -> io::Result<Option<Vec<u8>>> {
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
            other if line.len() <= MAX_SECRET => line.push(other),
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
            let line = typed(&mut keys.as_bytes()).unwrap();
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
