//! The question before something that can not be undone.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use super::{Done, Failure};

/// What has to be typed.
const WORD: &str = "reset";

/// Asks whether it is to be done indeed, unless `--yes` said so; `what` says what it does, without a full stop.
pub(super) fn sure(yes: bool, what: &str) -> Done {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        let text = format!("{what}; say that you want it with --yes");
        return Err(Failure::Unusable(text));
    }
    let failed = |error: io::Error| Failure::Unusable(format!("can not ask: {error}"));
    let mut stderr = io::stderr().lock();
    let (first, rest) = what.split_at(1);
    let first = first.to_ascii_uppercase();
    write!(stderr, "{first}{rest}. Type {WORD} to do it: ")
        .and_then(|()| stderr.flush())
        .map_err(failed)?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line).map_err(failed)?;
    if line.trim() == WORD {
        Ok(())
    } else {
        Err(Failure::Refused("nothing was removed".to_owned()))
    }
}
